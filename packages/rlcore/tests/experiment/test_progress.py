"""Progress: a bar on a terminal, few lines elsewhere."""

import io
from types import SimpleNamespace

import pytest
from rlcore.experiment.reporting import progress
from rlcore.experiment.reporting.progress import Bar, Lines, Phase, make_progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_are_few_and_the_last_one_comes() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, 0, 25, 100, ("test/return",), clock=lambda: now[0])
    for iteration in range(1, 26):
        now[0] += 1.0
        lines.update(iteration, {"loss/critic": 1.0, **({"test/return": 12.345678} if iteration == 3 else {})})
    lines.close()
    assert stream.getvalue().splitlines() == [
        "iteration 1/25",
        "iteration 2/25, 100 steps/s, 00:23 left",
        "iteration 12/25, 100 steps/s, 00:13 left, test/return 12.35",
        "iteration 22/25, 100 steps/s, 00:03 left, test/return 12.35",
        "iteration 25/25, 100 steps/s, 00:00 left, test/return 12.35",
    ]


def test_speed_counts_only_what_this_process_did() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, 100, 200, 1, (), clock=lambda: now[0])
    for iteration in (101, 102):
        now[0] += 2.0
        lines.update(iteration, {})
    assert stream.getvalue() == "iteration 101/200\niteration 102/200, 0.5 steps/s, 03:16 left\n"


def test_the_time_left_knows_neither_compilation_nor_phases() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, 0, 100, 10, (), clock=lambda: now[0])
    now[0] += 300.0  # compilation
    lines.update(1, {})
    for iteration in range(2, 16):
        now[0] += 1.0
        if iteration == 5:
            now[0] += 60.0
            lines.pass_over(60.0)
        lines.update(iteration, {})
    assert stream.getvalue().splitlines() == [
        "iteration 1/100",
        "iteration 2/100, 10 steps/s, 01:38 left",
        "iteration 5/100, 10 steps/s, 01:35 left",
        "iteration 15/100, 10 steps/s, 01:25 left",
    ]


def test_the_only_iteration() -> None:
    stream = io.StringIO()
    Lines(stream, 4, 5, 1, ()).update(5, {})
    assert stream.getvalue() == "iteration 5/5\n"


def test_the_bar_knows_neither_compilation_nor_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, now = Terminal(), [1000.0]
    clock = SimpleNamespace(time=lambda: now[0], monotonic=lambda: now[0])
    monkeypatch.setattr(progress, "time", clock)
    bar = Bar(stream, 0, 100, 1, ())
    bar._bar._time = clock.time
    now[0] += 300.0
    bar.update(1, {})
    for iteration in (2, 3):
        now[0] += 2.0
        bar.update(iteration, {})
    now[0] += 60.0
    bar.pass_over(60.0)
    now[0] += 2.0
    bar.update(4, {})
    bar._bar.refresh()
    last = stream.getvalue().split("\r")[-1]
    assert "4.00/100" in last
    assert "[03:12 left, 2.00s/step" in last
    bar.close()


def test_a_phase_has_lines() -> None:
    stream, now = io.StringIO(), [0.0]
    phase = Phase(stream, "model updates", 1000, clock=lambda: now[0])
    for number in range(20):
        now[0] += 100.0 if number == 0 else 4.0  # the first compiles
        phase.advance(50)
    assert phase.close() == 176.0
    assert stream.getvalue().splitlines() == [
        "model updates: 1000 to do",
        "model updates: 100/1000, 01:12 left",
        "model updates: 250/1000, 01:00 left",
        "model updates: 400/1000, 00:48 left",
        "model updates: 550/1000, 00:36 left",
        "model updates: 700/1000, 00:24 left",
        "model updates: 850/1000, 00:12 left",
        "model updates: 1000/1000 done in 02:56",
    ]


def test_a_phase_has_a_bar_on_a_terminal() -> None:
    stream = Terminal()
    phase = Phase(stream, "model updates", 10)
    for _ in range(10):
        phase.advance()
    phase.close()
    assert "model updates" in stream.getvalue()
    assert "/10" in stream.getvalue()
    assert stream.getvalue().split("\r")[-1].strip() == "", "it leaves the terminal as it was"


def test_a_title_says_of_which_run_it_is() -> None:
    for stream, expected in ((io.StringIO(), "encoder: iteration 2/2"), (Terminal(), "encoder: 100%")):
        progress = make_progress(stream, 0, 2, 1, (), title="encoder")
        progress.update(1, {})
        progress.update(2, {})
        progress.close()
        assert expected in stream.getvalue()


def test_a_bar_on_a_terminal() -> None:
    stream = Terminal()
    bar = make_progress(stream, 1, 3, 10, ("test/return",))
    assert isinstance(bar, Bar)
    bar.update(2, {"test/return": 1.5})
    bar.update(3, {})
    bar.close()
    last = stream.getvalue().split("\r")[-1]
    assert "30/30" in last
    assert "test/return 1.5" in last
    assert last.endswith("\n")


def test_lines_elsewhere() -> None:
    assert isinstance(make_progress(io.StringIO(), 0, 1, 1, ()), Lines)
