"""The picture of a game of catch in pure JAX.

In the shape descriptions, `S` denotes the side of the picture.

Only the rows and the block that show something are written, into rows of bytes instead of pixels of three channels,
which is much faster than comparing every pixel with every rectangle.
"""

import jax
import jax.numpy as jnp
import numpy as np

from metarl_envs.catcher.backgrounds import backgrounds
from metarl_envs.catcher.options import CatcherOptions, Color
from metarl_envs.catcher.state import (
    FRUIT_COLOR,
    FRUIT_SIZE,
    FULL_SIZE,
    OPEN,
    PADDLE_COLOR,
    PADDLE_HEIGHT,
    PADDLE_WIDTH,
    PADDLE_Y,
    CatcherState,
)

PRONG_WIDTH = 2
"""px; of the two prongs of an open gripper."""

GRIPPER_HEIGHT = {"lid": 6, "prongs": 4}
"""px above the paddle, by style."""

CLOSED_GRIPPER = {"lid": (0, PADDLE_WIDTH), "prongs": (4, 5)}
"""px by style: from the paddle's left edge to a closed gripper, and its width."""


def render(env: CatcherOptions, state: CatcherState) -> jax.Array:
    """Draws one state; map it over many.

    The gripper hides the background, the fruit hides both. What lies outside the picture is cut off. `size=32` shows
    every second pixel of every second row of the 64 x 64 picture, so that edges stay sharp and no two states of a game
    look the same.

    Args:
      env: whose options say what is drawn.
      state: of scalars.

    Returns:
      uint8 `[S, S, 3]`.
    """
    size, scale = env.size, FULL_SIZE // env.size
    if env.distractors == "none":
        image = jnp.zeros((size, 3 * size), jnp.uint8)
    else:
        image = jnp.asarray(backgrounds(size).reshape(-1, size, 3 * size))[state.background]
    offset = jnp.asarray(np.repeat(np.arange(size, dtype=np.int32) * scale, 3)) - state.paddle_x
    paddle = _inside(offset, 0, PADDLE_WIDTH)
    image = _paint_rows(image, PADDLE_Y, PADDLE_HEIGHT, scale, paddle, PADDLE_COLOR)
    if env.grip:
        height = GRIPPER_HEIGHT[env.gripper_style]
        gripper = _gripper_columns(env, offset, state.gripper)
        image = _paint_rows(image, PADDLE_Y - height, height, scale, gripper, env.gripper_color)
    return _paint_fruit(image, scale, state.fruit_x, state.fruit_y).reshape(size, size, 3)


def _inside(offset: jax.Array, start: int, length: int) -> jax.Array:
    """Where `start <= offset < start + length`, in one comparison."""
    return (offset - start).astype(jnp.uint32) < length


def _gripper_columns(env: CatcherOptions, offset: jax.Array, gripper: jax.Array) -> jax.Array:
    """Where the gripper is, bool `[3 S]`; `offset: [3 S]` is the distance from the paddle's left edge in px."""
    opened = _inside(offset, 0, PRONG_WIDTH) | _inside(offset, PADDLE_WIDTH - PRONG_WIDTH, PRONG_WIDTH)
    return jnp.where(gripper == OPEN, opened, _inside(offset, *CLOSED_GRIPPER[env.gripper_style]))


def _paint_rows(image: jax.Array, y: int, height: int, scale: int, mask: jax.Array, color: Color) -> jax.Array:
    """Paints the bytes `mask: [3 S]` of the rows from `y` px on into `image: [S, 3 S]`."""
    rows = slice(-(-y // scale), -(-(y + height) // scale))
    line = np.tile(np.array(color, np.uint8), image.shape[0])
    return image.at[rows].set(jnp.where(mask[None], line[None], image[rows]))


def _paint_fruit(image: jax.Array, scale: int, x: jax.Array, y: jax.Array) -> jax.Array:
    """Paints the fruit, whose upper left pixel is (x, y) px and may lie above or below `image: [S, 3 S]`."""
    side = FRUIT_SIZE // scale
    column = 3 * (-(-x // scale))
    row = jnp.clip(-(-y // scale), 0, image.shape[0] - side)
    visible = _inside((row + jnp.arange(side)) * scale - y, 0, FRUIT_SIZE)
    block = np.tile(np.array(FRUIT_COLOR, np.uint8), (side, side))
    behind = jax.lax.dynamic_slice(image, (row, column), block.shape)
    return jax.lax.dynamic_update_slice(image, jnp.where(visible[:, None], block, behind), (row, column))
