"""What games of catch with different physics share."""

import dataclasses
from typing import Any, Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.experimental.functional import FuncEnv

from metarl_envs.catcher.backgrounds import train_task
from metarl_envs.catcher.options import CatcherOptions
from metarl_envs.catcher.render import render
from metarl_envs.catcher.state import OPEN, CatcherState, CatcherTask

State = TypeVar("State")


@dataclasses.dataclass(frozen=True)
class CatcherGame(
    CatcherOptions, FuncEnv[State, jax.Array, jax.Array, jax.Array, jax.Array, None, CatcherTask], Generic[State]
):
    """Gripper, distractors and pictures; a subclass brings states, physics and observations."""

    def seen(self, state: State) -> CatcherState:
        """What the picture of the present shows."""
        raise NotImplementedError

    def draw_start(self, key: jax.Array, params: CatcherTask | None, *counts: int) -> list[jax.Array]:
        """Draws what a start consists of, uniformly and in one go, because drawing takes most of the time of a start.

        Args:
          key: consumed.
          params: the task.
          counts: of the possible values of what else is drawn.

        Returns:
          For each count an integer below it; then the gripper and the index of the background; int32 scalars.
        """
        task = self.get_default_params() if params is None else params
        num_backgrounds = 1 if self.distractors == "none" else task.num_backgrounds
        limits = jnp.array([*counts, 2 if self.grip else 1, num_backgrounds])
        *drawn, gripper, background = jax.random.randint(key, limits.shape, 0, limits, jnp.int32)
        if not self.grip:
            gripper = gripper + OPEN
        if self.distractors != "none":
            background = background + task.first_background
        return [*drawn, gripper, background]

    def next_background(self, background: jax.Array, key: jax.Array, params: CatcherTask | None) -> jax.Array:
        """Index of the image behind the next step; the key is consumed if it changes at every step."""
        if self.distractors != "step":
            return background
        task = self.get_default_params() if params is None else params
        return task.first_background + jax.random.randint(key, (), 0, task.num_backgrounds, jnp.int32)

    def get_default_params(self, **kwargs: Any) -> CatcherTask:
        """The distractors to train on."""
        del kwargs
        return train_task()

    def render_init(self, params: CatcherTask | None = None, **kwargs: Any) -> None:
        """Nothing is kept between pictures."""

    def render_image(
        self, state: State, render_state: None, params: CatcherTask | None = None
    ) -> tuple[None, np.ndarray]:
        """The picture of the present, uint8 `[S, S, 3]`, whatever is observed."""
        return None, np.array(_render(self, self.seen(state)))

    def render_close(self, render_state: None, params: CatcherTask | None = None) -> None:
        """There is nothing to close."""


_render = jax.jit(render, static_argnums=0)


def split_action(action: jax.typing.ArrayLike) -> tuple[jax.Array, jax.Array]:
    """The move, -1, 0 or 1, and whether the gripper is toggled, 0 or 1; both int32."""
    action = jnp.asarray(action, jnp.int32)
    return action % 3 - 1, action // 3


def unless(ended: jax.Array, state: State, next_state: State) -> State:
    """The next state, or the same one where the episode has ended."""
    return jax.tree.map(lambda before, after: jnp.where(ended, before, after), state, next_state)
