"""Ranks all learners on all families that have results in the repository: a table, a CSV and a picture.

    uv run examples/leaderboard.py            # prints the table, writes it into the README, and draws
    uv run examples/leaderboard.py --check    # only says whether README and CSV are what the results give

A run is a folder of examples/results, `PLACE-seed` and a number; which places belong to which learner and family is in
examples/support/leaderboard/records.py. What the numbers are is told in examples/results/leaderboard.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import sys
from pathlib import Path

from absl import flags
from rlcore.experiment import main, output_path, tell, user_errors
from support.leaderboard.drawing import draw
from support.leaderboard.entries import find_entries
from support.leaderboard.files import find_old, make_files
from support.leaderboard.records import FAMILIES, LEARNERS
from support.leaderboard.runs import find_others
from support.leaderboard.tables import format_table

_EXAMPLES = Path(__file__).resolve().parent
_RESULTS = flags.DEFINE_string("results", str(_EXAMPLES / "results"), "Folder that the runs are in.")
_README = flags.DEFINE_string("readme", str(_EXAMPLES.parent / "README.md"), "What the table is written into.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", str(_EXAMPLES / "results" / "leaderboard"), "Where leaderboard.csv and leaderboard.png go."
)
_CHECK = flags.DEFINE_bool("check", False, "Write nothing; exit with 1 where README or CSV are not of these results.")


def rank() -> None:
    """Prints, and writes or checks."""
    results, csv = Path(_RESULTS.value), Path(_OUTPUT_DIR.value) / "leaderboard.csv"
    with user_errors():
        if not _CHECK.value:
            csv = output_path("output_dir", csv)
        entries = find_entries(results, FAMILIES, LEARNERS)
        if not entries:
            raise ValueError(f"results must have runs, got {results}")
        files = make_files(Path(_README.value), csv, entries, FAMILIES, LEARNERS)
    print(format_table(entries, FAMILIES, LEARNERS))
    print(f"not on it: {', '.join(find_others(results, FAMILIES, LEARNERS)) or 'none'}")
    if _CHECK.value:
        old = find_old(files)
        if old:
            names = ", ".join(map(str, old))
            tell(f"error: not what the results give: {names}; `uv run examples/leaderboard.py` writes them anew")
        sys.exit(bool(old))
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    picture = csv.with_suffix(".png")
    draw(entries, LEARNERS, picture)
    print(f"written: {', '.join(map(str, files))}; drawn: {picture}")


if __name__ == "__main__":
    main(rank)
