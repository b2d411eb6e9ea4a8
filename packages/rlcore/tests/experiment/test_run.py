"""Runs: resuming gives the numbers of a run that was never stopped."""

import errno
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from rlcore.experiment import (
    NonFiniteError,
    Run,
    RunError,
    checkpoints,
    disk,
    latest_iteration,
    read_metrics,
    restore_latest,
    restore_part,
)
from rlcore.experiment import run as run_module
from rlcore.experiment.reporting.progress import Lines


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
        assert latest_iteration(tmp_path) == 0
        run.log(1, {"a": 1.0})
        run.save(1, template)
        run.log(2, {"a": 2.0})
        assert latest_iteration(tmp_path) == 1
        state, iteration = restore_latest(tmp_path, jax.eval_shape(lambda: template))
    assert (state["n"].tolist(), iteration) == ([1.0, 1.0, 1.0], 1)
    assert len(read_metrics(tmp_path)) == 2


def test_there_is_nothing_to_restore_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run directory"):
        restore_latest(tmp_path, {})
    with pytest.raises(RunError, match="is not a run directory"):
        latest_iteration(tmp_path)


def test_a_run_that_is_closed_says_so(tmp_path: Path) -> None:
    run = Run.open(tmp_path, {})
    loop(run, 1, lambda iteration: None)
    run.close()
    uses: list[Callable[[], Any]] = [
        run.__enter__,
        lambda: run.restore({}),
        lambda: run.restore_or_init(dict),
        lambda: next(run.iterations(1, 2)),
        lambda: run.finish_iteration(2, {}, {}),
        lambda: run.log(2, {}),
        lambda: run.save(2, {}),
    ]
    for use in uses:
        with pytest.raises(RunError, match=r"this Run of .* is closed: Run.open gives a new one"):
            use()
    loop(Run.open(tmp_path, {}), 2, lambda iteration: None)
    assert saved_iterations(tmp_path) == [2, 1]


def test_after_a_failure_the_run_goes_on_in_the_same_process(toy: SimpleNamespace, tmp_path: Path) -> None:
    """As in a notebook, where a cell is run again."""
    with pytest.raises(ZeroDivisionError):
        loop(Run.open(tmp_path, {"seed": 0}), 2, lambda iteration: 1 // 0)
    train(toy, tmp_path, 2)
    assert saved_iterations(tmp_path) == [2, 1]


def test_a_run_that_was_never_used_is_given_up_with_its_last_reference(tmp_path: Path) -> None:
    def fail_before_training() -> None:
        run = Run.open(tmp_path, {})
        raise ValueError(f"an option of {run} is wrong")

    with pytest.raises(ValueError, match="an option of"):
        fail_before_training()
    Run.open(tmp_path, {}).close()


def test_an_opened_run_cannot_be_opened_again(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}), pytest.raises(RunError, match="this process already has run_dir"):
        Run.open(tmp_path, {})


def test_restore_or_init_makes_a_state_only_where_there_is_none(
    toy: SimpleNamespace, tmp_path: Path, assert_same: Any
) -> None:
    calls: list[bool] = []

    def init() -> Any:
        calls.append(isinstance(jnp.zeros(()), jax.core.Tracer))
        return toy.init_fn(toy.Config(), 0)

    with Run.open(tmp_path, {"seed": 0}) as run:
        state, start = run.restore_or_init(init)
        assert_same((state, start), (toy.init_fn(toy.Config(), 0), 0))
        for iteration in run.iterations(start, 2):
            state, metrics = toy.step_fn(toy.Config(), state)
            run.finish_iteration(iteration, state, metrics)
    with Run.open(tmp_path, {"seed": 0}) as run:
        restored = run.restore_or_init(init)
    assert_same(restored, (state, 2))
    assert calls == [False, True]


def test_a_part_of_a_run(toy: SimpleNamespace, tmp_path: Path, assert_same: Any) -> None:
    state = train(toy, tmp_path, 3)
    parts, iteration = restore_part(tmp_path, {".params": state.params, ".iteration": jnp.int32(0)})
    assert_same((parts, iteration), ({".params": state.params, ".iteration": state.iteration}, 3))
    parts, _ = restore_part(tmp_path, {".agent": state.params}, rename=lambda name: name.replace("agent", "params"))
    assert_same(parts[".agent"], state.params)
    with pytest.raises(RunError, match="is not a run directory"):
        restore_part(tmp_path / "none", {})


def test_a_phase_is_shown_and_not_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Run.open(tmp_path, {}) as run:
        with run.phase("initial trials", 4) as advance:
            advance(4)
        for iteration in run.iterations(0, 3):
            if iteration == 2:
                with run.phase("model updates", 2) as advance:
                    time.sleep(1.0)
                    advance(1)
                    advance(1)
            run.finish_iteration(iteration, {}, {})
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["initial trials: 4 to do", "initial trials: 4/4 done in 00:00"]
    assert lines[2] == "iteration 1/3"
    assert lines[3:5] == ["model updates: 2 to do", "model updates: 2/2 done in 00:01"]
    speed = float(lines[5].split(", ")[1].removesuffix(" steps/s"))
    assert speed > 2, "the second of the phase must not count"


def test_a_phase_that_fails_keeps_its_error(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run, pytest.raises(ZeroDivisionError), run.phase("updates", 2) as advance:
        advance(1 // 0)


@pytest.mark.parametrize("free", [0, 3_000, 15_000, 10**9])
def test_the_disk_is_looked_at_before_training(
    tmp_path: Path, free: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda path: free)
    run = Run.open(tmp_path, {}, keep=3)
    with run:
        state, start = run.restore(jnp.zeros(1000))
        if free < 4_000:
            message = r"^the disk is too full: a checkpoint takes 4e-06 GB, .* has .* GB free$"
            with pytest.raises(RunError, match=message):
                next(run.iterations(start, 5))
            assert list(run.iterations(5, 5)) == [], "a finished run needs no room"
            return
        for iteration in run.iterations(start, 1):
            run.finish_iteration(iteration, state, {})
    warned = "up to 4 are held at once" in capsys.readouterr().err
    assert warned == (free < 16_000)


def test_checkpoints_that_are_there_count_as_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Run.open(tmp_path, {}) as run:
        for iteration in (1, 2, 3):
            run.save(iteration, jnp.zeros(1000))
    monkeypatch.setattr(disk, "free_bytes", lambda path: 5_000)
    with Run.open(tmp_path, {}) as run:
        state, start = run.restore(jnp.zeros(1000))
        for iteration in run.iterations(start, 4):
            run.finish_iteration(iteration, state, {})
    assert "warning" not in capsys.readouterr().err


def test_metrics_on_a_full_disk_are_one_line(tmp_path: Path) -> None:
    class Full:
        def write(self, line: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def close(self) -> None:
            pass

    with Run.open(tmp_path, {}) as run:
        run._metrics_file.close()
        run._metrics_file._file = Full()
        with pytest.raises(
            RunError, match=r"metrics\.jsonl of iteration 1 cannot be written: No space left on device; "
        ):
            run.log(1, {"a": 1})
