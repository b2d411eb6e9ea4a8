"""sweep.py refuses bad values before it runs, goes on where it or a trial was killed, and tells what came of it."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rlcore.experiment import Run, RunError, to_dict
from support.algorithms import ALGORITHMS
from support.jobs.cores import lease_cores
from support.sweep.engines import make_engine
from support.sweep.grid import Settings, make_points, make_trials
from support.sweep.table import format_table, summarise

TESTS = Path(__file__).parent
TINY = ("--algorithm=tiny", "--preset=tiny", "--runs=runs")
SETTINGS = Settings("pearl", "point-sparse-wide-v0", "tiny", (), (), 5, Path("runs"))
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra sweep is not installed")


def _events(directory, event="start"):
    rows = map(json.loads, (directory / "starts.jsonl").read_text().splitlines())
    return [row for row in rows if row["event"] == event]


def _metrics(run_dir):
    if not (run_dir / "metrics.jsonl").exists():
        return []
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def _start(directory, *flags):
    command = [sys.executable, TESTS / "tiny_sweep.py", *TINY, *flags]
    return subprocess.Popen(command, cwd=directory, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def _wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_trial_that_fails_is_told_and_only_it_is_run_again(run, tmp_path):
    flags = (*TINY, "--search=fail_at:0,3", "--seeds=1", "--jobs=2")
    result = run("tests/tiny_sweep.py", *flags, cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert "2 points, 1 seeds: 2 of 2 trials to run" in result.stdout
    assert "fail_at=3-seed0: failed with exit code 1; the end of runs/logs/fail_at=3-seed0.log" in result.stderr
    assert "    ArithmeticError: the tiny training was told to fail" in result.stderr
    assert result.stderr.endswith("not all trials are finished:\n  fail_at=3-seed0: failed with exit code 1\n")
    with (tmp_path / "runs" / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    last = _metrics(tmp_path / "runs" / "fail_at=0-seed0")[-1]["test/return"]
    assert [(row["fail_at"], row["seeds"], row["of"], row["mean"]) for row in rows] == [
        ("0", "1", "1", str(last)),
        ("3", "0", "1", ""),
    ]
    starts = _events(tmp_path)
    assert starts[1]["time"] < _events(tmp_path, "end")[0]["time"]  # two at a time
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1:
        assert len({tuple(event["cores"]) for event in starts}) == 2

    again = run("tests/tiny_sweep.py", *flags, cwd=tmp_path)
    assert again.returncode == 1
    assert [event["run"] for event in _events(tmp_path)[2:]] == ["fail_at=3-seed0"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_it_leaves_no_trial_behind_and_goes_on(run, tmp_path):
    flags = ("--search=seconds:0.5", "--seeds=1")
    process, run_dir = _start(tmp_path, *flags), tmp_path / "runs" / "seconds=0.5-seed0"
    _wait(lambda: _metrics(run_dir), 100)
    process.kill()
    process.communicate()
    _wait(lambda: not _lives(_events(tmp_path)[0]["pid"]), 10)
    kept = _metrics(run_dir)
    assert 0 < len(kept) < 4
    again = run("tests/tiny_sweep.py", *TINY, *flags, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    whole = _metrics(run_dir)
    assert [row["iteration"] for row in whole] == [1, 2, 3, 4]
    assert whole[: len(kept) - 1] == kept[:-1]
    assert "whoever started this program is gone" in (tmp_path / "runs/logs/seconds=0.5-seed0.log").read_text()


def test_points_are_all_combinations_with_names_to_read():
    searches = ["sac.discount:.9, 0.99", "sac.hidden_sizes:(8,8),16", "correlated_batch:true"]
    points = make_points(SETTINGS, searches)
    assert [point.name for point in points] == [
        f"sac.discount={discount},sac.hidden_sizes={sizes},correlated_batch=true"
        for discount in ("0.9", "0.99")
        for sizes in ("8x8", "16")
    ]
    assert points[1].config.sac.hidden_sizes == (16,)
    assert points[1].config.correlated_batch
    trials = make_trials(SETTINGS, points, 2)
    assert [trial.seed for trial in trials] == [0] * 4 + [1] * 4
    job = trials[5].job
    assert job.place == Path("runs") / f"{points[1].name}-seed1"
    program, *flags = job.command
    assert Path(program).name == "train_pearl.py"
    assert flags == [
        "--benchmark=point-sparse-wide-v0",
        "--preset=tiny",
        "--seed=1",
        "--override=sac.discount=.9",
        "--override=sac.hidden_sizes=16",
        "--override=correlated_batch=true",
        "--num_iterations=5",
        f"--run_dir={job.place}",
    ]


@pytest.mark.parametrize(
    ("searches", "message"),
    [
        (["sac.discount:0.9,high"], "sac.discount must be a number, got 'high'"),
        (["sac.discount:0.9,1.5"], "sac: discount must be in .* got 1.5"),
        (["sac.discont:0.9"], r"unknown option 'sac.discont', did you mean sac.discount\?"),
        (["encoder:recurrent,best"], "encoder must be one of .*recurrent.*, got 'best'"),
        (["sac.discount:0.9,0.90"], "search must give each value once, got sac.discount=0.9 twice"),
        (["sac.discount:0.9", "sac.discount:0.99"], "values of sac.discount once"),
        (["kl_coef:1"], "kl_coef once, and no override of it"),
        (["sac.discount"], "search must look like option:value,value, got 'sac.discount'"),
        (["sac.discount:0.9,"], "search must look like"),
        ([f"sac.hidden_sizes:({'8,' * 100})"], "search must make names of at most 200 characters, got sac.hidden"),
    ],
)
def test_bad_values_are_refused(searches, message):
    with pytest.raises(ValueError, match=message):
        make_points(SETTINGS._replace(overrides=("kl_coef=0.1",)), searches)


def test_what_is_refused_is_one_line_and_nothing_is_written(run, tmp_path):
    result = run("sweep.py", "--preset=tiny", "--search=sac.discount:0.9,high", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: sac.discount must be a number, got 'high'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_algorithm_has_its_command(name):
    benchmark = "point-image-dense-32-v1" if name == "meld" else "point-sparse-wide-v0"
    settings = SETTINGS._replace(algorithm=name, benchmark=benchmark)
    ((trial,),) = [make_trials(settings, make_points(settings, []), 1)]
    assert trial.job.name == "preset-seed0"
    assert Path(trial.job.command[0]).exists()
    assert (f"--algorithm={name}" in trial.job.command) == (trial.job.command[0].endswith("train_baseline.py"))


def _write_run(trial, values, **changes):
    config = {**to_dict(trial.point.config), **changes}
    identity = {"algorithm": "pearl", "benchmark": {"name": "point-sparse-wide-v0"}, "seed": trial.seed}
    with Run.open(trial.job.place, {**identity, "config": config}) as written:
        for iteration in written.iterations(0, len(values)):
            metrics = {"test/return": values[iteration - 1]}
            written.finish_iteration(iteration, {"x": np.float32(0)}, metrics)


def test_the_table_is_of_finished_trials(tmp_path):
    settings = SETTINGS._replace(runs=tmp_path, num_iterations=2)
    trials = make_trials(settings, make_points(settings, ["sac.discount:0.9,0.99"]), 3)
    for trial, values in zip(trials, ([0, 1], [0, 5], [9, 2], [7], [0, 6]), strict=False):
        _write_run(trial, values)
    rows = summarise(trials, "test/return")
    # Of 1, 2, 6 the mean is 3 and the variance (4 + 1 + 9) / 2.
    assert rows[0] == {"sac.discount": "0.9", "seeds": 3, "of": 3, "mean": 3, "std": 7**0.5, "min": 1, "max": 6}
    assert rows[1] == {"sac.discount": "0.99", "seeds": 1, "of": 3, "mean": None, "std": None, "min": None, "max": None}
    assert format_table(rows).splitlines()[1].split() == ["0.9", "3", "3", "3", "2.646", "1", "6"]
    with pytest.raises(ValueError, match=r"has no test/retrun, did you mean test/return\?"):
        summarise(trials, "test/retrun")


def test_runs_of_other_options_or_algorithms_are_refused(tmp_path):
    settings = SETTINGS._replace(runs=tmp_path)
    points = make_points(settings, [])
    (trial,) = make_trials(settings, points, 1)
    _write_run(trial, [1], kl_coef=7.0)
    with pytest.raises(ValueError, match=r"holds another run, choose another folder; config.kl_coef: 7.0 \(run\) != "):
        make_trials(settings, points, 1)
    other = settings._replace(algorithm="rl2")
    with pytest.raises(RunError, match="must hold a run of rl2"):
        make_trials(other, make_points(other, []), 1)


def test_engines_say_what_they_lack(tmp_path, monkeypatch):
    options = {"runs": tmp_path, "metric": "test/return", "num_iterations": 1}
    with pytest.raises(ValueError, match="cpus, scheduler must be given with engine=ray only"):
        make_engine("processes", 1, {"cpus": 2, "scheduler": "asha"}, **options)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="needs Ray, which is not installed: uv run --extra sweep"):
        make_engine("ray", None, {}, **options)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system pins nothing")
def test_a_core_is_leased_once_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = sorted(os.sched_getaffinity(0))
    with lease_cores(1) as first:
        assert first == {mine[0]}
        with lease_cores(len(mine)) as all_of_them:
            assert all_of_them is None
        with lease_cores(len(mine) - 1) as others:
            assert others == set(mine[1:])
    with lease_cores(len(mine)) as all_of_them:
        assert all_of_them == set(mine)


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no Ray answers at address 127.0.0.1:1: Connection refused"),
        ("auto", "address must be HOST:PORT"),
    ],
)
def test_an_address_where_nobody_answers_is_refused_at_once(tmp_path, address, message):
    options = {"runs": tmp_path, "metric": "test/return", "num_iterations": 1}
    with pytest.raises(ValueError, match=message):
        make_engine("ray", None, {"address": address}, **options)


@needs_ray
@pytest.mark.slow
def test_ray_runs_two_at_a_time_and_a_trial_again_whose_worker_is_killed(tmp_path, run):
    flags = ("--engine=ray", "--search=part.start:0,1.5", "--override=seconds=2", "--seeds=1", "--num_iterations=6")
    process = _start(tmp_path, *flags)
    places = [tmp_path / "runs" / f"part.start={value}-seed0" for value in ("0.0", "1.5")]
    _wait(lambda: all(len(_metrics(place)) > 1 for place in places), 250)
    pids = {event["run"]: event["pid"] for event in _events(tmp_path)}
    worker = int(Path(f"/proc/{pids[places[0].name]}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    os.kill(pids[places[1].name], signal.SIGKILL)
    _wait(lambda: not _lives(pids[places[0].name]), 10)
    _, messages = process.communicate(timeout=250)
    assert process.returncode == 0, messages
    assert sorted(event["run"] for event in _events(tmp_path)) == sorted([place.name for place in places] * 2)
    whole = tmp_path / "whole"
    command = ["--benchmark=point-sparse-wide-v0", "--num_iterations=6", f"--run_dir={whole}"]
    assert run("tests/tiny_training.py", *command, cwd=tmp_path).returncode == 0
    assert _metrics(places[0]) == _metrics(whole)


@needs_ray
@pytest.mark.slow
def test_of_ray_a_killed_sweep_leaves_no_trial_behind_and_goes_on(tmp_path):
    flags = ("--engine=ray", "--search=seconds:2", "--seeds=1")
    process, run_dir = _start(tmp_path, *flags), tmp_path / "runs" / "seconds=2.0-seed0"
    _wait(lambda: _metrics(run_dir), 250)
    process.kill()
    process.communicate()
    _wait(lambda: not _lives(_events(tmp_path)[0]["pid"]), 30)
    assert len(_metrics(run_dir)) < 4
    again = _start(tmp_path, *flags)
    _, messages = again.communicate(timeout=250)
    assert again.returncode == 0, messages
    assert [row["iteration"] for row in _metrics(run_dir)] == [1, 2, 3, 4]


@needs_ray
@pytest.mark.slow
def test_of_ray_trials_that_lag_behind_are_stopped_and_stay_so(tmp_path, run):
    flags = (*TINY, "--engine=ray", "--jobs=1", "--scheduler=asha", "--seeds=1", "--num_iterations=9")
    flags = (*flags, "--search=part.start:2e5,1e5,0", "--override=seconds=2")
    first = run("tests/tiny_sweep.py", *flags, cwd=tmp_path, alone=True)
    assert first.returncode == 0, first.stderr
    assert "part.start=200000.0-seed0: finished" in first.stderr
    assert "part.start=0.0-seed0: stopped early" in first.stderr
    assert len(_metrics(tmp_path / "runs" / "part.start=0.0-seed0")) < 9
    again = run("tests/tiny_sweep.py", *flags, cwd=tmp_path, alone=True)
    assert "part.start=0.0-seed0: was stopped early" in again.stderr
    assert len(_events(tmp_path)) == 3


@needs_ray
@pytest.mark.slow
def test_of_ray_what_no_machine_has_is_refused(tmp_path, run):
    result = run("tests/tiny_sweep.py", *TINY, "--engine=ray", "--cpus=1000", cwd=tmp_path, alone=True)
    assert result.returncode == 2
    assert "error: cpus and gpus of a trial must fit on one machine, got 1000 and 0; machines have" in result.stderr
    assert "Traceback" not in result.stderr
