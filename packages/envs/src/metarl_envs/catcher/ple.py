"""Catcher with the physics of the PyGame Learning Environment (PLE): a paddle with momentum.

In the shape descriptions, `K` denotes the number of stacked frames, `S` the side of the picture.
"""

import dataclasses
from typing import NamedTuple

import gymnasium
import jax
import jax.numpy as jnp

from metarl_envs.catcher.game import CatcherGame, split_action, unless
from metarl_envs.catcher.options import CatcherOptions
from metarl_envs.catcher.render import render
from metarl_envs.catcher.state import (
    FRUIT_FIRST_X,
    FRUIT_SIZE,
    FRUIT_STRIDE,
    FULL_SIZE,
    NUM_FRUIT_X,
    OPEN,
    PADDLE_LIMIT,
    CatcherState,
    CatcherTask,
)

PUSH = 0.021 * FULL_SIZE
"""px per step that an action adds to the paddle's velocity."""

DAMPING = 0.9
"""Of the velocity, the push included, per step."""

VELOCITY_LIMIT = PUSH * DAMPING / (1 - DAMPING)
"""px per step, 12.1: where pushing for ever leads."""

START_PADDLE_X = 25
"""px; every episode begins with the paddle here, at rest."""

NUM_START_Y = 7
"""A fruit begins at y = -4, -8, ... or -28 px, above the picture."""

LOST_Y = 64
"""px; a fruit that is here or below is missed. The last step may carry it to 65."""

MAX_STEPS = 42
"""Steps of the longest episode: a miss of a fruit from y = -28."""


class PleCatcherState(NamedTuple):
    """A state with momentum.

    frames: the last `K` things to be seen, arrays `[K]`, the oldest first; copies of the start where there are fewer.
    velocity: float32 scalar, px per step to the right.
    """

    frames: CatcherState
    velocity: jax.Array


@dataclasses.dataclass(frozen=True)
class PleCatcherEnv(CatcherGame[PleCatcherState]):
    """One fruit of PLE's Catcher at 64 x 64 and 30 frames per second, with PLE's momentum, rounding and catch test.

    A push changes the velocity, `v' = 0.9 (v + 1.344 push)`, and the paddle moves by `v'`, cut to whole pixels; at a
    wall it stops. The fruit begins up to 28 px above the picture and falls 2 px per step, 3 px while its y is -3 or
    less, which is what PLE's rounding makes of 2.03. A catch is the overlap of PLE's collision boxes, which are not
    where it draws: 4 px further left, in comparison, for the fruit.

    Different from PLE: one fruit is an episode; the reward, 1 or -1, comes with the state that earns it instead of a
    step later, and losing the game costs nothing more; yellow and grey are the thesis's colours. The gripper is ours: a
    closed one does not stop the fruit. Actions are those of `CatcherEnv`. Velocity is float32.

    A single picture does not tell the velocity, and at first there is no fruit to be seen. The observation is the last
    `K` pictures, the oldest first, uint8 `[S, S, 3 K]`, or `ple_state_vector`.

    Attributes:
      num_stacked_frames: `K`.
    """

    num_stacked_frames: int = 2

    def __post_init__(self) -> None:
        """Checks the options and makes the spaces."""
        super().__post_init__()
        if self.num_stacked_frames < 1:
            raise ValueError(f"num_stacked_frames={self.num_stacked_frames!r} must be at least 1")
        observation_space = self.make_observation_space(self.num_stacked_frames, 5 if self.grip else 4)
        object.__setattr__(self, "observation_space", observation_space)
        object.__setattr__(self, "action_space", gymnasium.spaces.Discrete(self.num_actions))

    def seen(self, state: PleCatcherState) -> CatcherState:
        """The newest frame."""
        return jax.tree.map(lambda leaf: leaf[-1], state.frames)

    def initial(self, rng: jax.Array, params: CatcherTask | None = None) -> PleCatcherState:
        """A start: the fruit's column and height, and the gripper, are uniform; the key is consumed."""
        column, height, gripper, background = self.draw_start(rng, params, NUM_FRUIT_X, NUM_START_Y)
        frame = CatcherState(
            paddle_x=jnp.full_like(column, START_PADDLE_X),
            fruit_x=FRUIT_FIRST_X + FRUIT_STRIDE * column,
            fruit_y=-FRUIT_SIZE * (height + 1),
            gripper=gripper,
            background=background,
        )
        frames = jax.tree.map(lambda leaf: jnp.full(self.num_stacked_frames, leaf), frame)
        return PleCatcherState(frames, jnp.zeros((), jnp.float32))

    def transition(
        self, state: PleCatcherState, action: jax.Array, rng: jax.Array, params: CatcherTask | None = None
    ) -> PleCatcherState:
        """The state one step later; the key is consumed if distractors change at every step, else not used."""
        now = self.seen(state)
        push, toggle = split_action(action)
        paddle_x, velocity = _move_paddle(now.paddle_x, state.velocity, push)
        frame = CatcherState(
            paddle_x=paddle_x,
            fruit_x=now.fruit_x,
            fruit_y=now.fruit_y + jnp.where(now.fruit_y <= -3, 3, 2),
            gripper=now.gripper ^ toggle if self.grip else now.gripper,
            background=self.next_background(now.background, rng, params),
        )
        frames = jax.tree.map(lambda old, new: jnp.append(old[1:], new), state.frames, frame)
        return unless(self._is_caught(now) | _is_lost(now), state, PleCatcherState(frames, velocity))

    def observation(self, state: PleCatcherState, rng: jax.Array, params: CatcherTask | None = None) -> jax.Array:
        """The stacked pictures or the vector; the key is not used."""
        del rng, params
        if self.observe == "state":
            return ple_state_vector(self, state)
        pictures = jax.vmap(lambda frame: render(self, frame))(state.frames)
        return jnp.concatenate(list(pictures), axis=-1)

    def reward(
        self,
        state: PleCatcherState,
        action: jax.Array,
        next_state: PleCatcherState,
        rng: jax.Array,
        params: CatcherTask | None = None,
    ) -> jax.Array:
        """1 for a catch, -1 for a miss, else 0, float32; the key is not used."""
        del action
        now = self.seen(next_state)
        reward = jnp.where(self._is_caught(now), 1.0, jnp.where(_is_lost(now), -1.0, 0.0))
        return jnp.where(self.terminal(state, rng, params), 0.0, reward).astype(jnp.float32)

    def terminal(self, state: PleCatcherState, rng: jax.Array, params: CatcherTask | None = None) -> jax.Array:
        """Whether the fruit is caught or lost; the key is not used."""
        del rng, params
        now = self.seen(state)
        return self._is_caught(now) | _is_lost(now)

    def _is_caught(self, frame: CatcherState) -> jax.Array:
        """PLE's boxes: of the paddle 13 x 3 px from (x - 6, 57), of the fruit 4 x 4 px from (x - 2, y - 2)."""
        offset = frame.fruit_x - frame.paddle_x
        beside = (offset > -8) & (offset < 9)
        return beside & (frame.fruit_y > 55) & (frame.fruit_y < 62) & (frame.gripper == OPEN)


def ple_state_vector(env: CatcherOptions, state: PleCatcherState) -> jax.Array:
    """Positions, the gripper if there is one, and velocity, each within [-1, 1].

    Args:
      env: whose options say whether there is a gripper.
      state: of scalars.

    Returns:
      float32 `[4]` or `[5]`: paddle x, fruit x, fruit y, gripper (1 open, -1 closed), velocity.
    """
    now = jax.tree.map(lambda leaf: leaf[-1], state.frames)
    lowest, highest = -FRUIT_SIZE * NUM_START_Y, LOST_Y + 1
    values = [
        now.paddle_x / (PADDLE_LIMIT / 2) - 1,
        (now.fruit_x - FRUIT_FIRST_X) / (FRUIT_STRIDE * (NUM_FRUIT_X - 1) / 2) - 1,
        (now.fruit_y - lowest) / ((highest - lowest) / 2) - 1,
    ]
    if env.grip:
        values.append(2.0 * now.gripper - 1)
    return jnp.stack([*values, state.velocity / VELOCITY_LIMIT]).astype(jnp.float32)


def _move_paddle(x: jax.Array, velocity: jax.Array, push: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The paddle's next place, int32 px, and velocity, float32 px per step."""
    velocity = jnp.float32(DAMPING) * (velocity + jnp.float32(PUSH) * push)
    place = x + velocity
    at_wall = (place <= 0) | (place >= PADDLE_LIMIT)
    # The cut to whole pixels makes a paddle drift to the left, as PLE's does.
    place = jnp.clip(place, 0.0, PADDLE_LIMIT).astype(jnp.int32)
    return place, jnp.where(at_wall, 0.0, velocity).astype(jnp.float32)


def _is_lost(frame: CatcherState) -> jax.Array:
    return frame.fruit_y >= LOST_Y
