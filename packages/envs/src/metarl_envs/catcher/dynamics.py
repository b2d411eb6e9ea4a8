"""Catcher: move a paddle under a falling fruit.

In the shape descriptions, `S` denotes the side of the picture.
"""

import dataclasses

import gymnasium
import jax
import jax.numpy as jnp

from metarl_envs.catcher.game import CatcherGame, split_action, unless
from metarl_envs.catcher.options import CatcherOptions
from metarl_envs.catcher.render import render
from metarl_envs.catcher.state import (
    FRUIT_FIRST_X,
    FRUIT_SIZE,
    FRUIT_SPEED,
    FRUIT_STRIDE,
    LAST_FRUIT_Y,
    NUM_FRUIT_X,
    NUM_PADDLE_X,
    OPEN,
    PADDLE_LIMIT,
    PADDLE_SPEED,
    PADDLE_WIDTH,
    CatcherState,
    CatcherTask,
)


@dataclasses.dataclass(frozen=True)
class CatcherEnv(CatcherGame[CatcherState]):
    """Catcher and catcher-grip (thesis section 2.5, appendix A.2) with simple physics: one picture tells all.

    The fruit falls 2 px per step from y = 0, where it is visible, and the paddle moves 3 px per step, without momentum.
    Step 27 brings the fruit to the paddle and ends the episode: reward 1 if the two overlap along x, and the gripper is
    open, else -1; all other rewards are 0. Paddle, fruit and gripper start anywhere with equal probability.

    Actions: 0 left, 1 stay, 2 right. With a gripper `action = move + 3 * toggle`: 0 to 2 leave the gripper as it is, 3
    to 5 do the same moves and toggle it.

    An ended episode stays as it is, at no reward, whatever is done: all states and actions together make a finite MDP.

    The observation is `render`, uint8 `[S, S, 3]`, or `state_vector`, float32 `[3]` or `[4]`, as `observe` says. The
    other options are those of `CatcherOptions`.
    """

    def __post_init__(self) -> None:
        """Checks the options and makes the spaces."""
        super().__post_init__()
        # Not fields: they follow from the fields, and are not part of what makes two environments equal.
        object.__setattr__(self, "observation_space", self.make_observation_space(1, 4 if self.grip else 3))
        object.__setattr__(self, "action_space", gymnasium.spaces.Discrete(self.num_actions))

    def seen(self, state: CatcherState) -> CatcherState:
        """The state itself."""
        return state

    def initial(self, rng: jax.Array, params: CatcherTask | None = None) -> CatcherState:
        """A start, uniform over all of them; the key is consumed."""
        place, column, gripper, background = self.draw_start(rng, params, NUM_PADDLE_X, NUM_FRUIT_X)
        return CatcherState(
            paddle_x=PADDLE_SPEED * place,
            fruit_x=FRUIT_FIRST_X + FRUIT_STRIDE * column,
            fruit_y=jnp.zeros_like(place),
            gripper=gripper,
            background=background,
        )

    def transition(
        self, state: CatcherState, action: jax.Array, rng: jax.Array, params: CatcherTask | None = None
    ) -> CatcherState:
        """The state one step later; the key is consumed if distractors change at every step, else not used."""
        move, toggle = split_action(action)
        next_state = CatcherState(
            paddle_x=jnp.clip(state.paddle_x + PADDLE_SPEED * move, 0, PADDLE_LIMIT),
            fruit_x=state.fruit_x,
            fruit_y=state.fruit_y + FRUIT_SPEED,
            gripper=state.gripper ^ toggle if self.grip else state.gripper,
            background=self.next_background(state.background, rng, params),
        )
        return unless(_has_ended(state), state, next_state)

    def observation(self, state: CatcherState, rng: jax.Array, params: CatcherTask | None = None) -> jax.Array:
        """The picture or the vector; the key is not used."""
        del rng, params
        return render(self, state) if self.observe == "image" else state_vector(self, state)

    def reward(
        self,
        state: CatcherState,
        action: jax.Array,
        next_state: CatcherState,
        rng: jax.Array,
        params: CatcherTask | None = None,
    ) -> jax.Array:
        """1 for a catch, -1 for a miss, else 0, float32; the key is not used."""
        del action, rng, params
        offset = next_state.fruit_x - next_state.paddle_x
        caught = (offset > -FRUIT_SIZE) & (offset < PADDLE_WIDTH) & (next_state.gripper == OPEN)
        ends_now = _has_ended(next_state) & ~_has_ended(state)
        return jnp.where(ends_now, jnp.where(caught, 1.0, -1.0), 0.0).astype(jnp.float32)

    def terminal(self, state: CatcherState, rng: jax.Array, params: CatcherTask | None = None) -> jax.Array:
        """Whether the fruit has reached the paddle; the key is not used."""
        del rng, params
        return _has_ended(state)


def state_vector(env: CatcherOptions, state: CatcherState) -> jax.Array:
    """Positions, and the gripper if there is one, each from -1 to 1.

    Args:
      env: whose options say whether there is a gripper.
      state: of scalars.

    Returns:
      float32 `[3]` or `[4]`: paddle x, fruit x, fruit y, gripper (1 open, -1 closed). Distractors are left out.
    """
    half_fruit_range = FRUIT_STRIDE * (NUM_FRUIT_X - 1) / 2
    values = [
        state.paddle_x / (PADDLE_LIMIT / 2) - 1,
        (state.fruit_x - FRUIT_FIRST_X) / half_fruit_range - 1,
        state.fruit_y / (LAST_FRUIT_Y / 2) - 1,
    ]
    if env.grip:
        values.append(2.0 * state.gripper - 1)
    return jnp.stack(values).astype(jnp.float32)


def _has_ended(state: CatcherState) -> jax.Array:
    return state.fruit_y >= LAST_FRUIT_Y
