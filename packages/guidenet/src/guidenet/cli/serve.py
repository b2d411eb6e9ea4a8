"""`guidenet serve`: a local page to click on images; all of them follow every click."""

import argparse
import contextlib
import functools
import signal
import sys
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guidenet.cli.flags import Subparsers, add_command, add_model_flags, load_network, make_segmenter
from guidenet.cli.progress import report, track
from guidenet.cli.supports import add_reading_flags
from guidenet.errors import UserError, user_errors
from guidenet.reading import find_images

if TYPE_CHECKING:
    from guidenet.serve import Session

_MORE = """examples:
  guidenet serve
  guidenet serve images/*.png --open
  guidenet serve photos/ --work photos.zip
  guidenet serve --guidance cat.npz --port 0

The page needs no network, and nothing leaves this machine: the server listens on 127.0.0.1 only, and refuses requests
that name another host or come from the page of another site. Whoever can log in to this machine can open it.
Images, clicks and classes are saved from the page, or by themselves with --work; such a file is opened from the page,
or as one of the IMAGEs. Ctrl-C stops the server; what was not saved by then is written to a file that is named."""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Adds the subcommand and its flags."""
    parser = add_command(subparsers, "serve", "open a local page to segment images by clicks", __doc__, _MORE)
    parser.add_argument(
        "images",
        nargs="*",
        type=Path,
        metavar="IMAGE",
        help="to start with, or a folder of images, or saved work (.zip); the page takes more",
    )
    parser.add_argument(
        "--guidance", action="append", type=Path, default=[], metavar="NPZ", help="to start with; again for more"
    )
    parser.add_argument(
        "--work", type=Path, metavar="FILE", help="keep images, clicks and classes in it; if it is there, go on with it"
    )
    add_model_flags(parser)
    add_reading_flags(parser)
    parser.add_argument("--port", type=int, default=8808, help="of the page; 0 is any free one (default: 8808)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--max-images", type=int, default=64, metavar="N", help="the most that are held at once (default: 64)"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Serves until ctrl-c and returns the exit code, see `guidenet.cli.main`."""
    try:
        from guidenet.serve import Limits, Session, server
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("anyio", "starlette", "uvicorn"):
            raise
        raise UserError(f"{missing} is missing: pip install 'guidenet[serve]'") from None
    with user_errors():
        limits, works = Limits(num_images=arguments.max_images), _works(arguments)
        listening = server.bind(arguments.port)
    with listening:
        with user_errors():
            network, params = load_network(arguments)
            session = Session(
                make_segmenter(arguments, network, params),
                max_side=arguments.max_side,
                limits=limits,
                page=arguments.page,
                intensity=arguments.intensity,
            )
            for path in works:
                session.open_work(str(path), path.read_bytes())
            for path in arguments.guidance:
                session.load_guidance(str(path), path.read_bytes())
        _add_images(session, [path for path in arguments.images if path not in works])
        address = server.address(listening)

        def ready() -> None:
            report([f"guidenet: the page is at {address} (ctrl-c stops it)"], sys.stderr)
            if arguments.open:
                webbrowser.open(address)

        warm_up = functools.partial(server.compile_for, network, params, arguments.max_side)
        # A shell's background jobs ignore ctrl-c once the server has closed: it returns instead of raising.
        with _kept(session, arguments.work), contextlib.suppress(KeyboardInterrupt), _interrupted_by_signals():
            server.run(session, listening, ready=ready, warm_up=warm_up)
        report(["guidenet: stopped"], sys.stderr)
    return 0


def _works(arguments: argparse.Namespace) -> list[Path]:
    """The saved work to start with, at most one file."""
    works = [path for path in arguments.images if path.suffix.lower() == ".zip"]
    if arguments.work is not None and arguments.work.exists():
        works = list(dict.fromkeys([arguments.work, *works]))
    if len(works) > 1:
        raise ValueError(
            f"only one file of saved work can be opened, by IMAGE or --work, got {' and '.join(map(str, works))}"
        )
    return works


def _add_images(session: "Session", paths: Sequence[Path]) -> None:
    """Adds image files and those in folders; says on stderr what was left out, in few lines."""
    found = [one for path in paths for one in _images(path)]
    room = session.limits.num_images - len(session.state()["images"])
    for path, name in track(found[:room], sys.stderr):
        try:
            session.add_image(name, path.read_bytes())
        except (ValueError, OSError) as error:
            report([f"guidenet: skipped: {error}"], sys.stderr)
    if len(found) > room:
        total = session.limits.num_images + len(found) - room
        lost = f"{len(found) - room} of the images were not added, from {found[room][0]} on"
        report([f"guidenet: {lost}: --max-images {total} takes all"], sys.stderr)


def _images(path: Path) -> list[tuple[Path, str]]:
    """The file itself, or all images in a folder and its folders; each with its name on the page."""
    if not path.is_dir():
        return [(path, path.name)]
    images = find_images(path, below=True)
    others = sum(one.is_file() for one in path.rglob("*")) - len(images)
    if others or not images:
        report(
            [f"guidenet: {path}: {len(images)} images; what else is in it was left out: {others} file(s)"], sys.stderr
        )
    return [(one, f"{path.resolve().name}/{one.relative_to(path).as_posix()}") for one in images]


@contextlib.contextmanager
def _kept(session: "Session", path: Path | None) -> Iterator[None]:
    """Keeps the work in a file; if there is none, what was not saved at the end is written to a new one."""
    from guidenet.serve.saved.keeper import Keeper, rescue

    keeper = None if path is None else Keeper(session, path)
    if keeper is not None:
        report([f"guidenet: the work is kept in {path}"], sys.stderr)
    try:
        yield
    finally:
        lost = None
        try:
            if keeper is not None:
                keeper.stop()
        except OSError as error:
            lost = f"--work {path} could not be written ({error})"
        if count := session.unsaved:
            lost = f"{count} mark{'s were' if count > 1 else ' was'} not saved yet"
        if lost is not None:
            written = rescue(session)
            report([f"guidenet: {lost}: the work is in {written} now; guidenet serve {written} opens it"], sys.stderr)


@contextlib.contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """A server that is ended by another program, or whose terminal is closed, ends as by ctrl-c."""
    before: dict[int, Any] = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
