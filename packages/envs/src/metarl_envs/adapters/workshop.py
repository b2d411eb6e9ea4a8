"""Makes a user's environments, and keeps each by its task for as long as the vector environment lives."""

import dataclasses
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import gymnasium

from metarl_envs.adapters.guard import Guard, short
from metarl_envs.tasks import Task, copy_task

MakeEnv = Callable[[Any], gymnasium.Env[Any, Any]]
"""From a task to a new environment that plays it."""

SetTask = Callable[[Any, Any], None]
"""`(env, task)`: makes an environment play another task from its next reset on."""


@dataclasses.dataclass(frozen=True)
class Workshop:
    """How environments are made.

    make_env, set_task: see `from_gymnasium`.
    spaces: observation and action space that each must have.
    horizon: steps after which an episode is truncated.
    same_horizon: whether each must have this time limit of its own.
    """

    make_env: MakeEnv
    set_task: SetTask | None
    spaces: tuple[gymnasium.Space[Any], gymnasium.Space[Any]]
    horizon: int
    same_horizon: bool

    def make(self, task: Task) -> Guard:
        """A new environment for a task, with its time limit.

        Raises:
          ValueError: it is no environment, or not one like those of the other tasks.
        """
        env = make_checked(self.make_env, task)
        kinds = ("observation", "action")
        found = (env.observation_space, env.action_space)
        for kind, space, wanted in zip(kinds, found, self.spaces, strict=True):
            if space != wanted:
                env.close()
                raise ValueError(
                    f"the {kind} space of task {short(task)} is {space}, but that of the first is {wanted}"
                )
        limit = time_limit(env)
        if self.same_horizon and limit != self.horizon:
            env.close()
            raise ValueError(
                f"horizon=None: the environment of task {short(task)} has a time limit of {limit} steps, that of the "
                f"first task {self.horizon}; give the horizon"
            )
        return Guard(env, task, self.horizon)

    def change(self, env: Guard, task: Task) -> None:
        """Makes an environment play another task, by `set_task`."""
        assert self.set_task is not None
        env.played_task = task
        try:
            self.set_task(env.env, copy_task(task))
        except Exception as error:
            error.add_note(f"raised in `set_task` for task {short(task)}")
            raise


def make_checked(make_env: MakeEnv, task: Task) -> gymnasium.Env[Any, Any]:
    """What `make_env` makes of a copy of a task.

    Raises:
      ValueError: it is no `gymnasium.Env`, or has no spaces.
    """
    try:
        env = make_env(copy_task(task))
    except Exception as error:
        error.add_note(f"raised in `make_env` for task {short(task)}")
        raise
    if not isinstance(env, gymnasium.Env):
        raise ValueError(f"make_env must return a gymnasium.Env, got {type(env).__name__} for task {short(task)}")
    for kind in ("observation_space", "action_space"):
        if not isinstance(getattr(env, kind, None), gymnasium.Space):
            raise ValueError(f"make_env: the environment of task {short(task)} has no {kind}")
    return env


def time_limit(env: gymnasium.Env[Any, Any]) -> int | None:
    """The steps after which gymnasium ends an episode of this environment; None where nothing says so."""
    limit = env.spec.max_episode_steps if env.spec is not None else None
    if limit is None and env.has_wrapper_attr("_max_episode_steps"):
        # A TimeLimit around an environment without a spec keeps its limit to itself.
        limit = env.get_wrapper_attr("_max_episode_steps")
    return limit if limit is not None and limit > 0 else None


_LIVE: "weakref.WeakSet[EnvPool]" = weakref.WeakSet()


class EnvPool:
    """Environments by name, made when first asked for, closed together."""

    def __init__(self, workshop: Workshop) -> None:
        """Makes an empty pool."""
        self._workshop = workshop
        self._envs: dict[Hashable, Guard] = {}
        _LIVE.add(self)

    def get(self, key: Hashable, task: Task) -> Guard:
        """The environment of that name: kept, and playing the task it was made for, or made to play this one.

        Raises:
          ValueError: the environment made is another's, or not like the others.
        """
        if key not in self._envs:
            env = self._workshop.make(task)
            self._refuse_shared(env, task)
            self._envs[key] = env
        elif self._workshop.set_task is not None:
            self._workshop.change(self._envs[key], task)
        return self._envs[key]

    def close(self) -> None:
        """Closes all environments, each even if another cannot be closed."""
        _LIVE.discard(self)
        envs, self._envs = self._envs, {}
        errors = []
        for env in envs.values():
            try:
                env.close()
            except Exception as error:
                error.add_note(f"raised in `close` of the environment of task {short(env.played_task)}")
                errors.append(error)
        if errors:
            raise errors[0]

    def _refuse_shared(self, env: Guard, task: Task) -> None:
        mine = {id(one) for one in inner_envs(env)}
        for pool in list(_LIVE):
            for other in pool._envs.values():
                if any(id(one) in mine for one in inner_envs(other)):
                    where = "" if pool is self else ", in another vector environment that is not closed"
                    both = f"{short(other.played_task)} and {short(task)}"
                    raise ValueError(
                        f"make_env must make a new environment for each task: those of the tasks {both} are the same "
                        f"object{where}; `set_task` serves for environments that can change their task"
                    )


def inner_envs(env: Any) -> Iterator[Any]:
    """An environment and those that it holds, in wrappers or as attributes."""
    found, todo = set(), [env]
    while todo:
        one = todo.pop()
        if id(one) in found:
            continue
        found.add(id(one))
        yield one
        held = list(getattr(one, "__dict__", {}).values())
        held += [part for value in held if isinstance(value, (list, tuple)) and len(value) < 100 for part in value]
        todo += [value for value in held if isinstance(value, gymnasium.Env | gymnasium.vector.VectorEnv)]
