"""What is refused, and whether the message says what and why."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from guidenet import Guidance, read_image
from guidenet.serve import Limits
from guidenet.serve.pictures import read_picture
from PIL import Image

JSON = {"Content-Type": "application/json"}


def upload(page, name, data, what="images"):
    return page.refused("POST", f"/api/{what}", params={"name": name}, content=data)


def huge_png(width, height):
    """A PNG that says that it has so many pixels, and has none."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_broken_images_are_named(page, drawn):
    whole = drawn[0]([("red", 1, 1)], kind="JPEG")
    for data in (b"", b"no image", whole[: len(whole) // 2], b"%!PS-Adobe-3.0 EPSF-3.0\n"):
        status, message = upload(page, "holiday.png", data)
        assert status == 400
        assert message.startswith("holiday.png could not be read")
        assert "0x" not in message
    assert len(page.ask("GET", "/api/state")["images"]) == 3


def test_too_many_pixels_are_refused_before_they_are_decoded(page):
    for width, height in ((9000, 9000), (12000, 9000), (60000, 60000)):
        status, message = upload(page, "vast.png", huge_png(width, height))
        assert status == 413
        assert message.startswith("vast.png has")


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_images_are_read_as_everywhere(page, tmp_path):
    deep = Image.fromarray(np.arange(20000, dtype=np.uint16).reshape(100, 200) * 3)
    cut_out = Image.merge("RGBA", [Image.effect_noise((60, 40), 90)] * 3 + [Image.new("L", (60, 40))])
    flat = Image.new("RGB", (40, 30), (200, 120, 40))
    for kind, image in (("PNG", deep), ("TIFF", deep), ("PNG", cut_out), ("AVIF", flat), ("JPEG2000", flat)):
        data = encoded(image, kind)
        (tmp_path / "a").write_bytes(data)
        found = read_picture("a", data, 512, Limits())
        np.testing.assert_array_equal(found.pixels, read_image(tmp_path / "a"))
        assert page.add(f"{kind}.{image.mode}", data)


def test_images_that_can_be_read_in_several_ways_are_refused(page):
    stack = encoded(Image.new("L", (9, 9)), "TIFF", save_all=True, append_images=[Image.new("L", (9, 9), 9)])
    signed = encoded(Image.fromarray(np.arange(-9, 0, dtype=np.int32).reshape(3, 3)), "TIFF")
    for data, what in (
        (stack, "has 2 pages or frames: page (--page) must say which, 1 to 2; or"),
        (signed, "has values from -9 to -1"),
    ):
        status, message = upload(page, "a.tif", data)
        assert (status, message.startswith(f"a.tif {what}")) == (400, True)
        assert message.endswith("; or save what is to be seen as a PNG of 8 bits")
    assert upload(page, "a.pdf", b"%PDF-1.4")[1].endswith("(PNG, JPEG, WEBP, AVIF, JPEG2000, BMP, TIFF, GIF, PPM)")


def test_too_many_bytes(new_page, drawn):
    page = new_page(limits=Limits(image_bytes=1 << 20))
    status, message = upload(page, "big.png", bytes((1 << 20) + 1))
    assert (status, message) == (413, "big.png is larger than 1 MB, the most that is taken of one file")

    def parts():
        for _ in range(20):
            yield bytes(1 << 17)

    assert upload(page, "big.png", parts())[0] == 413
    page.add("small.png", drawn[0]([]))


def test_too_many_images(new_page, drawn):
    page = new_page(limits=Limits(num_images=2))
    for i in range(2):
        page.add(f"{i}.png", drawn[0]([("red", i, 0)]))
    status, message = upload(page, "third.png", drawn[0]([]))
    assert status == 413
    assert message == (
        "third.png was not added: 2 images are the most at once; guidenet serve --max-images N takes more"
    )
    page.ask("DELETE", f"/api/images/{page.state['images'][0]['id']}")
    page.add("third.png", drawn[0]([]))


def test_names_and_number_of_classes(new_page):
    page = new_page(limits=Limits(num_classes=2))
    for name in ("", "  ", "a\nb", "x" * 41):
        status, message = page.refused("POST", "/api/classes", json={"name": name})
        assert status == 400
        assert "1 to 40 printable characters" in message
    page.ask("POST", "/api/classes", json={"name": "猫"})
    status, message = page.refused("POST", "/api/classes", json={"name": "dog"})
    assert (status, message) == (413, "'dog' was not added: 2 classes are the most at once")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"y": 100}, 400, "100 x 120 px, got 100, 20"),
        ({"x": -1}, 400, "y, x must lie"),
        ({"image": "9"}, 404, "no image '9'"),
        ({"cls": "dog"}, 404, "no class 'dog'"),
        ({"y": 1.5}, 400, "y must be int, got 1.5"),
        ({"y": True}, 400, "y must be int, got True"),
        ({"positive": 1}, 400, "positive must be bool"),
        ({"more": 1}, 400, "must be an object with image, y, x, positive, cls"),
    ],
)
def test_clicks_that_make_no_sense(page, change, status, message):
    fields = {"image": page.ids[0], "y": 20, "x": 20, "positive": True, "cls": "object", **change}
    found = page.refused("POST", "/api/clicks", json=fields)
    assert found[0] == status
    assert message in found[1]
    assert page.ask("GET", "/api/state")["marks"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 60000, b"9" * 5000])
def test_requests_that_are_no_object(page, body):
    status, message = page.refused("POST", "/api/clicks", content=body, headers=JSON)
    assert status == 400
    assert message.startswith("the request must be")


def test_other_requests(page):
    assert page.refused("POST", "/api/clicks", content=b"{}", headers={"Content-Type": "text/plain"})[0] == 415
    assert page.refused("POST", "/api/clicks", content=bytes(1 << 17), headers=JSON)[0] == 413
    assert page.refused("GET", "/api/undo")[0] == 405
    assert page.refused("GET", "/session.py")[0] == 404
    assert page.refused("GET", "/..%2f__init__.py")[0] == 404
    assert page.refused("DELETE", "/api/images/9")[0] == 404
    assert page.refused("GET", "/api/images/9/shown.jpg")[0] == 404


def test_nothing_to_save_yet(page):
    for path in ("/api/guidance.npz", "/api/masks.zip", f"/api/images/{page.ids[0]}/mask.png"):
        status, message = page.refused("GET", path)
        assert status == 400
        assert "click on something first" in message


def test_guidance_that_is_none(page, tmp_path):
    other = io.BytesIO()
    np.savez(other, a=np.zeros(3))
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("total.npy", bytes(80 << 20))
    foreign = tmp_path / "foreign.npz"
    sums = {"cat": (np.ones((2, 3), np.int64), np.ones(2, np.int64), np.ones(2, np.int64))}
    Guidance.of(sums, 3, "another encoder").save(foreign)
    unnamed = tmp_path / "unnamed.npz"
    Guidance.of({"a\nb": sums["cat"]}, 3, "another encoder").save(unnamed)
    for data, status, reason in (
        (b"no", 400, "is no guidance"),
        (other.getvalue(), 400, "must be guidance with"),
        (large.getvalue(), 413, "larger than 64 MB when unpacked"),
        (foreign.read_bytes(), 400, "must have the same"),
        (unnamed.read_bytes(), 400, "printable characters"),
    ):
        found, message = upload(page, "cat.npz", data, "guidance")
        assert (found, reason in message) == (status, True), message
        assert "/tmp" not in message
    assert page.ask("GET", "/api/state")["classes"] == [{"name": "object", "colour": "#ffb000"}]


def test_limits_themselves():
    with pytest.raises(ValueError, match="num_images must be at least 1, got 0"):
        Limits(num_images=0)
    with pytest.raises(ValueError, match="num_classes must be at most 12, got 13"):
        Limits(num_classes=13)
