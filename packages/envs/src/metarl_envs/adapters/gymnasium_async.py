"""A user's environments side by side in processes of their own.

gymnasium's `AsyncVectorEnv`, with another worker: a process keeps the environments of some tasks, and each task stays
with the process that first played it. Where two tasks of one process are played side by side, it plays them in turn.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

import contextlib
import pickle
import signal
import traceback
from collections import Counter
from collections.abc import Hashable, Iterable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, cast

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.vector.async_vector_env import AsyncState
from gymnasium.vector.utils import write_to_shared_memory

from metarl_envs.adapters.guard import short
from metarl_envs.adapters.gymnasium_vector import TaskVectorEnv
from metarl_envs.adapters.task_names import TaskNames
from metarl_envs.adapters.workshop import EnvPool, Workshop
from metarl_envs.arguments import check_seed
from metarl_envs.tasks import Task, Tasks, num_tasks

_SHARED = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary, spaces.Text)


class _Spaces(gymnasium.Env[Any, Any]):
    """What gymnasium looks at in this process, in place of an environment."""

    def __init__(self, workshop: Workshop) -> None:
        self.observation_space, self.action_space = workshop.spaces


class _Entry(NamedTuple):
    """Travels to the workers; called by gymnasium in this process only."""

    workshop: Workshop

    def __call__(self) -> gymnasium.Env[Any, Any]:
        return _Spaces(self.workshop)


class _Place:
    """One environment's end of the pipe to its worker, which answers in the order in which it was asked."""

    def __init__(self, pipe: Connection, index: int, task: Task) -> None:
        self._pipe, self._index, self._task = pipe, index, task

    @property
    def closed(self) -> bool:
        return self._pipe.closed

    def send(self, message: tuple[str, Any]) -> None:
        try:
            self._pipe.send((self._index, *message))
        except (BrokenPipeError, ConnectionResetError):
            raise RuntimeError(self._ended()) from None

    def recv(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, ConnectionResetError):
            raise RuntimeError(self._ended()) from None

    def poll(self, timeout: float) -> bool:
        return self._pipe.poll(timeout)

    def _ended(self) -> str:
        return (
            f"the process that plays task {short(self._task)} has ended; its reason is above. Workers are spawned: the "
            "script needs its `if __name__ == '__main__'`"
        )


class TaskAsyncVectorEnv(TaskVectorEnv, AsyncVectorEnv[Any, Any]):
    """Plays `N` tasks in `N` spawned processes, which live until it is closed; see `from_gymnasium`."""

    def __init__(
        self, workshop: Workshop, tasks: Tasks, seed: int | None = None, autoreset_mode: AutoresetMode | None = None
    ) -> None:
        """Starts the processes; see `TaskSyncVectorEnv` for the arguments, and what raises."""
        self._workshop, self._task_names, self._first_seed = workshop, TaskNames(), check_seed(seed)
        self._homes: dict[Hashable, int] = {}
        self._connections: list[Connection] = []
        self._first_tasks = tasks
        try:
            super().__init__(
                [_Entry(workshop)] * num_tasks(tasks),
                shared_memory=_can_be_shared(workshop.spaces[0]),
                context="spawn",  # a forked child of a process that runs JAX, which has threads, can hang
                autoreset_mode=autoreset_mode or AutoresetMode.DISABLED,
                worker=cast(Any, run_worker),
            )
        except BaseException:
            self.close(terminate=True)
            raise

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks; `reset` of all environments must come before the next step.

        An environment that was made for a task plays it again, in the same process.

        Raises:
          ValueError: their number is not `num_envs`, or an environment is not what it should be.
        """
        self._assert_is_running()
        named = self._begin_tasks(tasks)
        workers = self._choose_workers([key for key, _ in named])
        places = [
            _Place(self._connections[worker], i, task)
            for i, (worker, (_, task)) in enumerate(zip(workers, named, strict=True))
        ]
        for place, message in zip(places, named, strict=True):
            place.send(("play", message))
        self._raise_if_errors([place.recv()[1] for place in places])
        self.parent_pipes = places  # type: ignore[assignment]

    def _choose_workers(self, keys: list[Hashable]) -> list[int]:
        """Each environment's process: the one that has it, otherwise one with the least to do."""
        if self._workshop.set_task is not None:
            return list(range(self.num_envs))
        load = Counter(self._homes[key] for key in keys if key in self._homes)
        kept = Counter(self._homes.values())
        for key in keys:
            if key not in self._homes:
                worker = min(range(self.num_envs), key=lambda w: (load[w], kept[w]))
                self._homes[key] = worker
                load[worker] += 1
                kept[worker] += 1
        return [self._homes[key] for key in keys]

    def reset_async(self, seed: Any = None, options: dict[str, Any] | None = None) -> None:
        """As gymnasium's; a wrong seed or mask raises ValueError, a mask before anything has begun `ResetNeeded`."""
        seeds, options = self._begin_reset(seed, options)
        self._noted = None if options is None else dict(options)  # gymnasium takes the mask out
        super().reset_async(seed=seeds, options=options)

    def reset_wait(self, timeout: float | None = None) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's."""
        result = super().reset_wait(timeout)
        self._note_reset(self._noted)
        return result

    def step_async(self, actions: Any) -> None:
        """As gymnasium's; wrong actions raise ValueError, an episode that has ended `ResetNeeded`."""
        super().step_async(self._check_step(actions))

    def step_wait(self, timeout: float | None = None) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """As gymnasium's."""
        result = super().step_wait(timeout)
        self._note_step(result[2], result[3])
        return result

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """Closes all environments that were ever made, and ends the processes."""
        for connection in self._connections or getattr(self, "parent_pipes", []):
            with contextlib.suppress(OSError, ValueError):
                connection.close()  # which tells the worker to end
        for process in getattr(self, "processes", []):
            process.join(0 if terminate else timeout or 30)
            if process.is_alive():
                process.terminate()
                process.join()

    def _check_spaces(self) -> None:
        """Called by gymnasium when the processes have started: makes the first environments, which are looked at."""
        self._connections = self.parent_pipes
        self.set_tasks(self._first_tasks)

    def _raise_if_errors(self, successes: Iterable[bool]) -> None:
        """Raises the error of the first environment that failed, as it was; the processes live on."""
        num_errors = sum(not success for success in successes)
        if not num_errors:
            return
        errors = sorted((self.error_queue.get() for _ in range(num_errors)), key=lambda error: error[0])
        self._state, self._begun = AsyncState.DEFAULT, False
        _, error, trace = errors[0]
        error.add_note(f"in a worker process:\n{trace}")
        raise error


def _can_be_shared(space: gymnasium.Space[Any]) -> bool:
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
        return all(_can_be_shared(part) for part in parts)
    return isinstance(space, _SHARED)


def run_worker(
    index: int,
    entry: Any,
    pipe: Connection,
    parent_pipe: Connection,
    shared_memory: Any,
    error_queue: Any,
    autoreset_mode: AutoresetMode,
    semaphore: Any,
) -> None:
    """Serves the environments of one process until the pipe is closed; the arguments are gymnasium's."""
    del index, semaphore
    parent_pipe.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; what it means the parent decides
    pool = EnvPool(entry.fn.workshop)
    player = _Player(pool, shared_memory, autoreset_mode == AutoresetMode.SAME_STEP)
    try:
        while True:
            try:
                place, command, data = pipe.recv()
            except (EOFError, ConnectionResetError):
                return
            try:
                pipe.send((player.answer(place, command, data), True))
            except Exception as error:  # of the environment, or of what it returned, which may not be sent
                error_queue.put((place, *_portable(error)))
                pipe.send((None, False))
    finally:
        pool.close()


def _portable(error: Exception) -> tuple[Exception, str]:
    """The error, or one that says the same where it cannot travel between processes, and its traceback."""
    trace = traceback.format_exc()
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        portable = RuntimeError(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", ()):
            portable.add_note(note)
        return portable, trace
    return error, trace


class _Player:
    """Does what the other process asks of the environments `i` that are played here."""

    def __init__(self, pool: EnvPool, shared_memory: Any, autoreset: bool) -> None:
        self._pool, self._shared_memory, self._autoreset = pool, shared_memory, autoreset
        self._envs: dict[int, Any] = {}
        self._obs: dict[int, Any] = {}

    def answer(self, i: int, command: str, data: Any) -> Any:
        if command == "play":
            self._envs[i] = self._pool.get(*data)
            return None
        env = self._envs[i]
        if command == "step":
            return self._step(i, data)
        if command == "reset":
            obs, info = env.reset(**data)
            return self._hand_over(i, obs), info
        if command == "reset-noop":
            return self._obs.get(i), {}
        name, *rest = data
        if command == "_setattr":
            return env.set_wrapper_attr(name, *rest)
        attribute = env.get_wrapper_attr(name)
        return attribute(*rest[0], **rest[1]) if callable(attribute) else attribute

    def _step(self, i: int, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = self._envs[i].step(action)
        if self._autoreset and (terminated or truncated):
            last_obs, last_info = obs, info
            obs, info = self._envs[i].reset()
            info = {"final_info": last_info, "final_obs": last_obs, **info}
        return self._hand_over(i, obs), reward, terminated, truncated, info

    def _hand_over(self, i: int, obs: Any) -> Any:
        if not self._shared_memory:
            self._obs[i] = obs
            return obs
        write_to_shared_memory(self._envs[i].observation_space, i, obs, self._shared_memory)
        return None
