"""The flags that every training program shares, and how a program turns errors into messages and exit codes."""

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import jax
from absl import app, flags, logging

from rlcore.experiment.directory import run_path
from rlcore.experiment.errors import NonFiniteError, RunError
from rlcore.experiment.interrupts import stop_at_once
from rlcore.experiment.reporting.screen import fill_standard_streams, quiet_stdout, tell

EXIT_USER_ERROR = 2
EXIT_NON_FINITE = 3

# `--help` shows a program's own flags only: those defined here belong to the program that asks for them.
flags.disclaim_key_flags()


class TrainingFlags(NamedTuple):
    """Typed holders: `training_flags.seed.value` is an int once flags are parsed."""

    benchmark: flags.FlagHolder[str]
    preset: flags.FlagHolder[str]
    seed: flags.FlagHolder[int]
    run_dir: flags.FlagHolder[str | None]
    num_iterations: flags.FlagHolder[int | None]
    override: flags.FlagHolder[list[str]]
    checkpoint_every: flags.FlagHolder[int]


def define_training_flags(
    *,
    default_benchmark: str,
    default_preset: str,
    presets: Mapping[str, str],
    default_checkpoint_every: int = 0,
) -> TrainingFlags:
    """Defines `--benchmark --preset --seed --run_dir --num_iterations --override --checkpoint_every`.

    Call it once, at the top of a program. `--num_iterations` is None unless given: the preset decides. `presets`
    is what each preset is for, by name.
    """
    descriptions = "; ".join(f"{name}, {description}" for name, description in presets.items())
    return TrainingFlags(
        benchmark=flags.DEFINE_string("benchmark", default_benchmark, "The tasks to train on."),
        preset=flags.DEFINE_enum("preset", default_preset, list(presets), f"The config to start from: {descriptions}."),
        seed=flags.DEFINE_integer("seed", 0, "The seed of all randomness.", lower_bound=0),
        run_dir=flags.DEFINE_string(
            "run_dir",
            None,
            "The directory of checkpoints and metrics; a run that is already there goes on. "
            "By default in runs/, named after benchmark, preset and seed.",
        ),
        num_iterations=flags.DEFINE_integer(
            "num_iterations",
            None,
            "The iteration to train up to, by default the preset's. A finished run goes on if this is raised.",
            lower_bound=1,
        ),
        override=flags.DEFINE_multi_string(
            "override", [], "An option of the config, as name=value or part.name=value; may be given many times."
        ),
        checkpoint_every=flags.DEFINE_integer(
            "checkpoint_every",
            default_checkpoint_every,
            "Iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.",
            lower_bound=0,
        ),
    )


def get_run_dir(training_flags: TrainingFlags, prefix: str = "") -> Path:
    """Returns `--run_dir`, by default `runs/<prefix><benchmark>-<preset>-<seed>`; call it after flags are parsed."""
    if training_flags.run_dir.value:
        return run_path(training_flags.run_dir.value)
    benchmark, preset, seed = training_flags.benchmark, training_flags.preset, training_flags.seed
    return Path("runs") / f"{prefix}{benchmark.value}-{preset.value}-{seed.value}"


@contextlib.contextmanager
def user_errors() -> Generator[None]:
    """Turns a `ValueError` from setting up (config, tasks, run directory) into one message and exit code 2.

    The same holds for a device that JAX cannot find. Keep training itself outside, so that a bug there keeps its
    traceback.
    """
    try:
        yield
    except ValueError as error:
        _fail(str(error), EXIT_USER_ERROR)
    except (AssertionError, RuntimeError):
        _fail_without_device()
        raise


def main(run: Callable[[], None]) -> None:
    """Parses the flags, calls `run` and exits.

    A `RunError` ends the program with a message and exit code 2, a `NonFiniteError` with exit code 3, and so does, with
    2, a device that JAX cannot find. Any other error keeps its traceback. A reader of stdout who has gone, as with
    `| head`, is no error.

    Ctrl-C ends the program at once until a `Run` takes over. For the seconds in which a program imports, it must say so
    itself, before its other imports:

    ```
    if __name__ == "__main__":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    ```
    """

    def run_with_flags(arguments: Sequence[str]) -> None:
        if len(arguments) > 1:
            _fail(f"unexpected argument {arguments[1]!r}; options start with --", EXIT_USER_ERROR)
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)  # at absl's default, orbax tells of every step of every checkpoint
        try:
            with quiet_stdout():
                run()
        except RunError as error:
            _fail(str(error), EXIT_USER_ERROR)
        except NonFiniteError as error:
            _fail(str(error), EXIT_NON_FINITE)
        except (AssertionError, RuntimeError):
            _fail_without_device()
            raise

    fill_standard_streams()
    with stop_at_once():
        app.run(run_with_flags)


def output_path(option: str, value: str | os.PathLike[str], suffixes: Sequence[str] = ()) -> Path:
    """Returns the path of a file that a program is to write, with `~` for the user's home; makes its directory.

    Args:
      option: the name of the option, for messages.
      value: its value.
      suffixes: those that the name may have, such as `.png`; empty for any.

    Raises `ValueError` if no file can be written there, so that a program says so before it computes.
    """
    path = Path(value)
    with contextlib.suppress(RuntimeError):  # nobody's home is known by that name
        path = path.expanduser()
    if suffixes and path.suffix.lower() not in suffixes:
        raise ValueError(f"{option} must end in {' or '.join(suffixes)}, got {value}")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists():
            path.open("ab").close()
    except OSError as error:
        raise ValueError(f"{option} {value} cannot be written: {error.strerror or error}") from error
    return path


def _fail_without_device() -> None:
    """Ends the program if JAX finds no device, which comes as an error of any kind wherever one is needed first."""
    try:
        jax.devices()
    except (AssertionError, RuntimeError) as error:
        platforms = os.environ.get("JAX_PLATFORMS")
        wish = f" with JAX_PLATFORMS={platforms}" if platforms else ""
        reason = " ".join(str(error).split())
        _fail(f"JAX finds no device{wish}{': ' if reason else ''}{reason}", EXIT_USER_ERROR)


def _fail(message: str, exit_code: int) -> NoReturn:
    tell(f"error: {message}")
    sys.exit(exit_code)
