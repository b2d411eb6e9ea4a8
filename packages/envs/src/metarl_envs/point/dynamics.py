"""2-D navigation: a point that moves to a goal it is not told.

In the shape descriptions, `S` denotes the side of an image.
"""

import dataclasses
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.experimental.functional import FuncEnv

from metarl_envs.point import render

STEP_SIZE = 0.1
"""m that the point moves along an axis for an action of 1."""

START_RANGE = 1.0
"""m; a random start is uniform in the square within this distance of the origin along each axis."""

POSITION_RANGE = 4.0
"""m; bound of the observation space, which gymnasium wants finite: no episode of 20 steps comes beyond 3 m."""


class PointTask(NamedTuple):
    """Where the goal is.

    goal: `[2]` float32, m.
    radius: float32 scalar, m: how near the point must be for the sparse reward.
    """

    goal: jax.Array
    radius: jax.Array


@dataclasses.dataclass(frozen=True)
class PointEnv(FuncEnv[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array, render.Trail, PointTask]):
    """The point robot of PEARL (thesis section 5.2.3); constants and rewards of the reference code's `point_robot.py`.

    State and observation: position `[2]` float32, m. Action: `[2]` in [-1, 1], clipped; the point moves by 0.1 m times
    the action. With `d` the distance in m between goal and point *after* the step, there are two rewards:

        dense: -d                    sparse: 1 - d if d <= radius, else 0

    `transition_info` gives both at every step, as `dense_reward` and `sparse_reward`, because PEARL trains on one and
    adapts from the other. Nothing terminates.

    Attributes:
      sparse: which of the two is the reward.
      random_start: whether an episode starts uniformly in [-1, 1]^2 m or at the origin.
    """

    sparse: bool
    random_start: bool

    observation_space = gymnasium.spaces.Box(-POSITION_RANGE, POSITION_RANGE, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def initial(self, rng: jax.Array, params: PointTask | None = None) -> jax.Array:
        """Position `[2]` m at the start; the key is consumed."""
        del params
        if self.random_start:
            return jax.random.uniform(rng, (2,), jnp.float32, -START_RANGE, START_RANGE)
        return jnp.zeros(2, jnp.float32)

    def transition(
        self, state: jax.Array, action: jax.Array, rng: jax.Array, params: PointTask | None = None
    ) -> jax.Array:
        """Position `[2]` m after the action; the key is not used."""
        del rng, params
        return state + STEP_SIZE * jnp.clip(jnp.asarray(action, jnp.float32), -1.0, 1.0)

    def observation(self, state: jax.Array, rng: jax.Array, params: PointTask | None = None) -> jax.Array:
        """The position `[2]` m; the key is not used."""
        del rng, params
        return state

    def reward(
        self,
        state: jax.Array,
        action: jax.Array,
        next_state: jax.Array,
        rng: jax.Array,
        params: PointTask | None = None,
    ) -> jax.Array:
        """The dense or the sparse reward, a scalar; the key is not used."""
        del rng
        info = self.transition_info(state, action, next_state, params)
        return info["sparse_reward" if self.sparse else "dense_reward"]

    def terminal(self, state: jax.Array, rng: jax.Array, params: PointTask | None = None) -> jax.Array:
        """False."""
        del state, rng, params
        return jnp.zeros((), jnp.bool_)

    def transition_info(
        self, state: jax.Array, action: jax.Array, next_state: jax.Array, params: PointTask | None = None
    ) -> dict[str, jax.Array]:
        """Both rewards, scalars; without a task, those of the default one."""
        del state, action
        task = self.get_default_params() if params is None else params
        distance = jnp.linalg.norm(next_state - task.goal)
        sparse_reward = jnp.where(distance <= task.radius, 1.0 - distance, 0.0)
        return {"dense_reward": -distance, "sparse_reward": sparse_reward}

    def get_default_params(self, **kwargs: Any) -> PointTask:
        """The goal straight ahead, at (0, 1) m, radius 0.2 m."""
        del kwargs
        return PointTask(jnp.array([0.0, 1.0], jnp.float32), jnp.array(0.2, jnp.float32))

    def render_init(self, params: PointTask | None = None, **kwargs: Any) -> render.Trail:
        """A trail without a point."""
        del params, kwargs
        return ()

    def render_image(
        self, state: jax.Array, render_state: render.Trail, params: PointTask | None = None
    ) -> tuple[render.Trail, np.ndarray]:
        """Adds the point to the trail and draws it with the goal: uint8 `[S, S, 3]`."""
        task = self.get_default_params() if params is None else params
        trail = (*render_state, np.asarray(state))
        return trail, render.draw(np.asarray(task.goal), float(task.radius), trail)

    def render_close(self, render_state: render.Trail, params: PointTask | None = None) -> None:
        """There is nothing to close."""
