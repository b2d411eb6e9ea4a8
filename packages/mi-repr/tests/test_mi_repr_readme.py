"""The README's examples run as they are, and say what the README says they do."""

from pathlib import Path

import pytest
import readmes
from mi_repr.deep import OBJECTIVES, catcher

pytestmark = pytest.mark.wheel

README = Path(__file__).parents[1] / "README.md"


def test_first_example_says_which_objectives_are_sufficient(capsys):
    readmes.read_blocks(README)[0].run({"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "fwd: maximum 2.0000 bits (1 representations), sufficient for Q*." in printed
    assert "state: maximum 1.0000 bits (4 representations), NOT sufficient." in printed
    assert "The maximiser {s0,s3} {s1} {s2} is not sufficient for an optimal policy" in printed


def test_objectives_are_those_that_there_are():
    rows = [line for line in README.read_text().splitlines() if line.startswith("| `")]
    expected = [f"| `{name}` | {record.needs} | {record.description} |" for name, record in OBJECTIVES.items()]
    assert [row for row in rows if row.count("|") == 4] == expected


@pytest.mark.slow
def test_other_examples_run_in_order_with_small_presets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    preset = catcher.preset
    monkeypatch.setattr(catcher, "preset", lambda name, *arguments: preset("tiny", *arguments))
    namespace = {"__name__": "__main__"}
    for block in readmes.read_blocks(README)[1:]:
        block.run(namespace)
    assert {"information", "probe", "agent"} <= set(namespace["results"])
