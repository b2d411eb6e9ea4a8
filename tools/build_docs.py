"""Builds the site into docs/_build, with warnings as errors, and checks that it needs nothing from elsewhere.

uv run --group docs tools/build_docs.py    then open docs/_build/index.html
"""

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "docs" / "_build"

_LOADED = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
"""What a browser loads for a page, unlike the targets of links, which it loads when somebody follows them."""


class _Page(HTMLParser):
    """loaded: addresses that the page loads. links: targets of its links. names: what links to the page can name."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps the addresses in a tag."""
        values = {name: value for name, value in attrs if value is not None}
        self.names.update(values[name] for name in ("id", "name") if name in values)
        if address := values.get(_LOADED.get(tag, "")):
            self.loaded.append(address)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])


def read_page(path: Path) -> _Page:
    """What an HTML file loads, links to and can be linked at."""
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def find_problems(folder: Path) -> Iterator[str]:
    """What pages load from elsewhere, and links that lead nowhere, a message each."""
    pages = {path.resolve(): read_page(path) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(folder.resolve())
        yield from (f"{name} loads {each}" for each in page.loaded if urlsplit(each).netloc)
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme or parts.netloc:
                continue
            if not target.is_file():
                yield f"{name} links to {link}, which is not there"
            elif target in pages and parts.fragment and unquote(parts.fragment) not in pages[target].names:
                yield f"{name} links to {link}, which has no such place"
    for path in sorted(folder.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        yield from (
            f"{path.relative_to(folder)} loads {mark}" for mark in ("url(http", "url(//", "@import") if mark in text
        )


def main() -> None:
    """Builds and checks."""
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "--fail-on-warning",
        "--write-all",  # pages that did not change name those that did, in their margin
        "--quiet",
        "-b",
        "html",
        "-c",
        "docs",
        ".",
        str(BUILT),
    ]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit("error: the site was not built; it needs `uv run --group docs tools/build_docs.py`")
    if problems := list(find_problems(BUILT)):
        sys.exit("\n".join(problems))
    print(f"{BUILT / 'index.html'}: {sum(1 for _ in BUILT.rglob('*.html'))} pages")


if __name__ == "__main__":
    main()
