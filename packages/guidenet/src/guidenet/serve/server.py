"""Runs the page on this machine, for this machine only."""

import errno
import socket
from collections.abc import Callable

import numpy as np
import uvicorn

from guidenet.network.guided_network import GuidedNetwork, Params
from guidenet.segmenter.segmenter import Segmenter
from guidenet.serve.app import make_app
from guidenet.serve.session import Session

HOST = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """A socket on the loopback interface.

    Args:
      port: 0 is any free one.

    Raises:
      ValueError: there is no such port.
      OSError: it is in use, or may not be used; the message names it.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"--port must be from 0 to 65535, got {port}")
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen(128)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"--port {port} is in use: choose another one, or 0 for any free one") from None
        raise OSError(f"--port {port} cannot be used: {error.strerror}") from None
    return found


def address(listening: socket.socket) -> str:
    """Where the page is, to be opened in a browser."""
    return f"http://{HOST}:{listening.getsockname()[1]}/"


def compile_for(network: GuidedNetwork, params: Params, max_side: int) -> None:
    """Compiles what the first image and the first click need, for the most usual shape of images, 4 to 3."""
    segmenter = Segmenter(network, params, max_side=max_side, edges=False, min_area=0)  # they compile nothing
    image = segmenter.add_image(np.zeros((max_side * 3 // 4 or 1, max_side, 3), np.uint8))
    segmenter.click(image, 0, 0)
    segmenter.predict(image)


def run(
    session: Session, listening: socket.socket, *, ready: Callable[[], None], warm_up: Callable[[], object]
) -> None:
    """Serves until it is interrupted.

    Args:
      session: what the page works on.
      listening: as `bind` makes it; it is closed at the end.
      ready: called once, when requests are answered.
      warm_up: as for `make_app`.

    Raises:
      KeyboardInterrupt: ctrl-c, after all has been closed.
    """
    with listening:
        make_server(session, ready=ready, warm_up=warm_up).run(sockets=[listening])


def make_server(
    session: Session, *, ready: Callable[[], None] | None = None, warm_up: Callable[[], object] | None = None
) -> uvicorn.Server:
    """The server, not yet running; arguments as for `run`."""
    config = uvicorn.Config(
        make_app(session, warm_up=warm_up),
        access_log=False,
        http="h11",
        limit_concurrency=64,
        log_level="warning",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        ws="none",
    )
    return uvicorn.Server(config) if ready is None else _Server(config, ready)


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()
