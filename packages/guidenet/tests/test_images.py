"""Images in, and into the few sizes that are compiled; broken files are named."""

import numpy as np
import pytest
from guidenet import read_image, read_labels
from guidenet.images import as_image, fit, inner_pixels
from PIL import Image

GREY = (127.0, 127.0, 127.0)


def test_large_images_are_shrunk_and_all_are_filled_up():
    fitted = fit(np.full((300, 601, 3), 9, np.uint8), 256, GREY)
    assert (fitted.size, fitted.inner, fitted.pixels.shape) == ((300, 601), (128, 256), (128, 256, 3))
    fitted = fit(np.full((1, 130, 3), 9, np.uint8), 256, GREY)
    assert (fitted.inner, fitted.pixels.shape) == ((1, 130), (128, 256, 3))
    assert (fitted.pixels[0, :130] == 9).all()
    assert (fitted.pixels[1:] == 127).all()
    assert (fitted.pixels[0, 130:] == 127).all()
    assert fit(np.zeros((1, 5000, 3), np.uint8), 256, GREY).inner == (1, 256)


def test_pixels_are_found_again_after_shrinking():
    fitted = fit(np.zeros((300, 600, 3), np.uint8), 256, GREY)
    found = inner_pixels(np.array([0, 299, 150]), np.array([0, 599, 300]), fitted)
    np.testing.assert_array_equal(found, [0, 128 * 256 - 1, 64 * 256 + 128])


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 4)])
def test_grey_and_transparent_images_become_rgb(shape):
    assert as_image(np.zeros(shape, np.uint8)).shape == (4, 5, 3)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 5)), np.zeros((4, 5, 2), np.uint8), np.zeros((0, 5, 3), np.uint8), [[1, 2]]]
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ValueError, match="image must"):
        as_image(image)


def test_files_are_read_as_rgb_and_turned(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.rot90(pixels, -1))
    Image.fromarray(pixels[..., 0]).save(tmp_path / "g.png")
    assert read_image(tmp_path / "g.png").shape == (2, 4, 3)


def test_labels_are_indices_or_black_and_white_or_transparency(tmp_path):
    palette = Image.fromarray(np.array([[0, 1, 2, 255]], np.uint8))
    palette.putpalette(list(range(256)) * 3)
    palette.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "p.png"), [[0, 1, 2, -1]])
    Image.fromarray(np.array([[0, 127, 128, 255]], np.uint8)).save(tmp_path / "g.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "g.png"), [[0, 0, 1, 1]])
    alpha = np.zeros((1, 3, 4), np.uint8)
    alpha[0, :, 3] = [0, 200, 255]
    Image.fromarray(alpha).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), [[0, 1, 1]])


@pytest.mark.parametrize("read", [read_image, read_labels])
def test_broken_files_are_named(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        read(tmp_path / "none.png")
    path = tmp_path / "bad.png"
    path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"bad\.png must be a readable"):
        read(path)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"bad\.png must be a readable"):
        read(path)
