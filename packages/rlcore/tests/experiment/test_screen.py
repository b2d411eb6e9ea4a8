"""Streams that go away do not end a training."""

import contextlib
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rlcore.experiment import RunError, tell
from rlcore.experiment.reporting.progress import make_progress
from rlcore.experiment.reporting.screen import QuietStream, quiet_stdout, stderr


class Broken(io.StringIO):
    """A stream that always fails in one way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error


ERRORS = [OSError(number, os.strerror(number)) for number in (errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EBADF)]


@pytest.mark.parametrize("error", [*ERRORS, ValueError("I/O operation on closed file")])
def test_messages_and_progress_go_on(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(error))
    tell("a")
    progress = make_progress(stderr(), 0, 2, 1, ())
    for iteration in (1, 2):
        progress.update(iteration, {})
    progress.pass_over(1.0)
    progress.close()


def test_a_program_without_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    tell("a")
    make_progress(stderr(), 0, 1, 1, ()).update(1, {})
    assert capsys.readouterr().out == ""


def test_a_terminal_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Broken):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Gone(OSError(errno.EIO, "gone")))
    progress = make_progress(stderr(), 0, 2, 1, ())
    progress.update(1, {})
    progress.close()


def test_after_a_failure_a_stream_is_left_alone() -> None:
    broken = Broken(OSError(errno.EPIPE, "gone"))
    stream = QuietStream(broken)
    stream.write("a")
    broken.error = AssertionError("written to again")
    assert stream.write("b") == 1
    stream.flush()


@pytest.mark.parametrize("error", ERRORS[1:])
def test_a_reader_of_stdout_who_has_gone_is_no_error(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(error))
    with quiet_stdout():
        print("a", flush=True)
        print("b")


def test_results_that_cannot_be_written_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(ERRORS[0]))
    with pytest.raises(RunError, match=r"^the output cannot be written: No space left on device$"), quiet_stdout():
        print("a")


def test_stdout_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with contextlib.suppress(KeyError), quiet_stdout():
        print("a")
        raise KeyError
    assert sys.stdout is stream
    assert stream.getvalue() == "a\n"


def test_closed_standard_streams_are_filled(tmp_path: Path) -> None:
    """The files of a program must not get the numbers of the standard streams."""
    code = "import sys; from rlcore.experiment.reporting.screen import fill_standard_streams as fill; fill(); "
    code += "file = open(sys.argv[1], 'w'); print(file.fileno() > 2, file=file)"
    command = f"exec '{sys.executable}' -W ignore -c \"{code}\" '{tmp_path / 'file'}' <&- >&- 2>&-"
    subprocess.run(["sh", "-c", command], check=True)
    assert (tmp_path / "file").read_text() == "True\n"
