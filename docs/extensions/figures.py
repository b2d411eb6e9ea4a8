"""The directive `figures`: a table of the thesis's figures, made of the records by which `reproduce.py` makes them."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from support.thesis import FIGURES
from support.thesis.records import Figure

_HEAD = (
    "| figure | shows | made of runs of | command | results | what it lacks |\n| --- | --- | --- | --- | --- | --- |\n"
)
_EXTRAS = {"4": "--extra guidenet ", "5": "--extra mujoco ", "C": "--extra mujoco ", "D": "--extra mujoco "}
"""What the commands of a chapter or an appendix need."""


def find_results(figure: Figure, pages: set[str]) -> list[str]:
    """Pages of `examples/results` about what a figure is made of, the nearest above each committed run."""
    found: dict[str, None] = {}
    for group in figure.groups:
        parts = group.make(0).committed.split("/")
        while parts != [""] and parts:
            page = "/".join(["examples/results", *parts, "README"])
            if page in pages:
                found[page] = None
                break
            parts.pop()
    return list(found)


class Figures(SphinxDirective):
    """Figures of the sections that begin with the arguments, such as `5.2 C.`."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Writes the table as Markdown, which the page is in."""
        sections = tuple(self.arguments[0].split())
        rows = [self._row(number, figure) for number, figure in FIGURES.items() if figure.section.startswith(sections)]
        if not rows:
            raise self.error(f"there is no figure of a section that begins with {' or '.join(sections)}")
        container = nodes.container()
        self.state.nested_parse([*(_HEAD + "\n".join(rows)).splitlines()], self.content_offset, container)
        return container.children

    def _row(self, number: str, figure: Figure) -> str:
        pages = find_results(figure, self.env.found_docs)
        programs = dict.fromkeys(group.make(0).program for group in figure.groups)
        cells = (
            number,
            f"{figure.title} ({figure.section})",
            ", ".join(f"[{program}](/examples/{program})" for program in programs),
            f"`uv run {_EXTRAS.get(figure.section[0], '')}examples/reproduce.py --figure={number}`",
            ", ".join(f"[{page.split('/', 2)[2].removesuffix('/README')}](/{page}.md)" for page in pages),
            "; ".join(figure.lacks),
        )
        return f"| {' | '.join(cells)} |"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("figures", Figures)
    return {"parallel_read_safe": True}
