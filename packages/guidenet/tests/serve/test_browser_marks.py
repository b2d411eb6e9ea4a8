"""The page in a real browser: zoom and pan, boxes and strokes, marks that are chosen, views that stay."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

_spec = importlib.util.spec_from_file_location("browsing", Path(__file__).with_name("browsing.py"))
browsing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browsing)
pytestmark = browsing.pytestmark
browser, session, address, tab = browsing.browser, browsing.session, browsing.address, browsing.tab
page, files, expect = browsing.page, browsing.files, browsing.expect
add, click, drag, marks, pixels, place = (
    getattr(browsing, name) for name in ("add", "click", "drag", "marks", "pixels", "place")
)
settle, shares, state = browsing.settle, browsing.shares, browsing.state


def view(page):
    """Left and top edge of the image in the frame, and CSS pixels for one of its pixels."""
    place(page, 0, 0)
    return [float(part) for part in page.locator("#stage").get_attribute("data-view").split()]


def wheel(page, *turns):
    """Turns the wheel, and waits until that has been done."""
    for turn in turns:
        page.mouse.wheel(0, turn)
    before = None
    while before != (before := view(page)):
        page.wait_for_timeout(150)


def at(page):
    """Where the middle of the frame is, on the page."""
    box = page.locator("#stage").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def tool(page, name):
    page.keyboard.press({"click": "c", "box": "b", "brush": "p"}[name])
    expect(page.locator(f"[name=tool][value={name}]")).to_be_checked()


def test_the_wheel_zooms_at_the_pointer_and_clicks_land_on_the_right_pixel(page, files):
    add(page, files[:1])
    whole = view(page)
    x, y = place(page, 30, 40)
    page.mouse.move(x, y)
    wheel(page, *[-200] * 12)
    near = place(page, 30, 40)
    assert view(page)[2] > 8 * whole[2]
    most = view(page)[2] / whole[2]  # as events of the wheel have whole positions
    assert abs(near[0] - x) < most
    assert abs(near[1] - y) < most
    click(page, 30, 40)
    click(page, 29, 42, button="right")
    scale = view(page)[2]
    for dy, dx in ((-0.45, -0.45), (0.45, 0.45)):  # just inside the corners of a pixel
        left, top = place(page, 31, 39)
        page.mouse.click(left + dx * scale, top + dy * scale, button="right")
        settle(page)
        page.keyboard.press("u")
        settle(page)
    page.mouse.click(left + 0.45 * scale, top + 0.45 * scale)
    settle(page)
    assert marks(page, "y", "x", "positive") == [[30, 40, True], [29, 42, False], [31, 39, True]]
    page.keyboard.press("0")
    assert view(page) == whole
    wheel(page, 400, 400)
    assert view(page) == whole


def test_zoomed_far_in_pixels_are_squares(page, drawn):
    page.set_input_files(
        "#image-files", [{"name": "a.png", "mimeType": "image/png", "buffer": drawn[0]([("red", 50, 60)])}]
    )
    expect(page.locator(".card")).to_have_count(1)
    settle(page)
    page.mouse.move(*place(page, 50, 60))
    wheel(page, *[-200] * 20)
    scale = view(page)[2]
    assert scale == 64
    left, top = place(page, 50, 59)
    page.mouse.move(5, 5)
    box = page.locator("#stage").bounding_box()
    seen = pixels(page, "#stage")[int(top - box["y"]), int(left - box["x"]) - 24 : int(left - box["x"]) + 25]
    assert np.abs(np.diff(seen, axis=0)).max() <= 2


def test_keys_and_buttons_zoom_and_the_cursor_stays_in_sight(page, files):
    add(page, files[:1])
    whole = view(page)
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert view(page)[2] == pytest.approx(2.25 * whole[2], rel=0.01)
    expect(page.locator("#zoom-fit")).to_have_text(re.compile(r"2\.[23]\u00d7"))
    page.keyboard.press("-")
    page.click("#zoom-in")
    assert view(page)[2] == pytest.approx(2.25 * whole[2], rel=0.01)
    page.locator("#stage").focus()
    page.keyboard.press("ArrowLeft")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    settle(page)
    assert marks(page, "x") == [[0]]
    assert view(page)[0] > 0
    page.click("#zoom-fit")
    assert view(page) == whole


def test_a_drag_is_no_click_and_moves_the_image(page, files):
    add(page, files[:1])
    page.keyboard.press("+")
    page.keyboard.press("+")
    x, y = at(page)
    for button, key in (("left", None), ("middle", None), ("left", "Space")):
        before = view(page)
        if key:
            page.keyboard.down(key)
        page.mouse.move(x, y)
        page.mouse.down(button=button)
        page.mouse.move(x - 60, y - 40, steps=5)
        page.mouse.up(button=button)
        if key:
            page.keyboard.up(key)
        after = view(page)
        assert [after[0] - before[0], after[1] - before[1]] == pytest.approx([-60, -40], abs=0.1)
        assert state(page)["marks"] == []
    tool(page, "box")
    page.keyboard.down("Space")
    drag(page, (40, 40), (50, 50))
    page.keyboard.up("Space")
    drag(page, (45, 45), (55, 55), button="middle")
    assert state(page)["marks"] == []


def test_two_fingers_pinch(page, files):
    add(page, files[:1])
    x, y = at(page)
    client = page.context.new_cdp_session(page)

    def touch(kind, *points):
        points = [{"x": one[0], "y": one[1], "id": i} for i, one in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = view(page)
    touch("touchStart", (x - 50, y), (x + 50, y))
    for i in range(1, 6):
        touch("touchMove", (x - 50 - 20 * i, y), (x + 50 + 20 * i, y))
    assert view(page)[2] == pytest.approx(3 * before[2], rel=0.1)
    touch("touchEnd")
    assert state(page)["marks"] == []
    touch("touchStart", (x, y))
    touch("touchEnd")
    expect(page.locator(".card .share")).not_to_have_text("")
    assert len(state(page)["marks"]) == 1
    client.detach()


def test_of_two_fingers_the_one_that_is_left_moves_the_image(page, files):
    add(page, files[:1])
    before = view(page)
    page.evaluate(
        """() => {
          const canvas = document.getElementById("stage");
          canvas.setPointerCapture = () => {};
          const box = canvas.getBoundingClientRect();
          const send = (type, pointerId, x, y) => canvas.dispatchEvent(new PointerEvent(type,
            { pointerId, pointerType: "touch", clientX: box.left + x, clientY: box.top + y, button: 0 }));
          send("pointerdown", 1, 300, 300);
          send("pointerdown", 2, 400, 300);
          send("pointermove", 2, 500, 300);
          send("pointerup", 2, 500, 300);
          send("pointermove", 1, 340, 330);
          send("pointerup", 1, 340, 330);
        }"""
    )
    left, top, scale = view(page)
    assert scale == pytest.approx(2 * before[2], rel=0.01)
    # What lay between the fingers at first has followed their middle, and then the one finger.
    place_of = [(350 - before[0]) / before[2], (300 - before[1]) / before[2]]
    assert [left + place_of[0] * scale, top + place_of[1] * scale] == pytest.approx([440, 330], abs=1)
    settle(page)
    assert state(page)["marks"] == []


def test_a_double_click_is_one_click_and_two_signs_are_two(page, files):
    add(page, files[:1])
    page.mouse.dblclick(*place(page, 25, 25))
    settle(page)
    assert marks(page, "y", "x") == [[25, 25]]
    expect(page.locator("#mark-menu")).to_be_hidden()


def test_the_outermost_pixels_can_be_clicked_and_what_is_outside_cannot(page, files):
    add(page, files[:1])
    corners = [(0, 0), (0, 119), (99, 0), (99, 119)]
    left, top, scale = view(page)
    box = page.locator("#stage").bounding_box()
    for y, x in corners:
        px = box["x"] + left + (0.5 if x == 0 else 120 * scale - 0.5)
        py = box["y"] + top + (0.5 if y == 0 else 100 * scale - 0.5)
        page.mouse.click(px, py)
        settle(page)
    assert marks(page, "y", "x") == [list(corner) for corner in corners]
    page.mouse.click(box["x"] + left - 3, box["y"] + 50)
    settle(page)
    assert len(state(page)["marks"]) == 4


def test_a_box_is_dragged(page, files):
    add(page, files)
    tool(page, "box")
    drag(page, (10, 10), (39, 39))
    drag(page, (95, 119), (85, 60), button="right")
    assert marks(page, "kind", "top", "left", "bottom", "right", "positive") == [
        ["box", 10, 10, 40, 40, True],
        ["box", 85, 60, 96, 120, False],
    ]
    assert all(3 < share < 20 for share in shares(page))
    page.mouse.click(*place(page, 60, 30))
    page.mouse.move(*place(page, 50, 50))
    page.mouse.down()
    page.mouse.move(*place(page, 70, 70), steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    settle(page)
    assert len(state(page)["marks"]) == 2


def test_a_stroke_is_painted(page, files):
    add(page, files)
    tool(page, "brush")
    page.locator("#radius").fill("3")
    drag(page, (20, 20), (20, 30), (30, 30))
    page.mouse.click(*place(page, 80, 20), button="right")
    settle(page)
    first, second = state(page)["marks"]
    assert (first["kind"], first["radius"], first["positive"]) == ("stroke", 3, True)
    assert (first["points"][0], first["points"][-1]) == ([20, 20], [30, 30])
    assert (second["points"], second["positive"]) == ([[80, 20]], False)
    page.keyboard.press("]")
    assert int(page.locator("#radius").input_value()) > 3


def test_box_and_brush_by_keyboard(page, files):
    add(page, files[:1])
    tool(page, "box")
    page.locator("#stage").focus()
    page.keyboard.press("Enter")  # the cursor appears at 50, 60
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    settle(page)
    tool(page, "brush")
    page.locator("#stage").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+Enter")
    settle(page)
    assert [mark["kind"] for mark in state(page)["marks"]] == ["box", "stroke"]
    assert marks(page, "kind", "positive")[1] == ["stroke", False]
    box = state(page)["marks"][0]
    assert [box[edge] for edge in ("top", "left", "bottom", "right")] == [50, 60, 71, 81]


def test_a_mark_is_chosen_flipped_and_deleted(page, files):
    add(page, files[:1])
    click(page, 25, 25)
    click(page, 80, 80)
    one = shares(page)
    click(page, 25, 25)
    menu = page.locator("#mark-menu")
    expect(menu).to_be_visible()
    page.click("#mark-flip")
    settle(page)
    assert marks(page, "y", "positive") == [[25, False], [80, True]]
    click(page, 25, 25, button="right")
    page.keyboard.press("f")
    settle(page)
    assert shares(page) == one
    page.keyboard.press("Delete")
    settle(page)
    assert marks(page, "y") == [[80]]
    expect(menu).to_be_hidden()
    page.keyboard.press("u")
    settle(page)
    assert marks(page, "y") == [[25], [80]]
    page.keyboard.press("r")
    settle(page)
    page.click("#undo")
    settle(page)
    page.click("#redo")
    settle(page)
    assert marks(page, "y") == [[80]]
    page.keyboard.press(".")
    expect(menu).to_be_visible()
    click(page, 50, 50)  # puts the menu away
    expect(menu).to_be_hidden()
    assert marks(page, "y") == [[80]]
    page.keyboard.press(",")
    page.keyboard.press("Delete")
    settle(page)
    assert state(page)["marks"] == []
    expect(page.locator("#redo")).to_be_disabled()


def test_clear_can_be_undone(page, files):
    add(page, files[:1])
    click(page, 25, 25)
    click(page, 80, 80)
    page.click("#clear")
    settle(page)
    assert state(page)["marks"] == []
    page.keyboard.press("Control+z")
    settle(page)
    assert len(state(page)["marks"]) == 2
    page.keyboard.press("Control+Shift+Z")
    settle(page)
    assert state(page)["marks"] == []


def test_masks_show_on_any_picture(page, drawn):
    page.set_input_files(
        "#image-files", [{"name": "a.png", "mimeType": "image/png", "buffer": drawn[0]([("red", 10, 10)])}]
    )
    expect(page.locator(".card")).to_have_count(1)
    settle(page)
    click(page, 25, 25)
    click(page, 90, 90, button="right")
    page.uncheck("#show-clicks")
    page.locator(".swatch").fill("#dc1e1e")  # the colour of what is under it
    settle(page)
    assert state(page)["classes"][0]["colour"] == "#dc1e1e"
    page.check("#show-outline")
    place(page, 0, 0)
    seen = pixels(page, "#stage")
    page.uncheck("#show-masks")
    place(page, 0, 0)
    before = pixels(page, "#stage")
    page.check("#show-masks")
    light, dark = (lambda shown: shown.min(axis=2) > 130), (lambda shown: shown.max(axis=2) < 100)
    assert light(seen).sum() > light(before).sum() + 100
    assert dark(seen).sum() > dark(before).sum() + 100
    page.uncheck("#show-outline")
    values = []
    for opacity in (5, 100):
        page.locator("#opacity").fill(str(opacity))
        place(page, 0, 0)
        box = page.locator("#stage").bounding_box()
        x, y = place(page, 25, 25)
        values.append(pixels(page, "#stage")[int(y - box["y"]), int(x - box["x"])])
    np.testing.assert_allclose(values[1], (220, 30, 30), atol=3)


def test_a_window_remembers_what_was_chosen(page, files):
    add(page, files)
    page.keyboard.press("n")
    page.keyboard.type("blue")
    page.keyboard.press("Enter")
    settle(page)
    page.keyboard.press("Escape")
    page.locator(".card .pick").nth(2).click()
    tool(page, "box")
    page.keyboard.press("x")
    page.reload()
    expect(page.locator("#caption")).to_contain_text("three.png")
    expect(page.locator(".pick[value=blue]")).to_be_checked()
    expect(page.locator("[name=tool][value=box]")).to_be_checked()
    expect(page.locator("[name=sign][value=no]")).to_be_checked()


def mark_by_key(page, number):
    """Marks in a window that was behind another one, which at first may not get keys."""
    page.bring_to_front()
    for _ in range(30):
        page.locator("#stage").focus()
        for key in ("ArrowUp", "Shift+ArrowUp", "Shift+ArrowLeft", "Shift+ArrowLeft", "Enter"):
            page.keyboard.press(key)
        page.wait_for_timeout(300)
        if len(state(page)["marks"]) == number:
            return
    raise AssertionError(f"there is no mark {number}")


def test_two_windows_stay_in_step(page, files, address):
    add(page, files)
    other = page.context.new_page()
    other.goto(address)
    expect(other.locator(".card")).to_have_count(3)
    other.locator(".card .pick").nth(1).click()
    other.fill("#class-name", "half a na")
    mark_by_key(page, 1)
    expect(page.locator(".card .share").first).not_to_have_text("")
    expect(other.locator(".card .share").first).not_to_have_text("")
    settle(other)
    mark_by_key(other, 2)
    expect(page.locator(".card .share")).to_have_text(other.locator(".card .share").all_text_contents())
    assert len(state(page)["marks"]) == 2
    expect(other.locator("#caption")).to_contain_text("two.png")
    assert other.input_value("#class-name") == "half a na"
    expect(page.locator("#caption")).to_contain_text("one.png")
    other.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (900, 700), (1600, 1000)])
@pytest.mark.parametrize("density", [1, 2])
def test_it_fits_on_screens_of_any_size(browser, page, files, address, width, height, density):
    add(page, files)
    tab = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=density)
    tab.goto(address)
    expect(tab.locator(".card")).to_have_count(3)
    settle(tab)
    for _ in range(2):
        tab.keyboard.press("+")
        click(tab, 50, 60)
        tab.keyboard.press("0")
        click(tab, 98, 118)
        assert marks(tab, "y", "x") == [[50, 60], [98, 118]]
        for _ in range(2):
            tab.keyboard.press("u")
        settle(tab)
    assert tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    boxes = {name: tab.locator(name).bounding_box() for name in ("header", ".bar", "#stage", "#strip")}
    assert boxes["header"]["height"] < 64
    assert boxes[".bar"]["height"] < 64
    assert boxes["#stage"]["height"] > 0.4 * height
    assert boxes["#strip"]["y"] + boxes["#strip"]["height"] <= height + 1
    canvas = tab.evaluate("() => { const c = document.getElementById('stage'); return c.width / c.clientWidth; }")
    assert canvas == pytest.approx(density, rel=0.01)
    tab.close()
