"""The README's examples run as they are."""

from pathlib import Path

import readmes

README = Path(__file__).parents[1] / "README.md"
BROKEN = {"make_env": NameError}  # by a text of the block: the reader's own names


def test_examples_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    readmes.run_blocks(README, namespace, broken=BROKEN)
    assert "success rate at its last step" in capsys.readouterr().out
    assert namespace["outcome"].returns.shape == (10, 2)
