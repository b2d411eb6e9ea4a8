"""`N` robots simulated side by side, each in its own task: what the single and the vector environment share.

In the shape descriptions, `N` denotes the simulations, `Du` the model's controls.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metarl_envs.adapters.simulated import Outcome
from metarl_envs.locomotion.rules import Rules, Step
from metarl_envs.locomotion.tasks import MODEL_FIELDS, DynamicsTask
from metarl_envs.mujoco.library import import_mujoco
from metarl_envs.mujoco.stacking import stack_tasks
from metarl_envs.tasks import Tasks, num_tasks


class Simulation:
    """Simulation `i` plays task `i`.

    The same to the bit for any number of threads, and for any other simulations beside it.
    """

    def __init__(self, rules: Rules, tasks: Tasks, num_threads: int = 1) -> None:
        """Makes the simulations; `reset` must come first.

        Args:
          rules: what is simulated.
          tasks: `N` tasks of the kind that the rules want.
          num_threads: that step them; more than one pays off only where cores are idle.

        Raises:
          ValueError: `num_threads` is below 1, or the tasks are not what the rules want.
        """
        if num_threads < 1:
            raise ValueError(f"num_threads={num_threads} must be at least 1")
        mujoco = import_mujoco()
        self._rules = rules
        self._model = rules.robot.model
        self._batch = mujoco.batch.Batch(self._model, num_tasks(tasks), min(num_threads, num_tasks(tasks)))
        self._fields = {name: self._batch.bind(name) for name in ("qpos", "qvel", *rules.derived)}
        self._control, self._time = self._batch.bind("ctrl"), self._batch.bind("time")
        self._stage = mujoco.mjtStage.mjSTAGE_ACC if rules.derived else mujoco.mjtStage.mjSTAGE_NONE
        self._no_stage = mujoco.mjtStage.mjSTAGE_NONE
        low, high = self._model.actuator_ctrlrange.T
        self._centre, self._half = (high + low) / 2, (high - low) / 2
        self.set_tasks(tasks)

    @property
    def batch(self) -> Any:
        """MuJoCo's `Batch`, to draw the simulations from."""
        return self._batch

    @property
    def tasks(self) -> Tasks:
        """The tasks being played."""
        return self._tasks

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on; the robots stay where they are.

        Raises:
          ValueError: their number is not `N`, or they are not what the rules want; the tasks stay as they were.
        """
        self._tasks = self._check(tasks)
        if isinstance(self._tasks, DynamicsTask):
            for part, field in MODEL_FIELDS.items():
                self._batch.expand(field)[:] = getattr(self._model, field) * getattr(self._tasks, part)
            self._batch.set_const()  # what MuJoCo derives from masses follows them

    def _check(self, tasks: Tasks) -> Tasks:
        """The tasks as one of arrays `[N, ...]`; raises ValueError where they are not what the rules want."""
        if num_tasks(tasks) != self._batch.nsim:
            raise ValueError(f"got {num_tasks(tasks)} tasks for num_envs={self._batch.nsim}")
        wanted, example = self._rules.task_type, tasks[0] if isinstance(tasks, list) else tasks
        if not isinstance(example, wanted):
            raise ValueError(f"tasks must be of {wanted.__name__}, got {type(example).__name__}")
        tasks = stack_tasks(tasks)
        if isinstance(tasks, DynamicsTask):
            for part, field in MODEL_FIELDS.items():
                shape, found = (self._batch.nsim, *getattr(self._model, field).shape), getattr(tasks, part).shape
                if found != shape:
                    raise ValueError(f"the {part} of the tasks has shape {found}, must be {shape}")
        return tasks

    def read_dynamics(self) -> DynamicsTask:
        """The multipliers that the simulations run with, read back from MuJoCo; 1 where the model has 0."""

        def read(name: str) -> np.ndarray:
            nominal, values = getattr(self._model, name), self._batch.expanded(name)
            values = np.broadcast_to(nominal, (self._batch.nsim, *nominal.shape)) if values is None else values
            return np.divide(values, nominal, out=np.ones_like(values, dtype=float), where=nominal != 0)

        return DynamicsTask(**{part: read(field) for part, field in MODEL_FIELDS.items()})

    def reset(self, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Places the robots `indices: [M]` anew, with the noise of `rngs`, one for each of all `N`."""
        robot, model = self._rules.robot, self._model
        self._batch.reset(indices, stage=self._no_stage)
        for i in indices:
            noise = rngs[i].uniform(-robot.position_noise, robot.position_noise, model.nq)
            self._fields["qpos"][i] = model.qpos0 + noise
            if robot.normal_velocity:
                self._fields["qvel"][i] = robot.velocity_noise * rngs[i].standard_normal(model.nv)
            else:
                self._fields["qvel"][i] = rngs[i].uniform(-robot.velocity_noise, robot.velocity_noise, model.nv)
        self._time[indices] = model.opt.timestep  # not 0, to which MuJoCo sets it where a simulation diverges
        if self._rules.derived:
            self._batch.forward(indices)

    def observe(self, indices: np.ndarray) -> np.ndarray:
        """Observations `[M, Do]` float32 of the simulations `indices: [M]`."""
        return self._observe()[indices]

    def _observe(self) -> np.ndarray:
        return self._rules.observe(self._fields).astype(np.float32)

    def step(self, actions: np.ndarray) -> Outcome:
        """Simulates one step of the environment.

        Where a simulation diverged, MuJoCo has put its robot back to the start: that ends the episode, with reward 0.

        Args:
          actions: `[N, Du]`, clipped to [-1, 1].
        """
        rules, robot = self._rules, self._rules.robot
        seconds = robot.frame_skip * self._model.opt.timestep
        before, time = np.array(rules.place(self._fields)), self._time.copy()
        control = self._centre + self._half * (rules.action_scale * np.clip(np.asarray(actions, np.float64), -1, 1))
        self._control[:] = control
        self._batch.step(nstep=robot.frame_skip, stage=self._stage)
        step = Step(rules.place(self._fields) - before, seconds, control, self._fields)
        reward, signals = rules.reward(step, self._tasks)
        diverged = self._time < time + seconds - self._model.opt.timestep / 2
        reward = np.where(diverged.reshape(-1), 0.0, reward)
        terminated = rules.terminated(self._fields) | diverged.reshape(-1)
        return Outcome(self._observe(), reward, terminated, signals)

    def materialise(self, index: int) -> tuple[Any, Any]:
        """MuJoCo's model and data of one simulation, all quantities computed: to draw it, or for any `mj_` function."""
        model, data = self._batch.get_model(index), self._batch.get_data(index)
        import_mujoco().mj_forward(model, data)
        return model, data
