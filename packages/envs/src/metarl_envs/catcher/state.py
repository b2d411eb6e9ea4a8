"""Where everything is in a game of catch, in pixels of the 64 x 64 picture; x to the right, y down.

Sizes and the fruit's speed are those of the PyGame Learning Environment's Catcher at 64 x 64. Thesis section 2.5 and
appendix A.2 leave the other constants open.
"""

from typing import NamedTuple

import jax

FULL_SIZE = 64
"""px; side of the picture in which positions are counted."""

FRUIT_SIZE = 4
"""px; side of the fruit."""

FRUIT_SPEED = 2
"""px per step that the fruit falls."""

FRUIT_FIRST_X, FRUIT_STRIDE, NUM_FRUIT_X = 8, 4, 12
"""px, px and a count: the fruit's left edge is one of 8, 12, ..., 52."""

PADDLE_WIDTH, PADDLE_HEIGHT = 13, 3
"""px."""

PADDLE_Y = 58
"""px; the paddle's upper edge."""

PADDLE_LIMIT = FULL_SIZE - PADDLE_WIDTH
"""px; the largest x of the paddle's left edge."""

PADDLE_SPEED = 3
"""px per step: the worst start, 51 px apart, needs 17 of 27 steps."""

NUM_PADDLE_X = PADDLE_LIMIT // PADDLE_SPEED + 1
"""The paddle's left edge is one of 0, 3, ..., 51."""

LAST_FRUIT_Y = PADDLE_Y - FRUIT_SIZE
"""px; there the fruit touches the paddle's upper edge, and the episode ends."""

NUM_STEPS = LAST_FRUIT_Y // FRUIT_SPEED
"""Steps of an episode: the fruit falls from y = 0 to the paddle."""

OPEN, CLOSED = 1, 0
"""Values of `CatcherState.gripper`."""

FRUIT_COLOR = (255, 255, 0)
PADDLE_COLOR = (128, 128, 128)


class CatcherState(NamedTuple):
    """What is seen at one time; int32 scalars, batched under `vmap`.

    paddle_x: px, left edge.
    fruit_x: px, left edge.
    fruit_y: px, upper edge.
    gripper: 1 open, 0 closed; always 1 in a game without a gripper.
    background: index into the bank of distractor images; always 0 without distractors.
    """

    paddle_x: jax.Array
    fruit_x: jax.Array
    fruit_y: jax.Array
    gripper: jax.Array
    background: jax.Array


class CatcherTask(NamedTuple):
    """Which distractor images an episode may show: a range of the bank. Without distractors it says nothing.

    first_background: int32 scalar.
    num_backgrounds: int32 scalar, at least 1.
    """

    first_background: jax.Array
    num_backgrounds: jax.Array
