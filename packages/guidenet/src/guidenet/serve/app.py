"""The page and its HTTP interface. All that changes something answers with the whole state, see `Session.state`."""

import contextlib
import importlib.resources
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, ParamSpec, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from guidenet.serve.exports.archive import encode_png, zip_labelme, zip_masks
from guidenet.serve.exports.coco import as_coco
from guidenet.serve.guard import LoopbackOnly
from guidenet.serve.limits import NotFoundError, TooLargeError, check_file_size
from guidenet.serve.marks import Box, Click, Stroke
from guidenet.serve.saved.names import clean_name
from guidenet.serve.saved.work import read_mark
from guidenet.serve.session import Session

P = ParamSpec("P")
T = TypeVar("T")

_MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_JSON_BYTES = 1 << 16


def make_app(session: Session, *, warm_up: Callable[[], object] | None = None) -> Starlette:
    """The ASGI application around a session.

    Args:
      session: what the page works on.
      warm_up: called in a thread once the server has started; it must not use the session.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        thread = threading.Thread(target=warm_up or (lambda: None), daemon=True)
        thread.start()
        yield
        # An interpreter that ends while a thread compiles is aborted by XLA.
        await run_in_threadpool(thread.join)

    api = _Api(session)
    return Starlette(
        routes=[
            *_page_routes(),
            Route("/api/state", api.state),
            Route("/api/revision", api.revision),
            Route("/api/images", api.add_image, methods=["POST"]),
            Route("/api/images/{image}", api.remove_image, methods=["DELETE"]),
            Route("/api/images/{image}/shown.jpg", api.shown),
            Route("/api/images/{image}/mask.png", api.mask),
            Route("/api/classes", api.add_class, methods=["POST"]),
            Route("/api/classes", api.paint_class, methods=["PATCH"]),
            Route("/api/classes", api.remove_class, methods=["DELETE"]),
            Route("/api/clicks", api.click, methods=["POST"]),
            Route("/api/boxes", api.box, methods=["POST"]),
            Route("/api/strokes", api.stroke, methods=["POST"]),
            Route("/api/marks/{number:int}", api.delete, methods=["DELETE"]),
            Route("/api/marks/{number:int}/flip", api.flip, methods=["POST"]),
            Route("/api/pieces", api.choose_pieces, methods=["POST"]),
            Route("/api/undo", api.undo, methods=["POST"]),
            Route("/api/redo", api.redo, methods=["POST"]),
            Route("/api/clear", api.clear, methods=["POST"]),
            Route("/api/guidance", api.load_guidance, methods=["POST"]),
            Route("/api/work", api.open_work, methods=["POST"]),
            *_saved_routes(session),
        ],
        middleware=[Middleware(LoopbackOnly)],
        exception_handlers={ValueError: _refuse, HTTPException: _refuse_http, ClientDisconnect: _gone},
        lifespan=lifespan,
    )


class _Api:
    """The handlers. Work on the session happens in threads: the event loop stays free."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def _do(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Response:
        """Does what a request asks for, and answers with the state and how long both took."""

        def run() -> bytes:
            start = time.perf_counter()
            work(*args, **kwargs)
            state = self._session.state()
            return _dump({**state, "seconds": time.perf_counter() - start})

        return Response(await run_in_threadpool(run), media_type="application/json")

    async def state(self, _: Request) -> Response:
        return await self._do(lambda: None)

    async def revision(self, _: Request) -> Response:
        return JSONResponse({"revision": self._session.revision})

    async def add_image(self, request: Request) -> Response:
        name = clean_name(request.query_params.get("name", ""))
        data = await _body(request, name, self._session.limits.image_bytes)
        return await self._do(self._session.add_image, name, data)

    async def remove_image(self, request: Request) -> Response:
        return await self._do(self._session.remove_image, request.path_params["image"])

    async def shown(self, request: Request) -> Response:
        data = await run_in_threadpool(self._session.shown, request.path_params["image"])
        return Response(data, media_type="image/jpeg")

    async def mask(self, request: Request) -> Response:
        def encode() -> bytes:
            found = self._session.labels(request.path_params["image"])
            return encode_png(found.labels, found.colours)

        return Response(await run_in_threadpool(encode), media_type="image/png")

    async def add_class(self, request: Request) -> Response:
        fields = await _fields(request, name=str)
        return await self._do(self._session.add_class, fields["name"])

    async def paint_class(self, request: Request) -> Response:
        fields = await _fields(request, name=str, colour=str)
        return await self._do(self._session.paint_class, fields["name"], fields["colour"])

    async def remove_class(self, request: Request) -> Response:
        return await self._do(self._session.remove_class, request.query_params.get("name", ""))

    async def click(self, request: Request) -> Response:
        fields = await _fields(request, image=str, y=int, x=int, positive=bool, cls=str)
        return await self._do(self._session.mark, Click(**fields))

    async def box(self, request: Request) -> Response:
        edges = {"top": int, "left": int, "bottom": int, "right": int}
        fields = await _fields(request, image=str, **edges, positive=bool, cls=str)
        return await self._do(self._session.mark, Box(**fields))

    async def stroke(self, request: Request) -> Response:
        fields = await _fields(request, image=str, points=list, radius=int, positive=bool, cls=str)
        return await self._do(self._session.mark, read_mark(Stroke, fields))

    async def delete(self, request: Request) -> Response:
        return await self._do(self._session.delete, request.path_params["number"])

    async def flip(self, request: Request) -> Response:
        return await self._do(self._session.flip, request.path_params["number"])

    async def choose_pieces(self, request: Request) -> Response:
        fields = await _fields(request, pieces=str)
        return await self._do(self._session.choose_pieces, fields["pieces"])

    async def undo(self, _: Request) -> Response:
        return await self._do(self._session.undo)

    async def redo(self, _: Request) -> Response:
        return await self._do(self._session.redo)

    async def clear(self, _: Request) -> Response:
        return await self._do(self._session.clear)

    async def load_guidance(self, request: Request) -> Response:
        name = clean_name(request.query_params.get("name", ""))
        data = await _body(request, name, self._session.limits.guidance_bytes)
        return await self._do(self._session.load_guidance, name, data)

    async def open_work(self, request: Request) -> Response:
        name = clean_name(request.query_params.get("name", ""), "the file")
        data = await _body(request, name, self._session.limits.work_bytes)
        return await self._do(self._session.open_work, name, data)


def _saved_routes(session: Session) -> list[Route]:
    """What can be downloaded, each with how it is made."""

    def coco(polygons: bool) -> bytes:
        return _dump(as_coco(session.all_labels(), polygons=polygons))

    def route(name: str, media_type: str, make: Callable[[], bytes]) -> Route:
        async def send(_: Request) -> Response:
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response(await run_in_threadpool(make), media_type=media_type, headers=headers)

        return Route(f"/api/{name}", send)

    return [
        route("masks.zip", "application/zip", lambda: zip_masks(session.all_labels())),
        route("coco.json", "application/json", lambda: coco(polygons=False)),
        route("coco-polygons.json", "application/json", lambda: coco(polygons=True)),
        route("labelme.zip", "application/zip", lambda: zip_labelme(session.all_labels())),
        route("guidance.npz", "application/octet-stream", session.dump_guidance),
        route("guidenet-work.zip", "application/zip", session.save_work),
    ]


def _page_routes() -> list[Route]:
    """The files of the page, read once; no other file can be reached."""

    def route(path: str, data: bytes, media_type: str) -> Route:
        async def send(_: Request) -> Response:
            return Response(data, media_type=media_type)

        return Route(path, send)

    routes: list[Route] = []
    for file in importlib.resources.files("guidenet.serve").joinpath("page").iterdir():
        media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2])
        if media_type is not None:
            path = "/" if file.name == "index.html" else f"/{file.name}"
            routes.append(route(path, file.read_bytes(), media_type))
    return routes


async def _body(request: Request, name: str, largest: int) -> bytes:
    """The body, of which no more than `largest` bytes are ever held."""
    declared = request.headers.get("content-length", "0")
    check_file_size(name, int(declared) if declared.isdecimal() else 0, largest)
    data = bytearray()
    async for part in request.stream():
        data += part
        check_file_size(name, len(data), largest)
    return bytes(data)


async def _fields(request: Request, **kinds: type) -> dict[str, Any]:
    """The fields of a JSON object, each of exactly its kind."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "the request must be application/json")
    data = await _body(request, "the request", _JSON_BYTES)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("the request must be JSON") from None
    if not isinstance(found, dict) or set(found) != set(kinds):
        raise ValueError(f"the request must be an object with {', '.join(kinds)}")
    for field, kind in kinds.items():
        if type(found[field]) is not kind:
            raise ValueError(f"{field} must be {kind.__name__}, got {found[field]!r}"[:200])
    return found


def _dump(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


async def _refuse(_: Request, error: Exception) -> Response:
    status = 413 if isinstance(error, TooLargeError) else 404 if isinstance(error, NotFoundError) else 400
    return JSONResponse({"error": str(error)}, status)


async def _refuse_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=400)
