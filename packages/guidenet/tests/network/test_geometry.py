"""Where cells lie: interpolation against scipy, m as its adjoint, and the centres against what backbones look at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guidenet import BackboneConfig, Grid, downsample, upsample
from guidenet.network.backbones import fill_colour, make_backbone, make_grids
from guidenet.network.geometry import locate, pixel_weights, regrid
from guidenet.segmenter.prediction import upsample_to
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

GRID = Grid(3, 4, 8, 7.0)
down = jax.jit(lambda mask: downsample(mask, GRID))


def interpolate(cells, grid, rows, columns):
    places = np.meshgrid((rows - grid.offset) / grid.stride, (columns - grid.offset) / grid.stride, indexing="ij")
    return ndimage.map_coordinates(cells, places, order=1, mode="nearest")


def test_upsampling_is_bilinear_between_centres_and_holds_beyond():
    cells = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    expected = interpolate(cells, GRID, np.arange(24), np.arange(32))
    np.testing.assert_allclose(upsample(jnp.asarray(cells), GRID, 24, 32), expected, atol=1e-5)
    assert expected[0, 0] == cells[0, 0]
    assert expected[7, 7] == cells[0, 0]
    assert expected[7, 15] == cells[0, 1]


def test_pixels_of_another_resolution_lie_where_they_would_after_resizing():
    weights = pixel_weights(6, 3, 8, 7.0, 24)  # each pixel stands for four
    cells = np.array([1.0, 2.0, 4.0])
    expected = ndimage.map_coordinates(cells, [(np.arange(6) * 4 + 1.5 - 7) / 8], order=1, mode="nearest")
    np.testing.assert_allclose(weights @ cells, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("num_classes", "inner", "size"), [(1, (24, 32), (24, 32)), (3, (20, 30), (45, 4000)), (2, (3, 5), (3, 5))]
)
def test_scores_are_upsampled_without_matrices_to_the_same(num_classes, inner, size):
    grid = Grid(*(max((side - 1 - 7) // 8 + 1, 1) for side in inner), 8, 7.0)
    scores = np.random.default_rng(3).normal(size=(num_classes, grid.rows, grid.columns)).astype(np.float32)
    rows, columns = (
        pixel_weights(size[i], (grid.rows, grid.columns)[i], grid.stride, grid.offset, inner[i]) for i in range(2)
    )
    found = upsample_to(scores, grid, inner, size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, rows @ scores @ columns.T, atol=1e-6)


def test_masks_are_downsampled_by_the_adjoint_of_upsampling():
    rng = np.random.default_rng(1)
    mask, cells = rng.normal(size=(24, 32)).astype(np.float32), rng.normal(size=(3, 4)).astype(np.float32)
    left = np.sum(np.asarray(downsample(mask, GRID)) * cells)
    right = np.sum(mask * np.asarray(upsample(jnp.asarray(cells), GRID, 24, 32)))
    np.testing.assert_allclose(left, right, rtol=1e-4)


@given(st.lists(st.tuples(st.integers(0, 23), st.integers(0, 31)), min_size=1, max_size=5, unique=True))
def test_every_annotated_pixel_weighs_exactly_one(pixels):
    mask = np.zeros((24, 32), np.float32)
    for pixel in pixels:
        mask[pixel] = 1
    assert np.asarray(down(mask)).sum() == len(pixels)


def test_a_grid_of_one_cell_takes_everything():
    before, share = locate(np.arange(5.0), 1, 16, 15.0)
    assert not before.any()
    assert not share.any()
    np.testing.assert_array_equal(pixel_weights(5, 1, 16, 15.0), np.ones((5, 1)))


def test_features_of_a_coarser_grid_are_interpolated_at_the_finer_ones_centres():
    coarse, fine = make_grids(BackboneConfig(strides=(8, 16)), 64, 48)[::-1]
    features = np.random.default_rng(2).normal(size=(coarse.rows, coarse.columns, 2)).astype(np.float32)
    rows = fine.offset + fine.stride * np.arange(fine.rows)
    columns = fine.offset + fine.stride * np.arange(fine.columns)
    expected = np.stack([interpolate(features[..., i], coarse, rows, columns) for i in range(2)], axis=-1)
    np.testing.assert_allclose(regrid(jnp.asarray(features), coarse, fine), expected, atol=1e-5)


def even_weights(params):
    """All kernels positive and the same, no bias: a backbone that averages what it looks at."""

    def weight(path, leaf):
        kernel = path[-1].key == "kernel"
        return jnp.full(leaf.shape, 1 / np.prod(leaf.shape[:-1]) if kernel else 0.0)

    return jax.tree_util.tree_map_with_path(weight, params)


@pytest.mark.parametrize("config", [BackboneConfig("vgg16", (32,), (1,) * 6)])
def test_cells_are_centred_where_even_weights_look(config):
    size, backbone = 512, make_backbone(config)
    ramp = np.broadcast_to(np.linspace(0, 1, size)[:, None, None], (size, 64, 3))
    images = np.stack([np.ones_like(ramp), ramp, ramp[::-1]]) * 2 + np.array(fill_colour(config))  # far from ReLU6's 6
    params = even_weights(jax.eval_shape(backbone.init, jax.random.key(0), jnp.zeros((1, 64, 64, 3))))
    found = jax.jit(backbone.apply)(params, jnp.asarray(images, jnp.float32))
    for features, grid in zip(found, make_grids(config, size, 64), strict=True):
        row = grid.rows // 2
        ones, up, down = np.asarray(features)[:, row, grid.columns // 2, 0]
        # Rising and falling ramps, as a maximum pool looks to one side of each.
        centre = (size - 1) * (up / ones + 1 - down / ones) / 2
        np.testing.assert_allclose(centre, grid.offset + row * grid.stride, atol=0.05)


@pytest.mark.parametrize("inner", [(1, 1), (10, 33), (26, 9), (57, 58), (64, 64)])
def test_the_cells_inside_of_an_image_are_those_of_its_cropped_grid(inner):
    grid = Grid(4, 4, 16, 9.0)
    inside, cropped = np.asarray(grid.inside(jnp.array(inner))), grid.crop(inner)
    expected = np.zeros((4, 4), bool)
    expected[: cropped.rows, : cropped.columns] = True
    np.testing.assert_array_equal(inside, expected)
