"""A browser with the page, and hands for it: Chromium, headless, on the PATH or named by the variable CHROMIUM."""

import io
import os
import shutil
import threading

import numpy as np
import pytest
from guidenet import Segmenter
from guidenet.serve import Session, server
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on the PATH, nor named by the environment variable CHROMIUM"
)

expect = playwright.expect
expect.set_options(timeout=60_000)  # machines that test may be busy


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(model):
    return Session(Segmenter(*model))


@pytest.fixture(scope="module")
def address(session):
    """Of a running server."""
    listening, ready = server.bind(0), threading.Event()
    running = server.make_server(session, ready=ready.set)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    assert ready.wait(120)
    yield server.address(listening)
    running.should_exit = True
    thread.join(60)
    listening.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def tab(browser):
    """One for all tests: a new one starts a process."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    tab = context.new_page()
    tab.set_default_timeout(60_000)
    yield tab
    context.close()


@pytest.fixture
def page(tab, address, session):
    """The page, without images; any error in its script, and any request to elsewhere, fails the test."""
    tab.context.set_offline(False)
    session.clear()
    session.choose_pieces("all")
    described = session.state()
    for image in described["images"]:
        session.remove_image(image["id"])
    for found in described["classes"][1:]:
        session.remove_class(found["name"])
    errors, requests = [], []
    listeners = {
        "pageerror": lambda error: errors.append(error),
        "request": lambda request: requests.append(request.url),
    }
    for event, listener in listeners.items():
        tab.on(event, listener)
    tab.goto(f"{address}icon.svg")  # of the same origin, and without a script that writes what it remembers
    tab.evaluate("() => sessionStorage.clear()")
    tab.goto(address)
    tab.locator("#classes .pick").wait_for()
    yield tab
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    assert errors == []
    assert all(url.startswith((address, "data:", "blob:")) for url in requests)


@pytest.fixture
def files(drawn):
    draw, boxes = drawn
    return [{"name": name, "mimeType": "image/png", "buffer": draw(one)} for name, one in boxes.items()]


def add(page, files):
    count = page.locator(".card").count() + len(files)
    page.set_input_files("#image-files", files)
    expect(page.locator(".card")).to_have_count(count)
    settle(page)


def settle(page):
    expect(page.locator("body")).to_have_attribute("aria-busy", "false")
    expect(page.locator("canvas[data-drawn=false]")).to_have_count(0)  # pictures arrive after what is known of them


def place(page, y, x):
    """Where the middle of a pixel of the image is, on the page."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = page.locator("#stage").bounding_box()
    left, top, scale = map(float, page.locator("#stage").get_attribute("data-view").split())
    return box["x"] + left + (x + 0.5) * scale, box["y"] + top + (y + 0.5) * scale


def click(page, y, x, button="left", modifiers=()):
    """Clicks on a pixel of the image, and waits for the masks."""
    for key in modifiers:
        page.keyboard.down(key)
    page.mouse.click(*place(page, y, x), button=button)
    for key in modifiers:
        page.keyboard.up(key)
    settle(page)


def drag(page, *points, button="left"):
    """Presses at the first pixel `(y, x)` and lets go at the last one."""
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down(button=button)
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=4)
    page.mouse.up(button=button)
    settle(page)


def save(page, button):
    """The download of a button in the menu."""
    page.click("#save-menu summary")
    with page.expect_download() as download:
        page.click(button)
    return download.value


def marks(page, *fields):
    return [[mark[field] for field in fields] for mark in state(page)["marks"]]


def shares(page):
    """How much of each image the mask covers, by the cards, in per cent."""
    texts = page.locator(".card .share").all_text_contents()
    return [float(text.split()[0]) if text else 0.0 for text in texts]


def pixels(page, locator):
    return np.asarray(Image.open(io.BytesIO(page.locator(locator).first.screenshot())).convert("RGB")).astype(int)


def state(page):
    return page.request.get(page.url + "api/state").json()
