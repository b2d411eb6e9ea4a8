"""What belongs below a README in the contents of the site: a package's API, changes and benchmarks; single results."""

import re
from pathlib import Path

from sphinx.application import Sphinx


def find_pages(root: Path, docname: str) -> list[str]:
    """Pages below a README, none for most."""
    if docname == "examples/results/README":
        return [
            "/" + path.relative_to(root).with_suffix("").as_posix()
            for path in sorted((root / "examples/results").rglob("*/README.md"))
        ]
    if not re.fullmatch(r"packages/[\w-]+/README", docname):
        return []
    folder = (root / docname).parent
    (package,) = (path.parent.name for path in folder.glob("src/*/__init__.py"))
    found = [name for name in ("CHANGELOG", "benchmarks/README") if (folder / f"{name}.md").exists()]
    return [f"/docs/api/{package}", *(f"/packages/{folder.name}/{name}" for name in found)]


def add_toctree(app: Sphinx, docname: str, source: list[str]) -> None:
    """Adds to the text of a README what belongs below it."""
    if pages := find_pages(Path(app.srcdir), docname):
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", add_toctree)
    return {"parallel_read_safe": True}
