"""Keeps other sites' pages away from a server that trusts whoever can reach it.

A page on the web can have the browser send requests to this machine, and can have its own name resolve to 127.0.0.1
(DNS rebinding). So a request must name this machine as its host, and must come from this server's own page or from no
page at all. See https://developer.mozilla.org/docs/Glossary/Fetch_metadata_request_header.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class LoopbackOnly:
    """Middleware that refuses other hosts and other origins, and adds headers that shut the page off from others."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403 to what is refused, and passes on the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        reason = _refusal(scope["method"], scope["path"], Headers(scope=scope))
        app = self._app if reason is None else JSONResponse({"error": reason}, 403)
        await app(scope, receive, send_with_headers)


def _refusal(method: str, path: str, headers: Headers) -> str | None:
    """Why a request is refused; None if it is not."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if _HOST.fullmatch(host) is None:
        return f"open this page as localhost or 127.0.0.1: the host {host!r} is refused"
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return f"requests from the page of another site are refused, got the origin {origin!r}"
    site = headers.get("sec-fetch-site", "none")
    if site in ("same-origin", "none"):
        return None
    # A link on another page may open this one.
    if (method, path, headers.get("sec-fetch-mode")) == ("GET", "/", "navigate"):
        return None
    return f"requests from the page of another site are refused, got a {site} request"
