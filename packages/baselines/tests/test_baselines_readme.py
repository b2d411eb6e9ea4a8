"""The README's examples run as they are."""

from pathlib import Path

import readmes

README = Path(__file__).parents[1] / "README.md"


def test_examples_run_in_order(capsys):
    namespace = {"__name__": "__main__"}
    readmes.run_blocks(README, namespace)
    assert "return by episode of a trial" in capsys.readouterr().out
    assert namespace["returns"].shape == (20, 3)
