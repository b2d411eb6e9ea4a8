"""The examples import their neighbours as scripts do; a way to run them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1]
FORKS = Path(__file__).with_name("forks.py")
sys.path.insert(0, str(EXAMPLES))
# Compiles 2 to 8 times faster, into slower code.
ENVIRONMENT = {"MPLBACKEND": "Agg", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


@pytest.fixture(scope="session")
def _run_in_fork(tmp_path_factory):
    directory = tmp_path_factory.mktemp("forks")
    options = {"env": {**os.environ, **ENVIRONMENT}, "text": True, "bufsize": 1}
    with subprocess.Popen([sys.executable, FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options) as forks:

        def run(arguments, cwd):
            files = {name: directory / name for name in ("stdout", "stderr")}
            for file in files.values():
                file.write_text("")
            request = {"arguments": arguments, "cwd": cwd, **files}
            forks.stdin.write(json.dumps(request, default=str) + "\n")
            code = int(forks.stdout.readline())
            return subprocess.CompletedProcess(arguments, code, *(file.read_text() for file in files.values()))

        yield run
        forks.stdin.close()


@pytest.fixture(scope="session")
def run(request):
    """`run(example, *flags, cwd=directory)`: its exit code and what it printed; `alone` starts Python anew for it."""

    def run_example(example, *flags, cwd, alone=False, **environment):
        arguments = [str(EXAMPLES / example), *flags]
        if alone or environment or sys.platform != "linux":  # elsewhere forks of so much are not safe
            options = {"cwd": cwd, "env": {**os.environ, **ENVIRONMENT, **environment}, "timeout": 280}
            return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **options)
        return request.getfixturevalue("_run_in_fork")(arguments, cwd)

    return run_example
