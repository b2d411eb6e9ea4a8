"""The HTTP interface: one click answers with the masks of all images; files in and out; undo."""

import io
import zipfile

import numpy as np
import pytest
from guidenet import Guidance, Segmenter
from guidenet.serve import Click, Session
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
    assert page.state["clicks"][1] == [page.ids[0], 90, 20, False, 0]
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
        session.click(Click(ids[i], 20, 20, True, "cat"))
        session.state()
    session.undo()
    session.mask(ids[0])
    session.add_image("again.png", draw(boxes["one.png"]))
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
    assert sorted(archive.namelist()) == ["classes.txt", "one.png", "three.png", "two.png"]


def test_undo_and_clear_restore_every_bit(page):
    page.click(page.ids[0], 25, 25)
    one = page.client.get("/api/guidance.npz").content
    masks = page.state["masks"]
    page.click(page.ids[1], 70, 10)
    page.click(page.ids[1], 70, 10, positive=False)
    assert page.state["masks"] != masks
    page.ask("POST", "/api/undo")
    page.ask("POST", "/api/undo")
    assert page.state["masks"] == masks
    assert len(page.state["clicks"]) == 1
    assert page.client.get("/api/guidance.npz").content == one
    page.click(page.ids[2], 5, 5)
    page.ask("POST", "/api/clear")
    assert page.state["clicks"] == []
    assert not page.state["can_undo"]
    assert not page.state["trained"]
    before = page.state["masks"]
    assert page.ask("POST", "/api/undo")["masks"] == before


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


def test_names_of_masks_differ_and_have_no_folders(new_page, drawn):
    draw = drawn[0]
    page = new_page()
    for i, name in enumerate(["a.png", "a.png", "A.jpg", "../../etc/a.png", "..\\b\n.png", ""]):
        page.add(name, draw([("red", 10 + i, 10)]))
    names = [image["name"] for image in page.state["images"]]
    assert names == ["a.png", "a (2).png", "A.jpg", "a (3).png", "b.png", "image"]
    page.click("1", 20, 20)
    archive = zipfile.ZipFile(io.BytesIO(page.client.get("/api/masks.zip").content))
    assert archive.namelist() == ["a.png", "a (2).png", "A (3).png", "a (3) (2).png", "b.png", "image.png"]


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
    assert other.state["guidance"] == ["red.npz"]
    assert other.state["clicks"] == []
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
    assert [click[0] for click in page.state["clicks"]] == [page.ids[0]]
    page.ask("POST", "/api/undo")
    assert not page.state["can_undo"]


def test_the_same_image_again_is_the_same(page, drawn):
    draw, boxes = drawn
    assert page.add("copy.png", draw(boxes["one.png"])) == page.ids[-1]
    assert len(page.state["images"]) == 3


def test_classes_are_removed_while_nothing_is_said_about_them(page):
    page.ask("POST", "/api/classes", json={"name": "b/c?"})
    page.ask("POST", "/api/classes", json={"name": "b/c?"})
    page.click(page.ids[0], 5, 5, cls="b/c?")
    assert "clicks" in page.refused("DELETE", "/api/classes", params={"name": "b/c?"})[1]
    page.ask("DELETE", "/api/classes", params={"name": "object"})
    assert [cls["name"] for cls in page.state["classes"]] == ["b/c?"]
    assert page.state["clicks"][0][4] == 0
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
