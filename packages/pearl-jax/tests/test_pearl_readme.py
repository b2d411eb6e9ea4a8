"""The README's first example runs as it is."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheel

OPTIMISE = True
README = Path(__file__).parents[1] / "README.md"


def test_first_example_runs_and_adapts(capsys):
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    namespace = {"__name__": "__main__"}
    exec(example, namespace)
    assert "return by episode of a trial" in capsys.readouterr().out
    mean = namespace["returns"].mean(axis=0)
    # Of 16 possible; measured 10 to 12 after ten episodes, 2 to 4 in the first.
    assert mean[10] > 5
    assert mean[10] > mean[0] + 2
