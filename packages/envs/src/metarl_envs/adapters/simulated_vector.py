"""Simulations as a `gymnasium.vector.VectorEnv`.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from metarl_envs.adapters.infos import same_step_infos, step_infos
from metarl_envs.adapters.simulated import Simulated
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
from metarl_envs.tasks import Tasks, num_tasks


class SimulatedVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Plays `N` tasks, environment `i` task `i`.

    A subclass brings the simulations, and may draw. Infos are laid out as in gymnasium's `SyncVectorEnv`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (declared so by gymnasium)
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["rgb_array"],
    }

    def __init__(
        self,
        simulation: Simulated,
        spaces: tuple[gymnasium.Space[Any], gymnasium.Space[Any]],
        horizon: int,
        seed: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    ) -> None:
        """Makes the environments.

        Args:
          simulation: `N` simulations.
          spaces: observation and action space of one environment.
          horizon: steps after which an episode is truncated.
          seed: for the first `reset` if it brings none; None draws one from the operating system.
          autoreset_mode: SAME_STEP begins the next episode in the step that ends one; DISABLED leaves it to whoever
            steps, by `reset(options={"reset_mask": ended})`.

        Raises:
          ValueError: `horizon` is below 1, or an option is unknown.
        """
        self.autoreset_mode = check_autoreset_mode(autoreset_mode)
        self.metadata = self.metadata | {"autoreset_mode": self.autoreset_mode}
        self.horizon, self.num_envs = check_count("horizon", horizon), num_tasks(simulation.tasks)
        self.single_observation_space, self.single_action_space = spaces
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._simulation = simulation
        self._first_seed = check_seed(seed)
        self._rngs: list[np.random.Generator] = []
        self._steps = np.zeros(self.num_envs, np.int64)
        self._ended = np.zeros(self.num_envs, bool)
        self._obs: np.ndarray | None = None

    @property
    def tasks(self) -> Tasks:
        """The tasks being played, arrays `[N, ...]`."""
        return self._simulation.tasks

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on; an episode under way goes on where it is, in the new task.

        Raises:
          ValueError: their number is not `num_envs`.
        """
        self._simulation.set_tasks(tasks)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode everywhere, or where the option `reset_mask` says.

        Args:
          seed: environment `i` is seeded with `seed + i`, or with its number in a list; None goes on with the
            generators at hand.
          options: None, or `reset_mask`: `[N]` bool, where to begin; the other environments are left where they are.

        Returns:
          Observations `[N, ...]`, the last ones where nothing begins, and an empty info.

        Raises:
          ValueError: the seed or an option is wrong.
          gymnasium.error.ResetNeeded: there is a mask, and no `reset` without one was before.
        """
        mask, rest = split_reset_mask(options, self.num_envs)
        refuse_options(rest)
        if self._obs is None and mask is not None and not mask.all():
            raise gymnasium.error.ResetNeeded("the first reset must be of all environments, without a reset_mask")
        begun = np.arange(self.num_envs) if mask is None else np.flatnonzero(mask)
        self._seed(seed, begun)
        self._begin(begun)
        return np.array(self._obs), {}

    def _seed(self, seed: Any, begun: np.ndarray) -> None:
        if seed is None and self._rngs:
            return
        seed = self._first_seed if seed is None else seed
        seeds = [None] * self.num_envs if seed is None else spread_seed(seed, self.num_envs)
        rngs = [gymnasium.utils.seeding.np_random(s)[0] for s in seeds]
        self._rngs = [rngs[i] if i in begun else self._rngs[i] for i in range(self.num_envs)]

    def _begin(self, begun: np.ndarray) -> None:
        self._simulation.reset(begun, self._rngs)
        self._steps[begun] = 0
        self._ended[begun] = False
        first_obs = self._simulation.observe(begun)
        if len(begun) == self.num_envs or self._obs is None:
            self._obs = np.array(first_obs)
        else:
            self._obs = self._obs.copy()  # the observations of the step stay what they were
            self._obs[begun] = first_obs

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere.

        Args:
          actions: `[N, Da]` in [-1, 1], clipped.

        Returns:
          Observations `[N, ...]`, in mode SAME_STEP of the next episode where one ended; rewards, terminated, truncated
          `[N]`; infos.

        Raises:
          ValueError: the actions have another shape or dtype, or are NaN.
          gymnasium.error.ResetNeeded: there was no `reset`, or none where an episode ended in mode DISABLED.
        """
        check_ready(bool(self._rngs), self._ended)
        actions = check_action(self.action_space, actions, "actions")
        self._obs, reward, terminated, signals = self._simulation.step(actions)
        self._steps += 1
        truncated = self._steps >= self.horizon
        ended = terminated | truncated
        if self.autoreset_mode == AutoresetMode.DISABLED:
            self._ended = ended
            return np.array(self._obs), reward, terminated, truncated, step_infos(signals)
        infos = same_step_infos(signals, self._obs, ended)
        if ended.any():
            self._begin(np.flatnonzero(ended))
        return np.array(self._obs), reward, terminated, truncated, infos
