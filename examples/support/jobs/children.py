"""Programs as child processes, which end with whoever started them, however that ended.

A parent that is killed cannot stop its children. They would go on unseen, and hold the run directories that the same
command wants to go on with. So a child watches a pipe from its parent, and ends when that closes; its run directory is
then as after any kill.
"""

import contextlib
import os
import runpy
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Generator, Sequence
from pathlib import Path


def start(
    command: Sequence[str], log: Path, *, cores: Collection[int] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Starts a Python program with its flags, in this Python, in a session of its own: Ctrl-C does not reach it.

    Args:
      command: the program's path, and its flags.
      log: the file that what it prints is added to, after a line with the command.
      cores: those that it may run on, by default all.
      cwd: its working directory, by default this process's.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file, _pinned(cores):
        file.write(f"$ {shlex.join([sys.executable, *command])}\n".encode())
        file.flush()
        line = [sys.executable, __file__, *command]
        options = {"stdin": subprocess.PIPE, "stdout": file, "stderr": file}
        return subprocess.Popen(line, cwd=cwd, start_new_session=True, **options)


@contextlib.contextmanager
def _pinned(cores: Collection[int] | None) -> Generator[None]:
    """Within it, what is started runs on these cores."""
    if cores is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _end_with_parent() -> None:
    """Watches standard input; the program gets an empty one in its place."""
    pipe = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)

    def watch() -> None:
        os.read(pipe, 1)
        os.write(2, b"whoever started this program is gone: it ends\n")
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _end_with_parent()
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
