"""Runs programs in forks of itself, so that what they all import is imported once: most of them do little else.

A line of standard input is a JSON object: `arguments`, first the program's path; its directory `cwd`; and
the files `stdout` and `stderr`. The answer to it is a line with the exit code, negative for a signal.
"""

import json
import os
import runpy
import signal
import sys
import warnings
from pathlib import Path

# What examples import. None of it computes: JAX has no threads yet, which a fork would lose.
import matplotlib.pyplot  # noqa: F401
import meld_jax  # noqa: F401
import metarl_baselines  # noqa: F401
import metarl_envs  # noqa: F401
import mi_repr.tabular.report  # noqa: F401
import pearl_jax  # noqa: F401
import rlcore.experiment
import rlcore.meta  # noqa: F401
import scipy.stats  # noqa: F401

TIMEOUT_S = 280  # below that of a test


def become(arguments: list[str], cwd: str, stdout: str, stderr: str) -> None:
    """Runs the program in this process."""
    signal.alarm(TIMEOUT_S)
    for number, path, mode in ((0, os.devnull, os.O_RDONLY), (1, stdout, os.O_WRONLY), (2, stderr, os.O_WRONLY)):
        os.dup2(os.open(path, mode | os.O_CREAT), number)
    os.chdir(cwd)
    sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
    runpy.run_path(arguments[0], run_name="__main__")


def main() -> None:
    """Answers lines until there are no more."""
    for line in sys.stdin:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # idle threads of numpy's
            child = os.fork()
        if child == 0:
            become(**json.loads(line))
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
