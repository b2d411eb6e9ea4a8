"""What adapts in MAESN: the distribution of a latent variable that is drawn once in an episode.

In the shape descriptions `N` denotes tasks side by side, `L` the size of the latent, `C` the rows of a batch.
"""

import dataclasses
from typing import NamedTuple

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian
from rlcore.policy_gradient import GaussianPolicy, standardise, weighted_mean
from rlcore.types import Params

from metarl_baselines.gradient import Played, rescale
from metarl_baselines.maesn.config import MAESNConfig


class Latent(NamedTuple):
    """Of z, or a step size for each of its numbers. mean, log_std: `[..., L]`."""

    mean: chex.Array
    log_std: chex.Array

    @property
    def std(self) -> chex.Array:
        """Standard deviations, `[..., L]`."""
        return jnp.exp(self.log_std)

    def distribution(self) -> Gaussian:
        """N(mean, std^2), `[..., L]`."""
        return Gaussian(self.mean, self.std**2)


class MAESNParams(NamedTuple):
    """What acts.

    weights: of the policy.
    step_size: `[L]` of inner steps.
    latents: `[N, L]` of tasks, before the first inner step; None stands for N(0, I).
    noise: uint32, the key that z is drawn with; None leaves it to the trial.
    """

    weights: Params
    step_size: Latent
    latents: Latent | None
    noise: chex.Array | None


class Adapted(NamedTuple):
    """What adapts, of each task. latent: `[..., L]`. noise: `[..., 2]` uint32, the key that z is drawn with."""

    latent: Latent
    noise: chex.Array


class Drawn(NamedTuple):
    """What is drawn in an episode. noise: `[..., L]` from N(0, I). z: `[..., L]`, of the latent that played."""

    noise: chex.Array
    z: chex.Array


@dataclasses.dataclass(frozen=True, eq=False)
class MAESNAdaptation:
    """An `Adaptation` of latents alone: mu' = mu - a_mu dL/dmu, likewise of the log-deviation."""

    config: MAESNConfig
    action_size: int

    @property
    def network(self) -> GaussianPolicy:
        """Observations joined with z to a policy in its own range."""
        config = self.config
        return GaussianPolicy(config.hidden_sizes, self.action_size, config.initial_std, nn.relu, config.min_std)

    def begin(self, params: MAESNParams, key: chex.PRNGKey, num_tasks: int) -> Adapted:
        """See `Adaptation`: the latents of the tasks, or N(0, I); the key is consumed."""
        latent = params.latents
        if latent is None:
            latent = Latent(*(jnp.zeros((num_tasks, self.config.latent_size)) for _ in range(2)))
        if params.noise is not None:
            key = jax.random.wrap_key_data(params.noise)
        return Adapted(latent, jax.random.key_data(jax.random.split(key, num_tasks)))

    def draw(self, adapted: Adapted, episode: chex.Array) -> Drawn:
        """See `Adaptation`: z = mu + sigma eps, once in an episode."""
        key, size = jax.random.wrap_key_data(adapted.noise), (self.config.latent_size,)
        noise = jax.vmap(lambda number: jax.random.normal(jax.random.fold_in(key, number), size))(episode.ravel())
        noise = noise.reshape(*episode.shape, *size)
        return Drawn(noise, move(adapted.latent, noise))

    def policy(self, params: MAESNParams, adapted: Adapted, obs: chex.Array, drawn: Drawn) -> Gaussian:
        """See `Adaptation`; differentiable in the latent, of which z is a function and of noise."""
        inputs = jnp.concatenate([obs, move(adapted.latent, drawn.noise)], axis=-1)
        return rescale(self.network.apply(params.weights, inputs), self.config.action_scale)

    def adapt(self, params: MAESNParams, adapted: Adapted, played: Played) -> Adapted:
        """See `Adaptation`."""
        gradient = jax.grad(self.loss)(adapted.latent, played)
        latent = jax.tree.map(lambda old, size, slope: old - size * slope, adapted.latent, params.step_size, gradient)
        return adapted._replace(latent=latent)

    def loss(self, latent: Latent, played: Played) -> chex.Array:
        """-mean over episodes of log q(z) A at their first step, a scalar; the advantage is standardised over them."""
        episodes = played.episodes
        first = episodes.weight * (episodes.step == 0)
        advantage = standardise(played.advantage, first)
        z = played.drawn.z
        q = Gaussian(*(jnp.broadcast_to(leaf, z.shape) for leaf in (latent.mean, latent.std**2)))
        return -weighted_mean(q.log_prob(z) * advantage, first)


def move(latent: Latent, noise: chex.Array) -> chex.Array:
    """Z = mu + sigma eps, `[..., L]`, of the latent `[L]` of one task and noise eps `[..., L]`."""
    mean, std = (jnp.broadcast_to(leaf, noise.shape) for leaf in (latent.mean, latent.std))
    return mean + std * noise
