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
from metarl_envs.adapters.infos import same_step_infos, step_infos
from metarl_envs.arguments import (
    check_action,
    check_autoreset_mode,
    check_count,
    check_ready,
    check_seed,
    refuse_options,
    split_reset_mask,
    spread_seed,
)
from metarl_envs.forks import refuse_after_fork
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


@functools.partial(jax.jit, static_argnames="env")
def _reset_some(
    env: AnyFuncEnv, tasks: Tasks, keys: jax.Array, progress: _Progress, obs: Any, indices: jax.Array, num: jax.Array
) -> tuple[_Progress, Any]:
    """Begins the episodes `progress.episode` of the environments `indices[:num]`; the others stay where they are.

    A loop, because a first observation can be dear: nothing is computed for the others, and one program does for any
    number of them.
    """

    def begin_one(j: jax.Array, carry: tuple[_Progress, Any]) -> tuple[_Progress, Any]:
        i = indices[j]
        task, key = jax.tree.map(lambda leaf: leaf[i], (tasks, keys))
        progress, obs = carry
        state, first_obs = begin(env, task, jax.random.fold_in(key, progress.episode[i]))

        def put(all_leaves: jax.Array, leaf: jax.Array) -> jax.Array:
            return all_leaves.at[i].set(leaf)

        begun = _Progress(jax.tree.map(put, progress.state, state), progress.episode, progress.step.at[i].set(0))
        return begun, jax.tree.map(put, obs, first_obs)

    return jax.lax.fori_loop(0, num, begin_one, (progress, obs))


@functools.partial(jax.jit, static_argnames=("env", "horizon", "autoreset"))
def _step(
    env: AnyFuncEnv,
    horizon: int,
    autoreset: bool,
    tasks: Tasks,
    keys: jax.Array,
    progress: _Progress,
    actions: jax.Array,
) -> tuple[_Progress, Any, Step, jax.Array]:
    """Steps everywhere, and with `autoreset` begins the next episode where one ended.

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

    if not autoreset:
        return *played, step, truncated
    # Conditional, because a first observation can be dear: an image to draw.
    progress, obs = jax.lax.cond(ended.any(), begin_where_ended, lambda: played)
    return progress, obs, step, truncated


def stack_tasks(tasks: Tasks) -> Tasks:
    """Tasks in any form as a pytree of arrays `[N, ...]`.

    Raises:
      ValueError: those of a list are not alike.
    """
    if not isinstance(tasks, (list, range)):
        return tasks
    try:
        return jax.tree.map(lambda *leaves: np.stack(leaves), *tasks)
    except (TypeError, ValueError) as error:
        raise ValueError(f"tasks must be pytrees of numbers that are alike: {error}") from error


def _to_device(tasks: Tasks) -> Tasks:
    """Tasks in any form as JAX arrays `[N, ...]`."""
    tasks = stack_tasks(tasks)
    try:
        # Through NumPy, so that weakly typed leaves do not compile a second program.
        return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), tasks)
    except (TypeError, ValueError) as error:
        raise ValueError(f"tasks must be pytrees of numbers that are alike: {error}") from error


_env_keys = jax.jit(jax.vmap(env_key))


class FunctionalVectorEnv(VectorEnv[Any, Any, np.ndarray]):
    """Plays `N` tasks of a pure JAX environment, environment `i` task `i`.

    Compiled once per `FuncEnv` (compared by `==`), horizon and `N`, whatever the instance and the tasks. Environment
    `i` plays exactly what a `FunctionalEnv` seeded with `seed + i` plays, as in `gymnasium.vector.SyncVectorEnv`. All
    that is returned is a fresh, writable NumPy array.

    Infos keep the convention of `SyncVectorEnv`: `infos[name][i]` is signal `name` of `FuncEnv.transition_info`, and
    the boolean masks `infos["_" + name]` say where it was reported. In autoreset mode SAME_STEP, at the step that ends
    an episode, its signals are in `infos["final_info"][name][i]` instead, the true last observation in
    `infos["final_obs"][i]`; if all episodes end at once, `infos[name]` is absent.
    `metarl_envs.transition_info(infos, name)` reads a signal at every step, in either mode.
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
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    ) -> None:
        """Makes the environments.

        Args:
          func_env: what is played; hashable.
          tasks: pytree of arrays `[N, ...]`, or a list of `N` pytrees, which are stacked.
          horizon: steps after which an episode is truncated.
          seed: for the first `reset` if it brings none; None draws one from the operating system.
          render_mode: None or "rgb_array".
          autoreset_mode: SAME_STEP begins the next episode in the step that ends one; DISABLED leaves it to whoever
            steps, by `reset(options={"reset_mask": ended})`.

        Raises:
          ValueError: `horizon` is not positive, `tasks` have no common leading dimension, or an option is unknown.
        """
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode={render_mode!r} must be None or 'rgb_array'")
        refuse_after_fork()
        self.autoreset_mode = check_autoreset_mode(autoreset_mode)
        self.metadata = self.metadata | {"autoreset_mode": self.autoreset_mode}
        self.func_env = func_env
        self.horizon = check_count("horizon", horizon)
        self.num_envs = num_tasks(tasks)
        if self.num_envs == 0:
            raise ValueError("tasks is empty")
        self.render_mode = render_mode
        self.single_observation_space = func_env.observation_space
        self.single_action_space = func_env.action_space
        self.observation_space = batch_space(func_env.observation_space, self.num_envs)
        self.action_space = batch_space(func_env.action_space, self.num_envs)
        seed = check_seed(seed)
        self._first_seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
        self._keys: jax.Array | None = None
        self._progress: _Progress | None = None
        self._obs: Any = None
        self._tasks: Tasks = None
        self._ended = np.zeros(self.num_envs, bool)
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
          ValueError: their number is not `num_envs`, or they are not alike, or not like those before.
        """
        refuse_after_fork()
        if num_tasks(tasks) != self.num_envs:
            raise ValueError(f"got {num_tasks(tasks)} tasks for num_envs={self.num_envs}")
        tasks = _to_device(tasks)
        if self._tasks is not None:
            kinds = [jax.tree.map(lambda leaf: (leaf.dtype, leaf.shape), one) for one in (self._tasks, tasks)]
            if jax.tree.structure(self._tasks) != jax.tree.structure(tasks) or kinds[0] != kinds[1]:
                raise ValueError(f"the tasks must be like those before, {kinds[0]}, got {kinds[1]}")
        self._tasks = tasks

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode everywhere, or where the option `reset_mask` says.

        Args:
          seed: environment `i` is seeded with `seed + i`, or with its number in a list; None goes on with the keys at
            hand.
          options: None, or `reset_mask`: `[N]` bool, where to begin; the other environments are left where they are.

        Returns:
          Observations `[N, ...]`, the last ones where nothing begins, and an empty info.

        Raises:
          ValueError: the seed or an option is wrong.
          gymnasium.error.ResetNeeded: there is a mask, and no `reset` without one was before.
        """
        refuse_after_fork()
        mask, rest = split_reset_mask(options, self.num_envs)
        refuse_options(rest)
        if mask is not None and not mask.all():
            return self._reset_where(mask, seed)
        if seed is None and self._progress is not None:
            episode = self._progress.episode + 1
        else:
            seeds = spread_seed(self._first_seed if seed is None else seed, self.num_envs)
            self._keys = _env_keys(np.array(seeds, np.uint32))
            episode = jnp.zeros(self.num_envs, jnp.int32)
        self._progress, self._obs = _reset(self.func_env, self._tasks, self._keys, episode)
        self._render_states = {}
        self._ended[:] = False
        return jax.tree.map(np.array, self._obs), {}

    def _reset_where(self, mask: np.ndarray, seed: Any) -> tuple[Any, dict[str, Any]]:
        if self._progress is None:
            raise gymnasium.error.ResetNeeded("the first reset must be of all environments, without a reset_mask")
        if seed is None:
            episode = self._progress.episode + mask
        else:
            new_keys = _env_keys(np.array(spread_seed(seed, self.num_envs), np.uint32))
            self._keys = jax.vmap(_select)(jnp.asarray(mask), new_keys, self._keys)
            episode = jnp.where(mask, 0, self._progress.episode)
        found = np.flatnonzero(mask)
        indices = np.zeros(self.num_envs, np.int32)
        indices[: len(found)] = found
        self._progress, self._obs = _reset_some(
            self.func_env,
            self._tasks,
            self._keys,
            self._progress._replace(episode=episode),
            self._obs,
            indices,
            np.int32(len(found)),
        )
        for i in found.tolist():
            self._render_states.pop(i, None)
        self._ended &= ~mask
        return jax.tree.map(np.array, self._obs), {}

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere.

        Args:
          actions: `[N, ...]`, as `action_space` says.

        Returns:
          Observations `[N, ...]`, in mode SAME_STEP of the next episode where one ended; rewards, terminated, truncated
          `[N]`; infos.

        Raises:
          ValueError: the actions have another shape or dtype, or are NaN.
          gymnasium.error.ResetNeeded: there was no `reset`, or none where an episode ended in mode DISABLED.
        """
        refuse_after_fork()
        check_ready(self._progress is not None, self._ended)
        autoreset = self.autoreset_mode == AutoresetMode.SAME_STEP
        actions = check_action(self.action_space, actions, "actions").astype(self.action_space.dtype)
        self._progress, self._obs, *output = _step(
            self.func_env, self.horizon, autoreset, self._tasks, self._keys, self._progress, actions
        )
        obs, (step, truncated) = jax.tree.map(np.array, (self._obs, output))
        ended = step.terminated | truncated
        if autoreset:
            return obs, step.reward, step.terminated, truncated, same_step_infos(step.info, step.obs, ended)
        self._ended = ended.copy()
        return obs, step.reward, step.terminated, truncated, step_infos(step.info)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One image per environment, uint8 `[H, W, 3]`, from `FuncEnv.render_image`; None without a render mode."""
        if self.render_mode is None:
            return None
        refuse_after_fork()
        return tuple(self._render_one(i) for i in range(self.num_envs))

    def _render_one(self, i: int) -> np.ndarray:
        task, progress = jax.tree.map(lambda leaf: leaf[i], (self._tasks, self._progress))
        episode, render_state = self._render_states.get(i, (-1, None))
        if episode != progress.episode:
            episode, render_state = int(progress.episode), self.func_env.render_init(task)
        render_state, image = self.func_env.render_image(progress.state, render_state, task)
        self._render_states[i] = (episode, render_state)
        return image
