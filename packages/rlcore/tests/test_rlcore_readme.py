"""The README's examples run as they are."""

import re
from pathlib import Path

import pytest
import readmes

pytestmark = pytest.mark.wheel

README = Path(__file__).parents[1] / "README.md"


def test_examples_run_in_order_and_the_first_one_learns(capsys):
    readmes.run_blocks(README, {"__name__": "__main__"})
    reward = float(re.search(r"mean reward (-\d\.\d+);", capsys.readouterr().out)[1])
    assert reward > -0.12
