"""Tutorials: pages of Markdown whose code runs, and whose output is what the code printed.

A block of `python` may be followed by one of `text`, which shows what it prints. Blocks of a page share their names.

uv run tools/tutorials.py docs/tutorials/*.md            run them, and fail where they print something else
uv run tools/tutorials.py --write docs/tutorials/*.md    run them, and write what they print into the pages
"""

import argparse
import contextlib
import io
import math
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

_STEP = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?", re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"-?\d+\.\d+")
TOLERANCE = 0.15
"""Of numbers with a decimal point: versions of JAX and processors round differently."""
TRAINED = "<!-- Numbers are of a training, and differ from machine to machine. -->"
"""A page with this line shows numbers with a decimal point as they were, and none is compared."""


def is_same(printed: str, shown: str, tolerance: float = TOLERANCE) -> bool:
    """Whether outputs say the same: words and whole numbers exactly, others up to `tolerance` or that share of them."""
    if " ".join(_NUMBER.sub("#", printed).split()) != " ".join(_NUMBER.sub("#", shown).split()):
        return False
    pairs = zip(map(float, _NUMBER.findall(printed)), map(float, _NUMBER.findall(shown)), strict=True)
    return all(abs(one - other) <= tolerance * max(1.0, abs(other)) for one, other in pairs)


def run_code(code: str, name: str, line: int, names: dict[str, Any]) -> str:
    """Runs a block in `names` and returns what it prints; a traceback shows the lines of the page."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile("\n" * (line - 1) + code, name, "exec"), names)
    return output.getvalue()


def run(path: Path) -> tuple[str, list[str]]:
    """Runs a page in the present directory.

    Returns:
      The text of the page with the outputs of this run, and what was printed but not shown, a message each.
    """
    text = path.read_text(encoding="utf-8")
    tolerance = math.inf if TRAINED in text else TOLERANCE
    names: dict[str, Any] = {"__name__": "__main__"}
    parts, problems, end = [], [], 0
    for step in _STEP.finditer(text):
        line = text[: step.start("code")].count("\n") + 1
        printed = run_code(step["code"], str(path), line, names)
        if not is_same(printed, step["shown"] or "", tolerance):
            problems.append(f"{path}:{line}: the code prints\n{printed}and the page shows\n{step['shown'] or ''}")
        output = f"\n```text\n{printed}```\n" if printed else ""
        parts += [text[end : step.start()], f"```python\n{step['code']}```\n", output]
        end = step.end()
    return "".join([*parts, text[end:]]), problems


def main() -> None:
    """Runs pages, each in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write what was printed into the pages")
    parser.add_argument("pages", nargs="+", type=Path)
    arguments = parser.parse_args()
    problems: list[str] = []
    for path in [page.resolve() for page in arguments.pages]:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            start = os.times()
            text, found = run(path)
        problems += found
        if arguments.write:
            path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {os.times().user - start.user:.1f} s of CPU")
    if problems and not arguments.write:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
