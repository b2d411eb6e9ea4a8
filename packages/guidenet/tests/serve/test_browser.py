"""The page in a real browser: clicks, classes, files, the keyboard, what is said."""

import importlib.util
import re
import zipfile
from pathlib import Path

import numpy as np
from guidenet import Guidance

_spec = importlib.util.spec_from_file_location("browsing", Path(__file__).with_name("browsing.py"))
browsing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browsing)
pytestmark = browsing.pytestmark
browser, session, address, tab = browsing.browser, browsing.session, browsing.address, browsing.tab
page, files, expect = browsing.page, browsing.files, browsing.expect
add, click, marks, pixels, place = browsing.add, browsing.click, browsing.marks, browsing.pixels, browsing.place
save, settle, shares, state = browsing.save, browsing.settle, browsing.shares, browsing.state


def test_a_click_changes_all_images_and_undo_restores_them(page, files, tmp_path):
    expect(page.locator("#empty")).to_be_visible()
    add(page, files)
    expect(page.locator("#empty")).to_be_hidden()
    assert shares(page) == [0, 0, 0]
    before = pixels(page, "#stage"), pixels(page, ".card:nth-child(2) canvas")
    click(page, 25, 25)
    click(page, 90, 20, button="right")
    click(page, 75, 85, modifiers=["Shift"])
    assert marks(page, "y", "x", "positive") == [[25, 25, True], [90, 20, False], [75, 85, False]]
    assert all(3 < share < 15 for share in shares(page))
    after = pixels(page, "#stage"), pixels(page, ".card:nth-child(2) canvas")
    changed = [np.abs(new - old).sum(axis=2) > 30 for new, old in zip(after, before, strict=True)]
    assert 0.02 < changed[0].mean() < 0.2
    assert 0.03 < changed[1].mean() < 0.2
    height, width = changed[1].shape
    assert changed[1][int(0.7 * height) : int(0.9 * height), int(0.1 * width) : int(0.25 * width)].mean() > 0.7
    assert re.fullmatch(r"[\d.]+ ms", page.locator("#time-all").text_content())
    page.screenshot(path=tmp_path / "page.png")
    for _ in range(3):
        page.click("#undo")
        settle(page)
    assert shares(page) == [0, 0, 0]
    assert (np.abs(pixels(page, "#stage") - before[0]) > 8).mean() < 0.001
    expect(page.locator("#undo")).to_be_disabled()


def test_masks_have_all_that_is_like_it_or_only_this_one(page, drawn):
    draw, _ = drawn
    pair = draw([("red", 10, 10), ("red", 60, 80)])
    add(page, [{"name": name, "mimeType": "image/png", "buffer": pair} for name in ("one.png", "two.png")])
    click(page, 25, 25)
    both, other = shares(page)
    assert both == other > 8
    page.check("[name=pieces][value=annotated]")
    settle(page)
    alone, other = shares(page)
    assert 3 < alone < 0.6 * both
    assert other == both  # nothing is marked there
    click(page, 75, 95)
    assert shares(page) == [both, both]
    page.keyboard.press("u")
    settle(page)
    assert shares(page)[0] == alone
    page.reload()
    expect(page.locator("[name=pieces][value=annotated]")).to_be_checked()
    page.keyboard.press("a")
    settle(page)
    expect(page.locator("[name=pieces][value=all]")).to_be_checked()
    assert shares(page) == [both, both]


def test_classes_and_shortcuts(page, files):
    add(page, files)
    page.keyboard.press("n")
    page.keyboard.type("blue, um")  # u and m are shortcuts elsewhere
    page.keyboard.press("Enter")
    expect(page.locator("#classes .pick")).to_have_count(2)
    settle(page)
    page.keyboard.press("Escape")
    click(page, 75, 85)
    page.keyboard.press("1")
    click(page, 25, 25)
    page.keyboard.press("x")
    click(page, 90, 20)
    page.keyboard.press("2")
    click(page, 90, 40)
    assert marks(page, "positive", "cls") == [[True, 1], [True, 0], [False, 0], [False, 1]]
    caption = page.locator("#caption")
    expect(caption).to_have_text(re.compile(r"one\.png.*object [\d.]+ %, blue, um [\d.]+ %"))
    page.keyboard.press("j")
    expect(caption).to_contain_text("two.png")
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(caption).to_contain_text("three.png")
    page.keyboard.press("u")
    page.keyboard.press("Control+z")
    expect(page.locator("#stage")).to_be_visible()
    settle(page)
    assert len(state(page)["marks"]) == 2
    masked = pixels(page, "#stage")
    page.keyboard.press("h")
    expect(page.locator("#show-masks")).not_to_be_checked()
    assert (np.abs(pixels(page, "#stage") - masked) > 8).mean() > 0.02
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_the_keyboard_alone_is_enough(page, files):
    add(page, files[:1])
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator("#stage:focus").count():
            break
    expect(page.locator("#stage")).to_be_focused()
    page.keyboard.press("ArrowLeft")  # the cursor appears in the middle, at 50, 60
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+Enter")
    settle(page)
    assert marks(page, "y", "x", "positive") == [[30, 58, True], [50, 58, False]]


def test_a_broken_image_is_named_and_the_others_are_added(page, files):
    broken = {"name": "holiday.png", "mimeType": "image/png", "buffer": b"no image"}
    page.set_input_files("#image-files", [files[0], broken, files[1]])
    expect(page.locator(".message.bad")).to_have_text(re.compile("holiday.png could not be read"))
    expect(page.locator(".card")).to_have_count(2)
    page.click(".message.bad > button")
    expect(page.locator(".message.bad")).to_have_count(0)


def test_files_can_be_dropped(page, files):
    transfer = page.evaluate_handle("() => new DataTransfer()")
    page.evaluate(
        "([transfer, bytes]) => transfer.items.add(new File([new Uint8Array(bytes)], 'one.png', {type: 'image/png'}))",
        [transfer, list(files[0]["buffer"])],
    )
    page.dispatch_event("#stage-frame", "dragover", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event("#stage-frame", "drop", {"dataTransfer": transfer})
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator("#drop")).to_be_hidden()


def test_masks_and_guidance_are_saved_and_guidance_is_loaded(page, files, tmp_path):
    add(page, files)
    click(page, 25, 25)
    click(page, 90, 20, button="right")
    expected = shares(page)
    for button, name in (("#save-masks", "masks.zip"), ("#save-guidance", "guidance.npz")):
        download = save(page, button)
        assert download.suggested_filename == name
        download.save_as(tmp_path / name)
    assert zipfile.ZipFile(tmp_path / "masks.zip").namelist() == ["one.png", "two.png", "three.png"]
    assert Guidance.load(tmp_path / "guidance.npz").classes == ("object",)
    page.click("#clear")
    settle(page)
    assert shares(page) == [0, 0, 0]
    page.set_input_files("#guidance-file", tmp_path / "guidance.npz")
    expect(page.locator("#loaded-names span")).to_have_text(["guidance.npz"])
    settle(page)
    assert shares(page) == expected


def test_the_page_comes_back_as_it_was(page, files):
    add(page, files)
    click(page, 25, 25)
    expected = shares(page)
    page.reload()
    expect(page.locator(".card")).to_have_count(3)
    settle(page)
    assert shares(page) == expected
    page.locator(".card").nth(1).hover()
    page.locator(".card .remove").nth(1).click()
    expect(page.locator(".card .name")).to_have_text(["one.png", "three.png"])


def test_many_quick_clicks_are_all_counted_in_order(page, files):
    add(page, files[:1])
    left, top = place(page, 20, 20)
    for i in range(8):
        page.mouse.click(left + 12 * i, top, button="left" if i % 2 else "right")
    settle(page)
    assert [positive for (positive,) in marks(page, "positive")] == [False, True] * 4
    columns = [x for (x,) in marks(page, "x")]
    assert columns == sorted(columns)


def test_a_server_that_is_gone_is_said(page, address):
    page.context.set_offline(True)
    page.keyboard.press("n")
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    expect(page.locator(".message.bad")).to_contain_text("The server does not answer")
    page.context.set_offline(False)


def test_everything_has_a_name_and_text_can_be_read(page, files):
    """Names for all that can be operated, and a contrast of at least 4.5 for all text (WCAG 2.2 AA)."""
    add(page, files)
    found = page.evaluate(
        """() => {
          const channels = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
          const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) =>
            c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
              .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = (element) => {
            for (let at = element; at; at = at.parentElement) {
              const colour = channels(getComputedStyle(at).backgroundColor);
              if (colour.length < 4 || colour[3] > 0) return colour;
            }
            return [255, 255, 255];
          };
          const weak = [], unnamed = [];
          for (const element of document.querySelectorAll("body *")) {
            if (!element.checkVisibility() || element.disabled) continue;
            const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
            if (text) {
              const both = [light(channels(getComputedStyle(element).color)), light(behind(element))];
              if ((Math.max(...both) + 0.05) / (Math.min(...both) + 0.05) < 4.5) weak.push(text);
            }
            if (element.matches("button, input, canvas[tabindex]")) {
              const label = element.getAttribute("aria-label") || element.textContent.trim() ||
                [...(element.labels || [])].map((l) => l.textContent.trim()).join("");
              if (!label) unnamed.push(element.outerHTML);
            }
          }
          return { weak, unnamed };
        }"""
    )
    assert found == {"weak": [], "unnamed": []}
