"""Docstrings for Sphinx: converted, without what says nothing, and with chex's types by their names."""

from typing import Any

import chex
from markdown_docstrings import Converter
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

_ALIASES = {
    stringify_annotation(getattr(chex, name), "smart"): f"chex.{name}" for name in ("ArrayTree", "Array", "ArrayNumpy")
}


def public_names(module: Any) -> list[str]:
    """Where what a package offers by `__all__` is defined, as full names."""
    found = [getattr(module, name) for name in getattr(module, "__all__", ())]
    homes = [f"{each.__module__}.{each.__qualname__}" for each in found if hasattr(each, "__qualname__")]
    return [home for home in homes if home.startswith(module.__name__.partition(".")[0])]


def process_docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Converts a docstring in place; that of a package also says what it offers."""
    lines[:] = Converter(lines).convert()
    if what == "module" and (names := public_names(obj)):
        lines += ["", f"What ``{name}`` offers: " + ", ".join(f"`{each}`" for each in names) + ".", ""]


def process_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Writes chex's unions by their names."""
    for union, alias in _ALIASES.items():
        signature = signature and signature.replace(union, alias)
        returns = returns and returns.replace(union, alias)
    return signature, returns


def skip_member(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out the fields of named tuples, which the docstring of the class lists."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def search_exactly(app: Sphinx, doctree: Any) -> None:
    """Names in annotations are whole, so Sphinx need not look for what ends like them, which takes a minute."""
    for node in doctree.findall(addnodes.pending_xref):
        if node.get("refspecific") is False:
            del node["refspecific"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", process_docstring, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", process_signature)
    app.connect("autodoc-skip-member", skip_member)
    app.connect("doctree-read", search_exactly)
    return {"parallel_read_safe": True}
