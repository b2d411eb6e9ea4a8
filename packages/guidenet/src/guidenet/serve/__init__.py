"""`guidenet serve`: one local page to click on images, all of which follow every click. Needs the extra `serve`."""

from guidenet.serve.app import make_app
from guidenet.serve.limits import Limits, NotFoundError, TooLargeError
from guidenet.serve.marks import Box, Click, Stroke
from guidenet.serve.session import Session

__all__ = ["Box", "Click", "Limits", "NotFoundError", "Session", "Stroke", "TooLargeError", "make_app"]
