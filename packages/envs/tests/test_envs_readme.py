"""The README's examples run as they are."""

import pathlib

import pytest
import readmes

pytestmark = pytest.mark.wheel

README = pathlib.Path(__file__).parents[1] / "README.md"


@pytest.mark.usefixtures("scratch_registry")
def test_examples_run_in_order(capsys):
    namespace = {"__name__": "__main__"}
    first, *others = readmes.read_blocks(README)
    first.run(namespace)
    assert capsys.readouterr().out == "best possible return 13.4; distance at the end 0.00 m\n"
    for block in others:
        block.run(namespace)
