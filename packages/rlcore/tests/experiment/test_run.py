"""Runs: resuming gives the numbers of a run that was never stopped."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from rlcore.experiment import NonFiniteError, Run, RunError, checkpoints, read_metrics, restore_latest
from rlcore.experiment import run as run_module
from rlcore.experiment.progress import Lines


def train(toy: SimpleNamespace, run_dir: Path, num_iterations: int, **options: Any) -> Any:
    config = toy.Config()
    return toy.train(config, 0, num_iterations, Run.open(run_dir, {"seed": 0}, **options))


def loop(run: Run, num_iterations: int, body: Callable[[int], None]) -> None:
    """Iterates with a state that does not change; `body` comes before an iteration is finished."""
    with run:
        state, start = run.restore({"n": jnp.zeros(())})
        for iteration in run.iterations(start, num_iterations):
            body(iteration)
            run.finish_iteration(iteration, state, {})


def saved_iterations(run_dir: Path) -> list[int]:
    return [int(path.name) for path in checkpoints.find(run_dir / "checkpoints")]


@pytest.mark.wheel
def test_n_and_n_more_equals_2n(toy: SimpleNamespace, tmp_path: Path, assert_same: Any, read_timeless: Any) -> None:
    train(toy, tmp_path / "two", 10, checkpoint_every=5)
    resumed = train(toy, tmp_path / "two", 20, checkpoint_every=5)
    straight = train(toy, tmp_path / "one", 20, checkpoint_every=20)
    assert_same(resumed, straight)
    assert_same(restore_latest(tmp_path / "two", straight), (straight, 20))
    assert read_timeless(tmp_path / "two") == read_timeless(tmp_path / "one")
    assert [entry["iteration"] for entry in read_metrics(tmp_path / "one")] == list(range(1, 21))
    assert all(entry["time/steps_per_s"] > 0 for entry in read_metrics(tmp_path / "one"))


def test_metrics_newer_than_the_checkpoint_are_taken_back(
    toy: SimpleNamespace, tmp_path: Path, read_timeless: Any
) -> None:
    train(toy, tmp_path / "one", 6)
    train(toy, tmp_path / "two", 4)
    with (tmp_path / "two" / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 5, "loss/fit": 1.0}\n{"iteration": 6, "lo')
    train(toy, tmp_path / "two", 6)
    assert read_timeless(tmp_path / "two") == read_timeless(tmp_path / "one")


def test_a_damaged_checkpoint_costs_iterations_not_exactness(
    toy: SimpleNamespace, tmp_path: Path, assert_same: Any, read_timeless: Any
) -> None:
    expected = train(toy, tmp_path / "one", 6)
    train(toy, tmp_path / "two", 4)
    newest = checkpoints.find(tmp_path / "two" / "checkpoints")[0]
    (newest / "leaves.json").write_text("garbage")
    assert_same(train(toy, tmp_path / "two", 6), expected)
    assert read_timeless(tmp_path / "two") == read_timeless(tmp_path / "one")


def test_damaged_checkpoints_do_not_push_out_good_ones(tmp_path: Path) -> None:
    template = {"n": jnp.zeros(())}
    with Run.open(tmp_path, {}, keep=2) as run:
        run.save(1, template)
        run.save(9, template)
    (checkpoints.find(tmp_path / "checkpoints")[0] / "manifest.json").unlink()
    with Run.open(tmp_path, {}, keep=2) as run:
        assert run.restore(template)[1] == 1
        run.save(2, template)
    assert saved_iterations(tmp_path) == [2, 1]


def test_checkpoints_come_when_due_and_at_the_end(toy: SimpleNamespace, tmp_path: Path) -> None:
    train(toy, tmp_path, 11, checkpoint_every=4, keep=2)
    assert saved_iterations(tmp_path) == [11, 8]


def test_by_default_checkpoints_take_a_twentieth_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(run_module.time, "monotonic", lambda: clock.now)
    save = checkpoints.save

    def slow_save(*arguments: Any) -> None:
        clock.now += 2  # so the next one is due 40 s later
        save(*arguments)

    def work(iteration: int) -> None:
        clock.now += 15

    monkeypatch.setattr(checkpoints, "save", slow_save)
    loop(Run.open(tmp_path, {}, checkpoint_every=0, keep=9), 8, work)
    assert saved_iterations(tmp_path) == [8, 7, 4, 1]


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^checkpoint_every must be at least 0, got -1$"):
        Run.open(tmp_path / "run", {}, checkpoint_every=-1)
    with pytest.raises(ValueError, match=r"^keep must be at least 1, got 0$"):
        Run.open(tmp_path / "run", {}, keep=0)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_says_so(toy: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(toy, tmp_path, 2)
    before = read_metrics(tmp_path)
    train(toy, tmp_path, 2)
    assert read_metrics(tmp_path) == before
    assert "has all 2 iterations" in capsys.readouterr().err


def test_non_finite_metrics_are_neither_logged_nor_saved(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        state, start = run.restore({"n": jnp.zeros(())})
        iterations = run.iterations(start, 5)
        run.finish_iteration(next(iterations), state, {"loss": 0.0})
        with pytest.raises(NonFiniteError, match="metric loss is nan at iteration 2"):
            run.finish_iteration(next(iterations), state, {"loss": jnp.nan})
    assert [entry["iteration"] for entry in read_metrics(tmp_path)] == [1]
    assert saved_iterations(tmp_path) == [1]


def test_finishing_outside_the_loop_is_a_mistake(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run, pytest.raises(RuntimeError, match="in a loop over iterations"):
        run.finish_iteration(1, {}, {})


def test_opening_cleans_what_a_kill_left(tmp_path: Path) -> None:
    Run.open(tmp_path, {}).close()
    (tmp_path / "checkpoints" / "tmp-3" / "arrays").mkdir(parents=True)
    Run.open(tmp_path, {}).close()
    assert list((tmp_path / "checkpoints").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_iteration_and_saves(
    tmp_path: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(iteration: int) -> None:
        if iteration == 3:
            os.kill(os.getpid(), number)
            assert signal.getsignal(number) == signal.SIG_DFL, "a second signal must end the process at once"

    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(SystemExit) as stop:
        loop(Run.open(tmp_path, {}, checkpoint_every=100), 50, body)
    assert stop.value.code == 128 + number
    assert saved_iterations(tmp_path) == [3]
    assert "stopped after iteration 3; run the same command again to go on" in capsys.readouterr().err
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_signal_too_late_for_a_checkpoint_takes_one_more_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def signal_after_the_third(progress: Lines, iteration: int, scalars: object) -> None:
        if iteration == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Lines, "update", signal_after_the_third)
    with pytest.raises(SystemExit):
        loop(Run.open(tmp_path, {}, checkpoint_every=100), 50, lambda iteration: None)
    assert saved_iterations(tmp_path) == [4]


def test_a_signal_before_the_first_iteration_stops_before_it(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SystemExit):
            next(run.iterations(0, 50))
    assert saved_iterations(tmp_path) == []


def test_outside_the_main_thread_signals_are_left_alone(tmp_path: Path) -> None:
    thread = threading.Thread(target=loop, args=(Run.open(tmp_path, {}), 2, lambda iteration: None))
    thread.start()
    thread.join()
    assert saved_iterations(tmp_path) == [2, 1]


def test_reading_a_run_changes_nothing_and_needs_no_lock(tmp_path: Path) -> None:
    template = {"n": jnp.ones(3)}
    with Run.open(tmp_path, {}) as run:
        run.log(1, {"a": 1.0})
        run.save(1, template)
        run.log(2, {"a": 2.0})
        state, iteration = restore_latest(tmp_path, jax.eval_shape(lambda: template))
    assert (state["n"].tolist(), iteration) == ([1.0, 1.0, 1.0], 1)
    assert len(read_metrics(tmp_path)) == 2


def test_there_is_nothing_to_restore_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run directory"):
        restore_latest(tmp_path, {})
