"""An inner step, and what an outer one sees through it.

In the shape descriptions `M` denotes tasks, `A` the batches of a trial, one more than its inner steps, `C` the rows of
a batch. What is mapped over tasks is written for one of them.
"""

from typing import Any, NamedTuple, Protocol

import chex
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian
from rlcore.policy_gradient import weighted_mean
from rlcore.types import Params

from metarl_baselines.gradient.config import AdaptationConfig
from metarl_baselines.gradient.episodes import Episodes, advantages


class Played(NamedTuple):
    """A batch of one task with what is data about it: nothing of it carries a gradient.

    episodes: `[C]`
    advantage: `[C]`
    policy: that played, over actions `[C, Da]`.
    log_prob: `[C]` of the actions.
    drawn: what the policy drew besides, see `Adaptation.draw`.
    """

    episodes: Episodes
    advantage: chex.Array
    policy: Gaussian
    log_prob: chex.Array
    drawn: Any


class Adaptation(Protocol):
    """What adapts, and how; hashable."""

    def begin(self, params: Params, key: chex.PRNGKey, num_tasks: int) -> Any:
        """What adapts as it is before the first inner step, leaves `[N, ...]`; the key is consumed."""
        ...

    def draw(self, adapted: Any, episode: chex.Array) -> Any:
        """What the policy of one task draws besides actions, leaves `[..., D]`, in episodes `[...]` of a trial."""
        ...

    def policy(self, params: Params, adapted: Any, obs: chex.Array, drawn: Any) -> Gaussian:
        """Over actions `[..., Da]` of one task, at observations `[..., Do]`, with what was drawn."""
        ...

    def adapt(self, params: Params, adapted: Any, played: Played) -> Any:
        """What adapts after an inner step, of one task; differentiable in all but what was played."""
        ...


def remember(
    adaptation: Adaptation, config: AdaptationConfig, params: Params, adapted: Any, episodes: Episodes
) -> Played:
    """One batch of one task with what is data about it: the policy that is given has played it."""
    drawn = adaptation.draw(adapted, episodes.episode)
    policy = adaptation.policy(params, adapted, episodes.obs, drawn)
    played = Played(episodes, advantages(config, episodes), policy, policy.log_prob(episodes.action), drawn)
    return jax.lax.stop_gradient(played)


def adapt_once(
    adaptation: Adaptation, config: AdaptationConfig, params: Params, adapted: Any, episodes: Episodes
) -> Any:
    """What adapts after an inner step on what it has just played, of one task."""
    return adaptation.adapt(params, adapted, remember(adaptation, config, params, adapted, episodes))


def reconstruct(
    adaptation: Adaptation, config: AdaptationConfig, params: Params, start: Any, episodes: Episodes
) -> tuple[Played, Any]:
    """A trial of one task, `[A, C]`, as it was played, and what had adapted at its end.

    The parameters are still those that played, so that what the policies said need not be stored with the trial.
    """
    played, adapted = [], start
    for number in range(episodes.reward.shape[0]):
        if number:
            adapted = adaptation.adapt(params, adapted, played[-1])
        batch = jax.tree.map(lambda leaf, number=number: leaf[number], episodes)
        played.append(remember(adaptation, config, params, adapted, batch))
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *played), adapted


class OuterTerms(NamedTuple):
    """What parameters make of a trial of one task, differentiable in them.

    log_prob: `[C]` of the actions after the last inner step.
    kl: mean KL(old || new) in nats, of the policy after the last inner step, a scalar.
    inner_kl: the same of the policies before, their sum over inner steps.
    start_log_prob: mean of the actions before the first inner step, a scalar.
    """

    log_prob: chex.Array
    kl: chex.Array
    inner_kl: chex.Array
    start_log_prob: chex.Array


def adapt_through(adaptation: Adaptation, params: Params, start: Any, played: Played) -> OuterTerms:
    """Takes all inner steps of a trial again, `[A, C]`, from parameters other than those that played."""
    adapted, inner_kl, start_log_prob = start, jnp.zeros(()), jnp.zeros(())
    num_batches = played.advantage.shape[0]
    for number in range(num_batches):
        batch = jax.tree.map(lambda leaf, number=number: leaf[number], played)
        policy = adaptation.policy(params, adapted, batch.episodes.obs, batch.drawn)
        log_prob = policy.log_prob(batch.episodes.action)
        kl = weighted_mean(batch.policy.kl_divergence(policy), batch.episodes.weight)
        if number == 0:
            start_log_prob = weighted_mean(log_prob, batch.episodes.weight)
        if number == num_batches - 1:
            return OuterTerms(log_prob, kl, inner_kl, start_log_prob)
        inner_kl += kl
        adapted = adaptation.adapt(params, adapted, batch)
    raise ValueError("a trial must have a batch")


def rescale(policy: Gaussian, scale: float) -> Gaussian:
    """A policy in [-scale, scale] as one in [-1, 1]; gradients of log-probabilities stay the same."""
    return Gaussian(policy.mean / scale, policy.variance / scale**2)
