"""Writes a page into docs/api for each package in `packages/*/src`, folder by folder, with the modules in it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def find_packages(root: Path) -> list[Path]:
    """Folders of the packages that are imported, `packages/rlcore/src/rlcore` and so on."""
    return sorted(path.parent for path in root.glob("packages/*/src/*/__init__.py"))


def title(text: str, line: str) -> str:
    """A title of reStructuredText."""
    return f"{text}\n{line * len(text)}\n"


def find_members(module: Path) -> list[str]:
    """What a module defines for others: classes, functions, and values with a docstring below them."""
    body = ast.parse(module.read_text(encoding="utf-8")).body
    names: list[str] = []
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.append(node.name)
        elif isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")]


def document(module: Path, name: str) -> str:
    """The directive that shows a module and what it defines; if not named, Sphinx would look at all imports for it."""
    members = ", ".join(find_members(module))
    return f".. automodule:: {name}\n" + (f"   :members: {members}\n" if members else "")


def write_page(folder: Path, name: str, subpackages: list[str]) -> str:
    """The page of the package `name` in `folder`: itself, its modules, and links to the packages in it."""
    parts = [title(name, "="), document(folder / "__init__.py", name)]
    if subpackages:
        parts.append(".. toctree::\n   :hidden:\n\n" + "".join(f"   {each}\n" for each in subpackages))
    for module in sorted(folder.glob("*.py")):
        if module.stem not in ("__init__", "__main__"):
            full = f"{name}.{module.stem}"
            parts += [title(full, "-"), document(module, full)]
    return "\n".join(parts)


def make_pages(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """Names and texts of the pages of a package and of all packages in it."""
    below = [path.parent for path in sorted(folder.glob("*/__init__.py"))]
    yield name, write_page(folder, name, [f"{name}.{path.name}" for path in below])
    for path in below:
        yield from make_pages(path, f"{name}.{path.name}")


def write_pages(app: "Sphinx") -> None:
    """Writes what has changed, and removes pages of packages that are gone."""
    target = Path(app.srcdir) / "docs" / "api"
    target.mkdir(exist_ok=True)
    pages = dict(page for folder in find_packages(Path(app.srcdir)) for page in make_pages(folder, folder.name))
    for old in target.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = target / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: "Sphinx") -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
