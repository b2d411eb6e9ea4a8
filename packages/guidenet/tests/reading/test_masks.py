"""Every kind of mask that people have: read as it can only be read, or refused with the readings and the option."""

import io
import struct
import zlib

import numpy as np
import pytest
from guidenet import read_labels
from guidenet.reading import KINDS, AmbiguousError, decode, find_labels, voc_palette
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw, ImageFilter

ROWS, COLUMNS = np.mgrid[:60, :70]
DISC = (ROWS - 30) ** 2 + (COLUMNS - 32) ** 2 < 400
RING = ((ROWS - 30) ** 2 + (COLUMNS - 32) ** 2 < 484) & ~DISC
BOX = (ROWS > 54) & (COLUMNS > 60)
BORDERED = DISC.astype(int) - RING


def of(disc, elsewhere=0, ring=None, box=None, dtype=np.uint8):
    values = np.where(DISC, disc, elsewhere)
    values = values if ring is None else np.where(RING, ring, values)
    return (values if box is None else np.where(BOX, box, values)).astype(dtype)


def palette(indices, colours):
    image = Image.fromarray(indices)
    image.putpalette(np.array(colours, np.uint8).tobytes())
    return image


def soft():
    image = Image.new("L", (70, 60))
    ImageDraw.Draw(image).ellipse((12, 10, 51, 49), fill=255)
    return image.filter(ImageFilter.GaussianBlur(0.7))


def png(bits, colours, rows, width):
    """A PNG of any depth, of rows of bytes."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, len(rows), bits, colours, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))),
        (b"IEND", b""),
    ]
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def rgba(colour, alpha):
    return np.dstack([np.broadcast_to(np.asarray(colour, np.uint8), (60, 70, 3)), alpha.astype(np.uint8)])


VOC = voc_palette()
RAMP = [[i] * 3 for i in range(256)]
BLACK, WHITE, RED = [0] * 3, [255] * 3, [255, 0, 0]
ON = DISC.astype(int)
TWO = ON + 2 * BOX
COLOUR = np.where(DISC[..., None], np.uint8(RED), np.uint8(BLACK))

READ = [
    ("255.png", of(255), ON),
    ("01.png", of(1), ON),
    ("01.tif", of(1, dtype=np.uint16), ON),
    ("65535.png", of(65535, dtype=np.uint16), ON),
    ("255-16.tif", of(255, dtype=np.uint16), ON),
    ("1-bit.png", Image.fromarray(DISC), ON),
    ("signed.tif", of(1, ring=-1, dtype=np.int32), BORDERED),
    ("float.tif", of(1.0, dtype=np.float32), ON),
    ("float255.tif", of(255.0, dtype=np.float32), ON),
    ("border1.png", of(1, ring=255), BORDERED),
    ("border15.png", of(15, ring=255), np.where(DISC, 15, BORDERED)),
    ("voc.png", palette(of(15, ring=255, box=2), VOC), np.where(BOX, 2, np.where(DISC, 15, BORDERED))),
    ("indices.png", palette(of(1, box=2), [BLACK, RED, [0, 255, 0]]), TWO),
    ("ramp.png", palette(of(1, box=2), RAMP), TWO),
    ("ramp255.png", palette(of(255), RAMP), ON),
    ("black-first.png", palette(of(1), [BLACK, WHITE]), ON),
    ("white-first.png", palette(of(0, 1), [WHITE, BLACK]), ON),
    ("white-first.gif", palette(of(0, 1), [WHITE, BLACK]), ON),
    ("seen.png", palette(of(7, 3), [BLACK] * 7 + [WHITE] * 2), ON),
    ("rgb.png", np.repeat(of(255)[..., None], 3, axis=2), ON),
    ("alpha.png", rgba(RED, of(255)), ON),
    ("alpha-half.png", rgba(RED, of(90)), ON),
    ("alpha-noise.png", np.dstack([np.random.default_rng(0).integers(0, 256, (60, 70, 3)), of(255)]).astype("u1"), ON),
    ("opaque.png", np.dstack([of(255)] * 3 + [np.full_like(of(0), 255)]), ON),
    ("soft.png", soft(), (np.asarray(soft()) >= 128).astype(int)),
    ("soft.tif", (np.asarray(soft()) / 255).astype(np.float32), (np.asarray(soft()) >= 128).astype(int)),
    ("noise.png", np.where(DISC, 255 - ROWS % 9, COLUMNS % 9).astype(np.uint8), ON),
    ("empty.png", of(0), 0 * ON),
    ("full.png", of(255, 255), 0 * ON + 1),
    ("empty-palette.png", palette(of(0), VOC), 0 * ON),
    ("bilevel.tif", Image.fromarray(DISC), ON),
    ("mask.webp", of(255), ON),
    ("mask.bmp", of(255), ON),
]


def save(path, image):
    if isinstance(image, bytes):
        path.write_bytes(image)
        return path
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(path, **({"lossless": True} if path.suffix == ".webp" else {}))
    return path


@pytest.mark.parametrize(("name", "image", "expected"), READ, ids=[name for name, _, _ in READ])
def test_what_can_be_read_in_one_way_is(tmp_path, name, image, expected):
    labels = read_labels(save(tmp_path / name, image))
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("quality", [50, 75, 95])
def test_a_jpeg_is_black_and_white_but_for_noise(tmp_path, mode, quality):
    Image.fromarray(of(255)).convert(mode).save(tmp_path / "a.jpg", quality=quality)
    labels = read_labels(tmp_path / "a.jpg")
    assert (labels != ON).mean() < 0.02


REFUSED = [
    ("ids.png", of(1, box=2), "values 0, 1, 2, which may be classes, objects one by one, or dark and light"),
    ("ids.tif", of(1, box=300, dtype=np.uint16), "values 0, 1, 300"),
    ("one-id.png", of(15), "values 0, 15"),
    ("ids-100-200.png", of(100, box=200), "values 0, 100, 200"),
    ("two-and-border.png", of(2, ring=255, box=15), "values 0, 2, 15, 255"),
    ("trimap.png", of(255, ring=128), "values 0, 128, 255"),
    ("many.png", np.minimum(ROWS * 4, 255).astype(np.uint8), r"values 0, 4, 8, 12, 16, \.\., 236"),
    ("photo.jpg", np.minimum(COLUMNS * 4, 255).astype(np.uint8), "is a JPEG with greys"),
    ("trimap.jpg", of(255, ring=128), "is a JPEG with greys from 0 to 255"),
    ("trimap.avif", of(255, ring=128), "is an AVIF with greys from 0 to 255"),
    ("ids.pgm", b"P5 3 1 20\n" + bytes([0, 1, 2]), "values 0, 1, 2, which may be"),
    ("plus-minus.tif", of(1, -1, dtype=np.int32), "values -1, 1"),
    ("probabilities.tif", (ROWS / 60).astype(np.float32), "which may be"),
    ("fractions.tif", of(7.5, dtype=np.float32), "fractions from 0 to 7.5"),
    ("colours.png", COLOUR, r"colours #000000, #ff0000: colours \(--mask-colours\)"),
    ("quantised.png", palette(of(0, 1), [RED, BLACK]), "palette whose index 0 is #ff0000"),
    ("white-background.png", palette(of(1), [WHITE, RED]), "palette whose index 0 is #ffffff"),
    (
        "overlay.png",
        np.dstack([COLOUR + np.where(BOX[..., None], np.uint8([0, 9, 0]), np.uint8(0)), of(255, box=255)]),
        "transparent pixels, and #000900, #ff0000 where",
    ),
    ("greys.png", palette(of(1, box=2), [BLACK, [90] * 3, [180] * 3]), "values 0, 90, 180"),
    (
        "cut-out.png",
        np.dstack([of(255)] * 3 + [of(255, 255, ring=0)]),
        "has transparent pixels, and #000000, #ffffff where it is opaque",
    ),
]


@pytest.mark.parametrize(("name", "image", "message"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_can_be_read_in_several_ways_is_refused(tmp_path, name, image, message):
    with pytest.raises(AmbiguousError, match=message) as refused:
        read_labels(save(tmp_path / name, image))
    assert str(refused.value).startswith(str(tmp_path / name))
    assert "(--mask-" in str(refused.value)
    assert refused.value.readings


CHOSEN = [
    (of(1, box=2), "classes", TWO),
    (of(15, ring=255, box=2), "classes", np.where(BOX, 2, np.where(DISC, 15, BORDERED))),
    (of(15), "binary", ON),
    (of(3, 9), "binary", 1 - ON),
    (of(200, box=127), "binary", ON),
    (of(250, 255), "binary", 0 * ON + 1),
    (of(0), "binary", 0 * ON),
    (of(1, 1), "binary", 0 * ON + 1),
    (of(1, box=2), "instances", ON | BOX),
    (of(100, box=200), "instances", ON | BOX),
    (of(1, box=300, dtype=np.uint16), "instances", ON | BOX),
    (of(1, box=300, dtype=np.int32), "classes", ON + 300 * BOX),
    (of(5, ring=65535, box=300, dtype=np.uint16), "classes", np.where(DISC, 5, BORDERED) + 300 * BOX),
    (of(255, box=254), "instances", ON | BOX),
    (of(7, ring=255), "instances", BORDERED),
    (COLOUR, "binary", ON),
    (COLOUR, "instances", ON),
    (VOC[of(15, ring=254, box=2)], "instances", ON | BOX | RING),
    (VOC[of(15, box=2)], "classes", 15 * ON + 2 * BOX),
    (palette(of(0, 1), [RED, BLACK]), "classes", 1 - ON),
    (palette(of(0, 1), [RED, BLACK]), "binary", ON),
    (palette(of(0, 1), [WHITE, BLACK]), "classes", 1 - ON),
    (np.dstack([of(255)] * 3 + [of(255, 255, ring=0)]), "binary", ON),
    (np.dstack([of(255)] * 3 + [of(255, 255, ring=0)]), "alpha", 1 - RING),
    (of(1, -1, dtype=np.int32), "binary", ON),
    ((0.3 + 0.4 * DISC).astype(np.float32), "binary", ON),
    ((0.3 + 7 * DISC).astype(np.float32), "binary", ON),
    ((0.3 + 0.4 * DISC + 0.05 * BOX).astype(np.float32), "binary", ON),
]


@pytest.mark.parametrize(("image", "kind", "expected"), CHOSEN, ids=range(len(CHOSEN)))
def test_a_reading_can_be_chosen(tmp_path, image, kind, expected):
    large = isinstance(image, np.ndarray) and image.dtype.itemsize > 1
    labels = read_labels(save(tmp_path / f"a.{'tif' if large else 'png'}", image), kind=kind)
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize(
    ("name", "image", "kind", "message"),
    [
        ("a.png", of(255), "alpha", "a.png must have transparent pixels to be read as alpha"),
        ("a.jpg", of(255), "classes", "a.jpg must have labels as they were written .*JPEG"),
        ("a.jpg", COLOUR, "instances", "a.jpg must be black and white, and is a JPEG"),
        ("a.png", of(100, box=90), "binary", "a.png must have light pixels .*0, 90, 100"),
        ("a.png", of(99, 99), "binary", "a.png must have light pixels .*values 99"),
        ("a.tif", of(-7, dtype=np.int32), "classes", "a.tif must have labels from -1.*-7, 0"),
        ("a.tif", of(0.5, dtype=np.float32), "classes", "a.tif must have whole numbers"),
        ("a.tif", of(np.nan, dtype=np.float32), "binary", "a.tif must have finite values"),
        ("a.tif", of(3.7, -4.3, box=0, dtype=np.float32), "binary", "a.tif must have fractions from 0 to 1, whole"),
        ("a.png", COLOUR[:, ::-1] + 1, "instances", "a.png must have a black background"),
        ("a.png", of(255), "labels", f"kind .* must be one of {', '.join(KINDS)}, got 'labels'"),
    ],
)
def test_a_reading_that_does_not_fit_is_refused(tmp_path, name, image, kind, message):
    with pytest.raises(ValueError, match=message):
        read_labels(save(tmp_path / name, image), kind=kind)


LOSSY = [("jpg", {}), ("webp", {}), ("webp", {"quality": 95}), ("avif", {}), ("avif", {"quality": 100})]
LOSSY += [("jp2", {}), ("jp2", {"irreversible": True, "quality_layers": [30]})]


@pytest.mark.parametrize(("suffix", "options"), LOSSY)
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("label", [1, 2, 40])
def test_labels_in_a_lossy_file_are_refused(tmp_path, suffix, options, mode, label):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(of(label)).convert(mode).save(path, **options)
    for kind in ("auto", "classes", "instances", "binary"):
        with pytest.raises(ValueError, match=rf"a.{suffix} (is|must have labels|must have light|must be black)"):
            read_labels(path, kind=kind)
    with pytest.raises(ValueError, match=r"is an? [A-Za-z ]+(2000)? with greys .*: a PNG of 8 bits must have them"):
        read_labels(path)
    Image.fromarray(of(0)).convert(mode).save(path, **options)
    assert not read_labels(path).any()


def test_lossless_webp_keeps_labels(tmp_path):
    """With transparency and animation too, whose frames are chunks inside chunks."""
    path = save(tmp_path / "a.webp", of(1, box=2))
    np.testing.assert_array_equal(read_labels(path, kind="classes"), TWO)
    Image.fromarray(of(1)).save(path, lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    np.testing.assert_array_equal(read_labels(path), ON)
    frames = [Image.fromarray(of(1)), Image.fromarray(of(90, box=90))]
    for lossless in (True, False):
        frames[0].save(path, save_all=True, append_images=frames[1:], lossless=lossless)
        if lossless:
            np.testing.assert_array_equal(read_labels(path, page=2, kind="binary"), ON | BOX)
        else:
            with pytest.raises(ValueError, match="is a lossy WebP"):
                read_labels(path, page=2)


def test_labels_of_another_depth(tmp_path):
    """Pillow spreads them over 8 or 16 bits: 1 of 20 is 13."""
    for head, labels in ((b"P5 3 1 20\n", [0, 1, 2]), (b"P2 3 1 300\n", [0, 1, 299]), (b"P5 3 1 255\n", [0, 1, 2])):
        plain = head.startswith(b"P2")
        (tmp_path / "a.pgm").write_bytes(head + (" ".join(map(str, labels)).encode() if plain else bytes(labels)))
        assert read_labels(tmp_path / "a.pgm", kind="classes").tolist() == [labels]
    for content, found in (
        (b"P2 2 1 300 0 300", [0, 1]),
        (b"P2 2 1 300 0 1", [0, 1]),
        (b"P2 10 1 90 0 90 90 90 90 90 90 90 89 88", [0, *[1] * 9]),
    ):
        (tmp_path / "a.pgm").write_bytes(content)
        kind = "auto" if len(found) == 2 else "binary"
        assert read_labels(tmp_path / "a.pgm", kind=kind).tolist() == [found]
    (tmp_path / "a.png").write_bytes(png(4, 0, [[0x01, 0x2F]], 4))
    assert read_labels(tmp_path / "a.png", kind="classes").tolist() == [[0, 1, 2, 15]]
    (tmp_path / "a.ppm").write_bytes(b"P6 2 1 20\n" + bytes([0, 0, 0, 2, 2, 2]))
    with pytest.raises(ValueError, match=r"a.ppm must have labels as they were written .*another depth than 8"):
        read_labels(tmp_path / "a.ppm", kind="classes")
    (tmp_path / "a.pbm").write_bytes(b"P1 3 1\n0 1 0\n")
    (tmp_path / "b.pbm").write_bytes(b"P4 3 1\n" + bytes([0b01000000]))
    assert read_labels(tmp_path / "a.pbm").tolist() == read_labels(tmp_path / "b.pbm").tolist()


def test_labels_of_16_bits_in_colours_are_refused(tmp_path):
    """Pillow has the upper 8 bits, in which 1 and 2 are 0."""
    for labels, kinds in (((0, 1, 2), KINDS), ((0, 600, 65535), ("classes", "instances"))):
        rows = [[byte for label in labels for byte in 3 * [label >> 8, label & 255]]]
        (tmp_path / "a.png").write_bytes(png(16, 2, rows, 3))
        for kind in kinds:
            with pytest.raises(ValueError, match=r"a.png must have (labels in one channel or|transparent)"):
                read_labels(tmp_path / "a.png", kind=kind)
        with pytest.raises(ValueError, match="colours of more, of which 8 bits are read"):
            read_labels(tmp_path / "a.png", colours=["red"])
    assert read_labels(tmp_path / "a.png", kind="binary").tolist() == [[0, 0, 1]]


def test_labels_that_a_format_changes_are_refused(tmp_path):
    Image.fromarray(np.uint8(TWO)).save(tmp_path / "a.tif", compression="jpeg")
    with pytest.raises(ValueError, match=r"a.tif must have labels as they were written .*TIFF with jpeg"):
        read_labels(tmp_path / "a.tif", kind="classes")


def test_colours_can_be_named(tmp_path):
    image = COLOUR.copy()
    image[BOX], image[RING] = (0, 0, 255), (224, 224, 192)
    path = save(tmp_path / "a.png", image)
    np.testing.assert_array_equal(read_labels(path, colours=["blue", (255, 0, 0)]), 2 * ON + BOX - RING)
    with pytest.raises(ValueError, match=r"a.png has #0000ff, and colours .* are #ff0000 and black"):
        read_labels(path, colours=["red"])
    with pytest.raises(ValueError, match="must differ, got #ff0000, #ff0000"):
        read_labels(path, colours=["red", "#ff0000"])
    with pytest.raises(ValueError, match="must be names, #rrggbb or RGB from 0 to 255, got 'reddish'"):
        read_labels(path, colours=["reddish"])


@pytest.mark.parametrize(("indices", "labels"), [((1,), ON), ((15,), None), ((1, 2), None)])
def test_a_palette_with_a_transparent_background(tmp_path, indices, labels):
    mask = palette(of(indices[0], box=indices[-1] if len(indices) > 1 else 0), VOC)
    mask.save(tmp_path / "a.png", transparency=0)
    if labels is not None:
        np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), labels)
    else:
        with pytest.raises(AmbiguousError, match=r"has transparent pixels, and .* must be alpha or classes"):
            read_labels(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png", kind="classes"), np.asarray(mask))


@pytest.mark.parametrize("suffix", ["webp", "avif"])
@pytest.mark.parametrize("quality", [60, 90])
def test_other_formats_with_noise(tmp_path, suffix, quality):
    Image.fromarray(of(255)).convert("RGB").save(tmp_path / f"a.{suffix}", quality=quality)
    assert (read_labels(tmp_path / f"a.{suffix}") != ON).mean() < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("orientation", [3, 6])
def test_masks_are_turned_as_photos_are(tmp_path, orientation, dtype):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in ("png", "tif") if np.dtype(dtype).itemsize < 4 else ("tif",):
        Image.fromarray(of(1, dtype=dtype)).save(tmp_path / f"a.{suffix}", exif=exif)
        np.testing.assert_array_equal(
            read_labels(tmp_path / f"a.{suffix}"), np.rot90(ON, 2 if orientation == 3 else -1)
        )


def test_a_page_of_masks_must_be_chosen(tmp_path):
    pages = [Image.fromarray(of(0)), Image.fromarray(of(255))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match="2 pages"):
        read_labels(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif", page=2), ON)


def test_broken_masks_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        read_labels(tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"bad\.png must be a readable mask: no image of a known format"):
        read_labels(tmp_path / "bad.png")


@given(arrays.arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, 7, 15, 128, 254, 255])))
def test_what_is_guessed_is_what_choosing_says(values):
    """Grey values: either refused, or no pixel of the object is lost."""
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    file.seek(0)
    try:
        found = find_labels(decode(file, "mask.png", what="mask"))
    except AmbiguousError:
        return
    np.testing.assert_array_equal(found.ids == 0, values == 0)
    assert (found.ids[values == 255] == (1 if found.reading == "binary" else -1)).all()
