"""The root README's examples run as they are, and no README's examples are forgotten."""

from pathlib import Path

import pytest
import readmes

ROOT = Path(__file__).resolve().parents[2]


def test_examples_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readmes.run_blocks(ROOT / "README.md", {"__name__": "__main__"})


@pytest.mark.parametrize("path", sorted(ROOT.glob("packages/*/README.md")), ids=lambda path: path.parent.name)
def test_each_package_tests_its_readme(path):
    tests = [file.read_text(encoding="utf-8") for file in path.parent.glob("tests/test_*_readme.py")]
    assert len(tests) == 1
    assert "readmes." in tests[0]


def test_no_other_readme_has_examples():
    others = [*ROOT.glob("*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("packages/*/benchmarks/*.md")]
    assert [path for path in others if path != ROOT / "README.md" and readmes.read_blocks(path)] == []
