"""All states of a game of catch with simple physics and without distractors, as one batch.

In the shape descriptions, `M` denotes the number of states: 6,048, or 12,096 with a gripper.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from metarl_envs.catcher.dynamics import CatcherEnv
from metarl_envs.catcher.state import (
    FRUIT_FIRST_X,
    FRUIT_SPEED,
    FRUIT_STRIDE,
    NUM_FRUIT_X,
    NUM_PADDLE_X,
    NUM_STEPS,
    OPEN,
    PADDLE_SPEED,
    CatcherState,
)


def num_states(env: CatcherEnv) -> int:
    """`M`: 18 places of the paddle, 12 columns and 28 heights of the fruit, the last terminal; twice with a gripper."""
    return math.prod(_shape(env))


def all_states(env: CatcherEnv) -> CatcherState:
    """Every state, in the order of `state_index`: the paddle's place changes slowest, the gripper fastest.

    Returns:
      State of int32 `[M]`.

    Raises:
      ValueError: the game has distractors.
    """
    _check(env)
    paddle, fruit, step, gripper = np.unravel_index(np.arange(num_states(env)), _shape(env))
    fields = (
        PADDLE_SPEED * paddle,
        FRUIT_FIRST_X + FRUIT_STRIDE * fruit,
        FRUIT_SPEED * step,
        gripper if env.grip else gripper + OPEN,
        np.zeros_like(paddle),
    )
    return CatcherState(*(jnp.asarray(field, jnp.int32) for field in fields))


def state_index(env: CatcherEnv, state: CatcherState) -> jax.Array:
    """Where states are in `all_states(env)`.

    Args:
      env: the game; what it shows behind it does not matter.
      state: arrays of any common shape.

    Returns:
      int32 of that shape.
    """
    place = (
        state.paddle_x // PADDLE_SPEED,
        (state.fruit_x - FRUIT_FIRST_X) // FRUIT_STRIDE,
        state.fruit_y // FRUIT_SPEED,
        state.gripper if env.grip else jnp.zeros_like(state.gripper),
    )
    index = jnp.zeros_like(state.paddle_x)
    for position, count in zip(place, _shape(env), strict=True):
        index = index * count + position
    return index


def _shape(env: CatcherEnv) -> tuple[int, int, int, int]:
    return NUM_PADDLE_X, NUM_FRUIT_X, NUM_STEPS + 1, 2 if env.grip else 1


def _check(env: CatcherEnv) -> None:
    if env.distractors != "none":
        raise ValueError(f"distractors={env.distractors!r}: states are listed for distractors='none' only")
