"""`guidenet serve`: one local page to click on images, all of which follow every click. Needs the extra `serve`."""

from guidenet.serve.app import make_app
from guidenet.serve.limits import Limits, NotFoundError, TooLargeError
from guidenet.serve.session import Click, Session

__all__ = ["Click", "Limits", "NotFoundError", "Session", "TooLargeError", "make_app"]
