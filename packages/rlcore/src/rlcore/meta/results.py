"""How trials went, by episode: what tables and curves of every algorithm show.

In the shape descriptions `N` denotes the tasks, `K` the episodes of a trial, `T` the steps of an episode.
"""

from typing import NamedTuple

import numpy as np

from rlcore.meta.trials import Trials
from rlcore.types import Metrics

_SHOWN_EPISODES = (1, 2, 3, 6, 11, 21, 51)


class Outcome(NamedTuple):
    """Returns and successes of trials, `[N, K]` each; without a signal `success` of the environment only returns.

    returns: undiscounted.
    success: whether the task was solved at the last step of the episode (thesis, appendix D.2.1).
    found: whether it was solved at any step.
    steps: after how many steps for the first time, NaN where never.
    """

    returns: np.ndarray
    success: np.ndarray | None
    found: np.ndarray | None
    steps: np.ndarray | None


def get_outcome(trials: Trials) -> Outcome:
    """Returns and successes by episode; a step that reports no `success` is not one.

    Args:
      trials: leaves `[K, T, N, ...]`.
    """
    valid, returns = np.asarray(trials.valid), np.asarray(trials.returns())
    if "success" not in trials.trajectory.info:
        return Outcome(returns, None, None, None)
    solved = (np.nan_to_num(np.asarray(trials.trajectory.info["success"], np.float32)) > 0) & valid
    last = valid & ~np.concatenate([valid[:, 1:], np.zeros_like(valid[:, :1])], axis=1)
    success, found = (np.any(values, axis=1).T for values in (solved & last, solved))
    return Outcome(returns, success, found, np.where(found, np.argmax(solved, axis=1).T + 1, np.nan))


def outcome_metrics(trials: Trials) -> Metrics:
    """Means over tasks: `test/return_3` is the third episode's return, `test/return` the last one's.

    Likewise `test/success_k`, solved at the last step, and `test/found_k`, solved at any step, where the environment
    reports `success`.
    """
    outcome = get_outcome(trials)
    metrics = {}
    for name, values in (("return", outcome.returns), ("success", outcome.success), ("found", outcome.found)):
        if values is None:
            continue
        num_episodes = values.shape[1]
        shown = sorted({k for k in (*_SHOWN_EPISODES, num_episodes) if k <= num_episodes})
        metrics |= {f"test/{name}_{k}": values[:, k - 1].mean() for k in shown}
        metrics[f"test/{name}"] = values[:, -1].mean()
    return metrics
