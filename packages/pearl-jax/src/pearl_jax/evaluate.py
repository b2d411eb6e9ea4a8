"""Meta-testing (thesis, Algorithm 2): how returns grow over the episodes of a trial in tasks never seen.

In the shape descriptions `N` denotes the tasks, `K` the episodes of a trial.
"""

import chex
import jax
import numpy as np
from metarl_envs import TaskFamily, Tasks
from rlcore.meta import Trials, evaluate, run_host_trials, run_trials
from rlcore.types import Metrics, Params

from pearl_jax.agent import PearlAgent, PearlPolicy


def make_test_policy(agent: PearlAgent) -> PearlPolicy:
    """The policy that the config's test options describe."""
    return PearlPolicy(agent, agent.config.num_test_prior_episodes, agent.config.deterministic_test)


def adaptation_returns(
    policy: PearlPolicy, params: Params, family: TaskFamily, tasks: Tasks, key: chex.PRNGKey, num_episodes: int
) -> np.ndarray:
    """Returns `[N, K]` of episodes 1 to K in each task; the key is consumed."""
    if family.functional is not None:
        return evaluate(
            policy, params, family.functional, key, num_episodes=num_episodes, horizon=family.horizon, tasks=tasks
        )
    return np.asarray(adaptation_trials(policy, params, family, tasks, key, num_episodes).returns())


def adaptation_trials(
    policy: PearlPolicy, params: Params, family: TaskFamily, tasks: Tasks, key: chex.PRNGKey, num_episodes: int
) -> Trials:
    """Everything that happens in a trial of `K` episodes in each task; the key is consumed."""
    if family.functional is not None:
        play = jax.jit(
            lambda params, tasks, key: run_trials(
                policy, params, family.functional, tasks, key, num_episodes=num_episodes, horizon=family.horizon
            )
        )
        return play(params, tasks, key)
    seed_key, key = jax.random.split(key)
    env = family.make_vec(tasks, seed=int(jax.random.randint(seed_key, (), 0, 2**31 - 1)))
    try:
        return run_host_trials(policy, params, env, key, num_episodes=num_episodes, horizon=family.horizon)
    finally:
        env.close()


def adaptation_metrics(returns: np.ndarray) -> Metrics:
    """Means over tasks of some episodes' returns `[N, K]`: `test/return_3` is the third's, `test/return` the last's."""
    num_episodes = returns.shape[1]
    shown = sorted({k for k in (1, 2, 3, 6, 11, 21, 51, num_episodes) if k <= num_episodes})
    metrics = {f"test/return_{k}": returns[:, k - 1].mean() for k in shown}
    return {**metrics, "test/return": returns[:, -1].mean()}
