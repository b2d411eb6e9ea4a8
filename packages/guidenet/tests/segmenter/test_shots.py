"""Labels of one image and the sums that follow from them: exact, and those of the core's float arithmetic."""

import jax
import numpy as np
import pytest
from guidenet import Grid, Guidance, downsample, guide, merge_shots, pool
from guidenet.segmenter.shots import Shot
from hypothesis import given
from hypothesis import strategies as st

GRID, HEIGHT, WIDTH, SIZE = Grid(2, 3, 16, 15.0), 32, 48, 5
FEATURES = np.random.default_rng(0).normal(size=(2, 3, SIZE)).astype(np.float32)

steps = st.tuples(
    st.sampled_from(["cat", "dog"]),
    st.lists(st.integers(0, HEIGHT * WIDTH - 1), min_size=1, max_size=20, unique=True),
    st.sampled_from([1, -1, 0]),
)


RIDGE_SIZE = 2
WHOLE = SIZE + RIDGE_SIZE * (RIDGE_SIZE + 1) // 2


def new_shot(grid=GRID, size=(HEIGHT, WIDTH), features=FEATURES, ridge_size=RIDGE_SIZE):
    return Shot(features, grid, size, ridge_size)


def put(shot, cls, pixels, label):
    return shot.set(cls, np.array(pixels), np.full(len(pixels), label, np.int8))


def guidance(shot, kind="equal"):
    return Guidance.of(shot.sums(kind), WHOLE, "e", kind)


@given(st.lists(steps, max_size=6), st.lists(steps, max_size=6))
def test_undoing_restores_every_bit(first, second):
    shot = new_shot()
    for step in first:
        put(shot, *step)
    before = {kind: guidance(shot, kind) for kind in ("equal", "pixels")}
    labels = {cls: shot.labels(cls) for cls in ("cat", "dog")}
    changes = [put(shot, *step) for step in second]
    for change in reversed(changes):
        shot.revert(change)
    for kind, expected in before.items():
        assert guidance(shot, kind) == expected
    for cls, expected in labels.items():
        np.testing.assert_array_equal(shot.labels(cls), expected)


@given(st.lists(steps, max_size=6))
def test_sums_depend_on_the_labels_and_not_on_how_they_came(history):
    shot, fresh = new_shot(), new_shot()
    for step in history:
        put(shot, *step)
    for cls in ("dog", "cat"):
        flat = shot.labels(cls).ravel()
        pixels = np.flatnonzero(flat)[::-1]
        fresh.set(cls, pixels, flat[pixels])
    assert guidance(fresh) == guidance(shot)
    assert guidance(fresh, "pixels") == guidance(shot, "pixels")


@given(st.lists(steps, max_size=6))
def test_a_pixel_is_positive_for_one_class_at_most(history):
    shot = new_shot()
    for step in history:
        put(shot, *step)
    assert not ((shot.labels("cat") == 1) & (shot.labels("dog") == 1)).any()


@pytest.mark.parametrize("grid", [GRID, Grid(1, 2, 32, 31.5), Grid(4, 6, 8, 7.0)])
@pytest.mark.parametrize("kind", ["equal", "pixels"])
def test_sums_are_those_of_the_core(grid, kind):
    rng = np.random.default_rng(1)
    features = rng.normal(size=(grid.rows, grid.columns, SIZE)).astype(np.float32)
    shot = new_shot(grid, features=features, ridge_size=0)
    labels = rng.integers(-1, 2, (HEIGHT, WIDTH)).astype(np.int8)
    shot.set("cat", np.arange(labels.size), labels.ravel())
    masks = np.stack([labels == -1, labels == 1])[None].astype(np.float32)

    @jax.jit
    def core(features, masks):
        cells = downsample(masks, grid)
        return cells[0], pool(merge_shots(guide(features[None], cells[None]), kind))[0]

    cells, expected = core(features, masks)
    np.testing.assert_allclose(shot.cells("cat"), cells, rtol=1e-5, atol=1e-5)
    mean, *_ = Guidance.of(shot.sums(kind), SIZE, "e", kind).sums(["cat"])
    np.testing.assert_allclose(mean, expected, atol=1e-4)


def test_a_click_is_the_interpolated_feature():
    shot = new_shot()
    put(shot, "cat", [15 * WIDTH + 23], 1)  # half way between the first two cells of the first row
    mean, weight, _ = guidance(shot).sums(["cat"])
    np.testing.assert_allclose(mean[0, 1, :SIZE], (FEATURES[0, 0] + FEATURES[0, 1]) / 2, atol=2**-16)
    np.testing.assert_array_equal(weight, [[0, 1]])


def test_the_same_label_twice_counts_once():
    shot = new_shot()
    put(shot, "cat", [5], 1)
    once = guidance(shot, "pixels")
    assert put(shot, "cat", [5], 1) == []
    assert guidance(shot, "pixels") == once
    put(shot, "cat", [5], -1)
    np.testing.assert_array_equal(guidance(shot, "pixels").weight, [[1, 0]])
    np.testing.assert_array_equal(guidance(shot).count, [[1, 0]])
    put(shot, "cat", [6, 7], -1)
    np.testing.assert_array_equal(guidance(shot).count, [[3, 0]])
    put(shot, "cat", [6, 7], 0)
    put(shot, "cat", [5], 0)
    assert shot.classes == ()
    assert guidance(shot) == Guidance.empty(WHOLE, "e")


@pytest.mark.parametrize("kind", ["equal", "pixels"])
def test_products_are_those_of_the_features(kind):
    rng = np.random.default_rng(1)
    shot, labels = new_shot(), rng.integers(-1, 2, (HEIGHT, WIDTH)).astype(np.int8)
    shot.set("cat", np.arange(labels.size), labels.ravel())
    mean, *_ = guidance(shot, kind).sums(["cat"])
    cells, x = shot.cells("cat"), FEATURES[..., SIZE - RIDGE_SIZE :]
    for sign in range(2):
        expected = np.einsum("rq,rqf,rqg->fg", cells[sign] / cells[sign].sum(), x, x)[np.triu_indices(RIDGE_SIZE)]
        np.testing.assert_allclose(mean[0, sign, SIZE:], expected, atol=2**-11)


def test_products_of_the_largest_features_and_images_are_exact():
    grid, features = Grid(128, 128, 16, 9.0), np.full((128, 128, 2), 512 - 2**-6, np.float32)
    shot = new_shot(grid, (2048, 2048), features)
    shot.set("cat", np.arange(2048 * 2048), np.ones(2048 * 2048, np.int8))
    shares = int(np.rint(shot.cells("cat")[1] * 2.0**21 / 2048**2).sum())
    wanted = ((2**15 - 1) ** 2 * shares + 2**16) >> 17
    total, *_ = shot.sums("equal")["cat"]
    assert total[1, 2:].tolist() == [wanted] * 3


def test_products_of_small_features_keep_their_digits():
    shot = new_shot(features=FEATURES / 64)
    put(shot, "cat", [15 * WIDTH + 15], 1)  # the centre of the first cell
    mean, *_ = guidance(shot).sums(["cat"])
    x = FEATURES[0, 0, SIZE - RIDGE_SIZE :] / 64
    np.testing.assert_allclose(mean[0, 1, SIZE:], np.outer(x, x)[np.triu_indices(RIDGE_SIZE)], atol=2**-16)
