"""One pure JAX environment as a `gymnasium.Env`, and the two pure functions that every way to play it shares.

Random keys are counted, not carried: step `t` of episode `e` draws from `fold_in(fold_in(env_key, e), t)`, where
`t = 0` is the reset. So a seed fixes where the `e`-th episode starts, however long the episodes before it were, and a
vector environment draws exactly what single environments with the same seeds draw.
"""

import copy
from typing import Any, NamedTuple, SupportsFloat

import gymnasium
import jax
import numpy as np

from metarl_envs.arguments import check_action, check_seed, refuse_options
from metarl_envs.forks import refuse_after_fork
from metarl_envs.tasks import AnyFuncEnv, Task


class Step(NamedTuple):
    """What a step gives besides the next state; arrays of one environment.

    obs: after the step.
    reward: scalar.
    terminated: bool scalar.
    info: flat dict of arrays, from `FuncEnv.transition_info`.
    """

    obs: Any
    reward: jax.Array
    terminated: jax.Array
    info: dict[str, Any]


def env_key(seed: jax.typing.ArrayLike) -> jax.Array:
    """The key of the environment seeded with `seed`, whatever generator the user made JAX's default."""
    return jax.random.key(seed, impl="threefry2x32")


def begin(env: AnyFuncEnv, task: Task, episode_key: jax.Array) -> tuple[Any, Any]:
    """Begins an episode.

    Args:
      env: what is played.
      task: its parameters.
      episode_key: of this episode, not consumed.

    Returns:
      The first state and its observation.
    """
    state_key, obs_key = jax.random.split(jax.random.fold_in(episode_key, 0))
    state = env.initial(state_key, task)
    return state, env.observation(state, obs_key, task)


def advance(
    env: AnyFuncEnv, task: Task, state: Any, action: jax.Array, episode_key: jax.Array, step: jax.typing.ArrayLike
) -> tuple[Any, Step]:
    """Plays one step.

    Args:
      env: what is played.
      task: its parameters.
      state: before the step.
      action: what is done in `state`.
      episode_key: of this episode, not consumed.
      step: int scalar, counts the steps of this episode from 1.

    Returns:
      The next state, and what the step gives.
    """
    next_key, reward_key, terminal_key, obs_key = jax.random.split(jax.random.fold_in(episode_key, step), 4)
    next_state = env.transition(state, action, next_key, task)
    return next_state, Step(
        obs=env.observation(next_state, obs_key, task),
        reward=env.reward(state, action, next_state, reward_key, task),
        terminated=env.terminal(next_state, terminal_key, task),
        info=env.transition_info(state, action, next_state, task),
    )


_begin = jax.jit(begin, static_argnums=0)
_advance = jax.jit(advance, static_argnums=0)


class FunctionalEnv(gymnasium.Env[Any, Any]):
    """Plays one task of a pure JAX environment; never truncates, `gymnasium.make` adds the time limit.

    Compiled once per `FuncEnv`, compared by `==`. The info of a step is `FuncEnv.transition_info`.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (gymnasium's type)

    def __init__(self, func_env: AnyFuncEnv, task: Task, render_mode: str | None = None) -> None:
        """Makes the environment.

        Args:
          func_env: what is played; hashable.
          task: its parameters.
          render_mode: None or "rgb_array".
        """
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode={render_mode!r} must be None or 'rgb_array'")
        self.func_env = func_env
        self.task = task
        self.render_mode = render_mode
        self.observation_space = copy.deepcopy(func_env.observation_space)
        self.action_space = copy.deepcopy(func_env.action_space)
        self._key: jax.Array | None = None
        self._episode_key: jax.Array | None = None
        self._episode = 0
        self._step = 0
        self._state: Any = None
        self._render_state: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode; there are no `options`, the info is empty.

        Raises:
          ValueError: the seed is no seed, or an option is given.
          RuntimeError: this process was forked from one that uses JAX.
        """
        refuse_after_fork()
        refuse_options(options)
        seed = check_seed(seed)
        super().reset(seed=seed, options=options)
        if seed is None and self._key is not None:
            self._episode += 1
        else:
            seed = int(self.np_random.integers(2**31)) if seed is None else seed
            self._key, self._episode = env_key(np.uint32(seed)), 0
        self._step = 0
        self._episode_key = jax.random.fold_in(self._key, self._episode)
        self._state, obs = _begin(self.func_env, self.task, self._episode_key)
        if self.render_mode is not None:
            self._render_state = self.func_env.render_init(self.task)
        return jax.tree.map(np.array, obs), {}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Plays one step; truncated is always False.

        Raises:
          ValueError: the action has another shape or dtype, or is NaN.
          gymnasium.error.ResetNeeded: there was no `reset`.
        """
        if self._episode_key is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        refuse_after_fork()
        action = check_action(self.action_space, action).astype(self.action_space.dtype)
        self._step += 1
        self._state, step = _advance(self.func_env, self.task, self._state, action, self._episode_key, self._step)
        info = jax.tree.map(lambda leaf: np.array(leaf)[()], step.info)
        return jax.tree.map(np.array, step.obs), float(step.reward), bool(step.terminated), False, info

    def render(self) -> np.ndarray | None:
        """Draws the state as `FuncEnv.render_image` does: uint8 `[H, W, 3]`; None without a render mode."""
        if self.render_mode is None:
            return None
        refuse_after_fork()
        self._render_state, image = self.func_env.render_image(self._state, self._render_state, self.task)
        return image
