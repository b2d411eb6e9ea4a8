"""What READMEs show: code blocks of Python, and commands; tests run the former and check the latter."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Block(NamedTuple):
    """A block of Python.

    path: of the README.
    line: where the code begins in it, counted from 1.
    source: the code.
    """

    path: Path
    line: int
    source: str

    def run(self, namespace: dict[str, Any]) -> None:
        """Runs it in `namespace`, where what it defines stays; a traceback shows the README's own lines."""
        code = compile("\n" * (self.line - 1) + self.source, str(self.path), "exec")
        exec(code, namespace)


def read_blocks(path: Path) -> list[Block]:
    """All blocks of Python in a README, in order; what one defines the next may use."""
    text = path.read_text(encoding="utf-8")
    found = re.finditer(r"^ *```(?:python|py)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [Block(path, text[: match.start(1)].count("\n") + 1, match[1]) for match in found]


def run_blocks(path: Path, namespace: dict[str, Any]) -> None:
    """Runs all blocks of a README in order, in `namespace`, where what they define stays."""
    for block in read_blocks(path):
        block.run(namespace)


class Command(NamedTuple):
    """A command in a text.

    path, line: where it begins.
    words: what a shell would make of it; comments are gone.
    """

    path: Path
    line: int
    words: tuple[str, ...]


def read_commands(path: Path, program: str) -> Iterator[Command]:
    """Commands in a README, or in the docstring of a program, that are `program`; lines may end in a backslash."""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(rf"(?<![\w./-]){program}\s(?:[^\n\\`]|\\\n|\\.)*", text):
        with_comments = match[0].replace("\\\n", " ")
        words = shlex.split(with_comments, comments=True)
        end = next((number for number, word in enumerate(words) if word in ("&&", ";", "|", "||")), len(words))
        yield Command(path, text[: match.start()].count("\n") + 1, tuple(words[:end]))
