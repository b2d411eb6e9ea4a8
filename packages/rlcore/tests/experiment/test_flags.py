"""Flags, and errors as a user sees them."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import pytest
from absl import app, flags
from rlcore.experiment import (
    NonFiniteError,
    RunError,
    TrainingFlags,
    define_training_flags,
    get_run_dir,
    main,
    output_path,
    user_errors,
)


@pytest.fixture
def training_flags() -> Iterator[TrainingFlags]:
    """Flags that are gone after the test."""
    holders = define_training_flags(
        default_benchmark="point-v0",
        default_preset="tiny",
        presets={"tiny": "small", "cpu": "larger"},
        default_checkpoint_every=7,
    )
    yield holders
    for holder in holders:
        delattr(flags.FLAGS, holder.name)
    flags.FLAGS.unparse_flags()


def test_defaults(training_flags: TrainingFlags) -> None:
    flags.FLAGS(["program"])
    assert [holder.value for holder in training_flags] == ["point-v0", "tiny", 0, None, None, [], 7]
    assert get_run_dir(training_flags) == Path("runs/point-v0-tiny-0")
    assert get_run_dir(training_flags, prefix="rl2-") == Path("runs/rl2-point-v0-tiny-0")


def test_values(training_flags: TrainingFlags) -> None:
    arguments = "--benchmark=b --preset=cpu --seed=3 --override=a=1 --override=b.c=2 --num_iterations=9 --run_dir=x/y"
    flags.FLAGS(["program", *arguments.split(), "--checkpoint_every=2"])
    assert [holder.value for holder in training_flags] == ["b", "cpu", 3, "x/y", 9, ["a=1", "b.c=2"], 2]
    assert get_run_dir(training_flags) == Path("x/y")


@pytest.mark.parametrize("argument", ["--preset=big", "--seed=-1", "--num_iterations=0", "--checkpoint_every=-1"])
@pytest.mark.usefixtures("training_flags")
def test_bad_values(argument: str) -> None:
    with pytest.raises(flags.IllegalFlagValueError, match=argument.partition("=")[0].strip("-")):
        flags.FLAGS(["program", argument])


@pytest.mark.usefixtures("training_flags")
def test_the_flags_belong_to_the_program_that_asks_for_them() -> None:
    names = {flag.name for flag in flags.FLAGS.get_key_flags_for_module(__name__)}
    assert names >= {"benchmark", "preset", "run_dir"}


@pytest.mark.parametrize(
    "error", [ValueError("tau must be in (0, 1], got 2"), RunError("tau must be in (0, 1], got 2")]
)
def test_user_errors_are_one_line(error: ValueError, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop, user_errors():
        raise error
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: tau must be in (0, 1], got 2\n"


@pytest.mark.parametrize("error", [TypeError, NonFiniteError, KeyError])
def test_other_errors_pass(error: type[Exception]) -> None:
    with pytest.raises(error), user_errors():
        raise error("x")


def run_main(run: Callable[[], None], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(app, "run", lambda function: function(["program", *arguments]))
    main(run)


@pytest.mark.parametrize(("error", "code"), [(RunError, 2), (NonFiniteError, 3)])
def test_main_explains_errors_of_a_run(
    error: type[Exception], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise error("why")

    with pytest.raises(SystemExit) as stop:
        run_main(run, monkeypatch)
    assert stop.value.code == code
    assert capsys.readouterr().err == "error: why\n"


def test_main_leaves_bugs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        raise ValueError("a bug in training")

    with pytest.raises(ValueError, match="a bug in training"):
        run_main(run, monkeypatch)


def test_main_refuses_stray_arguments(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_main(lambda: None, monkeypatch, "seed=3")
    assert capsys.readouterr().err == "error: unexpected argument 'seed=3'; options start with --\n"


def find_no_device() -> None:
    raise AssertionError


def test_a_device_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def devices() -> None:
        raise RuntimeError("Unable to initialize backend\n no-such-platform")

    monkeypatch.setattr(jax, "devices", devices)
    monkeypatch.setenv("JAX_PLATFORMS", "no-such-platform")
    with pytest.raises(SystemExit) as stop, user_errors():
        find_no_device()
    assert stop.value.code == 2
    with pytest.raises(SystemExit) as stop:
        run_main(find_no_device, monkeypatch)
    assert stop.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert set(lines) == {
        "error: JAX finds no device with JAX_PLATFORMS=no-such-platform: Unable to initialize backend no-such-platform"
    }


@pytest.mark.parametrize("error", [AssertionError, RuntimeError])
def test_errors_of_these_kinds_that_are_bugs_pass(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        raise error("a bug")

    with pytest.raises(error, match="a bug"), user_errors():
        run()
    with pytest.raises(error, match="a bug"):
        run_main(run, monkeypatch)


def test_ctrl_c_ends_a_program_at_once_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: list[object] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
    try:
        run_main(lambda: handlers.append(signal.getsignal(signal.SIGINT)), monkeypatch)
        assert handlers == [signal.SIG_DFL]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def mine(*_: object) -> None:
        pass

    handlers: list[object] = []
    before = signal.signal(signal.SIGINT, mine)
    try:
        run_main(lambda: handlers.append(signal.getsignal(signal.SIGINT)), monkeypatch)
    finally:
        signal.signal(signal.SIGINT, before)
    assert handlers == [mine]


def test_the_run_dir_may_be_at_home(
    training_flags: TrainingFlags, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    flags.FLAGS(["program", "--run_dir=~/a"])
    assert get_run_dir(training_flags) == tmp_path / "a"


def test_a_path_for_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert output_path("output", "~/new/folder/a.png", (".png", ".pdf")) == tmp_path / "new" / "folder" / "a.png"
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "a.PNG").write_text("before")
    assert output_path("output", tmp_path / "a.PNG", (".png",)).read_text() == "before"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a.xyz", r"^output must end in \.png or \.pdf, got a\.xyz$"),
        ("a", r"^output must end in \.png or \.pdf, got a$"),
        ("folder.png", r"^output folder\.png cannot be written: Is a directory$"),
        ("file/a.png", r"^output file/a\.png cannot be written: "),
        ("/proc/none/a.png", r"^output /proc/none/a\.png cannot be written: "),
        ("x" * 300 + ".png", r"^output x*\.png cannot be written: File name too long$"),
    ],
)
def test_a_path_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ValueError, match=message):
        output_path("output", value, (".png", ".pdf"))
