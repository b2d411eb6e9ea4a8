"""Every kind of picture that people have: what is seen, or a refusal that names the option."""

import io
import struct
import zlib

import numpy as np
import pytest
from guidenet import read_image
from guidenet.reading import as_image, list_images, natural_key, num_pages, parse_intensity, upright_size
from hypothesis import given
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms, TiffImagePlugin

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)


def tiff(values, sample_format=None, photometric=1):
    """A TIFF of one channel with tags that Pillow would not write."""
    height, width = values.shape
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    tags = [(256, width), (257, height), (258, 8 * values.dtype.itemsize), (259, 1), (262, photometric)]
    tags += [(273, 8), (277, 1), (278, height), (279, len(data))]
    tags += [] if sample_format is None else [(339, sample_format)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags))
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def save(path, image, **options):
    if isinstance(image, bytes):
        path.write_bytes(image)
    else:
        (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path, **options)
    return path


def grey(image):
    assert (image == image[..., :1]).all()
    return image[..., 0]


u16 = RAMP.astype(np.uint16)


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("full.png", u16 * 257, RAMP),
        ("full.tif", u16 * 257, RAMP),
        ("big-endian.tif", (u16 * 257).astype(">u2"), RAMP),
        ("camera.tif", u16 * 200, np.round(u16 * 200 / 257)),
        ("twelve.png", u16 * 16, np.round(u16 * (16 * 255 / 4095))),
        ("ten.tif", u16 * 4, np.round(u16 * (4 * 255 / 1023))),
        ("eight.tif", u16, RAMP),
        ("full.jp2", u16 * 257, RAMP),
        ("full.pgm", u16 * 257, RAMP),
        ("int32.tif", (u16 * 257).astype(np.int32), RAMP),
        ("uint32.tif", tiff(RAMP.astype(np.uint32) * 0x1010101), RAMP),
        ("uint16.tif", tiff(u16 * 257, 1), RAMP),
        ("white-is-zero.tif", tiff(u16 * 257, 1, photometric=0), 255 - RAMP),
        ("white-is-zero-8.tif", tiff(RAMP, 1, photometric=0), 255 - RAMP),
        ("int8.tif", tiff((RAMP // 2).astype(np.int8), 2), RAMP // 2),
        ("int16.tif", tiff((u16 * 128).astype(np.int16), 2), np.round(u16 * 128 / 257)),
        ("unit.tif", (RAMP / 255).astype(np.float32), RAMP),
        ("dim.tif", (RAMP / 510).astype(np.float32), RAMP / 2),
        ("whole.tif", RAMP.astype(np.float32), RAMP),
        ("rounded.tif", (RAMP / 255 * 1.0001 - 0.00005).astype(np.float32), RAMP),
        ("one-bit.png", Image.fromarray(RAMP > 99), 255 * (RAMP > 99)),
    ],
)
def test_grey_of_any_depth(tmp_path, name, image, expected):
    found = read_image(save(tmp_path / name, image))
    np.testing.assert_allclose(grey(found), expected, atol=0.51)


@pytest.mark.parametrize(
    ("image", "intensity", "expected"),
    [
        (u16 * 16, "full", np.round(u16 * 16 / 257)),
        (u16 + 1000, "stretch", RAMP),
        (u16 * 0 + 7, "stretch", u16 * 0),
        (u16 * 10 + 100, (100, 2650), RAMP),
        (u16 * 10 + 100, "100,2650", RAMP),
        (u16 * 10 + 100, (np.float64(100), np.int32(2650)), RAMP),
        ((RAMP - 100.0).astype(np.float32), "stretch", RAMP),
        ((RAMP * 1.5 - 100).astype(np.float32), (-100, 282.5), RAMP),
        ((RAMP / 100).astype(np.float32), "full", np.clip(np.round(RAMP * 2.55), 0, 255)),
    ],
)
def test_which_values_are_black_and_white_can_be_chosen(tmp_path, image, intensity, expected):
    found = read_image(save(tmp_path / "a.tif", image), intensity=intensity)
    np.testing.assert_allclose(grey(found), expected, atol=1)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("largest", [300, 1000, 4095, 60000])
def test_numbers_of_a_pgm_are_those_that_were_written(tmp_path, largest, plain):
    """Pillow spreads them over 16 bits."""
    values = np.array([0, largest // 10, largest // 2, largest])
    head = b"P2" if plain else b"P5"
    body = " ".join(map(str, values)).encode() if plain else values.astype(">u2").tobytes()
    path = save(tmp_path / "a.pgm", head + b" 4 1 %d\n" % largest + body)
    whole = np.round(values * 255 / largest)
    for intensity, expected in (
        ("auto", whole),
        ("full", whole),
        ("stretch", whole),
        ((0, largest // 2), np.minimum(np.round(values * 255 / (largest // 2)), 255)),
        ((0, 2 * largest), np.round(values * 127.5 / largest)),
    ):
        np.testing.assert_allclose(grey(read_image(path, intensity=intensity))[0], expected, atol=0.51)


def jpeg2000(values, bits):
    """Of other than 8 and 16 bits, which Pillow does not write: the depth is changed, and so is what is taken off."""
    deep = 8 if bits < 8 else 16
    file = io.BytesIO()
    moved = values - (1 << bits - 1) + (1 << deep - 1)
    Image.fromarray(moved.astype(np.uint8 if deep == 8 else np.uint16)).save(file, "JPEG2000")
    data = bytearray(file.getvalue())
    data[data.index(b"\xff\x4f\xff\x51") + 42] = bits - 1
    return bytes(data)


def test_numbers_of_a_jpeg_2000_are_those_that_were_written(tmp_path):
    """Pillow shifts them up to 8 or 16 bits."""
    values = np.tile([0, 1, 1000, 4095], (8, 4))
    path = save(tmp_path / "a.jp2", jpeg2000(values, 12))
    for intensity, expected in (("auto", values * 255 / 4095), ((0, 1000), np.minimum(values * 0.255, 255))):
        np.testing.assert_allclose(grey(read_image(path, intensity=intensity)), expected, atol=0.51)
    save(path, jpeg2000(values.clip(0, 15), 4))
    np.testing.assert_array_equal(grey(read_image(path)), values.clip(0, 15) * 17)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ((RAMP - 100.0).astype(np.float32), r"a.tif has values from -100 to 155.*intensity \(--intensity\)"),
        (RAMP.astype(np.int32) - 1, "a.tif has values from -1 to 254"),
        (tiff(RAMP.view(np.int8), 2), "a.tif has values from -128 to 127"),
        (tiff(RAMP.astype(np.int16) - 5, 2), "a.tif has values from -5 to 250"),
        ((RAMP / 100).astype(np.float32), "a.tif has fractions from 0 to 2.55"),
        (np.full((4, 4), np.nan, np.float32), "a.tif must have finite values"),
    ],
)
def test_numbers_that_may_mean_several_things_are_refused(tmp_path, image, message):
    with pytest.raises(ValueError, match=message):
        read_image(save(tmp_path / "a.tif", image))


@given(arrays.arrays(np.uint16, (3, 4)))
def test_brighter_stays_brighter(values):
    found = grey(as_image(Image.fromarray(values))).astype(int)
    order = np.argsort(values.ravel())
    assert (np.diff(found.ravel()[order]) >= 0).all()


@pytest.mark.parametrize("text", ["", "auto,full", "5,5", "9,1", "a", "0,nan", "1,2,3"])
def test_intensity_is_checked(text):
    with pytest.raises(ValueError, match="intensity must be auto, full, stretch or LOW,HIGH"):
        parse_intensity(text)
    for value in (5, (1, 2, 3), (None, 3)):
        with pytest.raises(ValueError, match="intensity must be auto, full, stretch or LOW,HIGH"):
            read_image("none.png", intensity=value)


def transparent(mode):
    image = Image.new("RGBA", (4, 2), (200, 0, 0, 255))
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (2, 2, 3)).astype(np.uint8))
    image.paste(Image.merge("RGBA", (*noise.split(), Image.new("L", (2, 2)))), (0, 0))
    if mode != "P":
        return image.convert(mode)
    image = image.convert("RGB").quantize(16)
    image.info["transparency"] = image.getpixel((0, 0))
    image.paste(image.info["transparency"], (0, 0, 2, 2))
    return image


@pytest.mark.parametrize(("mode", "name"), [("RGBA", "a.png"), ("LA", "a.png"), ("P", "a.gif"), ("RGBA", "a.webp")])
def test_transparent_pixels_show_white(tmp_path, mode, name):
    image = transparent(mode)
    options = {"lossless": True} if name.endswith("webp") else {}
    for found in (read_image(save(tmp_path / name, image, **options)), as_image(image)):
        assert (found[:, :2] == 255).all()
        assert (found[:, 2:] < 255).any(axis=2).all()


def test_transparency_in_part_is_mixed_with_white():
    pixels = np.array([[[0, 100, 255, 0], [0, 100, 255, 51], [0, 100, 255, 255]]], np.uint8)
    np.testing.assert_array_equal(as_image(pixels), [[[255] * 3, [204, 224, 255], [0, 100, 255]]])


def test_a_transparent_grey_of_16_bits_shows_white(tmp_path):
    save(tmp_path / "a.png", np.array([[0, 5000, 65535]], np.uint16), transparency=5000)
    np.testing.assert_array_equal(grey(read_image(tmp_path / "a.png")), [[0, 255, 255]])


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "P", "LAB", "RGBX", "RGBa"])
def test_colours_of_any_kind_are_those_seen(mode):
    flat = Image.new("RGB", (3, 2), (200, 120, 40))
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(flat, srgb, lab, outputMode="LAB")
    else:
        image = (
            flat.convert("RGBA").convert(mode) if mode == "RGBa" else flat.convert(mode, palette=Image.Palette.ADAPTIVE)
        )
    np.testing.assert_allclose(as_image(image)[0, 0], [200, 120, 40], atol=6)


def test_grey_with_premultiplied_alpha():
    np.testing.assert_array_equal(as_image(Image.new("LA", (1, 1), (90, 255)).convert("La"))[0, 0], [90] * 3)


def test_planes_of_16_bits_are_refused(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    planes = np.stack([u16 * 257] * 3)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    with pytest.raises(ValueError, match=r"a.tif must be a readable image: 16 bits in separate planes"):
        read_image(tmp_path / "a.tif")


def test_cmyk_of_jpeg_inverted_or_not(tmp_path):
    flat = Image.new("CMYK", (16, 16), (0, 255, 255, 255))
    data = io.BytesIO()
    flat.save(data, "JPEG", quality=95)
    inverted = data.getvalue()
    place = inverted.index(b"\xff\xee")
    length = struct.unpack(">H", inverted[place + 2 : place + 4])[0]
    plain = inverted[:place] + inverted[place + 2 + length :]  # without Adobe's mark nothing says inverted
    np.testing.assert_allclose(read_image(save(tmp_path / "a.jpg", inverted))[8, 8], [0, 0, 0], atol=8)
    np.testing.assert_allclose(read_image(save(tmp_path / "b.jpg", plain))[8, 8], [0, 255, 255], atol=8)


def wide_profile():
    """sRGB with red and green swapped, so that nobody can miss it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    places = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_profiles_are_converted(tmp_path, mode):
    image = Image.new("RGB", (3, 2), (200, 40, 90)).convert(mode, palette=Image.Palette.ADAPTIVE)
    save(tmp_path / "a.png", image, icc_profile=wide_profile())
    np.testing.assert_allclose(read_image(tmp_path / "a.png")[0, 0], [40, 200, 90], atol=8)
    save(tmp_path / "a.png", image, icc_profile=b"no profile")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.asarray(image.convert("RGB")))


def test_srgb_and_profiles_of_other_colours_change_nothing(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image in (COLOURS, COLOURS[..., 0]):
        found = read_image(save(tmp_path / "a.png", image, icc_profile=srgb))
        np.testing.assert_array_equal(found, np.asarray(Image.fromarray(image).convert("RGB")))


def test_colours_of_16_bits(tmp_path):
    def png(scale):
        rows = b"".join(b"\0" + (row * scale).astype(">u2").tobytes() for row in COLOURS.astype(np.uint16))
        parts = [
            (b"IHDR", struct.pack(">IIBBBBB", 8, 6, 16, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        ]
        chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", png(257))), COLOURS)
    dim = save(tmp_path / "b.png", png(16))
    with pytest.raises(ValueError, match=r"b.png has colours of 16 bits that use the lower 14 .*--intensity full"):
        read_image(dim)
    np.testing.assert_array_equal(read_image(dim, intensity="full"), COLOURS // 16)
    with pytest.raises(ValueError, match="read at full range only"):
        read_image(dim, intensity="stretch")
    for largest, seen in ((65535, None), (4095, 62)):
        path = save(tmp_path / "c.ppm", b"P6 2 1 %d\n" % largest + np.array([0, 0, 0, *[1000] * 3], ">u2").tobytes())
        if seen:
            np.testing.assert_array_equal(read_image(path), [[[0] * 3, [seen] * 3]])
            continue
        with pytest.raises(ValueError, match=r"c.ppm has colours of 16 bits that use the lower 14"):
            read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp", "deep.png", "deep.tif"])
def test_images_are_turned_upright(tmp_path, name, orientation):
    pixels = COLOURS[..., 0].astype(np.uint16) * 257 if name.startswith("deep") else COLOURS
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if name.endswith("webp") else {}
    found = read_image(save(tmp_path / name, pixels, exif=exif, **options))
    upright = COLOURS[..., :1].repeat(3, axis=2) if name.startswith("deep") else COLOURS
    turns = [
        lambda a: a,
        lambda a: a[:, ::-1],
        lambda a: a[::-1, ::-1],
        lambda a: a[::-1],
        lambda a: a.swapaxes(0, 1),
        lambda a: np.rot90(a, -1),
        lambda a: np.rot90(a, 2).swapaxes(0, 1),
        lambda a: np.rot90(a),
    ]
    np.testing.assert_array_equal(found, turns[orientation - 1](upright))
    assert upright_size(tmp_path / name) == (*found.shape[:2], orientation)
    with Image.open(tmp_path / name) as file:
        np.testing.assert_array_equal(as_image(file), found)


@pytest.mark.parametrize("suffix", ["tif", "gif", "png", "webp"])
def test_one_of_several_pages_must_be_chosen(tmp_path, suffix):
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "lime", "blue")]
    path = tmp_path / f"a.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50, **options)
    assert num_pages(path) == 3
    with pytest.raises(ValueError, match=rf"a.{suffix} has 3 pages or frames: page \(--page\) must say which, 1 to 3"):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, page=2)[0, 0], [0, 255, 0])
    for page in (0, 4):
        with pytest.raises(ValueError, match=f"page .* must be one of them, got {page}"):
            read_image(path, page=page)
    with Image.open(path) as file:
        file.seek(2)
        np.testing.assert_array_equal(as_image(file)[0, 0], [0, 0, 255])  # who opens a file has chosen


def test_what_is_beside_a_picture_is_no_page(tmp_path):
    photo = Image.fromarray(COLOURS)
    photo.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", (3, 2))])
    assert read_image(tmp_path / "a.jpg").shape == (6, 8, 3)
    small = Image.new("RGB", (4, 3))
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[254] = 1
    small.encoderinfo = {"tiffinfo": info}
    photo.save(tmp_path / "a.tif", save_all=True, append_images=[small])
    assert num_pages(tmp_path / "a.tif") == 1
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), COLOURS)


def test_many_pixels_are_refused_by_an_option_and_read_without_a_warning(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", np.zeros((300, 400), np.uint8))
    with pytest.raises(ValueError, match=r"has 400 x 300 pixels, more than 0.1 million: max_pixels \(--max-mega"):
        read_image(path, max_pixels=100_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert read_image(path).shape == (300, 400, 3)  # a warning would be an error
    assert Image.MAX_IMAGE_PIXELS == 1000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)


@pytest.mark.parametrize("suffix", ["avif", "jp2", "webp", "bmp", "tiff", "ppm", "JPG", "PNG"])
def test_formats(tmp_path, suffix):
    flat = Image.new("RGB", (20, 10), (200, 120, 40))
    np.testing.assert_allclose(read_image(save(tmp_path / f"a.{suffix}", flat))[5, 5], [200, 120, 40], atol=8)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_arrays_become_rgb(shape):
    assert as_image(np.zeros(shape, np.uint8)).shape == (4, 5, 3)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 5)), "got float64"),
        (np.zeros((4, 5), np.uint16), "got uint16.* black and white is not said"),
        (np.zeros((4, 5), bool), "got bool"),
        (np.zeros((4, 5, 2), np.uint8), r"got uint8 \[4, 5, 2\]"),
        (np.zeros((3, 8, 9), np.uint8), "channels first"),
        (np.zeros((1, 4, 5, 3), np.uint8), "several images"),
        (np.zeros((0, 5, 3), np.uint8), "must have pixels"),
        (Image.new("RGB", (0, 5)), "must have pixels"),
        ([[1, 2]], "got int64"),
        ("a.png", "guidenet.read_image reads files"),
        (None, "got object"),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(ValueError, match=f"image must .*{message}|image {message}"):
        as_image(image)


def test_broken_files_are_named(tmp_path):
    path = tmp_path / "bad.png"
    with pytest.raises(FileNotFoundError, match=r"bad\.png"):
        read_image(path)
    whole = save(path, np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).read_bytes()
    heic, half = b"\0\0\0\x18ftypheic\0\0", tiff(np.zeros((2, 2), np.float16), 3)
    for data, reason in (
        (heic, "HEIC"),
        (half, "a TIFF of a kind"),
        (b"", "no image of a known format"),
        (b"no image", "no image"),
        (whole[:5000], ""),
    ):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=rf"bad\.png must be a readable image: {reason}"):
            read_image(path)
    with pytest.raises(ValueError, match="must be a readable image"):
        read_image(tmp_path)


def test_damaged_exif_is_no_reason_to_refuse(tmp_path):
    save(tmp_path / "a.png", COLOURS, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), COLOURS)


def test_images_of_a_folder_are_in_the_order_of_their_numbers(tmp_path):
    names = ["10.jpg", "9.JPG", "b/1.png", "._9.jpg", ".DS_Store", "notes.txt", ".hidden/2.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["9.JPG", "10.jpg"]
    assert [path.name for path in list_images(tmp_path, below=True)] == ["9.JPG", "10.jpg", "1.png"]
    with pytest.raises(ValueError, match=r"empty must have images in it \(.avif, .*and has none"):
        list_images(tmp_path / "empty")
    assert sorted(["a10", "a9", "a", "10", "b1"], key=natural_key) == ["10", "a", "a9", "a10", "b1"]


def test_rows_of_different_lengths_are_no_image():
    with pytest.raises(ValueError, match="image must be uint8 pixels, got rows of different lengths"):
        as_image([[1, 2], [3]])
