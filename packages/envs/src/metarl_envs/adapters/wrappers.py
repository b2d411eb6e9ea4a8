"""Families seen through another one: filmed, or with tasks that change within an episode.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments. Both keep the contract
of `TaskFamily.make_vec`: whoever steps begins new episodes by `reset_mask`, environments side by side may be in
different episodes, and one vector environment plays other tasks after `set_tasks`.
"""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper

from metarl_envs.tasks import TaskFamily, Tasks, num_tasks, take_tasks


@runtime_checkable
class TakesTasks(Protocol):
    """A vector environment that can play other tasks."""

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays `N` other tasks from now on."""
        ...


class Shot(NamedTuple):
    """A picture of one environment.

    step: taken so far in the episode. episode_return: undiscounted, so far. image: what is kept of the picture.
    """

    step: int
    episode_return: float
    image: Any


class FilmedFamily:
    """A family whose vector environments leave their pictures here: `films[i][k]`, of episode `k` of environment `i`.

    An episode has a shot of its start, one after each of the steps asked for, and one of its end. A reset of all
    environments begins new films.

    Args:
      family: what is filmed; its environments must draw.
      steps: of an episode, after which there is a shot.
      num_episodes: of each environment; later ones are not filmed.
      keep: makes of a picture, uint8 `[H, W, 3]`, what is kept of it.
    """

    def __init__(
        self,
        family: TaskFamily,
        steps: Collection[int],
        num_episodes: int,
        keep: Callable[[np.ndarray], Any] = lambda picture: picture,
    ) -> None:
        """Films nothing yet."""
        self.horizon = family.horizon
        self.films: list[list[list[Shot]]] = []
        self.steps, self.num_episodes, self.keep = np.array(sorted(steps), int), num_episodes, keep
        self._family = family

    @property
    def functional(self) -> None:
        """None, so that trials are played step by step."""

    def ease(self, tasks: Tasks, difficulty: float) -> Tasks:
        """As the family's."""
        return self._family.ease(tasks, difficulty)

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> VectorEnv[Any, Any, np.ndarray]:
        """The family's own environment, filmed."""
        return _Camera(self._family.make_vec(tasks, seed), self)


class _Camera(VectorWrapper[Any, Any, Any, Any, np.ndarray]):
    """Films a vector environment, also one in mode SAME_STEP, which has no picture of an end: the last one stays."""

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], family: FilmedFamily) -> None:
        super().__init__(env)
        self._family = family
        self._steps, self._returns = np.zeros(self.num_envs, int), np.zeros(self.num_envs)

    def __getattr__(self, name: str) -> Any:
        if name != "set_tasks":  # which only some environments have
            raise AttributeError(f"{type(self).__name__} has no {name}")
        return getattr(self.env, name)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins episodes, and their films."""
        mask = _read_mask(options, self.num_envs)
        if mask is None:
            self._family.films = [[] for _ in range(self.num_envs)]
        result = self.env.reset(seed=seed, options=options)
        self._begin(np.ones(self.num_envs, bool) if mask is None else mask)
        return result

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere."""
        result = self.env.step(actions)
        _, reward, terminated, truncated, _ = result
        ended = np.asarray(terminated | truncated)
        self._steps += 1
        self._returns += reward
        due = ended | np.isin(self._steps, self._family.steps)
        if self.env.metadata.get("autoreset_mode") == AutoresetMode.SAME_STEP:
            self._shoot(due & ~ended)
            self._shoot(ended, again=True)
            self._begin(ended)
        else:
            self._shoot(due)
        return result

    def _begin(self, begun: np.ndarray) -> None:
        self._steps[begun], self._returns[begun] = 0, 0
        for i in np.flatnonzero(begun):
            self._family.films[i].append([])
        self._shoot(begun)

    def _shoot(self, where: np.ndarray, *, again: bool = False) -> None:
        films = self._family.films
        filmed = [i for i in np.flatnonzero(where).tolist() if len(films[i]) <= self._family.num_episodes]
        pictures = self.env.render() if filmed and not again else None
        for i in filmed:
            shots = films[i][-1]
            image = shots[-1].image if pictures is None else self._family.keep(np.asarray(pictures[i]))
            shots.append(Shot(int(self._steps[i]), float(self._returns[i]), image))


class ChangingFamily:
    """A family whose environment `i` plays tasks `i`, `i + 1`, ... of those at hand, in equal parts of an episode.

    Args:
      family: whose vector environments can play another task in the middle of an episode: all but those of gymnasium.
      num_changes: of the task in an episode.
    """

    def __init__(self, family: TaskFamily, num_changes: int) -> None:
        """Makes nothing yet."""
        self.horizon = family.horizon
        self.num_changes = num_changes
        self._family = family

    @property
    def functional(self) -> None:
        """None, so that trials are played step by step."""

    def ease(self, tasks: Tasks, difficulty: float) -> Tasks:
        """As the family's."""
        return self._family.ease(tasks, difficulty)

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> VectorEnv[Any, Any, np.ndarray]:
        """The family's own environment, with tasks that change.

        Raises:
          ValueError: its tasks cannot change within an episode.
        """
        env = self._family.make_vec(tasks, seed)
        mode = env.metadata.get("autoreset_mode")
        remade = isinstance(env.unwrapped, SyncVectorEnv | AsyncVectorEnv)
        if remade or not isinstance(env, TakesTasks) or mode != AutoresetMode.DISABLED:
            env.close()
            raise ValueError(
                "num_changes must be 0 for environments whose task cannot change within an episode, "
                f"got {self.num_changes}"
            )
        return _Changing(env, env, tasks, self)

    def part(self, step: np.ndarray) -> np.ndarray:
        """Which part of its episode each of some steps belongs to, from 0."""
        return np.minimum(step * (self.num_changes + 1) // self.horizon, self.num_changes)


class _Changing(VectorWrapper[Any, Any, Any, Any, np.ndarray]):
    def __init__(
        self, env: VectorEnv[Any, Any, np.ndarray], player: TakesTasks, tasks: Tasks, family: ChangingFamily
    ) -> None:
        super().__init__(env)
        self._player, self._family = player, family
        self._adopt(tasks)

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks; a reset of all environments must follow."""
        if num_tasks(tasks) != self.num_envs:
            raise ValueError(f"got {num_tasks(tasks)} tasks for num_envs={self.num_envs}")
        self._adopt(tasks)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        mask = _read_mask(options, self.num_envs)
        self._steps[np.ones(self.num_envs, bool) if mask is None else mask] = 0
        self._change()
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self._change()
        result = self.env.step(actions)
        self._steps += 1
        return result

    def _adopt(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._steps = np.zeros(self.num_envs, int)
        self._order = np.full(self.num_envs, -1)

    def _change(self) -> None:
        order = (np.arange(self.num_envs) + self._family.part(self._steps)) % self.num_envs
        if not np.array_equal(order, self._order):
            self._order = order
            self._player.set_tasks(take_tasks(self._tasks, order))


def _read_mask(options: dict[str, Any] | None, num_envs: int) -> np.ndarray | None:
    """Where episodes begin; a copy, because gymnasium takes the option out. None for everywhere."""
    mask = None if options is None else options.get("reset_mask")
    return None if mask is None else np.array(mask, bool).reshape(num_envs)
