"""The README's first example runs as it is, and says what the README says it does."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheel

README = Path(__file__).parents[1] / "README.md"


def test_first_example_says_which_objectives_are_sufficient(capsys):
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    exec(example, {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "fwd: maximum 2.0000 bits (1 representations), sufficient for Q*." in printed
    assert "state: maximum 1.0000 bits (4 representations), NOT sufficient." in printed
    assert "The maximiser {s0,s3} {s1} {s2} is not sufficient for an optimal policy" in printed
