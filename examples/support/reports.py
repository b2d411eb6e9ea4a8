"""What reports of all algorithms share: what a user asks for, and the trials that are played for it."""

from typing import NamedTuple

import chex
import numpy as np
from metarl_envs import Tasks
from rlcore.meta import Trained, TrialPlayer, Visit


class ReportOptions(NamedTuple):
    """What a user asks for; None is the run's own, or all there is.

    seed: of the trials. num_tasks: the first so many test tasks. num_episodes: of a trial. num_trials: of each task.
    """

    seed: int
    num_tasks: int | None = None
    num_episodes: int | None = None
    num_trials: int | None = None


class Played(NamedTuple):
    """`num_trials` trials in each of `num_tasks` tasks, those of a task one after the other.

    visit: leaves `[S, N, ...]`. tasks: `N`. num_episodes: of a trial, all of which are in the visit.
    """

    visit: Visit
    tasks: Tasks
    num_tasks: int
    num_trials: int
    num_episodes: int

    def mean_over_trials(self, values: np.ndarray) -> np.ndarray:
        """Of `[N, ...]`: `[num_tasks, ...]`."""
        return values.astype(float).reshape(self.num_tasks, self.num_trials, *values.shape[1:]).mean(axis=1)


def play(trained: Trained, options: ReportOptions, num_trials: int, key: chex.PRNGKey) -> Played:
    """Plays trials in test tasks; the key is consumed."""
    benchmark, testing = trained.benchmark, trained.learner.testing
    num_tasks = options.num_tasks or benchmark.num_test_tasks
    num_episodes = options.num_episodes or testing.num_episodes
    tasks = benchmark.take_test_tasks(np.repeat(np.arange(num_tasks), num_trials))
    with TrialPlayer(benchmark.family) as player:
        visit = player.play(testing.policy, trained.params, tasks, key, num_episodes=num_episodes)
    return Played(visit, tasks, num_tasks, num_trials, num_episodes)


def standard_error(values: np.ndarray) -> np.ndarray:
    """Of the mean over the first axis."""
    if len(values) < 2:
        return np.zeros(values.shape[1:])
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))
