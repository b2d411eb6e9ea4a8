"""How far RL2's advantages reach.

In the shape descriptions `B` denotes trials, `S` the steps of a trial.
"""

import chex
from rlcore.policy_gradient import episode_discounts

from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.trials import Trials, continues


def credit_discounts(config: RL2Config, trials: Trials) -> tuple[chex.Array, chex.Array]:
    """Both discounts of `generalised_advantages`, `[B, S]` each: a trial goes on where its episodes end."""
    gamma, gae_lambda = config.ppo.discount, config.ppo.gae_lambda
    if config.credit == "episode":
        return episode_discounts(trials.discount, trials.ended, gamma, gae_lambda)
    follows = continues(config, trials)
    return gamma * follows, gamma * gae_lambda * follows
