"""The files that the leaderboard is in: the table between two marks of a README, and a CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from support.leaderboard.entries import Entry
from support.leaderboard.records import Family, Learner
from support.leaderboard.tables import format_csv, format_table

BEGIN, END = (
    "<!-- Written by examples/leaderboard.py: begin -->\n",
    "<!-- Written by examples/leaderboard.py: end -->\n",
)


def make_files(
    readme: Path, csv: Path, entries: Sequence[Entry], families: Sequence[Family], learners: Sequence[Learner]
) -> dict[Path, str]:
    """What is to be in the two files, of which the README is there already.

    Raises:
      ValueError: the README is not there, or lacks a mark.
    """
    if not readme.is_file():
        raise ValueError(f"readme must be a file, got {readme}")
    return {
        readme: replace_table(readme.read_text(encoding="utf-8"), format_table(entries, families, learners)),
        csv: format_csv(entries, families, learners),
    }


def find_old(files: Mapping[Path, str]) -> list[Path]:
    """Those that are missing, or hold something else."""
    return [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def replace_table(readme: str, table: str) -> str:
    """The text of a README with the table between the two marks.

    Raises:
      ValueError: it lacks one of them.
    """
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"readme must have the lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{head}{begin}\n{table}\n{end}{tail}"
