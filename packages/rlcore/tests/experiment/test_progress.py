"""Progress: a bar on a terminal, few lines elsewhere."""

import io

from rlcore.experiment.progress import Bar, Lines, make_progress


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
        "iteration 1/25, 100 steps/s, 00:24 left",
        "iteration 11/25, 100 steps/s, 00:14 left, test/return 12.35",
        "iteration 21/25, 100 steps/s, 00:04 left, test/return 12.35",
        "iteration 25/25, 100 steps/s, 00:00 left, test/return 12.35",
    ]


def test_speed_counts_only_what_this_process_did() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, 100, 200, 1, (), clock=lambda: now[0])
    now[0] = 2.0
    lines.update(101, {})
    assert stream.getvalue() == "iteration 101/200, 0.5 steps/s, 03:18 left\n"


def test_a_bar_on_a_terminal() -> None:
    stream = Terminal()
    progress = make_progress(stream, 1, 3, 10, ("test/return",))
    assert isinstance(progress, Bar)
    progress.update(2, {"test/return": 1.5})
    progress.update(3, {})
    progress.close()
    last = stream.getvalue().split("\r")[-1]
    assert "30/30" in last
    assert "test/return 1.5" in last
    assert last.endswith("\n")


def test_lines_elsewhere() -> None:
    assert isinstance(make_progress(io.StringIO(), 0, 1, 1, ()), Lines)
