"""Any gymnasium environment as a family of tasks."""

import functools
from collections.abc import Sequence
from typing import Any, Literal, get_args

import jax
import numpy as np
from gymnasium.vector import AutoresetMode

from metarl_envs.adapters.gymnasium_async import TaskAsyncVectorEnv
from metarl_envs.adapters.gymnasium_vector import TaskSyncVectorEnv, list_tasks
from metarl_envs.adapters.workshop import MakeEnv, SetTask, Workshop, make_checked, time_limit
from metarl_envs.arguments import check_autoreset_mode, check_count
from metarl_envs.forks import refuse_after_fork
from metarl_envs.tasks import TaskFamily, Tasks, copy_tasks, host_tasks, num_tasks, take_tasks
from metarl_envs.traits import probed_signals

Vectorization = Literal["sync", "async"]


class GymnasiumFamily(TaskFamily):
    """Tasks of environments that gymnasium steps one by one or in processes; made by `from_gymnasium`."""

    def __init__(
        self,
        make_env: MakeEnv,
        tasks: Tasks,
        horizon: int | None = None,
        vectorization: Vectorization = "sync",
        set_task: SetTask | None = None,
        signals: Sequence[str] | None = None,
        terminates: bool = True,
    ) -> None:
        """See `from_gymnasium`."""
        if not callable(make_env):
            raise ValueError(f"make_env={make_env!r} must be a function from a task to an environment")
        if set_task is not None and not callable(set_task):
            raise ValueError(f"set_task={set_task!r} must be None or a function of an environment and a task")
        if vectorization not in get_args(Vectorization):
            raise ValueError(f"vectorization={vectorization!r} must be 'sync' or 'async'")
        if not isinstance(terminates, bool):
            raise ValueError(f"terminates={terminates!r} must be True or False")
        if num_tasks(tasks) == 0:
            raise ValueError("tasks is empty")
        limit = None if horizon is None else check_count("horizon", horizon)
        self._tasks = copy_tasks(host_tasks(tasks))
        first = make_checked(make_env, list_tasks(take_tasks(self._tasks, [0]))[0])
        self.observation_space, self.action_space = first.observation_space, first.action_space
        found = time_limit(first) if limit is None else limit
        first.close()
        if found is None:
            raise ValueError("horizon=None, and neither spec nor TimeLimit of the environment says how long it is")
        self.horizon = found
        spaces = (self.observation_space, self.action_space)
        self._workshop = Workshop(make_env, set_task, spaces, self.horizon, same_horizon=limit is None)
        self._vectorization = vectorization
        self.terminates = terminates
        if signals is not None:
            self.signals = _check_names(signals)

    @functools.cached_property
    def signals(self) -> tuple[str, ...]:
        """Sorted names of the numbers that a step reports: as stated, or as found by one step in this process."""
        tasks = take_tasks(self._tasks, [0])
        return probed_signals(TaskSyncVectorEnv(self._workshop, tasks, seed=0))

    @property
    def workshop(self) -> Workshop:
        """How an environment is made."""
        return self._workshop

    @property
    def tasks(self) -> Tasks:
        """What `sample_tasks` draws from."""
        return self._tasks

    def sample_tasks(self, key: jax.Array, n: int) -> Tasks:
        """Draws `n` of the given tasks, uniformly and with replacement; the key is consumed."""
        refuse_after_fork()
        indices = jax.random.randint(key, (check_count("n", n),), 0, num_tasks(self._tasks))
        return take_tasks(self._tasks, np.asarray(indices))

    def make_vec(
        self, tasks: Tasks, seed: int | None = None, *, autoreset_mode: AutoresetMode | str = AutoresetMode.DISABLED
    ) -> TaskSyncVectorEnv | TaskAsyncVectorEnv:
        """See `TaskFamily.make_vec`; the seed is that of the first `reset`. `autoreset_mode` may be SAME_STEP, too."""
        if num_tasks(tasks) == 0:
            raise ValueError("tasks is empty")
        mode = check_autoreset_mode(autoreset_mode)
        make = TaskSyncVectorEnv if self._vectorization == "sync" else TaskAsyncVectorEnv
        return make(self._workshop, tasks, seed, mode)


def from_gymnasium(
    make_env: MakeEnv,
    tasks: Tasks,
    *,
    horizon: int | None = None,
    vectorization: Vectorization = "sync",
    set_task: SetTask | None = None,
    signals: Sequence[str] | None = None,
    terminates: bool = True,
) -> GymnasiumFamily:
    """Makes a task family of any gymnasium environment.

    A vector environment of the family makes an environment when a task is first played, keeps it, and plays it again
    whenever `set_tasks` brings back an equal task; a task that stands twice side by side has two. All live until the
    vector environment is closed. So there are as many environments as there are tasks. Where that is too many, because
    each takes a licence, a port or a robot, `set_task` says how one environment changes its task, and there are only as
    many as are played side by side.

    Args:
      make_env: takes one task and makes a new environment that plays it; one for the first task is made at once, to
        look at, and closed. Spaces must be the same for all tasks.
      tasks: what `sample_tasks` draws from, uniformly and with replacement: a list of anything, a `range`, or a pytree
        of arrays `[N, ...]` of which `make_env` is given one row. `make_vec` takes these or others of the same kind.
        The family keeps copies, and `make_env` and `set_task` get copies, where a task can be copied.
      horizon: steps after which an episode is truncated; None takes the time limit of the environments, which must then
        be the same for all tasks.
      vectorization: "sync" steps the environments in this process, "async" each in its own, which pays off where a step
        takes a millisecond or more. Processes are spawned once, and live as long as the vector environment: the script
        needs its `if __name__ == "__main__"`.
      set_task: called as `set_task(env, task)` with what `make_env` returned, and another task to play from the next
        `reset` on. Without it a method `set_task` of the environment is never called.
      signals: names of the numbers that every step reports in its info; None finds them, when they are first asked for,
        by one step in a further environment of the first task.
      terminates: whether an episode can end before the horizon.

    Raises:
      ValueError: an argument is not what is said here, or an environment is none, or has no spaces; of `make_vec` and
        `set_tasks`, when an environment is made: its spaces or its time limit differ from those of the first task, or
        it is another task's environment.
    """
    return GymnasiumFamily(make_env, tasks, horizon, vectorization, set_task, signals, terminates)


def _check_names(signals: Any) -> tuple[str, ...]:
    if isinstance(signals, str) or not all(isinstance(name, str) for name in signals):
        raise ValueError(f"signals={signals!r} must be names, such as ['success']")
    return tuple(sorted(signals))
