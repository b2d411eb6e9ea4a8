"""The page in a real browser: folders, limits, work that is saved and opened, and what is said when something fails."""

import importlib.util
import io
import json
import zipfile
from pathlib import Path

import pytest
from guidenet.serve import Limits
from PIL import Image

_spec = importlib.util.spec_from_file_location("browsing", Path(__file__).with_name("browsing.py"))
browsing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browsing)
pytestmark = browsing.pytestmark
browser, session, address, tab = browsing.browser, browsing.session, browsing.address, browsing.tab
page, files, expect = browsing.page, browsing.files, browsing.expect
add, click, marks, save = browsing.add, browsing.click, browsing.marks, browsing.save
settle, shares, state = browsing.settle, browsing.shares, browsing.state


@pytest.fixture
def folder(tmp_path, files):
    """Three images, one of them deeper, and files that are none."""
    folder = tmp_path / "photos"
    (folder / "deep" / "er").mkdir(parents=True)
    for name, file in zip(("img10.png", "img2.png", "deep/er/img1.PNG"), files, strict=True):
        (folder / name).write_bytes(file["buffer"])
    for name in ("notes.txt", "deep/.hidden.png", "deep/._img1.png", "deep/data.csv"):
        (folder / name).write_bytes(b"no image")
    return folder


NAMES = ["photos/deep/er/img1.PNG", "photos/img2.png", "photos/img10.png"]


def drop(page, *paths):
    """Drops files and folders as a user does."""
    client = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    box = page.locator("#stage-frame").bounding_box()
    for kind in ("dragEnter", "dragOver", "drop"):
        client.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 50, "y": box["y"] + 50, "data": data})
    client.detach()


def names(page):
    return [image["name"] for image in state(page)["images"]]


def test_a_dropped_folder_gives_its_images_with_their_folders(page, folder):
    drop(page, folder)
    expect(page.locator(".message")).to_contain_text("3 images added; 4 files that are no images were left out.")
    settle(page)
    assert names(page) == NAMES
    click(page, 25, 25)
    archive = zipfile.ZipFile(save(page, "#save-masks").path())
    assert archive.namelist() == ["photos/deep/er/img1.png", "photos/img2.png", "photos/img10.png"]


def test_a_folder_can_be_chosen(page, folder):
    page.set_input_files("#folder", folder)
    expect(page.locator(".card")).to_have_count(3)
    settle(page)
    assert sorted(names(page)) == sorted(NAMES)


def test_an_empty_folder_is_said(page, tmp_path):
    (tmp_path / "empty").mkdir()
    drop(page, tmp_path / "empty")
    expect(page.locator(".message")).to_contain_text("There was no image in it.")


@pytest.fixture
def few(session, monkeypatch):
    monkeypatch.setattr(session, "limits", Limits(num_images=4, image_bytes=100_000))


def test_too_many_files_are_one_message_that_names_the_option(few, page, files):
    many = [{**files[0], "name": f"{i}.png"} for i in range(12)]
    page.set_input_files("#image-files", many)
    message = page.locator(".message.bad")
    expect(message).to_have_count(1)
    expect(message).to_contain_text("8 images were not added: 4 are the most at once.")
    expect(message).to_contain_text("guidenet serve --max-images 12 for all")
    expect(page.locator(".card")).to_have_count(4)
    settle(page)
    box, stage = message.bounding_box(), page.locator("#stage").bounding_box()
    assert box["x"] + box["width"] <= stage["x"]
    assert box["y"] + box["height"] <= page.locator("#strip").bounding_box()["y"]


def test_what_was_refused_is_one_message_and_all_are_dismissed_together(few, page, files):
    broken = [{"name": f"{i}.png", "mimeType": "image/png", "buffer": b"no image"} for i in range(3)]
    large = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(100_001)}
    page.set_input_files("#image-files", [*broken, files[0], large])
    message = page.locator(".message.bad")
    expect(message).to_have_count(1)
    expect(message).to_contain_text("4 files were not added.")
    page.click(".message summary")
    lines = page.locator(".message li").all_text_contents()
    assert len(lines) == 4
    assert lines[0].startswith("0.png could not be read")
    assert lines[3].startswith("large.png is larger than")
    expect(page.locator(".card")).to_have_count(1)
    page.set_input_files("#guidance-file", {**broken[0], "name": "g.npz"})
    expect(message).to_have_count(2)
    page.click(".dismiss")
    expect(message).to_have_count(0)
    expect(page.locator(".dismiss")).to_be_hidden()


def test_work_is_saved_and_opened_again(page, files, tmp_path):
    add(page, files)
    click(page, 25, 25)
    click(page, 90, 20, button="right")
    expected = shares(page)
    download = save(page, "#save-work")
    assert download.suggested_filename == "guidenet-work.zip"
    download.save_as(tmp_path / "work.zip")
    page.click("#clear")
    settle(page)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.set_input_files("#work-file", tmp_path / "work.zip")
    page.wait_for_timeout(300)
    assert marks(page) == []
    page.once("dialog", lambda dialog: dialog.accept())
    drop(page, tmp_path / "work.zip")
    expect(page.locator(".message")).to_contain_text("work.zip is open.")
    settle(page)
    assert shares(page) == expected
    assert names(page) == ["one.png", "two.png", "three.png"]
    assert marks(page, "y", "positive") == [[25, True], [90, False]]


def test_masks_are_saved_in_all_forms(page, files):
    add(page, files)
    click(page, 25, 25)
    for form in ("coco", "coco-polygons"):
        found = json.loads(Path(save(page, f"#save-{form}").path()).read_text())
        assert [image["file_name"] for image in found["images"]] == ["one.png", "two.png", "three.png"]
        assert found["annotations"]
    archive = zipfile.ZipFile(save(page, "#save-labelme").path())
    assert archive.namelist() == ["one.json", "two.json", "three.json"]
    assert json.loads(archive.read("one.json"))["shapes"][0]["label"] == "object"


def test_a_request_that_fails_is_not_called_a_dead_server(page):
    page.route("**/api/classes", lambda route: route.abort())
    page.fill("#class-name", "cat")
    page.keyboard.press("Enter")
    expect(page.locator(".message.bad")).to_contain_text("The request did not get through")
    page.unroute("**/api/classes")


def test_what_is_gone_in_the_server_goes_from_the_page(page, files, session):
    add(page, files)
    page.route("**/api/revision", lambda route: route.abort())  # it is not told otherwise
    session.remove_image(state(page)["images"][1]["id"])
    page.locator(".card").nth(1).hover()
    page.locator(".card .remove").nth(1).click()
    expect(page.locator(".message.bad")).to_contain_text("there is no image")
    expect(page.locator(".card .name")).to_have_text(["one.png", "three.png"])
    page.unroute("**/api/revision")


def test_a_hint_says_what_is_background_only_while_everything_is_masked(page, files, session, monkeypatch):
    plain = io.BytesIO()
    Image.new("RGB", (120, 100), (40, 160, 60)).save(plain, "PNG")
    add(page, [{**files[0], "buffer": plain.getvalue()}])
    predict = session._segmenter.predict

    def everything(image, **options):
        found = predict(image, **options)
        found.logits[:] = 1
        return found

    monkeypatch.setattr(session._segmenter, "predict", everything)
    hint = page.locator("#hint")
    expect(hint).to_have_text("")
    click(page, 50, 50)
    expect(hint).to_contain_text("says what is background")
    monkeypatch.undo()
    click(page, 10, 10, button="right")
    expect(hint).to_have_text("")
