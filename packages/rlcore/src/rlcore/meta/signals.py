"""The signals of trials by name, and a stop where one of them is not finite.

In the shape descriptions `S` denotes the steps of a trial, `N` the tasks side by side.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import chex
import jax
import numpy as np

from rlcore.experiment import NonFiniteError
from rlcore.rollout import Trajectory

if TYPE_CHECKING:
    from rlcore.meta.trials import Visit


def get_signal(trajectory: Trajectory, name: str, option: str = "training_reward") -> chex.Array:
    """The signal of that name: `reward`, or one that the environment reports in its info.

    Args:
      trajectory: leaves of any batch dimensions.
      name: of the signal.
      option: where the user named it, for the message.

    Raises:
      ValueError: the environment reports none of that name.
    """
    if name == "reward":
        return trajectory.transition.reward
    check_signal(name, list(trajectory.info), option)
    return trajectory.info[name]


def check_signal(name: str, reported: Sequence[str], option: str = "training_reward") -> None:
    """Raises ValueError unless `name` is `reward` or one of those that the environment reports."""
    if name != "reward" and name not in reported:
        allowed = ", ".join(["reward", *sorted(reported)])
        raise ValueError(f"{option} must be one of {allowed}, got {name}")


def check_finite(visit: "Visit", names: Sequence[str] | None = None) -> None:
    """Stops numbers that are not finite before they reach a replay or a table, and says who made the first of them.

    Of one step, what was seen comes before what was done, and that before what it earned and what was seen then: an
    observation that is not finite makes the policy's action so, and an action the next observation.

    Args:
      visit: `[S, N]`.
      names: `[N]` of the tasks; by default `task 3`.

    Raises:
      NonFiniteError: names the culprit, the value, the step of its episode and the task.
    """
    transition = visit.trajectory.transition
    kinds = {
        "the environment's observation": transition.obs,
        "the agent's action": transition.action,
        "the environment's reward": transition.reward,
        "the environment's next observation": transition.next_obs,
    }
    bad = []
    for order, (kind, tree) in enumerate(kinds.items()):
        for leaf in jax.tree.leaves(tree):
            found = _find_first(leaf, visit.episode.shape)
            if found is not None:
                bad.append((found[0], order, kind, *found[1:]))
    if bad:
        step, _, kind, column, value = min(bad)
        episode, step = int(visit.episode[step, column]), int(np.asarray(visit.step_in_episode())[step, column])
        task = f"task {column}" if names is None else names[column]
        raise NonFiniteError(f"{kind} is {value} at step {step} of episode {episode} in {task}")


def check_reported(visit: "Visit", signals: Mapping[str, str], tasks: Sequence[str]) -> None:
    """Stops a signal that trains and is missing, or not finite, at some step.

    Args:
      visit: `[S, N]`.
      signals: the name of each by the option that names it.
      tasks: `[N]` their names.

    Raises:
      ValueError: the environment reports none of that name.
      NonFiniteError: names the signal, the step, the task and the option.
    """
    for option, name in signals.items():
        found = _find_first(get_signal(visit.trajectory, name, option), visit.episode.shape)
        if found is not None:
            row, column, value = found
            step = int(np.asarray(visit.step_in_episode())[row, column])
            missing = "missing or not a number" if np.isnan(value) else value
            raise NonFiniteError(
                f"the environment's {name} is {missing} at step {step} of episode {int(visit.episode[row, column])} in "
                f"{tasks[column]}; {option} needs it at every step"
            )


def _find_first(values: chex.Array, shape: tuple[int, int]) -> tuple[int, int, float] | None:
    """The first step `[S, N, ...]` with a value that is not finite, its task, and the value."""
    if not np.issubdtype(values.dtype, np.inexact):  # asked first: pictures need not come to the host for it
        return None
    flat = np.asarray(values).reshape(*shape, -1)
    with np.errstate(over="ignore"):
        finite = np.isfinite(flat.astype(np.float32))  # as it will be stored
    if finite.all():
        return None
    row, column, place = np.argwhere(~finite)[0]
    return int(row), int(column), float(flat[row, column, place])
