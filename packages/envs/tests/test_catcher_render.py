"""Pictures of catch: what is where, and that they tell everything apart."""

import dataclasses
import functools
import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from metarl_envs.catcher import CatcherEnv, CatcherState, all_states, backgrounds, num_states, render, state_index

YELLOW, GREY, RED, BLACK = (255, 255, 0), (128, 128, 128), (200, 0, 0), (0, 0, 0)

PLAIN, GRIP = CatcherEnv(), CatcherEnv(grip=True)
PRONGS = CatcherEnv(grip=True, gripper_style="prongs", gripper_color=RED)
LARGE = [PLAIN, GRIP, PRONGS]
IDS = ["plain", "grip", "prongs"]


pytestmark = pytest.mark.usefixtures("quick_compilation")


@functools.cache
def renderer(env):
    return jax.jit(jax.vmap(functools.partial(render, env)))


@functools.cache
def all_pictures(env):
    return np.asarray(renderer(env)(all_states(env)))


def small(env):
    return dataclasses.replace(env, size=32)


def make_states(*rows):
    return CatcherState(*(jnp.array(column, jnp.int32) for column in zip(*rows, strict=True)))


def picture(env, *row):
    """Of one state of the game."""
    return all_pictures(env)[int(state_index(env, make_states(row))[0])]


def rows_of(image):
    """The picture as text: Y yellow, G grey, R red, . black."""
    letters = {YELLOW: "Y", GREY: "G", RED: "R", BLACK: "."}
    return ["".join(letters[tuple(pixel)] for pixel in row) for row in image.tolist()]


# What is drawn from row 50 on, columns 20 to 40, with the paddle at 24.
DRAWINGS = [
    (PLAIN, 1, ["." * 20] * 8 + ["....GGGGGGGGGGGGG..."] * 3 + ["." * 20] * 3),
    (GRIP, 0, ["." * 20] * 2 + ["....GGGGGGGGGGGGG..."] * 9 + ["." * 20] * 3),
    (
        GRIP,
        1,
        ["." * 20] * 2 + ["....GG.........GG..."] * 6 + ["....GGGGGGGGGGGGG..."] * 3 + ["." * 20] * 3,
    ),
    (
        PRONGS,
        0,
        ["." * 20] * 4 + ["........RRRRR......."] * 4 + ["....GGGGGGGGGGGGG..."] * 3 + ["." * 20] * 3,
    ),
    (
        PRONGS,
        1,
        ["." * 20] * 4 + ["....RR.........RR..."] * 4 + ["....GGGGGGGGGGGGG..."] * 3 + ["." * 20] * 3,
    ),
]


@pytest.mark.parametrize(("env", "gripper", "expected"), DRAWINGS)
def test_drawings(env, gripper, expected):
    image = picture(env, 24, 8, 0, gripper, 0)
    assert [row[20:40] for row in rows_of(image)[50:]] == expected
    assert rows_of(image)[:4] == ["........YYYY" + "." * 52] * 4


def test_the_fruit_hides_the_gripper():
    rows = rows_of(picture(GRIP, 24, 24, 54, 0, 0))
    assert [row[20:40] for row in rows[50:]] == (
        ["." * 20] * 2
        + ["....GGGGGGGGGGGGG..."] * 2
        + ["....YYYYGGGGGGGGG..."] * 4
        + ["....GGGGGGGGGGGGG..."] * 3
        + ["." * 20] * 3
    )


@pytest.mark.parametrize("env", [PLAIN, small(PLAIN)], ids=["64", "32"])
def test_pictures_of_catcher_have_paddle_and_fruit(env):
    # Every fifth, which meets all places and heights.
    states, images = jax.tree.map(lambda leaf: np.asarray(leaf)[::5], (all_states(env), all_pictures(env)))
    scale = 64 // env.size
    assert images.dtype == np.uint8
    fruit, paddle = ((images == color).all(-1) for color in (YELLOW, GREY))
    np.testing.assert_array_equal(fruit.sum((1, 2)), np.full(len(images), (4 // scale) ** 2))
    width = 13 if scale == 1 else np.where(states.paddle_x % 2 == 0, 7, 6)
    np.testing.assert_array_equal(paddle.sum((1, 2)), (3 if scale == 1 else 2) * width + np.zeros(len(images)))
    assert (fruit | paddle | (images == 0).all(-1)).all()
    for mask, x, y in ((fruit, states.fruit_x, states.fruit_y), (paddle, states.paddle_x, np.full(len(images), 58))):
        np.testing.assert_array_equal(mask.any(1).argmax(1), -(-x // scale))
        np.testing.assert_array_equal(mask.any(2).argmax(1), -(-y // scale))


@pytest.mark.parametrize("env", LARGE, ids=IDS)
def test_no_two_states_look_the_same(env):
    for images in (all_pictures(env), all_pictures(small(env))):
        assert len({image.tobytes() for image in images}) == len(images) == num_states(env)


@pytest.mark.parametrize("env", LARGE, ids=IDS)
def test_small_pictures_are_every_second_pixel(env):
    np.testing.assert_array_equal(all_pictures(small(env)), all_pictures(env)[:, ::2, ::2])


@pytest.mark.parametrize("size", [64, 32])
def test_what_lies_outside_is_cut_off(size):
    env = CatcherEnv(size=size)
    heights = [-28, -4, -3, -1, 61, 63, 64, 65]
    images = renderer(env)(make_states(*((0, 8, y, 1, 0) for y in heights)))
    visible = (np.asarray(images) == YELLOW).all(-1).any(2)
    for y, rows in zip(heights, visible, strict=True):
        shown = [row for row in range(y, y + 4) if 0 <= row < 64 and row % (64 // size) == 0]
        np.testing.assert_array_equal(np.flatnonzero(rows) * (64 // size), shown)


@pytest.mark.parametrize("size", [64, 32])
def test_the_game_is_drawn_over_the_distractors(size):
    plain = dataclasses.replace(GRIP, size=size)
    rows = [(0, 8, 0, 0, 5), (51, 52, 54, 1, 255), (24, 28, 54, 0, 0)]
    pictures = renderer(dataclasses.replace(plain, distractors="episode"))(make_states(*rows))
    for row, over in zip(rows, pictures, strict=True):
        black = picture(plain, *row)
        nothing = (black == 0).all(-1, keepdims=True)
        np.testing.assert_array_equal(over, np.where(nothing, backgrounds(size)[row[-1]], black))


def test_the_bank_never_changes():
    bank = backgrounds()
    assert bank.shape == (256, 64, 64, 3)
    assert bank.dtype == np.uint8
    assert hashlib.sha256(bank.tobytes()).hexdigest()[:16] == "794d12429942d655"
    assert backgrounds() is bank
    np.testing.assert_array_equal(backgrounds(32), bank[:, ::2, ::2])
    with pytest.raises(ValueError, match="read-only"):
        bank[0] = 0


def test_images_of_the_bank_are_ten_circles_on_black():
    bank = backgrounds()
    assert len({image.tobytes() for image in bank}) == 256
    colors = [len(np.unique(image.reshape(-1, 3), axis=0)) - 1 for image in bank]
    assert max(colors) == 10
    assert np.mean(colors) > 9  # Few are hidden by others.
    covered = (bank != 0).any(-1).mean((1, 2))
    assert 0.1 < covered.min() < covered.max() < 0.6
    coverage = (bank != 0).any(-1).mean(0)
    assert coverage[16:48, 16:48].std() < 0.1  # Everywhere alike, but for the edges.


def test_mapping_equals_a_stack():
    env = CatcherEnv(grip=True, distractors="step")
    states = make_states((0, 8, 0, 1, 3), (27, 40, 54, 0, 200), (51, 52, 30, 1, 7))
    mapped = renderer(env)(states)
    for i in range(3):
        one = jax.tree.map(lambda leaf, i=i: leaf[i], states)
        np.testing.assert_array_equal(render(env, one), mapped[i])
        np.testing.assert_array_equal(env.render_image(one, None)[1], mapped[i])
        np.testing.assert_array_equal(env.observation(one, jax.random.key(0)), mapped[i])
