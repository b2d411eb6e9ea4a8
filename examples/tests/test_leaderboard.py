"""The leaderboard: statistics and tables against numbers worked out by hand, and README and CSV against the results."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.curves import bootstrap_interval, interquartile_mean, read_episodes
from support.leaderboard.entries import find_best, find_entries
from support.leaderboard.files import BEGIN, END, find_old, make_files, replace_table
from support.leaderboard.records import FAMILIES, LEARNERS, Family, Learner, Place
from support.leaderboard.runs import find_others
from support.leaderboard.tables import format_csv, format_table

ROOT = Path(__file__).resolve().parents[2]
FIRST, AT_ONCE, SEES = (
    Learner("first", "a"),
    Learner("at once", "b", adapts_at_once=True),
    Learner("c", "c", False, True),
)
FAMILY = Family("home", {"first": Place("first/cpu", "stage/cpu")}, {"stands still": -7.0})
EMPTY = Family("away", pictures=True)


def _write_run(results, place, seed, last, *, every=1, iterations=10):
    """A run of 100 steps an iteration and 5 of them a second, that gains 1 an iteration; episode 3 is 10 better."""
    rows = []
    for iteration in range(every, iterations + 1, every):
        value = last + iteration - iterations
        returns = {"test/return": value + 10, "test/return_1": value, "test/return_3": value + 10}
        rows.append({"iteration": iteration, "env_steps": 50 + 100 * iteration, "time/steps_per_s": 5.0, **returns})
    (results / f"{place}-seed{seed}").mkdir(parents=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (results / f"{place}-seed{seed}" / "metrics.jsonl").write_text(text)


@pytest.fixture
def results(tmp_path):
    results = tmp_path / "results"
    for seed, last in enumerate((1.0, 2.0, 6.0)):
        _write_run(results, "first/cpu", seed, last)
        _write_run(results, "stage/cpu", seed, 0.0)
    _write_run(results, "baselines/home/b", 0, -20.0, every=5)
    _write_run(results, "baselines/home/b", 11, 90.0, iterations=8)  # stopped at four fifths
    _write_run(results, "baselines/home/b-kl1", 0, 0.0)
    return results


def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end():
    assert interquartile_mean(np.array([9.0, 1.0, 2.0])) == 4  # less than one of three is left out
    assert interquartile_mean(np.array([100.0, 3.0, 1.0, 2.0])) == 2.5
    np.testing.assert_allclose(interquartile_mean(np.array([[1.0, 2, 4, 8, 16, 32, 64, 128]]).T), [15])


def test_intervals_are_as_rliable_has_them():
    """With three seeds all of a resample are the worst one with probability 1 / 27, more than the 2.5% left out."""
    low, high = bootstrap_interval(np.array([[1.0], [2.0], [6.0]]), 0.95, interquartile_mean)
    assert (low[0], high[0]) == (1, 6)
    for values, expected in (([15.36, 15.44, 15.37, 12, 3], (6, 15.416667)), ([1, 2, 4, 8, 16, 32, 64, 128], (3, 60))):
        interval = bootstrap_interval(np.array(values, float)[:, None], 0.95, interquartile_mean)
        np.testing.assert_allclose(np.ravel(interval), expected, rtol=1e-6)


def test_late_tests_are_averaged(results):
    path = results / "first/cpu-seed1"
    assert read_episodes(path, "test/return") == ([1.0, 3.0], [2.0, 12.0])
    assert read_episodes(path, "test/return", 0.2) == ([1.0, 3.0], [1.5, 11.5])  # iterations 9 and 10


def test_entries(results):
    first, at_once = find_entries(results, [FAMILY, EMPTY], [AT_ONCE, FIRST, SEES])
    assert (first.learner, first.num_seeds, first.num_left_out, first.episodes) == (FIRST, 3, 0, (1, 3))
    np.testing.assert_allclose(first.middle, [2.5, 12.5])
    np.testing.assert_allclose([first.low, first.high], [[0.5, 10.5], [5.5, 15.5]])
    assert first.env_steps == 2 * 1050  # both stages
    assert np.isclose(first.minutes, 2 * 10 * 100 / 5 / 60)
    assert [first.num_adapted(k) for k in (1, 3)] == [0, 2]
    assert (at_once.num_seeds, at_once.num_left_out, at_once.low, at_once.minutes) == (1, 1, None, None)
    np.testing.assert_allclose(at_once.middle, [-20, -10])
    assert [at_once.num_adapted(k) for k in (1, 2, 3)] == [0, 0, 2]
    assert find_others(results, [FAMILY], [AT_ONCE, FIRST, SEES]) == ["baselines/home/b-kl1", "stage/cpu"]


def test_the_best_is_told_only_where_intervals_part(results):
    first, at_once = find_entries(results, [FAMILY], [FIRST, AT_ONCE])
    other = first._replace(learner=SEES, middle=first.middle - 10, low=first.low - 10, high=first.high - 10)
    assert find_best([other, first]) is first
    assert find_best([first, other._replace(high=first.low)]) is None
    assert find_best([first, at_once]) is None  # one seed has no interval
    assert find_best([at_once]) is find_best([first]) is None


def test_tables(results):
    entries = find_entries(results, [FAMILY, EMPTY], [FIRST, AT_ONCE, SEES])
    table = format_table(entries, [FAMILY, EMPTY], [FIRST, AT_ONCE, SEES])
    assert "| home; stands still -7 | first | 3 | 2,100 | 7 | 2.5 |  | 12.5 | 12.5 [10.5, 15.5] | 2 |\n" in table
    assert "|  | at once | 1 of 2 | 1,050 |  | -20.0 |  | -10.0 | -10.0 | 2 |\n" in table
    assert table.endswith("\nNot trained: any on away.\n")
    partly = format_table(entries[:1], [FAMILY], [FIRST, AT_ONCE, SEES, Learner("d", "d")])
    assert partly.endswith("\nNot trained: all but first on home.\n")
    rows = list(csv.reader(format_csv(entries, [FAMILY, EMPTY], [FIRST, AT_ONCE, SEES]).splitlines()))
    assert rows[2] == ["home", "first", "3", "2100", "6.667", "3", "2", "12.5", "10.5", "15.5"]
    assert rows[3] == ["home", "at once", "1", "1050", "", "1", "0", "-20"]
    assert rows[5:] == [["away", name, "not trained"] for name in ("first", "at once", "c")]


def test_a_readme_without_marks_is_refused():
    assert replace_table(f"a\n{BEGIN}old{END}b", "new\n") == f"a\n{BEGIN}\nnew\n\n{END}b"
    with pytest.raises(ValueError, match="readme must have the lines"):
        replace_table(f"a\n{BEGIN}b", "new\n")


def test_readme_and_csv_are_what_the_results_give():
    """Where not: `uv run examples/leaderboard.py` writes them anew."""
    results = ROOT / "examples/results"
    entries = find_entries(results, FAMILIES, LEARNERS)
    csv_file = results / "leaderboard/leaderboard.csv"
    assert find_old(make_files(ROOT / "README.md", csv_file, entries, FAMILIES, LEARNERS)) == []


def test_the_program_finds_what_is_old_and_writes_it_anew(run, tmp_path):
    shutil.copytree(ROOT / "examples/results/half-cheetah-dir", tmp_path / "results/half-cheetah-dir")
    (tmp_path / "README.md").write_text(f"a\n{BEGIN}old\n{END}b\n")
    flags = ["--results=results", "--readme=README.md", "--output_dir=out"]
    old = run("leaderboard.py", *flags, "--check", cwd=tmp_path)
    assert old.returncode == 1
    assert "README.md, out/leaderboard.csv; `uv run examples/leaderboard.py` writes them anew" in old.stderr
    assert not (tmp_path / "out").exists()
    written = run("leaderboard.py", *flags, cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    assert (tmp_path / "out/leaderboard.png").read_bytes().startswith(b"\x89PNG")
    assert "half-cheetah-dir | PEARL" in (tmp_path / "README.md").read_text()
    assert run("leaderboard.py", *flags, "--check", cwd=tmp_path).returncode == 0


def test_no_place_has_two_learners():
    places = [family.find_place(learner).path for family in FAMILIES for learner in LEARNERS]
    assert len(set(places)) == len(places)
