"""Looks at a user's environments one by one, as they are, with what their vector environments would mend or hide."""

import contextlib
import copy
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium import spaces

from metarl_envs.adapters.guard import as_number, short
from metarl_envs.adapters.workshop import Workshop, inner_envs, make_checked, time_limit
from metarl_envs.checks import bounds_problem
from metarl_envs.tasks import Task
from metarl_envs.traits import can_be_signal

_KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float"}


class Report:
    """What is wrong, each kind of fault once: where it was first met, and how often after."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self._first: dict[str, str] = {}  # line by kind
        self._counts: Counter[str] = Counter()

    @property
    def lines(self) -> list[str]:
        """A line for each kind of fault."""
        more = {kind: count - 1 for kind, count in self._counts.items()}
        return [line + (f" (and {more[kind]} times more)" if more[kind] else "") for kind, line in self._first.items()]

    def add(self, fault: str, where: str = "", kind: str | None = None) -> None:
        """Adds a fault.

        Args:
          fault: what is wrong.
          where: the task and the step.
          kind: of the fault; None takes its text without the numbers in it.
        """
        kind = _NUMBER.sub("#", fault) if kind is None else kind
        self._first.setdefault(kind, f"{where}: {fault}" if where else fault)
        self._counts[kind] += 1

    @contextlib.contextmanager
    def catching(self, doing: str, where: str = "") -> Iterator[None]:
        """An error while `doing` something becomes a line."""
        try:
            yield
        except Exception as error:
            notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()) if "\n" not in note)
            said = f"{doing} raised {type(error).__name__}: {error}"
            self.add(said + notes, where, kind=_NUMBER.sub("#", said))


_NUMBER = re.compile(r"(?<![\w'])-?(\d[\d.]*(e[+-]?\d+)?|inf|nan)(?![\w'])")


def check_numbers(report: Report, what: str, value: Any, where: str) -> bool:
    """Reports numbers that are not finite, also as the 32-bit ones that they become; returns whether all are."""
    for path, leaf in jax.tree_util.tree_flatten_with_path(value)[0]:
        array = np.atleast_1d(leaf)
        if array.dtype.kind not in "fc":
            continue
        with np.errstate(over="ignore"):
            finite = np.isfinite(array.astype(np.float32) if array.dtype.kind == "f" else array)
        if not finite.all():
            index = np.argwhere(~finite)[0].tolist()
            found = array[tuple(index)]
            too_large = ", more than 32 bits hold" if np.isfinite(found) else ""
            report.add(f"{what}{jax.tree_util.keystr(path)} is {found} at index {index}{too_large}", where)
            return False
    return True


def check_observation(report: Report, space: gymnasium.Space[Any], obs: Any, where: str) -> None:
    """Reports where an observation is not of its space."""
    if isinstance(space, spaces.Dict) and isinstance(obs, dict) and obs.keys() == space.spaces.keys():
        for name, part in space.spaces.items():
            check_observation(report, part, obs[name], f"{where}, part {name!r}")
        return
    is_list = isinstance(space, spaces.Box) and not isinstance(obs, np.ndarray)  # of which gymnasium would warn
    if not check_numbers(report, "the observation", obs, where) or (not is_list and space.contains(obs)):
        return
    if not isinstance(space, spaces.Box):
        report.add(f"the observation {short(obs)} is not in its space {space}", where)
    elif is_list:
        report.add(f"the observation is a {type(obs).__name__}, must be a NumPy array of {space.dtype}", where)
    elif obs.shape != space.shape:
        report.add(f"the observation has shape {obs.shape}, its space {space.shape}", where)
    elif obs.dtype != space.dtype:
        if not np.can_cast(obs.dtype, space.dtype):
            report.add(f"the observation has dtype {obs.dtype}, its space {space.dtype}", where)
        if not (np.all(obs >= space.low) and np.all(obs <= space.high)):
            _report_outside(report, space, obs, where)
    else:
        _report_outside(report, space, obs, where)


def _report_outside(report: Report, space: spaces.Box, obs: np.ndarray, where: str) -> None:
    index = tuple(np.argwhere((obs < space.low) | (obs > space.high))[0].tolist())
    bounds = f"[{space.low[index]}, {space.high[index]}]"
    report.add(
        f"the observation is {obs[index]} at index {list(index)}, outside the bounds {bounds} of its space", where
    )


class EnvChecker:
    """Plays an episode in each environment of a `GymnasiumFamily`, made anew, without what makes them safe."""

    def __init__(self, workshop: Workshop, report: Report, max_steps: int) -> None:
        """Args: how environments are made, where faults go, and the most steps of an episode that are played."""
        self._workshop, self._report, self._max_steps = workshop, report, max_steps
        self._kinds: dict[str, dict[str, str]] = {}  # by signal: the kinds of values, and where each was first seen
        self._counts: dict[str, int] = {}
        self._num_steps = 0

    def check(self, tasks: list[Task]) -> None:
        """Reports what is wrong with the environments of the tasks."""
        envs: list[tuple[Task, gymnasium.Env[Any, Any]]] = []
        for task in tasks:
            with self._report.catching("make_env", f"task {short(task)}"):
                envs.append((task, make_checked(self._workshop.make_env, task)))
        self._check_one_each(envs)
        self._check_alike(envs)
        for task, env in envs:
            with self._report.catching("playing an episode", f"task {short(task)}"):
                self._check_episode(task, env)
        for name, kinds in self._kinds.items():
            if len(kinds) > 1:
                found = ", ".join(f"{kind} {where}" for kind, where in kinds.items())
                self._report.add(f"signal {name!r} changes its type: {found}")
            if 0 < self._counts.get(name, 0) < self._num_steps:
                seen = f"{self._counts[name]} of {self._num_steps} steps"
                self._report.add(f"signal {name!r} comes and goes: it is in the info of {seen}")
        for task, env in envs:
            with self._report.catching("close", f"task {short(task)}"):
                env.close()

    def _check_one_each(self, envs: list[tuple[Task, gymnasium.Env[Any, Any]]]) -> None:
        owners: dict[int, Task] = {}
        for task, env in envs:
            for inner in inner_envs(env):
                if id(inner) in owners:
                    both = f"{short(owners[id(inner)])} and {short(task)}"
                    self._report.add(
                        f"make_env returns one environment for the tasks {both}; it must make a new one",
                        kind="one environment",
                    )
                    break
            owners |= {id(inner): task for inner in inner_envs(env)}

    def _check_alike(self, envs: list[tuple[Task, gymnasium.Env[Any, Any]]]) -> None:
        limits = {}
        for task, env in envs:
            spaces_of_env = (env.observation_space, env.action_space)
            for kind, space, wanted in zip(
                ("observation", "action"), spaces_of_env, self._workshop.spaces, strict=True
            ):
                if space != wanted:
                    self._report.add(
                        f"the {kind} space of task {short(task)} is {space}, but that of the first is {wanted}",
                        kind=f"{kind} space",
                    )
            limits.setdefault(time_limit(env), task)
        if self._workshop.same_horizon and len(limits) > 1:
            found = ", ".join(f"{limit} steps in task {short(task)}" for limit, task in limits.items())
            self._report.add(f"horizons differ, and horizon=None: {found}; give the horizon")

    def _check_episode(self, task: Task, env: gymnasium.Env[Any, Any]) -> None:
        where = f"task {short(task)}"
        first = self._play(env, where, self._max_steps, looking=True)
        again = self._play(env, where, len(first) - 1, looking=False)
        if not _equal(first[0][0], again[0][0]):
            self._report.add("two resets with the same seed begin with different observations", where)
        elif not all(_equal(one, other) for one, other in zip(first, again, strict=False)) or len(first) != len(again):
            self._report.add("the same actions after two resets with the same seed lead to different steps", where)

    def _play(self, env: gymnasium.Env[Any, Any], where: str, max_steps: int, *, looking: bool) -> list[Any]:
        """All steps of an episode with the same random actions at every call, as copies; with `looking`, reports."""
        action_space = copy.deepcopy(env.action_space)  # whose random numbers stay the user's
        action_space.seed(0)
        obs, info = unpack(env.reset(seed=0), "reset", "(observation, info)")
        held = (obs, _copy(obs))
        played: list[Any] = [(_copy(obs),)]
        if looking:
            check_observation(self._report, env.observation_space, obs, f"{where}, reset")
            if not isinstance(info, dict):
                self._report.add(f"the info must be a dict, got {type(info).__name__}", f"{where}, reset")
        for t in range(1, max_steps + 1):
            what = "(observation, reward, terminated, truncated, info)"
            obs, reward, terminated, truncated, info = unpack(env.step(sample_action(action_space)), "step", what)
            ended = bool(terminated) or bool(truncated)
            if looking:
                if not _equal(*held):
                    self._report.add("the array of an observation is used again, and changed, by later steps", where)
                self._look(env, obs, reward, info, f"{where}, step {t}")
            held = (obs, _copy(obs))
            played.append((_copy(obs), _copy(reward), ended))
            if ended:
                break
        env.reset(seed=1)  # an episode may begin at any time
        if looking and not _equal(*held):
            self._report.add("the array of an observation is used again, and changed, by `reset`", where)
        return played

    def _look(self, env: gymnasium.Env[Any, Any], obs: Any, reward: Any, info: Any, where: str) -> None:
        check_observation(self._report, env.observation_space, obs, where)
        number = as_number(reward)
        if number is None:
            self._report.add(f"the reward must be a number, got {reward!r}", where)
        else:
            check_numbers(self._report, "the reward", number, where)
        self._num_steps += 1
        if not isinstance(info, dict):
            self._report.add(f"the info must be a dict, got {type(info).__name__}", where)
            return
        for name, value in info.items():
            if not can_be_signal(name):
                continue
            number = as_number(value)
            kind = type(value).__name__ if number is None else _KINDS.get(np.asarray(value).dtype.kind, "float")
            if number is not None:
                self._counts[name] = self._counts.get(name, 0) + 1
                check_numbers(self._report, f"the signal {name!r}", number, where)
            if number is not None or name in self._counts:
                self._kinds.setdefault(name, {}).setdefault(kind, f"({where})")


def unpack(returned: Any, method: str, what: str) -> Any:
    """What `reset` or `step` returned, if it is a tuple of as many as `what` lists."""
    length = what.count(",") + 1
    if not isinstance(returned, tuple) or len(returned) != length:
        found = f"{len(returned)} values" if isinstance(returned, tuple) else f"a {type(returned).__name__}"
        old = ": `done` has become `terminated` and `truncated`" if method == "step" and found == "4 values" else ""
        raise ValueError(f"{method} must return {length} values, {what}, got {found}{old}")
    return returned


def sample_action(space: gymnasium.Space[Any]) -> Any:
    """A random action, or 0 where the bounds are beyond floats."""
    if isinstance(space, spaces.Box) and bounds_problem(space) is not None:
        return np.zeros(space.shape, space.dtype)
    return space.sample()


def _copy(value: Any) -> Any:
    return jax.tree.map(lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray | jax.Array) else leaf, value)


def _equal(one: Any, other: Any) -> bool:
    leaves, others = jax.tree.leaves(one), jax.tree.leaves(other)
    return len(leaves) == len(others) and all(
        np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind in "fc") for a, b in zip(leaves, others, strict=True)
    )
