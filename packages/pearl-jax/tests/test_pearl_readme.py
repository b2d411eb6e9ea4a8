"""The README's examples run as they are."""

from pathlib import Path

import jax
import readmes

OPTIMISE = True
README = Path(__file__).parents[1] / "README.md"


def test_examples_run_in_order_and_the_first_one_adapts(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    first, *others = readmes.read_blocks(README)
    first.run(namespace)
    jax.config.update("jax_disable_most_optimizations", True)  # the others learn next to nothing
    for block in others:
        block.run(namespace)
    assert "return by episode of a trial" in capsys.readouterr().out
    mean = namespace["returns"].mean(axis=0)
    # Of 16 possible; measured 10 to 12 after ten episodes, 2 to 4 in the first.
    assert mean[10] > 5
    assert mean[10] > mean[0] + 2
