"""Images, fitted into the few sizes that are compiled."""

import numpy as np
from guidenet.images import fit, inner_pixels

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
