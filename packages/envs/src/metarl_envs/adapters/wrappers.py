"""Families seen through another one: filmed, or with tasks that change within an episode."""

from collections.abc import Collection
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from metarl_envs.tasks import TaskFamily, Tasks, take_tasks


class Shot(NamedTuple):
    """What a camera saw at one moment of an episode in `N` tasks.

    images: `N` of the same size. steps: `[N]` int, taken so far. returns: `[N]`, undiscounted, so far.
    """

    images: tuple[Image.Image, ...]
    steps: np.ndarray
    returns: np.ndarray


class FilmedFamily:
    """A family whose vector environments leave their pictures here, an entry of `episodes` for each `reset`."""

    def __init__(self, family: TaskFamily, steps: Collection[int]) -> None:
        """Films `family` after these steps of an episode."""
        self.horizon = family.horizon
        self.steps = steps
        self.episodes: list[list[Shot]] = []
        self._family = family

    @property
    def functional(self) -> None:
        """None, so that trials are played step by step."""

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> VectorEnv[Any, Any, np.ndarray]:
        """The family's own environment, filmed."""
        return Camera(self._family.make_vec(tasks, seed), self)


class Camera(VectorWrapper[Any, Any, Any, Any, np.ndarray]):
    """Films a vector environment until each of its episodes has ended."""

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], family: FilmedFamily) -> None:
        """Films `env` into `family.episodes`."""
        super().__init__(env)
        self._family = family
        self._step = 0
        self._active, self._steps, self._returns = self._begin()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode everywhere, and its film."""
        result = self.env.reset(seed=seed, options=options)
        self._step = 0
        self._active, self._steps, self._returns = self._begin()
        self._family.episodes.append([])
        self._shoot()
        return result

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere; what follows the end of an episode counts no more."""
        result = self.env.step(actions)
        _, reward, terminated, truncated, _ = result
        self._step += 1
        self._steps += self._active
        self._returns += np.where(self._active, reward, 0)
        self._active &= ~(terminated | truncated)
        if self._step in self._family.steps:
            self._shoot()
        return result

    def _begin(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = self.num_envs
        return np.ones(n, bool), np.zeros(n, int), np.zeros(n)

    def _shoot(self) -> None:
        shots = self._family.episodes[-1]
        images = shots[-1].images if shots else ()
        if self._active.any():
            frames = self.env.render() or ()
            # After its end an environment shows the start of the next episode.
            images = tuple(
                _to_tile(np.asarray(frame)) if active else images[i]
                for i, (frame, active) in enumerate(zip(frames, self._active, strict=True))
            )
        shots.append(Shot(images, self._steps.copy(), self._returns.copy()))


@runtime_checkable
class TakesTasks(Protocol):
    """An environment whose tasks can be replaced, as all of metarl_envs can."""

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on."""
        ...


class ChangingFamily:
    """A family whose environment `i` plays tasks `i`, `i + 1`, ... of those at hand, in equal parts of an episode."""

    def __init__(self, family: TaskFamily, num_changes: int) -> None:
        """Changes the tasks of `family` so many times in an episode."""
        self.horizon = family.horizon
        self.num_changes = num_changes
        self._family = family

    @property
    def functional(self) -> None:
        """None, so that trials are played step by step."""

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> VectorEnv[Any, Any, np.ndarray]:
        """The family's own environment, with tasks that change."""
        env = self._family.make_vec(tasks, seed)
        if not isinstance(env, TakesTasks):
            raise ValueError(
                f"num_changes must be 0 for environments whose tasks cannot change, got {self.num_changes}"
            )
        return _Changing(env, env, tasks, self)

    def part(self, step: int) -> int:
        """Which part of the episode a step belongs to, from 0."""
        return min(step * (self.num_changes + 1) // self.horizon, self.num_changes)


class _Changing(VectorWrapper[Any, Any, Any, Any, np.ndarray]):
    def __init__(
        self, env: VectorEnv[Any, Any, np.ndarray], player: TakesTasks, tasks: Tasks, family: ChangingFamily
    ) -> None:
        super().__init__(env)
        self._player, self._tasks, self._family = player, tasks, family
        self._step = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._begin()
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        if self._family.part(self._step) != self._family.part(self._step - 1):
            self._play_part(self._family.part(self._step))
        result = self.env.step(actions)
        self._step += 1
        if self._step == self._family.horizon:
            self._begin()
        return result

    def _begin(self) -> None:
        self._step = 0
        self._play_part(0)

    def _play_part(self, part: int) -> None:
        order = (np.arange(self.num_envs) + part) % self.num_envs
        self._player.set_tasks(take_tasks(self._tasks, order))
