"""Meta-testing (thesis, Algorithm 2): how returns grow over the episodes of a trial in tasks never seen.

In the shape descriptions `N` denotes the tasks, `K` the episodes of a trial.
"""

import numpy as np
from rlcore.types import Metrics

from pearl_jax.agent import PearlAgent, PearlPolicy


def make_test_policy(agent: PearlAgent) -> PearlPolicy:
    """The policy that the config's test options describe."""
    return PearlPolicy(agent, agent.config.num_test_prior_episodes, agent.config.deterministic_test)


def adaptation_metrics(values: np.ndarray, name: str = "return") -> Metrics:
    """Means over tasks of what some episodes gave, `[N, K]`.

    By the name `return`, `test/return_3` is the third episode's and `test/return` the last one's.
    """
    num_episodes = values.shape[1]
    shown = sorted({k for k in (1, 2, 3, 6, 11, 21, 51, num_episodes) if k <= num_episodes})
    metrics = {f"test/{name}_{k}": values[:, k - 1].mean() for k in shown}
    return {**metrics, f"test/{name}": values[:, -1].mean()}
