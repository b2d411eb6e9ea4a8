"""`guidenet serve`: a local page to click on images; all of them follow every click."""

import argparse
import contextlib
import functools
import sys
import webbrowser
from pathlib import Path

from guidenet.cli.flags import Subparsers, add_command, add_model_flags, load_network
from guidenet.cli.progress import report, track
from guidenet.errors import UserError, user_errors
from guidenet.segmenter.segmenter import Segmenter

_MORE = """examples:
  guidenet serve
  guidenet serve images/*.png --open
  guidenet serve --guidance cat.npz --port 0

The page needs no network, and nothing leaves this machine: the server listens on 127.0.0.1 only, and refuses requests
that name another host or come from the page of another site. Whoever can log in to this machine can open it.
Masks and guidance are saved from the page; what was not saved is gone when the server stops. Ctrl-C stops it."""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Adds the subcommand and its flags."""
    parser = add_command(subparsers, "serve", "open a local page to segment images by clicks", __doc__, _MORE)
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="to start with; the page takes more")
    parser.add_argument(
        "--guidance", action="append", type=Path, default=[], metavar="NPZ", help="to start with; again for more"
    )
    add_model_flags(parser)
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
        listening = server.bind(arguments.port)
    with listening:
        with user_errors():
            network, params = load_network(arguments)
            segmenter = Segmenter(network, params, max_side=arguments.max_side)
            session = Session(segmenter, max_side=arguments.max_side, limits=Limits(num_images=arguments.max_images))
            for path in arguments.guidance:
                session.load_guidance(str(path), path.read_bytes())
        for path in track(arguments.images, sys.stderr):
            try:
                session.add_image(path.name, path.read_bytes())
            except (ValueError, OSError) as error:
                report([f"guidenet: skipped: {error}"], sys.stderr)
        address = server.address(listening)

        def ready() -> None:
            report([f"guidenet: the page is at {address} (ctrl-c stops it)"], sys.stderr)
            if arguments.open:
                webbrowser.open(address)

        warm_up = functools.partial(server.compile_for, network, params, arguments.max_side)
        # A shell's background jobs ignore ctrl-c once the server has closed: it returns instead of raising.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(session, listening, ready=ready, warm_up=warm_up)
        report(["guidenet: stopped"], sys.stderr)
    return 0
