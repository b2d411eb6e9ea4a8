"""`N` simulations side by side, each in its own task: what the single and the vector environment share.

In the shape descriptions, `N` denotes the simulations, `M` some of them, `Da` the numbers in an action.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metarl_envs.adapters.simulated import StepResult
from metarl_envs.mujoco.batch_state import load_state, save_state
from metarl_envs.mujoco.library import import_mujoco
from metarl_envs.mujoco.rendering import BatchRenderer
from metarl_envs.mujoco.scenario import Fields, Scenario
from metarl_envs.mujoco.stacking import stack_tasks
from metarl_envs.tasks import Tasks, num_tasks


class Simulation:
    """Simulation `i` plays task `i`.

    The same to the bit for any number of threads, and for any other simulations beside it.
    """

    def __init__(
        self, scenario: Scenario, tasks: Tasks, num_threads: int = 1, eyes: BatchRenderer | None = None
    ) -> None:
        """Makes the simulations; `reset` must come first.

        Args:
          scenario: what is simulated.
          tasks: `N` tasks of the kind that the scenario wants.
          num_threads: that step them; more than one pays off only where cores are idle.
          eyes: what draws the observations; None observes what `Scenario.observe` says.

        Raises:
          ImportError: MuJoCo is not installed.
          ValueError: `num_threads` is below 1, or the tasks are none, or not what the scenario wants.
        """
        if num_threads < 1:
            raise ValueError(f"num_threads={num_threads} must be at least 1")
        mujoco = import_mujoco()
        self._scenario, self._num, self._eyes = scenario, num_tasks(tasks), eyes
        self._all = np.arange(self._num)
        if self._num == 0:
            raise ValueError("tasks is empty")
        self._example = scenario.draw_tasks(np.random.RandomState(0), 1)
        self._batch = mujoco.batch.Batch(scenario.model, self._num, min(num_threads, self._num))
        self._fields = {name: self._batch.bind(name) for name in scenario.fields}
        self._time, self._time_step = self._batch.bind("time"), scenario.model.opt.timestep
        self._none, self._stage = (getattr(mujoco.mjtStage, f"mjSTAGE_{stage}") for stage in ("NONE", scenario.stage))
        self._num_threads = num_threads
        self.set_tasks(tasks)

    def __getstate__(self) -> dict[str, Any]:
        """What `copy` and `pickle` take: how the simulations were made, and where they are."""
        made = {"scenario": self._scenario, "tasks": self._tasks, "num_threads": self._num_threads, "eyes": self._eyes}
        return {"made": made, "state": save_state(self._batch)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Makes the simulations anew, and puts them where they were."""
        self.__init__(**state["made"])
        load_state(self._batch, state["state"], self._stage)

    @property
    def scenario(self) -> Scenario:
        """What is simulated."""
        return self._scenario

    @property
    def batch(self) -> Any:
        """The `mujoco.batch.Batch` that holds the states."""
        return self._batch

    @property
    def fields(self) -> Fields:
        """See `Scenario.fields`."""
        return self._fields

    @property
    def tasks(self) -> Tasks:
        """The tasks being played, arrays `[N, ...]`."""
        return self._tasks

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on; the robots stay where they are, what stands around is moved.

        Raises:
          ValueError: their number is not `N`, or they are not what the scenario wants; the tasks stay as they were.
        """
        if num_tasks(tasks) != self._num:
            raise ValueError(f"got {num_tasks(tasks)} tasks for num_envs={self._num}")
        stacked = stack_tasks(tasks, self._example)
        self._scenario.change_model(self._batch, stacked)
        self._tasks = stacked
        self._scenario.arrange(self._fields, stacked)

    def reset(self, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Begins an episode in the simulations `indices: [M]`; `rngs` has a generator for each of all `N`."""
        scenario = self._scenario
        self._batch.reset(indices, scenario.keyframe, self._none)
        self._time[indices] = self._time_step  # not 0, to which MuJoCo sets it where a simulation diverges
        scenario.start(self._fields, indices, rngs)
        scenario.arrange(self._fields, self._tasks)
        if scenario.settle_steps:
            self._batch.step(indices, scenario.settle_steps, self._none)
        if self._stage != self._none:
            self._batch.forward(indices, self._stage)

    def observe(self, indices: np.ndarray) -> np.ndarray:
        """Observations `[M, ...]` of the simulations `indices: [M]`; no others are drawn."""
        if self._eyes is not None:
            return self._eyes.draw_batch(self._batch, indices)
        return self._scenario.observe(self._fields)[indices]

    def step(self, actions: np.ndarray) -> StepResult:
        """Simulates one step of the environment.

        Where a simulation diverged, MuJoCo has put its robot back to the start: that ends the episode, with reward 0.

        Args:
          actions: `[N, Da]`, clipped to [-1, 1].
        """
        scenario, fields, time = self._scenario, self._fields, self._time.copy()
        before = scenario.command(fields, np.minimum(np.maximum(np.asarray(actions, np.float64), -1), 1))
        self._batch.step(nstep=scenario.frame_skip, stage=self._stage)
        reward, signals = scenario.score(fields, self._tasks, before)
        diverged = (self._time < time + (scenario.frame_skip - 0.5) * self._time_step).reshape(-1)
        terminated = scenario.terminated(fields) | diverged
        return StepResult(self.observe(self._all), np.where(diverged, 0.0, reward), terminated, signals)

    def materialise(self, index: int) -> tuple[Any, Any]:
        """MuJoCo's model and data of one simulation, all quantities computed: to draw it, or for any `mj_` function."""
        model, data = self._batch.get_model(index), self._batch.get_data(index)
        import_mujoco().mj_forward(model, data)
        return model, data
