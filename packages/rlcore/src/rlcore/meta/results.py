"""How trials went, by episode: what tables and curves of every algorithm show.

In the shape descriptions `N` denotes the tasks, `K` the episodes of a trial, `T` the steps of an episode.
"""

from typing import NamedTuple

import numpy as np

from rlcore.meta.trials import Trials


class Outcome(NamedTuple):
    """Returns and successes of trials, `[N, K]` each.

    returns: undiscounted.
    success: whether the task was solved at the last step of the episode (thesis, appendix D.2.1).
    found: whether it was solved at any step.
    steps: after how many steps for the first time, NaN where never.
    """

    returns: np.ndarray
    success: np.ndarray
    found: np.ndarray
    steps: np.ndarray


def get_outcome(trials: Trials) -> Outcome:
    """Returns and successes; without a signal `success` of the environment none is successful.

    Args:
      trials: leaves `[K, T, N, ...]`.
    """
    valid = np.asarray(trials.valid)
    solved = np.asarray(trials.trajectory.info.get("success", np.zeros(valid.shape, bool))).astype(bool) & valid
    last = valid & ~np.concatenate([valid[:, 1:], np.zeros_like(valid[:, :1])], axis=1)
    success, found = (np.asarray(np.any(values, axis=1)).T for values in (solved & last, solved))
    steps = np.where(found, np.argmax(solved, axis=1).T + 1, np.nan)
    return Outcome(np.asarray(trials.returns()), success, found, steps)
