"""reproduce.py runs what is missing in order, survives being stopped, and knows commands and files that exist."""

import csv
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from rlcore.experiment import Run
from support.curves import read_episodes
from support.runs import share_trained
from support.thesis import FIGURES
from support.thesis.drawing import align
from support.thesis.records import Group, Need
from support.thesis.status import RESULTS, Look, compare_options, describe_figure, describe_group

TESTS = Path(__file__).parent
NUMBERS = "5 10 11 14 15 16 17 18 23 24 25 28 30 31 32 34 36 37 38 41"
_TINY = runpy.run_path(str(TESTS / "tiny_figures.py"))
TINY, NUM_ITERATIONS, make = (_TINY[name] for name in ("TINY", "NUM_ITERATIONS", "make"))
NOT_COMMITTED_YET = {"guidenet/scores"}


@pytest.fixture
def reproduce(run, tmp_path):
    return lambda *flags: run("tests/tiny_figures.py", *flags, "--runs=runs", cwd=tmp_path)


def _events(directory):
    return [json.loads(line) for line in (directory / "starts.jsonl").read_text().splitlines()]


def _started(directory):
    return [event["run"] for event in _events(directory) if event["event"] == "start"]


def _most_at_a_time(directory):
    events = sorted(_events(directory), key=lambda event: event["time"])
    return np.cumsum([1 if event["event"] == "start" else -1 for event in events]).max()


def _metrics(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def test_it_runs_in_order_draws_and_then_has_nothing_to_do(reproduce, tmp_path):
    listed = reproduce("--figure=1", "--list")
    assert listed.returncode == 0, listed.stderr
    assert "first: seeds 0, 1 missing" in listed.stdout
    assert "about 2.0 h on one core" in listed.stdout
    assert not (tmp_path / "runs").exists()

    done = reproduce("--figure=1")
    assert done.returncode == 0, done.stderr
    # Of a seed all before the next, what is read before what reads it.
    order = ["first-0", "input-0", "second-0", "first-1"]
    assert _started(tmp_path) == order
    assert _most_at_a_time(tmp_path) == 1
    if hasattr(os, "sched_getaffinity"):
        assert {tuple(event["cores"]) for event in _events(tmp_path)} == {(min(os.sched_getaffinity(0)),)}
    places = [listed.stdout.index(f"{place}. {name}") for place, name in enumerate(order, 1)]
    assert places == sorted(places)
    figures = tmp_path / "runs" / "figures" / "1"
    assert (figures / "curves.png").read_bytes().startswith(b"\x89PNG")
    with (figures / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    first = [row for row in rows if (row["learner"], row["seed"]) == ("first", "1")]
    trained = _metrics(tmp_path / "runs" / "first-1")
    assert [(int(row["x"].removesuffix(".0")), float(row["y"])) for row in first] == [
        (row["env_steps"], row["test/return"]) for row in trained
    ]
    assert {row["finished"] for row in rows} == {"True"}
    assert "second: seed 0 finished" in (figures / "contents.txt").read_text()
    assert "second: seed 0 finished" in done.stdout

    again = reproduce("--figure=1", "--jobs=2")
    assert again.returncode == 0, again.stderr
    assert "nothing to run" in again.stdout
    assert _started(tmp_path) == order
    fewer = reproduce("--figure=1", "--seeds=1", "--draw_only")
    assert "first: seed 0 finished\n" in fewer.stdout
    more = reproduce("--figure=1", "--seeds=3", "--list")
    assert "first: seeds 0, 1 finished; seed 2 missing" in more.stdout
    assert more.stdout.count("tiny_training.py") == 5


def test_two_run_at_a_time_each_on_its_core(reproduce, tmp_path):
    done = reproduce("--figure=3", "--jobs=2")
    assert done.returncode == 0, done.stderr
    assert _most_at_a_time(tmp_path) == 2
    if hasattr(os, "sched_getaffinity"):
        mine = sorted(os.sched_getaffinity(0))
        cores = sorted({tuple(event["cores"]) for event in _events(tmp_path)})
        assert cores == ([(mine[0],), (mine[1],)] if len(mine) > 1 else [tuple(mine)])


def test_one_that_fails_is_reported_and_others_go_on(reproduce, tmp_path):
    result = reproduce("--figure=2")
    assert result.returncode == 1
    assert "broken-0: failed with exit code 1; the end of runs/logs/broken-0.log" in result.stderr
    assert "    ArithmeticError: the tiny training was told to fail" in result.stderr
    assert "after-0: left out: it needs broken-0" in result.stderr
    assert _started(tmp_path) == ["broken-0", "first-0", "first-1"]
    assert "broken: seed 0 unfinished at 50%" in result.stdout
    assert "first: seeds 0, 1 finished" in result.stdout
    assert (tmp_path / "runs" / "figures" / "2" / "curves.png").exists()


@pytest.mark.slow
def test_it_trains_pearl_and_films_it(reproduce, tmp_path):
    result = reproduce("--figure=4", "--jobs=2")
    assert result.returncode == 0, result.stderr
    assert "pearl-0/trajectories.png: is there by now" in result.stderr
    folder = tmp_path / "runs" / "figures" / "4"
    expected = ["adaptation_sheet-seed0.png", "contents.txt", "curves.csv", "curves.png", "trajectories-seed0.png"]
    assert sorted(path.name for path in folder.iterdir()) == expected
    assert "nothing to run" in reproduce("--figure=4").stdout


def _start(directory):
    command = [sys.executable, TESTS / "tiny_figures.py", "--figure=3", "--runs=runs"]
    return subprocess.Popen(command, cwd=directory, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def _wait_for(run_dir, num_rows):
    deadline = time.monotonic() + 60
    metrics = run_dir / "metrics.jsonl"
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < num_rows:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_stopped_it_ends_its_runs_and_goes_on_to_the_same_numbers(reproduce, run, tmp_path, number):
    process = _start(tmp_path)
    _wait_for(tmp_path / "runs" / "slow-0", 1)
    process.send_signal(number)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "run the same command again to go on" in messages
    (event,) = _events(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(event["pid"], 0)
    kept = len(_metrics(tmp_path / "runs" / "slow-0"))
    assert 0 < kept < NUM_ITERATIONS

    listed = reproduce("--figure=3", "--list")
    assert f"slow: seed 0 unfinished at {kept / NUM_ITERATIONS:.0%}; seed 1 missing" in listed.stdout
    assert "lacks: a learner: not there yet" in listed.stdout
    again = reproduce("--figure=3")
    assert again.returncode == 0, again.stderr
    whole = tmp_path / "whole"
    flags = ["--seed=0", f"--num_iterations={NUM_ITERATIONS}", f"--run_dir={whole}"]
    assert run("tests/tiny_training.py", *flags, cwd=tmp_path).returncode == 0
    assert _metrics(tmp_path / "runs" / "slow-0") == _metrics(whole)


@pytest.mark.slow
def test_a_run_that_is_killed_fails_and_goes_on_later(reproduce, tmp_path):
    process = _start(tmp_path)
    _wait_for(tmp_path / "runs" / "slow-0", 2)
    os.kill(_events(tmp_path)[0]["pid"], signal.SIGKILL)
    _, messages = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "slow-0: failed with exit code -9" in messages
    assert "slow-1: finished after" in messages
    assert reproduce("--figure=3").returncode == 0
    assert len(_metrics(tmp_path / "runs" / "slow-0")) == NUM_ITERATIONS


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--figure=13"], "error: figure must be one of 5, 10, 11, 14"),
        (["--figure=14", "--jobs=0"], "flag --jobs=0"),
        (["--figure=14", "--seeds=0"], "flag --seeds=0"),
        (["--draw_only"], "error: draw_only must have figures to draw"),
        (["--figure=14", "--list", "--draw_only"], "error: draw_only must"),
        (["--figure=14", "--draw_only", "--runs=/dev/null/runs"], "error: runs /dev/null/runs"),
    ],
)
def test_bad_input_is_refused(run, tmp_path, flags, message):
    result = run("reproduce.py", *flags, cwd=tmp_path)
    assert result.returncode in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_figure_all_are_listed_and_nothing_is_run(run, tmp_path):
    result = run("reproduce.py", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    numbers = [line.split()[1].rstrip(":") for line in result.stdout.splitlines() if line.startswith("figure")]
    assert " ".join(numbers) == NUMBERS
    assert list(tmp_path.iterdir()) == []


def _all_needs():
    """Of every figure and seed, with those that others read."""

    def walk(need):
        yield need
        for other in need.after:
            yield from walk(other)

    for figure in FIGURES.values():
        for group in figure.groups:
            for seed in range(group.num_seeds):
                yield from walk(group.make(seed))


def test_a_name_is_one_need():
    found = defaultdict(set)
    for need in _all_needs():
        found[need.name].add((need.program, need.flags, need.place))
    assert [name for name, needs in found.items() if len(needs) > 1] == []


@pytest.mark.parametrize("program", sorted({need.program for need in _all_needs()}))
def test_programs_take_the_commands_of_all_records(run, tmp_path, program):
    commands = {need.flags for need in _all_needs() if need.program == program}
    file = tmp_path / "commands.json"
    file.write_text(json.dumps(sorted(commands)))
    result = run("tests/parse_commands.py", program, str(file), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""


def test_what_records_say_is_committed_is_there():
    groups = [group for figure in FIGURES.values() for group in figure.groups]
    needs = [need for group in groups if (need := group.make(0)).committed]
    assert len(needs) > 40
    lacking = {need.committed for need in needs if need.measure(RESULTS / need.committed) == 0}
    assert lacking <= NOT_COMMITTED_YET


@pytest.mark.parametrize("number", ["5", "15", "18", "30", "32", "37", "38"])
def test_figures_whose_results_are_committed_need_no_run(number, tmp_path):
    look = Look(tmp_path)
    assert look.plan([FIGURES[number]]) == []
    assert "missing" not in describe_figure(number, FIGURES[number], look)


def test_committed_curves_meet_a_need_but_not_one_that_reads_the_run(tmp_path):
    first = make("first", (), "", 0)._replace(committed="curves")
    second = make("second", (), "", 0)._replace(after=(first,))
    (tmp_path / "results" / "curves").mkdir(parents=True)
    rows = "".join(f'{{"iteration": {i}, "env_steps": {i}, "test/return": 1.0}}\n' for i in (1, NUM_ITERATIONS))
    (tmp_path / "results" / "curves" / "metrics.jsonl").write_text(rows)
    look = Look(tmp_path / "runs", 1, tmp_path / "results")
    alone = TINY["1"]._replace(panels=(), others=(Group("first", lambda seed: first),))
    both = alone._replace(others=(*alone.others, Group("second", lambda seed: second)))
    assert look.plan([alone]) == []
    assert [need.name for need in look.plan([both])] == ["first-0", "second-0"]


def _write_run(path, seed, size, num_iterations, last_row):
    with Run.open(path, {"config": {"size": size}, "seed": seed}) as run:
        for iteration in run.iterations(0, num_iterations):
            run.finish_iteration(iteration, {"x": np.float32(0)}, {"env_steps": iteration, "test/return": 1.0})
        run.log(last_row, {"env_steps": last_row, "test/return": 2.0})


def test_a_run_is_as_far_as_its_newest_checkpoint(tmp_path):
    _write_run(tmp_path / "run", 0, 1, 2, last_row=4)
    assert share_trained(tmp_path / "run", 4) == 0.5
    assert share_trained(tmp_path / "run", 2) == 1
    assert share_trained(tmp_path / "nothing", 2) == 0


def test_seeds_of_other_options_are_told(tmp_path):
    needs = [Need(f"r-{seed}", f"r-{seed}", "", (), lambda path: share_trained(path, 1), 0) for seed in range(3)]
    for seed, size in ((0, 1), (1, 1), (2, 5)):
        _write_run(tmp_path / f"r-{seed}", seed, size, 1, last_row=1)
    group, look = Group("PEARL", lambda seed: needs[seed]), Look(tmp_path, 2)
    assert describe_group(group, look.find_group(group)) == "PEARL: seeds 0, 1 finished"
    found = look._replace(num_seeds=3).find_group(group)
    assert compare_options(found) == ["seeds 0 and 2 differ in options: config.size: 1 != 5"]


def test_seeds_beyond_the_figures_own_count_and_of_some_there_are_no_more(tmp_path):
    for seed in range(3):
        _write_run(tmp_path / f"r-{seed}", seed, 1, 1, last_row=1)
    group = Group("r", lambda seed: Need(f"r-{seed}", f"r-{seed}", "", (), lambda path: share_trained(path, 1), 0), 2)
    assert [one.seed for one in Look(tmp_path).find_group(group)] == [0, 1, 2]
    assert [one.seed for one in Look(tmp_path, 4).find_group(group)] == [0, 1, 2, 3]
    assert [one.seed for one in Look(tmp_path, 4).find_group(group._replace(most_seeds=1))] == [0]


def test_curves_are_aligned_where_all_are():
    x, y = align([(np.array([0.0, 2, 4]), np.array([0.0, 2, 4])), (np.array([1.0, 3]), np.array([10.0, 30]))])
    np.testing.assert_array_equal(x, [1, 2, 3])
    np.testing.assert_allclose(y, [[1, 2, 3], [10, 20, 30]])


def test_episodes_are_those_of_the_last_test_in_order(tmp_path):
    rows = [{"iteration": 1, "test/return_1": 9.0}, {"iteration": 2, **{f"test/return_{k}": k / 2 for k in (1, 11, 2)}}]
    rows.append({"iteration": 3})
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_episodes(tmp_path, "test/return") == ([1.0, 2.0, 11.0], [0.5, 1.0, 5.5])
