"""The HTTP interface: one click answers with the masks of all images; files in and out; undo."""

import importlib.resources
import io
import json
import re
import zipfile

import numpy as np
import pytest
from guidenet import Guidance, Segmenter
from guidenet.reading import SUFFIXES
from guidenet.serve import Click, Session
from guidenet.serve.saved.guidance_file import dump_guidance
from PIL import Image

BOX = 30


def iou(found, y, x):
    expected = np.zeros(found.shape, bool)
    expected[y : y + BOX, x : x + BOX] = True
    return (found & expected).sum() / (found | expected).sum()


def label_red(page, cls="object"):
    page.click(page.ids[0], 25, 25, cls=cls)
    page.click(page.ids[0], 90, 20, positive=False, cls=cls)
    page.click(page.ids[0], 75, 85, positive=False, cls=cls)


def test_clicks_on_one_image_answer_with_the_masks_of_all(page):
    assert [image["name"] for image in page.state["images"]] == ["one.png", "two.png", "three.png"]
    assert not any(page.labels(image).any() for image in page.ids)
    label_red(page)
    for image, (y, x) in zip(page.ids, [(10, 10), (65, 5), (60, 60)], strict=True):
        assert iou(page.labels(image) == 1, y, x) > 0.5
    assert page.clicks[1] == [page.ids[0], 90, 20, False, 0]
    assert page.state["can_undo"]
    assert page.state["trained"]
    assert 0 < page.state["seconds"] < 60


def test_masks_are_those_of_a_segmenter_with_the_same_clicks(page, model, drawn):
    draw, boxes = drawn
    label_red(page)
    segmenter = Segmenter(*model)
    photo, *others = [segmenter.add_image(np.asarray(Image.open(io.BytesIO(draw(one))))) for one in boxes.values()]
    segmenter.click(photo, 25, 25)
    segmenter.click(photo, 90, 20, label=False)
    segmenter.click(photo, 75, 85, label=False)
    for image, name in zip(page.ids, [photo, *others], strict=True):
        np.testing.assert_array_equal(page.labels(image), segmenter.predict(name).labels)


def test_each_image_is_encoded_once(model, drawn):
    draw, boxes = drawn
    segmenter = Segmenter(*model)
    session = Session(segmenter)
    ids = [session.add_image(name, draw(one)) for name, one in boxes.items()]
    session.add_class("cat")
    for i in range(3):
        session.mark(Click(ids[i], 20, 20, True, "cat"))
        session.state()
    session.undo()
    session.labels(ids[0])
    assert segmenter.num_encoder_calls == 3


def test_several_classes_and_their_masks_as_a_palette(page):
    page.ask("POST", "/api/classes", json={"name": " blue "})
    assert [cls["name"] for cls in page.state["classes"]] == ["object", "blue"]
    label_red(page)
    page.click(page.ids[0], 75, 85, cls="blue")
    page.click(page.ids[0], 90, 20, positive=False, cls="blue")
    assert iou(page.labels(page.ids[1]) == 1, 65, 5) > 0.5
    assert iou(page.labels(page.ids[1]) == 2, 5, 80) > 0.5
    mask = Image.open(io.BytesIO(page.client.get(f"/api/images/{page.ids[1]}/mask.png").content))
    assert mask.mode == "P"
    np.testing.assert_array_equal(np.asarray(mask), page.labels(page.ids[1]))
    colour = page.state["classes"][1]["colour"]
    assert "#{:02x}{:02x}{:02x}".format(*mask.getpalette()[6:9]) == colour
    archive = zipfile.ZipFile(io.BytesIO(page.client.get("/api/masks.zip").content))
    assert archive.read("classes.txt") == b"object\nblue\n"
    assert archive.namelist() == ["one.png", "two.png", "three.png", "classes.txt"]


def test_undo_and_clear_restore_every_bit(page):
    page.click(page.ids[0], 25, 25)
    one = page.client.get("/api/guidance.npz").content
    masks = page.state["masks"]
    page.click(page.ids[1], 70, 10)
    page.click(page.ids[1], 70, 10, positive=False)
    assert page.client.get("/api/guidance.npz").content != one
    page.ask("POST", "/api/undo")
    page.ask("POST", "/api/undo")
    assert page.state["masks"] == masks
    assert len(page.clicks) == 1
    assert page.client.get("/api/guidance.npz").content == one
    page.click(page.ids[2], 5, 5)
    page.ask("POST", "/api/clear")
    assert page.clicks == []
    assert page.state["can_undo"]
    assert not page.state["trained"]
    page.ask("POST", "/api/undo")
    assert len(page.clicks) == 2
    for _ in range(3):
        page.ask("POST", "/api/undo")
    assert not page.state["trained"]
    assert not page.state["can_undo"]


def test_masks_have_the_size_of_the_file(new_page, drawn):
    page = new_page(max_side=60)
    image = page.add("large.png", drawn[0]([("red", 10, 10)]))
    assert (page.state["images"][0]["height"], page.state["images"][0]["width"]) == (50, 60)
    page.click(image, 12, 12)
    page.click(image, 45, 45, positive=False)
    mask = np.asarray(Image.open(io.BytesIO(page.client.get(f"/api/images/{image}/mask.png").content)))
    assert mask.shape == (100, 120)
    assert set(np.unique(mask)) == {0, 255}
    shrunk = np.asarray(Image.fromarray(mask).resize((60, 50), Image.Resampling.BOX)) > 127
    assert (shrunk == (page.labels(image) > 0)).mean() > 0.97


def test_names_of_masks_differ_and_stay_in_their_folders(new_page, drawn):
    draw = drawn[0]
    page = new_page()
    for i, name in enumerate(["a.png", "a.png", "A.jpg", "../../etc/a.png", "..\\b\n.png", "C:\\b.png", ""]):
        page.add(name, draw([("red", 10 + i, 10)]))
    names = [image["name"] for image in page.state["images"]]
    assert names == ["a.png", "a (2).png", "A.jpg", "etc/a.png", "b.png", "b (2).png", "image"]
    page.click("1", 20, 20)
    archive = zipfile.ZipFile(io.BytesIO(page.client.get("/api/masks.zip").content))
    assert archive.namelist() == [
        "a.png",
        "a (2).png",
        "A (3).png",
        "etc/a.png",
        "b.png",
        "b (2).png",
        "image.png",
    ]


def test_guidance_carries_over_to_another_page_and_can_be_undone(page, new_page, drawn):
    draw, boxes = drawn
    page.ask("POST", "/api/classes", json={"name": "red"})
    label_red(page, "red")
    saved = page.client.get("/api/guidance.npz")
    assert saved.headers["content-disposition"] == 'attachment; filename="guidance.npz"'
    other = new_page()
    image = other.add("two.png", draw(boxes["two.png"]))
    other.ask("POST", "/api/guidance", params={"name": "red.npz"}, content=saved.content)
    assert [cls["name"] for cls in other.state["classes"]] == ["red"]
    assert [one["name"] for one in other.state["guidance"]] == ["red.npz"]
    assert other.clicks == []
    np.testing.assert_array_equal(other.labels(image), page.labels(page.ids[1]) > 0)
    assert other.client.get("/api/guidance.npz").content == saved.content
    other.ask("POST", "/api/undo")
    assert not other.labels(image).any()


def test_what_the_page_saves_is_guidance_of_the_library(page, tmp_path):
    label_red(page)
    (tmp_path / "a.npz").write_bytes(page.client.get("/api/guidance.npz").content)
    assert Guidance.load(tmp_path / "a.npz").classes == ("object",)


def test_removing_an_image_takes_its_clicks_out(page):
    page.click(page.ids[0], 25, 25)
    masks = page.state["masks"]
    page.click(page.ids[1], 5, 5)
    page.click(page.ids[0], 26, 26, positive=False)
    page.ask("DELETE", f"/api/images/{page.ids[1]}")
    page.ask("POST", "/api/undo")
    assert page.state["masks"] == {image: masks[image] for image in (page.ids[0], page.ids[2])}
    assert [click[0] for click in page.clicks] == [page.ids[0]]
    page.ask("POST", "/api/undo")
    assert not page.state["can_undo"]


def test_the_same_image_under_another_name_is_another_image(page, drawn):
    draw, boxes = drawn
    copy = page.add("copy.png", draw(boxes["one.png"]))
    label_red(page)
    assert page.state["masks"][copy] == page.state["masks"][page.ids[0]]
    archive = zipfile.ZipFile(io.BytesIO(page.client.get("/api/masks.zip").content))
    assert archive.read("copy.png") == archive.read("one.png")
    page.ask("DELETE", f"/api/images/{page.ids[0]}")
    assert page.clicks == []
    page.click(copy, 25, 25)
    assert page.labels(copy).any()


def test_classes_are_removed_while_nothing_is_said_about_them(page):
    page.ask("POST", "/api/classes", json={"name": "b/c?"})
    page.ask("POST", "/api/classes", json={"name": "b/c?"})
    page.click(page.ids[0], 5, 5, cls="b/c?")
    assert "clicks" in page.refused("DELETE", "/api/classes", params={"name": "b/c?"})[1]
    page.ask("DELETE", "/api/classes", params={"name": "object"})
    assert [cls["name"] for cls in page.state["classes"]] == ["b/c?"]
    assert page.clicks[0][4] == 0
    assert page.labels(page.ids[0]).max() == 1
    page.ask("POST", "/api/undo")
    assert "last class" in page.refused("DELETE", "/api/classes", params={"name": "b/c?"})[1]
    assert page.refused("DELETE", "/api/classes", params={"name": "dog"})[0] == 404


def test_pictures_are_turned_as_the_camera_was_and_shown_as_jpeg(new_page, drawn):
    exif = Image.Exif()
    exif[0x0112] = 6
    page = new_page()
    image = page.add("phone.jpg", drawn[0]([], kind="JPEG", exif=exif))
    assert (page.state["images"][0]["file_height"], page.state["images"][0]["file_width"]) == (120, 100)
    shown = page.client.get(f"/api/images/{image}/shown.jpg")
    assert shown.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(shown.content)).size == (100, 120)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_kinds_of_files(new_page, drawn, kind):
    page = new_page()
    page.add("a", drawn[0]([("red", 1, 1)], kind=kind))
    assert page.state["images"][0]["width"] == 120


def test_marks_are_deleted_and_flipped_and_that_is_undone(page):
    page.click(page.ids[0], 25, 25)
    one = page.state["masks"]
    page.click(page.ids[0], 90, 20)
    first, second = (mark["id"] for mark in page.state["marks"])
    page.ask("POST", f"/api/marks/{second}/flip")
    assert [click[3] for click in page.clicks] == [True, False]
    flipped = page.state["masks"]
    page.ask("DELETE", f"/api/marks/{second}")
    assert page.state["masks"] == one
    page.ask("POST", "/api/undo")
    assert page.state["masks"] == flipped
    page.ask("DELETE", f"/api/marks/{first}")
    assert [click[1] for click in page.clicks] == [90]
    page.ask("POST", "/api/undo")
    page.ask("POST", "/api/undo")
    assert page.state["can_redo"]
    page.ask("POST", "/api/redo")
    assert page.state["masks"] == flipped
    for method, path in (("DELETE", "/api/marks/99"), ("POST", "/api/marks/99/flip")):
        assert page.refused(method, path) == (404, "there is no mark 99: it may have been taken back")
    assert page.refused("DELETE", "/api/marks/x")[0] == 404


def test_loaded_guidance_can_be_taken_out_alone(page):
    label_red(page)
    data = page.client.get("/api/guidance.npz").content
    page.ask("POST", "/api/guidance", params={"name": "g.npz"}, content=data)
    page.click(page.ids[1], 5, 80, positive=False)
    number = page.state["guidance"][0]["id"]
    assert "no sign" in page.refused("POST", f"/api/marks/{number}/flip")[1]
    page.ask("DELETE", f"/api/marks/{number}")
    assert page.state["guidance"] == []
    assert len(page.clicks) == 4


def test_a_class_keeps_its_colour_and_masks_have_it(page):
    for name in ("blue", "third"):
        page.ask("POST", "/api/classes", json={"name": name})
    before = {cls["name"]: cls["colour"] for cls in page.state["classes"]}
    page.ask("PATCH", "/api/classes", json={"name": "blue", "colour": "#0102fe"})
    page.click(page.ids[0], 25, 25, cls="third")
    page.click(page.ids[0], 75, 85, cls="blue")
    page.ask("DELETE", "/api/classes", params={"name": "object"})
    assert page.state["classes"] == [
        {"name": "blue", "colour": "#0102fe"},
        {"name": "third", "colour": before["third"]},
    ]
    mask = Image.open(io.BytesIO(page.client.get(f"/api/images/{page.ids[0]}/mask.png").content))
    assert mask.getpalette()[3:6] == [1, 2, 254]
    page.ask("POST", "/api/classes", json={"name": "again"})
    assert page.state["classes"][-1]["colour"] == before["object"]
    for colour in ("red", "#12345", "#1234567", "#12345g"):
        assert "#rrggbb" in page.refused("PATCH", "/api/classes", json={"name": "blue", "colour": colour})[1]
    assert page.refused("PATCH", "/api/classes", json={"name": "dog", "colour": "#123456"})[0] == 404


def test_masks_and_files_have_all_pieces_or_those_that_are_annotated(new_page, drawn):
    page = new_page()
    one = page.add("one.png", drawn[0]([("red", 10, 10), ("red", 60, 70)]))
    two = page.add("two.png", drawn[0]([("red", 10, 10), ("red", 60, 70)], kind="BMP"))
    assert page.state["pieces"] == "all"
    page.click(one, 25, 25)
    assert page.labels(one)[75, 85] == 1
    page.ask("POST", "/api/pieces", json={"pieces": "annotated"})
    assert page.state["pieces"] == "annotated"
    assert (page.labels(one)[25, 25], page.labels(one)[75, 85]) == (1, 0)
    assert page.labels(two)[75, 85] == 1  # nothing is annotated there
    mask = np.asarray(Image.open(io.BytesIO(page.client.get(f"/api/images/{one}/mask.png").content)))
    np.testing.assert_array_equal(mask, 255 * page.labels(one))
    coco = page.client.get("/api/coco.json").json()
    assert [annotation["image_id"] for annotation in coco["annotations"]] == [1, 2, 2]
    assert page.refused("POST", "/api/pieces", json={"pieces": "some"}) == (
        400,
        "pieces must be one of all, annotated, got 'some'",
    )
    other = new_page()
    other.ask("POST", "/api/work", params={"name": "w.zip"}, content=page.client.get("/api/guidenet-work.zip").content)
    assert other.state["pieces"] == "annotated"
    assert list(other.state["masks"].values()) == list(page.state["masks"].values())
    page.ask("POST", "/api/pieces", json={"pieces": "all"})
    assert page.labels(one)[75, 85] == 1


def test_files_of_masks_are_of_one_state_whatever_is_done_meanwhile(new_session, drawn):
    session = new_session()
    images = [session.add_image(name, drawn[0](boxes)) for name, boxes in drawn[1].items()]
    session.mark(Click(images[0], 25, 25, True, "object"))
    before = list(session.all_labels())
    found = session.all_labels()
    first = next(found)
    session.add_class("blue")
    session.mark(Click(images[0], 75, 85, True, "blue"))
    session.remove_image(images[2])
    for one, expected in zip([first, *found], before, strict=True):
        np.testing.assert_array_equal(one.labels, expected.labels)
        assert (one.name, one.classes, one.colours) == (expected.name, ("object",), expected.colours)


def test_a_class_that_was_removed_does_not_come_back_by_redo(page):
    page.ask("POST", "/api/classes", json={"name": "cat"})
    page.click(page.ids[0], 5, 5, cls="cat")
    page.click(page.ids[0], 9, 9)
    page.ask("POST", "/api/undo")
    page.ask("POST", "/api/undo")
    page.ask("DELETE", "/api/classes", params={"name": "cat"})
    page.ask("POST", "/api/redo")
    assert page.clicks == [[page.ids[0], 9, 9, True, 0]]


def test_the_revision_changes_with_each_change_and_only_then(page, new_page):
    seen = [page.state["revision"]]

    def note(method, path, **options):
        page.ask(method, path, **options)
        assert page.state["revision"] not in seen
        seen.append(page.state["revision"])
        assert page.client.get("/api/revision").json() == {"revision": seen[-1]}

    note("POST", "/api/classes", json={"name": "cat"})
    note("PATCH", "/api/classes", json={"name": "cat", "colour": "#123456"})
    note("POST", "/api/clicks", json={"image": page.ids[0], "y": 1, "x": 1, "positive": True, "cls": "cat"})
    for path in ("undo", "redo", "clear"):
        note("POST", f"/api/{path}")
    note("DELETE", f"/api/images/{page.ids[0]}")
    assert page.ask("GET", "/api/state")["revision"] == seen[-1]
    assert new_page().state["revision"].partition("-")[0] != seen[-1].partition("-")[0]


def test_names_that_cannot_be_written_as_text_are_cleaned(new_session, model, drawn):
    session = new_session()
    for name in ("caf\udce9.png", "../../caf.png", "/", "\udce9"):
        session.add_image(name, drawn[0]([("red", 1, 1)]))
    teacher = Segmenter(*model)
    teacher.click(teacher.add_image(np.zeros((9, 9), np.uint8)), 1, 1)
    session.load_guidance("g\udce9.npz", dump_guidance(teacher.guidance))
    state = json.loads(json.dumps(session.state(), ensure_ascii=False).encode())
    assert [image["name"] for image in state["images"]] == ["caf.png", "caf (2).png", "image", "image (2)"]
    assert [one["name"] for one in state["guidance"]] == ["g.npz"]


def test_the_page_takes_the_files_that_commands_take():
    script = importlib.resources.files("guidenet.serve").joinpath("page/files.js").read_text()
    suffixes = re.search(r"const IMAGE = /\\\.\(([a-z0-9|]+)\)\$/i;", script)[1].split("|")
    assert sorted(f".{suffix}" for suffix in suffixes if suffix != "heic") == sorted(SUFFIXES)
