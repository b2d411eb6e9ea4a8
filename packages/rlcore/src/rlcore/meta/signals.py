"""The signals of trials by name, and a stop where one of them is not finite.

In the shape descriptions `K` denotes the episodes of a trial, `T` the steps of an episode, `M` the tasks visited.
"""

from collections.abc import Sequence

import chex
import numpy as np

from rlcore.experiment import NonFiniteError
from rlcore.meta.trials import Trials
from rlcore.rollout import Trajectory


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
    if name not in trajectory.info:
        allowed = ", ".join(["reward", *sorted(trajectory.info)])
        raise ValueError(f"{option} must be one of {allowed}, got {name}")
    return trajectory.info[name]


def check_finite(trials: Trials, names: Sequence[str], kind: str, ids: np.ndarray) -> None:
    """Stops numbers that are not finite before they reach a replay or a table.

    Args:
      trials: `[K, T, M, ...]`.
      names: of the signals that are used, besides the reward and the observations.
      kind: `train` or `test`, for the message.
      ids: `[M]` which of those tasks they are.

    Raises:
      NonFiniteError: names the signal, its value, the step, the episode and the task.
    """
    transition = trials.trajectory.transition
    signals = {
        "reward": transition.reward,
        **{name: get_signal(trials.trajectory, name) for name in names},
        "observation": transition.obs,
        "next observation": transition.next_obs,
    }
    for name, values in signals.items():
        if not np.issubdtype(values.dtype, np.inexact):
            continue
        values = np.asarray(values)
        finite = np.isfinite(values).reshape(*values.shape[:3], -1).all(axis=-1)
        bad = np.argwhere(~finite & np.asarray(trials.valid))
        if bad.size:
            episode, step, column = bad[0]
            value = values[episode, step, column]
            raise NonFiniteError(
                f"the environment's {name} is {value} at step {step} of episode {episode} in {kind} task {ids[column]}"
            )
