"""The README's examples run as they are."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheel

README = Path(__file__).parents[1] / "README.md"


def test_examples_run_in_order_and_the_first_one_learns(capsys):
    namespace = {"__name__": "__main__"}
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    for example in examples:
        exec(example, namespace)
    reward = float(re.search(r"mean reward (-\d\.\d+);", capsys.readouterr().out)[1])
    assert reward > -0.12
