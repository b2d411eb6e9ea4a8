"""A page's server around a small network, without a network connection; images that are told apart by colour."""

import base64
import io

import numpy as np
import pytest
from guidenet import Segmenter
from guidenet.serve import Session, make_app
from PIL import Image
from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:8808"
COLOURS = {"red": (220, 30, 30), "blue": (30, 40, 220)}
BOXES = {
    "one.png": [("red", 10, 10), ("blue", 60, 70)],
    "two.png": [("red", 65, 5), ("blue", 5, 80)],
    "three.png": [("blue", 20, 20), ("red", 60, 60)],
}


def draw(boxes, height=100, width=120, kind="PNG", **options):
    """The bytes of an image with coloured boxes `(colour, y, x)` of 30 px on green."""
    image = np.full((height, width, 3), (40, 160, 60), np.uint8)
    for colour, y, x in boxes:
        image[y : y + 30, x : x + 30] = COLOURS[colour]
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


def decode_runs(text, height, width):
    """What the page makes of a mask."""
    runs = np.frombuffer(base64.b64decode(text), "<u4")
    return np.repeat((runs & 255).astype(np.uint8), runs >> 8).reshape(height, width)


class Page:
    """A client of the interface, as the page is; remembers the last state."""

    def __init__(self, session):
        self.client = TestClient(make_app(session), base_url=ADDRESS)
        self.state = self.client.get("/api/state").json()

    def ask(self, method, path, **options):
        answer = self.client.request(method, path, **options)
        assert answer.status_code == 200, answer.text
        self.state = answer.json()
        return self.state

    def refused(self, method, path, **options):
        answer = self.client.request(method, path, **options)
        assert answer.status_code >= 400
        return answer.status_code, answer.json()["error"]

    def add(self, name, data):
        self.ask("POST", "/api/images", params={"name": name}, content=data)
        return self.state["images"][-1]["id"]

    def click(self, image, y, x, positive=True, cls="object"):
        fields = {"image": image, "y": y, "x": x, "positive": positive, "cls": cls}
        return self.ask("POST", "/api/clicks", json=fields)

    @property
    def clicks(self):
        """Image, y, x, whether positive, and index of the class, of each."""
        return [[mark[key] for key in ("image", "y", "x", "positive", "cls")] for mark in self.state["marks"]]

    def labels(self, image):
        found = next(one for one in self.state["images"] if one["id"] == image)
        return decode_runs(self.state["masks"][image], found["height"], found["width"])


@pytest.fixture
def new_session(model):
    return lambda **options: Session(Segmenter(*model), **options)


@pytest.fixture
def new_page(new_session):
    return lambda **options: Page(new_session(**options))


@pytest.fixture
def page(new_page):
    """A page with three images."""
    page = new_page()
    page.ids = [page.add(name, draw(boxes)) for name, boxes in BOXES.items()]
    return page


@pytest.fixture(scope="session")
def drawn():
    """The function that draws images, and the boxes of three."""
    return draw, BOXES
