"""Tries a family of tasks as training would, and names all that is wrong."""

from typing import Any

import jax
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from metarl_envs.adapters.gymnasium_family import GymnasiumFamily
from metarl_envs.adapters.gymnasium_vector import list_tasks
from metarl_envs.arguments import check_count
from metarl_envs.check_env import EnvChecker, Report, check_numbers, check_observation, sample_action
from metarl_envs.checks import bounds_problem
from metarl_envs.tasks import Benchmark, TaskFamily, Tasks, host_tasks, is_family, num_tasks, take_tasks
from metarl_envs.traits import step_signals

_NUM_TASKS = 8


def check_family(family: TaskFamily, tasks: Tasks | None = None, *, max_steps: int = 1000) -> None:
    """Tries a family as training would: before hours are spent on it.

    Makes environments, resets them with seeds, steps them with random actions to the end of an episode, sets other
    tasks, closes them. Looks for: actions whose bounds no float can hold; observations outside their space, of another
    shape or dtype; an observation array that is used again; numbers that are not finite; signals that change their type
    or come and go; one environment for two tasks; spaces or time limits that differ between tasks; episodes that end
    neither by themselves nor at the horizon; seeds that do not fix what follows; environments that do not follow
    `set_tasks`. Environments of `from_gymnasium` copy what they hand out and turn signals into floats, so that some of
    these do no harm there; they are named all the same.

    Args:
      family: of any kind.
      tasks: to try, at least one; None takes the first 8 that the family was given, or samples 2.
      max_steps: of an episode that are played.

    Raises:
      ValueError: something is wrong; a line for each kind of fault, with the first task, and how often it came again.
    """
    if not is_family(family):
        hint = "; its `family` is one" if isinstance(family, Benchmark) else "; `benchmark(name).family` is one"
        kind = type(family).__name__ if isinstance(family, Benchmark) else repr(family)
        raise ValueError(
            f"family must be a TaskFamily, got {kind}{hint if isinstance(family, (Benchmark, str)) else ''}"
        )
    max_steps = check_count("max_steps", max_steps)
    report = Report()
    tasks = _choose_tasks(family, tasks)
    problem = bounds_problem(family.action_space) if isinstance(family.action_space, spaces.Box) else None
    if problem is not None:
        report.add(f"the action space {problem}, got {family.action_space}")
    if isinstance(family, GymnasiumFamily):
        EnvChecker(family.workshop, report, min(max_steps, family.horizon)).check(list_tasks(tasks))
    if not report.lines:
        with report.catching("playing the tasks side by side"):
            _check_vector(family, tasks, report, max_steps)
    if report.lines:
        count = len(report.lines)
        lines = "".join(f"\n- {line}" for line in report.lines)
        raise ValueError(f"check_family: {count} fault{'s' if count > 1 else ''}:{lines}")


def _choose_tasks(family: TaskFamily, tasks: Tasks | None) -> Tasks:
    if tasks is None and isinstance(family, GymnasiumFamily):
        tasks = take_tasks(family.tasks, np.arange(min(_NUM_TASKS, num_tasks(family.tasks))))
    elif tasks is None:
        tasks = family.sample_tasks(jax.random.key(0), 2)
    if num_tasks(tasks) == 0:
        raise ValueError("tasks is empty")
    if num_tasks(tasks) == 1:
        tasks = take_tasks(tasks, [0, 0])  # side by side, as in training
    return host_tasks(tasks)


def _check_vector(family: TaskFamily, tasks: Tasks, report: Report, max_steps: int) -> None:
    env, num = family.make_vec(tasks, seed=0), num_tasks(tasks)
    try:
        if env.num_envs != num:
            report.add(f"make_vec makes {env.num_envs} environments for {num} tasks")
            return
        mode = env.metadata.get("autoreset_mode")
        if mode != AutoresetMode.DISABLED:
            report.add(f"make_vec: the autoreset mode must be DISABLED, got {mode}")
            return
        for kind in ("observation_space", "action_space"):
            if getattr(env, f"single_{kind}") != getattr(family, kind):
                report.add(
                    f"make_vec: the {kind} is {getattr(env, f'single_{kind}')}, the family's {getattr(family, kind)}"
                )
        first = _play(env, family, report, max_steps)
        _compare(
            report, first, _play(env, family, report, max_steps), "the same actions after two resets with one seed"
        )
        if not hasattr(env, "set_tasks"):
            report.add("make_vec: the environment has no set_tasks(tasks)")
            return
        others = take_tasks(tasks, np.arange(num)[::-1])
        env.set_tasks(others)
        changed = _play(env, family, report, max_steps)
        env.set_tasks(tasks)
        _compare(report, first, _play(env, family, report, max_steps), "set_tasks to others and back")
    finally:
        env.close()
    env = family.make_vec(others, seed=0)
    try:
        _compare(
            report, changed, _play(env, family, report, max_steps), "make_vec of tasks, and set_tasks to the same,"
        )
    finally:
        env.close()


def _play(env: VectorEnv[Any, Any, Any], family: TaskFamily, report: Report, max_steps: int) -> list[np.ndarray]:
    """An episode everywhere and a step of the next; returns rewards `[N]` of each step, and what was observed first."""
    env.action_space.seed(0)
    obs, _ = env.reset(seed=0)
    _check_rows(report, family, obs, env.num_envs, "reset")
    rewards = [_flat(obs)]
    bounded = not isinstance(family.action_space, spaces.Box) or bounds_problem(family.action_space) is None
    began, signals = np.zeros(env.num_envs, int), None
    for t in range(1, min(family.horizon, max_steps) + 1):
        actions = env.action_space.sample() if bounded else sample_action(env.action_space)
        obs, reward, terminated, truncated, infos = env.step(actions)
        ended = np.asarray(terminated) | np.asarray(truncated)
        _check_rows(report, family, obs, env.num_envs, f"step {t}")
        check_numbers(report, "the reward", np.asarray(reward, np.float64), f"step {t}")
        rewards.append(np.array(reward))
        found = step_signals(infos, env.num_envs)
        if signals is not None and found != signals:
            changed = sorted(set(found) ^ set(signals))
            report.add(f"the signals {changed} come and go", f"step {t}")
        signals = found
        late = np.flatnonzero(~ended & (t - began >= family.horizon))
        if late.size:
            report.add(
                f"environments {late.tolist()} are not truncated at the horizon of {family.horizon} steps", f"step {t}"
            )
            break
        if ended.any():
            _reset_where(env, ended, obs, report, t)
            began[ended] = t
    return rewards


def _reset_where(env: VectorEnv[Any, Any, Any], ended: np.ndarray, obs: Any, report: Report, t: int) -> None:
    after, _ = env.reset(options={"reset_mask": ended.copy()})
    if not np.array_equal(_flat(obs, ~ended), _flat(after, ~ended), equal_nan=True):
        report.add("a reset_mask changes observations of environments that it does not reset", f"step {t}")


def _check_rows(report: Report, family: TaskFamily, obs: Any, num_envs: int, where: str) -> None:
    for i in range(num_envs):
        row = jax.tree.map(lambda leaf, i=i: leaf[i], obs)
        if isinstance(family.observation_space, spaces.Box):
            row = np.asarray(row)
        check_observation(report, family.observation_space, row, f"task number {i}, {where}")


def _flat(obs: Any, where: np.ndarray | None = None) -> np.ndarray:
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(obs)]
    rows = [leaf if where is None else leaf[where] for leaf in leaves]
    return np.concatenate([np.asarray(row, np.float64).ravel() for row in rows if row.dtype.kind in "biuf"] or [[]])


def _compare(report: Report, first: list[np.ndarray], again: list[np.ndarray], what: str) -> None:
    same = len(first) == len(again) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(first, again, strict=True)
    )
    if not same:
        report.add(f"{what} lead to different observations or rewards")
