"""Simulations of manipulation side by side.

In the shape descriptions, `N` denotes the simulations, `Da` the numbers in an action.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metarl_envs.adapters.simulated import Outcome
from metarl_envs.manipulation.scene import Scene
from metarl_envs.mujoco.library import import_mujoco
from metarl_envs.mujoco.stacking import stack_tasks
from metarl_envs.tasks import Tasks, num_tasks

_BOUND = ("qpos", "qvel", "ctrl", "mocap_pos", "mocap_quat", "site_xpos", "site_xmat")


class ManipulationPhysics:
    """Simulation `i` plays task `i`; the same to the bit for any number of threads. Nothing terminates."""

    def __init__(self, scene: Scene, tasks: Tasks, num_threads: int = 1) -> None:
        """Makes the simulations; `reset` must come first.

        Args:
          scene: what is simulated.
          tasks: `N` tasks of the kind that the scene wants.
          num_threads: that step them.

        Raises:
          ImportError: MuJoCo is not installed.
          ValueError: `num_threads` is below 1, or the tasks are not what the scene wants.
        """
        if num_threads < 1:
            raise ValueError(f"num_threads={num_threads} must be at least 1")
        mujoco = import_mujoco()
        self._scene, self._num = scene, num_tasks(tasks)
        self._batch = mujoco.batch.Batch(scene.model, self._num, min(num_threads, self._num))
        self._fields = {name: self._batch.bind(name) for name in _BOUND}
        self._time = self._batch.bind("time")
        self._positions, self._none = mujoco.mjtStage.mjSTAGE_POS, mujoco.mjtStage.mjSTAGE_NONE
        self.set_tasks(tasks)

    @property
    def batch(self) -> Any:
        """MuJoCo's `Batch`, to draw the simulations from."""
        return self._batch

    @property
    def fields(self) -> dict[str, np.ndarray]:
        """MuJoCo's own arrays `[N, ...]` by name."""
        return self._fields

    @property
    def tasks(self) -> Tasks:
        """The tasks being played, arrays `[N, ...]`."""
        return self._tasks

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on; the robots stay where they are, what stands around is moved.

        Raises:
          ValueError: their number is not `N`, or they are not what the scene wants; the tasks stay as they were.
        """
        if num_tasks(tasks) != self._num:
            raise ValueError(f"got {num_tasks(tasks)} tasks for num_envs={self._num}")
        example = tasks[0] if isinstance(tasks, list) else tasks
        if not isinstance(example, self._scene.task_type):
            raise ValueError(f"tasks must be of {self._scene.task_type.__name__}, got {type(example).__name__}")
        self._tasks = stack_tasks(tasks)
        self._scene.change_model(self._batch, self._tasks)
        self._scene.arrange(self._fields, self._tasks)

    def reset(self, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Puts the robots `indices: [M]` back to their one start; nothing is random."""
        del rngs
        self._batch.reset(indices, np.zeros(len(indices), np.int32), self._none)
        self._time[indices] = self._scene.model.opt.timestep  # not 0, to which MuJoCo sets it where one diverges
        self._scene.arrange(self._fields, self._tasks)
        if self._scene.settle_steps:
            self._batch.step(indices, self._scene.settle_steps, self._none)
        self._batch.forward(indices, self._positions)

    def step(self, actions: np.ndarray) -> Outcome:
        """Simulates one step of the environment.

        Where a simulation diverged, MuJoCo has put its robot back: that ends the episode, with reward 0.

        Args:
          actions: `[N, Da]`, clipped to [-1, 1].
        """
        scene, time_step = self._scene, self._scene.model.opt.timestep
        before = self._time.copy()
        scene.command(self._fields, np.clip(np.asarray(actions, np.float64), -1, 1))
        self._batch.step(nstep=scene.frame_skip, stage=self._positions)
        reward, signals = scene.judge(self._fields, self._tasks)
        diverged = (self._time < before + (scene.frame_skip - 0.5) * time_step).reshape(-1)
        return Outcome(self._fields["qpos"], np.where(diverged, 0.0, reward), diverged, signals)
