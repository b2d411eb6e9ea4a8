"""2-D navigation from pictures: the point is seen, the goal is not.

In the shape descriptions, `S` denotes the side of a picture.
"""

import dataclasses

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from metarl_envs.point.dynamics import PointEnv, PointTask

STEP_SIZE = 0.2
"""m, the default: with 0.15, searching the whole half circle takes all 20 steps of an episode."""

GOAL_RADIUS = 0.25
"""m; how near the point must be to have found the goal."""

VIEW = 1.5
"""m from the centre of the picture to its edge, beyond which the point cannot go."""

DISC_RADIUS = 0.3
"""m; a point drawn smaller is lost on a model that reconstructs pictures."""

BACKGROUND, DISC = (235, 235, 235), (30, 60, 160)
"""Colours, 0 to 255."""


@dataclasses.dataclass(frozen=True)
class PointImageEnv(PointEnv):
    """The point robot seen from above (thesis, appendix D.4.1), which gives the half circle of goals and 64 x 64.

    State: position `[2]` float32, m, within 1.5 m of the origin along each axis. Observation: uint8 `[S, S, 3]`, x to
    the right and y up, a disc where the point is. Action: `[2]` in [-1, 1], clipped; the point moves by `step_size`
    times the action. With `d` the distance in m between goal and point *after* the step, and inside where d <= radius:

        dense: -d + 1{inside}        sparse: 1{inside}

    `transition_info` gives both at every step, as `dense_reward` and `sparse_reward`, and `success`, whether the point
    is inside. Nothing terminates.

    Attributes:
      sparse: which of the two is the reward.
      random_start: whether an episode starts uniformly in [-1, 1]^2 m or at the origin.
      side: `S`.
      step_size: m that the point moves along an axis for an action of 1.
    """

    random_start: bool = False
    side: int = 64
    step_size: float = STEP_SIZE

    def __post_init__(self) -> None:
        """Raises ValueError where there would be no picture."""
        if self.side < 1:
            raise ValueError(f"side={self.side} must be at least 1")
        space = gymnasium.spaces.Box(0, 255, (self.side, self.side, 3), np.uint8)
        object.__setattr__(self, "observation_space", space)

    def transition(
        self, state: jax.Array, action: jax.Array, rng: jax.Array, params: PointTask | None = None
    ) -> jax.Array:
        """Position `[2]` m after the action; the key is not used."""
        del rng, params
        return jnp.clip(state + self.step_size * jnp.clip(jnp.asarray(action, jnp.float32), -1.0, 1.0), -VIEW, VIEW)

    def observation(self, state: jax.Array, rng: jax.Array, params: PointTask | None = None) -> jax.Array:
        """The picture, uint8 `[S, S, 3]`; the key is not used."""
        del rng, params
        return draw_point(state, self.side)

    def transition_info(
        self, state: jax.Array, action: jax.Array, next_state: jax.Array, params: PointTask | None = None
    ) -> dict[str, jax.Array]:
        """Both rewards, and `success`; scalars."""
        del state, action
        task = self.get_default_params() if params is None else params
        distance = jnp.linalg.norm(next_state - task.goal)
        inside = distance <= task.radius
        found = inside.astype(jnp.float32)
        return {"dense_reward": found - distance, "sparse_reward": found, "success": inside}


def draw_point(position: jax.Array, side: int) -> jax.Array:
    """The picture of a point; its edge is smooth, so that moves of less than a pixel show.

    Args:
      position: `[2]` m.
      side: `S`.

    Returns:
      uint8 `[S, S, 3]`.
    """
    pixel = 2 * VIEW / side
    axis = (np.arange(side, dtype=np.float32) + 0.5) * pixel - VIEW
    x, y = jnp.asarray(axis[None, :]) - position[0], jnp.asarray(-axis[:, None]) - position[1]
    covered = jnp.clip((DISC_RADIUS - jnp.sqrt(x**2 + y**2)) / pixel + 0.5, 0.0, 1.0)
    background, disc = (jnp.array(colour, jnp.float32).reshape(1, 1, 3) for colour in (BACKGROUND, DISC))
    return jnp.round(background + covered[:, :, None] * (disc - background)).astype(jnp.uint8)
