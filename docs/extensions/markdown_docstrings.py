"""From Markdown with Google's sections, in which docstrings are written here, to reStructuredText, which Sphinx reads.

Fields, `name: what it is` a line, become definition lists; tables, tables; fenced and indented blocks, literal blocks;
and what is markup in one language only is escaped. `Args:` and the like are left to Sphinx's napoleon.
"""

import re
from collections.abc import Callable

_SECTION = re.compile(r"(Args|Raises|Returns|Yields):$")
_NAME = r"(?:`[^`]+`|\w+)"
_FIELD = re.compile(rf"( *)({_NAME}(?:, {_NAME})*): (\S.*)$")


def count_spaces(line: str) -> int:
    """Spaces that a line begins with."""
    return len(line) - len(line.lstrip())


def opens_fields(line: str, following: str) -> bool:
    """Whether a list of fields begins below a line of text, without a blank line between them."""
    return bool(_FIELD.match(following)) and (line.endswith(":") or count_spaces(following) > count_spaces(line))


def escape(text: str) -> str:
    """Escapes, outside of code in backticks, what would be markup in reStructuredText and is none in Markdown."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([*|\\]|(?<=\w)_\b)", r"\\\1", part) for part in parts[::2]]
    parts[2::2] = [re.sub(r"^(?=\w)", r"\\ ", part) for part in parts[2::2]]  # the plural s of a name
    return "".join(parts)


def convert_table(rows: list[str]) -> list[str]:
    """A table of Markdown, its second row being the line below the head."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (rows[0], *rows[2:]):
        cells = [re.sub(r"^-", r"\\-", escape(cell.strip())) for cell in row.strip("|").split("|")]
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}" for number, cell in enumerate(cells)]
    return ["", *lines, ""]


class Converter:
    """Goes through the lines of one docstring, block by block."""

    def __init__(self, lines: list[str]) -> None:
        """Nothing is converted yet."""
        self._rest = list(lines)
        self.lines: list[str] = []

    def convert(self) -> list[str]:
        """The whole docstring."""
        while self._rest:
            line = self._rest[0]
            blank_before = not self.lines or not self.lines[-1].strip()
            if line.strip().startswith("```"):
                self._convert_fence()
            elif line.startswith("| "):
                self.lines += convert_table(self._take(lambda line: line.startswith("|")))
            elif _SECTION.match(line):
                self.lines += self._convert_section()
            elif _FIELD.match(line) and (blank_before or opens_fields(self.lines[-1], line)):
                self._convert_fields()
            elif line.startswith("    ") and blank_before:
                self.lines += ["::", "", *self._take(lambda line: not line.strip() or line.startswith("    ")), ""]
            else:
                self.lines += escape("\n".join(self._take_text())).split("\n")
        return self.lines

    def _take(self, belongs: Callable[[str], bool]) -> list[str]:
        """Removes and returns the lines up to the first that does not belong."""
        number = next((n for n, line in enumerate(self._rest) if not belongs(line)), len(self._rest))
        taken, self._rest = self._rest[:number], self._rest[number:]
        return taken

    def _take_text(self) -> list[str]:
        """A paragraph, up to a blank line or to what follows on a colon."""
        number = next((n for n, line in enumerate(self._rest) if not line.strip()), len(self._rest) - 1) + 1
        for end in range(1, number):
            if opens_fields(self._rest[end - 1], self._rest[end]):
                number = end
                break
        taken, self._rest = self._rest[:number], self._rest[number:]
        return taken

    def _convert_fence(self) -> None:
        spaces = " " * count_spaces(self._rest.pop(0))
        code = self._take(lambda line: not line.strip().startswith("```"))
        self._rest.pop(0)
        self.lines += ["", f"{spaces}::", "", *(f"    {line}".rstrip() for line in code), ""]

    def _convert_section(self) -> list[str]:
        head = self._rest.pop(0)
        body = self._take(lambda line: not line.strip() or line.startswith(" "))
        return [head, *escape("\n".join(body)).split("\n")]

    def _convert_fields(self) -> None:
        spaces = count_spaces(self._rest[0])
        if self.lines and self.lines[-1].strip():
            self.lines.append("")
        while self._rest and (match := _FIELD.match(self._rest[0])) and len(match[1]) == spaces:
            self._rest.pop(0)
            text = [match[3], *self._take(lambda line: bool(line.strip()) and count_spaces(line) > spaces)]
            names = ", ".join(f"``{name.strip('`')}``" for name in match[2].split(", "))
            words = escape("\n".join(line.strip() for line in text)).split("\n")
            self.lines += [match[1] + names, *(" " * (spaces + 4) + line for line in words)]
        self.lines.append("")
