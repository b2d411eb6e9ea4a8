"""MAESN as a learner of `rlcore.meta`: latents of all train tasks are kept, and learned with the policy and step sizes.

In the shape descriptions `N` denotes all train tasks, `M` those of an iteration, `A` the batches of a trial, `L` the
size of the latent.
"""

from functools import partial
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import Benchmark, check_actions
from rlcore.distributions import standard_gaussian
from rlcore.types import Metrics

from metarl_baselines.gradient import (
    Data,
    GradientLearner,
    OuterTerms,
    Played,
    adapt_through,
    make_outer_step,
    reconstruct,
)
from metarl_baselines.maesn.adaptation import Adapted, Latent, MAESNAdaptation, MAESNParams
from metarl_baselines.maesn.config import MAESNConfig


class MAESNState(NamedTuple):
    """What updates change. params: with latents `[N, L]`, without noise. noise: uint32, the key of the next trials."""

    params: MAESNParams
    noise: chex.Array


class MAESNLearner(GradientLearner[MAESNConfig, MAESNAdaptation]):
    """A `MetaLearner`; what does not fit the benchmark is refused when it is made, before anything is computed.

    Args:
      config: the options.
      benchmark: what will be played.

    Raises:
      ValueError: MAESN cannot play the benchmark, or the config does not fit it.
    """

    num_updates = 1

    def __init__(self, config: MAESNConfig, benchmark: Benchmark) -> None:
        super().__init__(config, benchmark, MAESNAdaptation(config, check_actions(benchmark)), choose)
        self._num_tasks = benchmark.num_train_tasks
        self._update = jax.jit(self.update_from)

    def init(self, key: chex.PRNGKey) -> tuple[MAESNState, Data]:
        """See `MetaLearner`: means of latents are drawn from N(0, 1), so that tasks differ from the start."""
        weight_key, latent_key, noise_key = jax.random.split(key, 3)
        size = self.config.latent_size
        weights = self.adaptation.network.init(weight_key, jnp.zeros((1, self.obs_size + size)))
        step_size = Latent(*(jnp.full(size, self.config.initial_step_size) for _ in range(2)))
        latents = Latent(
            jax.random.normal(latent_key, (self._num_tasks, size)), jnp.zeros((self._num_tasks, size), jnp.float32)
        )
        params = MAESNParams(weights, step_size, latents, None)
        return MAESNState(params, jax.random.key_data(noise_key)), self.init_data()

    def test_params(self, agent: MAESNState) -> MAESNParams:
        """See `MetaLearner`: what begins from N(0, I)."""
        return agent.params._replace(latents=None)

    def update(self, agent: MAESNState, data: Data, key: chex.PRNGKey) -> tuple[MAESNState, Metrics]:
        """See `MetaLearner`."""
        return self._update(agent, data, key)

    def update_from(self, agent: MAESNState, data: Data, key: chex.PRNGKey) -> tuple[MAESNState, Metrics]:
        """A step of TRPO on the policy, the step sizes and the latents of the tasks visited; the key is consumed."""
        params, starts = agent.params, self.start(agent.params, agent.noise, data.ids)
        played, _ = jax.vmap(partial(reconstruct, self.adaptation, self.config.adaptation, params))(
            starts, data.episodes
        )

        def outcome(params: MAESNParams, own: tuple[chex.Array, chex.Array], played: Played) -> OuterTerms:
            task, noise = own
            latent = jax.tree.map(lambda leaf: leaf[task], params.latents)
            return adapt_through(self.adaptation, params, Adapted(latent, noise), played)

        def penalty(params: MAESNParams) -> chex.Array:
            return self.config.kl_coef * self.prior_kl(params, data.ids)

        step = make_outer_step(self.config.trpo, outcome, penalty)
        params, metrics = step(params, (data.ids, starts.noise), played)
        return MAESNState(params, jax.random.key_data(key)), {
            **metrics,
            "policy/entropy": jnp.mean(played.policy.entropy()),
            "latent/kl": self.prior_kl(params, data.ids),
            "latent/std": jnp.mean(jnp.exp(params.latents.log_std)),
            "inner/step_size": jnp.mean(params.step_size.mean),
        }

    def start(self, params: MAESNParams, noise: chex.Array, ids: chex.Array) -> Adapted:
        """What adapts in the tasks `ids: [M]` before the first inner step."""
        latents = jax.tree.map(lambda leaf: leaf[ids], params.latents)
        of_tasks = params._replace(latents=latents, noise=noise)
        return self.adaptation.begin(of_tasks, jax.random.key(0), ids.shape[0])

    def prior_kl(self, params: MAESNParams, ids: chex.Array) -> chex.Array:
        """Mean KL(z before adapting || N(0, I)) in nats of the tasks `ids: [M]`, a scalar."""
        latents = jax.tree.map(lambda leaf: leaf[ids], params.latents).distribution()
        return jnp.mean(latents.kl_divergence(standard_gaussian(latents.mean.shape)))


def choose(agent: MAESNState, ids: np.ndarray) -> MAESNParams:
    """What acts in the train tasks `ids: [M]`: each has latents of its own."""
    latents = jax.tree.map(lambda leaf: leaf[jnp.asarray(ids)], agent.params.latents)
    return agent.params._replace(latents=latents, noise=agent.noise)
