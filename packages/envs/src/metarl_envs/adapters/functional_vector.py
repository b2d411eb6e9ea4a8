"""Many tasks of a pure JAX environment side by side as a `gymnasium.vector.VectorEnv`: one dispatch per step.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

import functools
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from metarl_envs.adapters.functional_env import Step, advance, begin, env_key
from metarl_envs.adapters.infos import same_step_infos
from metarl_envs.tasks import AnyFuncEnv, Tasks, num_tasks


class _Progress(NamedTuple):
    """Where the episodes are.

    state: `[N, ...]`
    episode: `[N]` int32, counts from 0 since the last seeded reset.
    step: `[N]` int32, counts from 0 since the start of the episode.
    """

    state: Any
    episode: jax.Array
    step: jax.Array


def _fold_in(keys: jax.Array, episode: jax.Array) -> jax.Array:
    return jax.vmap(jax.random.fold_in)(keys, episode)


def _select(condition: jax.Array, chosen: Any, otherwise: Any) -> Any:
    return jax.tree.map(functools.partial(jnp.where, condition), chosen, otherwise)


@functools.partial(jax.jit, static_argnames="env")
def _reset(env: AnyFuncEnv, tasks: Tasks, keys: jax.Array, episode: jax.Array) -> tuple[_Progress, Any]:
    """Begins episode number `episode: [N]` everywhere; returns progress and observations."""
    state, obs = jax.vmap(functools.partial(begin, env))(tasks, _fold_in(keys, episode))
    return _Progress(state, episode, jnp.zeros_like(episode)), obs


@functools.partial(jax.jit, static_argnames=("env", "horizon"))
def _step(
    env: AnyFuncEnv, horizon: int, tasks: Tasks, keys: jax.Array, progress: _Progress, actions: jax.Array
) -> tuple[_Progress, Any, Step, jax.Array]:
    """Steps everywhere, and begins the next episode where one ended.

    Returns:
      Progress; the observations to act on next; the step, with the observations before any reset; truncated `[N]`.
    """
    count = progress.step + 1
    state, step = jax.vmap(functools.partial(advance, env))(
        tasks, progress.state, actions, _fold_in(keys, progress.episode), count
    )
    truncated = count >= horizon
    ended = step.terminated | truncated
    played = _Progress(state, progress.episode, count), step.obs

    def begin_where_ended() -> tuple[_Progress, Any]:
        begun = _reset(env, tasks, keys, progress.episode + 1)
        return jax.vmap(_select)(ended, begun, played)

    # Conditional, because a first observation can be dear: an image to draw.
    progress, obs = jax.lax.cond(ended.any(), begin_where_ended, lambda: played)
    return progress, obs, step, truncated


_env_keys = jax.jit(jax.vmap(env_key))


class FunctionalVectorEnv(VectorEnv[Any, Any, np.ndarray]):
    """Plays `N` tasks of a pure JAX environment, environment `i` task `i`, with autoreset in the same step.

    Compiled once per `FuncEnv` (compared by `==`), horizon and `N`, whatever the instance and the tasks. Environment
    `i` plays exactly what a `FunctionalEnv` seeded with `seed + i` plays, as in `gymnasium.vector.SyncVectorEnv`. All
    that is returned is a fresh, writable NumPy array.

    Infos keep the convention of `SyncVectorEnv`. While an episode runs, `infos[name][i]` is signal `name` of
    `FuncEnv.transition_info`. At the step that ends it, the signals are in `infos["final_info"][name][i]` instead, the
    true last observation in `infos["final_obs"][i]`; the boolean masks `infos["_" + name]` say where. If all episodes
    end at once, `infos[name]` is absent. `metarl_envs.transition_info(infos, name)` reads a signal at every step.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (declared so by gymnasium)
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["rgb_array"],
        "render_fps": 10,
    }

    def __init__(
        self,
        func_env: AnyFuncEnv,
        tasks: Tasks,
        horizon: int,
        seed: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Makes the environments.

        Args:
          func_env: what is played; hashable.
          tasks: pytree of arrays `[N, ...]`, or a list of `N` pytrees, which are stacked.
          horizon: steps after which an episode is truncated.
          seed: for the first `reset` if it brings none; None draws one from the operating system.
          render_mode: None or "rgb_array".

        Raises:
          ValueError: `horizon` is not positive, or `tasks` have no common leading dimension.
        """
        if horizon < 1:
            raise ValueError(f"horizon={horizon} must be at least 1")
        self.func_env = func_env
        self.horizon = horizon
        self.num_envs = num_tasks(tasks)
        self.render_mode = render_mode
        self.single_observation_space = func_env.observation_space
        self.single_action_space = func_env.action_space
        self.observation_space = batch_space(func_env.observation_space, self.num_envs)
        self.action_space = batch_space(func_env.action_space, self.num_envs)
        self._first_seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
        self._keys: jax.Array | None = None
        self._progress: _Progress | None = None
        self._render_states: dict[int, tuple[int, Any]] = {}
        self.set_tasks(tasks)

    @property
    def tasks(self) -> Tasks:
        """The tasks being played, arrays `[N, ...]`."""
        return self._tasks

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on; an episode under way goes on where it is, in the new task.

        Args:
          tasks: as in the constructor, and of the same shapes and dtypes, so that nothing is compiled again.

        Raises:
          ValueError: their number is not `num_envs`.
        """
        if num_tasks(tasks) != self.num_envs:
            raise ValueError(f"got {num_tasks(tasks)} tasks for num_envs={self.num_envs}")
        if isinstance(tasks, list):
            tasks = jax.tree.map(lambda *leaves: np.stack(leaves), *tasks)
        # Through NumPy, so that weakly typed leaves do not compile a second program.
        self._tasks = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), tasks)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode everywhere.

        Args:
          seed: environment `i` is seeded with `seed + i`; None goes on with the keys at hand.
          options: ignored.

        Returns:
          Observations `[N, ...]` and an empty info.
        """
        super().reset(seed=seed, options=options)
        if seed is None and self._progress is not None:
            episode = self._progress.episode + 1
        else:
            seed = self._first_seed if seed is None else seed
            self._keys = _env_keys(np.array([(seed + i) % 2**32 for i in range(self.num_envs)], np.uint32))
            episode = jnp.zeros(self.num_envs, jnp.int32)
        self._progress, obs = _reset(self.func_env, self._tasks, self._keys, episode)
        self._render_states = {}
        return jax.tree.map(np.array, obs), {}

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere.

        Args:
          actions: `[N, ...]`, as `action_space` says.

        Returns:
          Observations `[N, ...]`, of the next episode where one ended; rewards, terminated, truncated `[N]`; infos.

        Raises:
          ValueError: the actions have another shape.
          gymnasium.error.ResetNeeded: there was no `reset`.
        """
        if self._progress is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        actions = np.asarray(actions, self.action_space.dtype)
        if actions.shape != self.action_space.shape:
            raise ValueError(f"actions have shape {actions.shape}, must be {self.action_space.shape}")
        self._progress, *output = _step(self.func_env, self.horizon, self._tasks, self._keys, self._progress, actions)
        obs, step, truncated = jax.tree.map(np.array, output)
        infos = same_step_infos(step.info, step.obs, step.terminated | truncated)
        return obs, step.reward, step.terminated, truncated, infos

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One image per environment, uint8 `[H, W, 3]`, from `FuncEnv.render_image`; None without a render mode."""
        if self.render_mode is None:
            return None
        return tuple(self._render_one(i) for i in range(self.num_envs))

    def _render_one(self, i: int) -> np.ndarray:
        task, progress = jax.tree.map(lambda leaf: leaf[i], (self._tasks, self._progress))
        episode, render_state = self._render_states.get(i, (-1, None))
        if episode != progress.episode:
            episode, render_state = int(progress.episode), self.func_env.render_init(task)
        render_state, image = self.func_env.render_image(progress.state, render_state, task)
        self._render_states[i] = (episode, render_state)
        return image
