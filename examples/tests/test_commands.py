"""Commands in READMEs and in docstrings of examples: the example is there, and knows the flags."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
import readmes

ROOT = Path(__file__).resolve().parents[2]
TEXTS = (
    ROOT / "README.md",
    *sorted(ROOT.glob("packages/*/README.md")),
    *sorted(ROOT.glob("packages/*/benchmarks/README.md")),
    *sorted(ROOT.glob("examples/**/README.md")),
    *sorted(ROOT.glob("examples/*.py")),
    *sorted(ROOT.glob("docs/**/*.md")),
)


def find_commands():
    """Commands that run an example, by the example's path below examples/."""
    commands = defaultdict(list)
    for text in TEXTS:
        for command in readmes.read_commands(text, "uv run"):
            place = next((n for n, word in enumerate(command.words) if word.startswith("examples/")), None)
            if place is not None and "pytest" not in command.words:
                example = command.words[place].removeprefix("examples/")
                commands[example].append((command, command.words[place + 1 :]))
    return dict(commands)


COMMANDS = find_commands()


def test_there_are_commands():
    assert "train_pearl.py" in COMMANDS
    assert sum(map(len, COMMANDS.values())) > 30


@pytest.mark.parametrize("example", sorted(COMMANDS))
def test_the_example_knows_the_flags_of_commands(example, run, tmp_path):
    result = run(example, "--helpfull", cwd=tmp_path)
    known = re.findall(r"^ +(?:-\w,)?--(\[no\])?(\w+)", result.stdout, re.MULTILINE)
    names = {name for _, name in known} | {f"no{name}" for negated, name in known if negated}
    assert "helpfull" in names, result.stderr
    unknown = [
        f"{command.path.relative_to(ROOT)}:{command.line}: {flag}"
        for command, flags in COMMANDS[example]
        for flag in flags
        if flag.startswith("-") and flag.lstrip("-").partition("=")[0] not in names
    ]
    assert unknown == []
