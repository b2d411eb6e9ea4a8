"""The latent state model: what it infers, how it expects the latent state to move, and what it expects to see.

In the shape descriptions `...` stands for any leading batch dimensions, `H`, `W`, `C` for a picture, `D1` and `D2` for
the dimensions of the two layers z1 and z2 of the latent state, `Da` for those of an action.
"""

from typing import NamedTuple

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from meld_jax.config import ModelConfig
from meld_jax.images import for_each_picture, make_decoder, make_encoder
from meld_jax.layers import JoinedMLP, PlainMLP, get_activation

_GATE_BIAS = -1.0


class Normal(NamedTuple):
    """A Normal with diagonal covariance. mean, std: `[..., D]`."""

    mean: chex.Array
    std: chex.Array

    def at(self, noise: chex.Array) -> chex.Array:
        """The sample `[..., D]` that standard normal noise `[..., D]` makes."""
        return self.mean + self.std * noise


class Latent(NamedTuple):
    """The posterior at one step, and a sample of it.

    q1: of z1, `[..., D1]`.
    q2: of z2 given the sample of z1, `[..., D2]`.
    z1, z2: the samples.
    """

    q1: Normal
    q2: Normal
    z1: chex.Array
    z2: chex.Array


class Evidence(NamedTuple):
    """What one frame tells, made ready for the networks.

    seen: `[..., hidden]` picture, reward and what led there, in the first layer of the posterior of z1.
    shown: `[..., Df]` picture and reward, for the posterior at the first frame of a trial.
    moved: `[..., hidden]` what led there, in the first layer of the network of z2.
    """

    seen: chex.Array
    shown: chex.Array
    moved: chex.Array


class LatentModel(nn.Module):
    """All networks of the model (thesis, appendix D.1; two layers as in SLAC, Lee et al., 2020).

        q(z1_1 | x_1, r_1)                        p(z1_1) = N(0, I)
        q(z1_t | x_t, r_t, z2_t-1, a_t-1)         p(z1_t | z2_t-1, a_t-1)
        p(z2_1 | z1_1)                            p(z2_t | z1_t, z2_t-1, a_t-1)       shared with q
        p(x_t | z1_t, z2_t)                       p(r_t | z1_t, z2_t)

    where r_t is the reward earned on arriving at x_t, 0 at the start of an episode.
    """

    config: ModelConfig
    image_shape: tuple[int, int, int]

    def setup(self) -> None:
        """Makes the networks."""
        config = self.config
        activation = get_activation(config.activation)
        hidden, size1, size2 = config.hidden_sizes, config.z1_size, config.z2_size
        self.encoder = make_encoder(config)
        self.decoder = make_decoder(config, self.image_shape)
        self.image_bias = self.param("image_bias", nn.initializers.constant(0.5), self.image_shape)
        if config.standardise_images:
            self.image_mean = self.param("image_mean", nn.initializers.zeros, self.image_shape)
            self.image_scale = self.param("image_scale", nn.initializers.ones, self.image_shape)
        self.posterior_first = PlainMLP(hidden, 2 * size1, activation)
        self.posterior = JoinedMLP(hidden, 2 * size1, activation)
        self.prior = JoinedMLP(hidden, 2 * size1, activation)
        self.second_first = PlainMLP(hidden, 2 * size2, activation)
        self.second = JoinedMLP(hidden, (3 if config.memory == "gated" else 2) * size2, activation)
        self.reward = PlainMLP(hidden, 1, activation)

    def prepare(self, image: chex.Array, reward: chex.Array, action: chex.Array, first: chex.Array) -> Evidence:
        """What frames tell.

        Args:
          image: uint8 `[..., H, W, C]`.
          reward: `[...]` earned on arrival.
          action: `[..., Da]` that led there, zeros at the start of an episode.
          first: `[...]` bool, whether an episode starts there.
        """
        image = image.astype(jnp.float32) / 255
        if self.config.standardise_images:
            mean = jax.lax.stop_gradient(self.image_mean)
            image = (image - for_each_picture(mean, image)) / for_each_picture(self.pixel_scale(), image)
        features = self.encoder(image)
        if not self.config.reward_evidence:
            reward = jnp.zeros_like(reward)
        rewards = jnp.broadcast_to(reward[..., None], (*reward.shape, self.config.reward_copies))
        shown = jnp.concatenate([features, rewards], axis=-1)
        moved = self._join_reset(action, first)
        return Evidence(
            self.posterior.prepare(jnp.concatenate([shown, moved], axis=-1)),
            shown,
            self.second.prepare(moved),
        )

    def begin(self, evidence: Evidence, noise: chex.Array) -> Latent:
        """The posterior at the first frame of a trial; noise: `[..., D1 + D2]` standard normal."""
        noise1, noise2 = self._split_noise(noise)
        q1 = self._normal(self.posterior_first(evidence.shown))
        z1 = q1.at(noise1)
        q2 = self._normal(self.second_first(z1))
        return Latent(q1, q2, z1, q2.at(noise2))

    def advance(self, z2: chex.Array, evidence: Evidence, noise: chex.Array) -> Latent:
        """The posterior one frame on; z2: `[..., D2]` of the frame before, noise: `[..., D1 + D2]` standard normal."""
        noise1, noise2 = self._split_noise(noise)
        q1 = self._normal(self.posterior(evidence.seen, z2))
        z1 = q1.at(noise1)
        out = self.second(evidence.moved, jnp.concatenate([z1, z2], axis=-1))
        if self.config.memory == "gated":
            out, gate = out[..., : 2 * z2.shape[-1]], nn.sigmoid(out[..., 2 * z2.shape[-1] :] + _GATE_BIAS)
            written = self._normal(out)
            q2 = Normal(z2 + gate * (written.mean - z2), gate * written.std)
        else:
            q2 = self._normal(out)
        return Latent(q1, q2, z1, q2.at(noise2))

    def expect(self, z2: chex.Array, action: chex.Array, first: chex.Array) -> Normal:
        """The dynamics p(z1_t | z2_t-1, a_t-1), `[..., D1]`; see `prepare` for the arguments."""
        return self._normal(self.prior(self.prior.prepare(self._join_reset(action, first)), z2))

    def decode(self, z1: chex.Array, z2: chex.Array) -> tuple[chex.Array, chex.Array]:
        """Means of the picture, `[..., H, W, C]`, and of the reward, `[...]`."""
        return self.decode_image(z1, z2), self.decode_reward(z1, z2)

    def decode_image(self, z1: chex.Array, z2: chex.Array) -> chex.Array:
        """Mean of the picture, `[..., H, W, C]`."""
        difference = self.decoder(jnp.concatenate([z1, z2], axis=-1))
        if self.config.standardise_images:
            difference *= for_each_picture(self.pixel_scale(), difference)
        return difference + for_each_picture(self.image_bias, difference)

    def pixel_scale(self) -> chex.Array:
        """The units in which pixels are seen and explained, `[H, W, C]`; they are not trained."""
        if not self.config.standardise_images:
            return jnp.ones(self.image_shape)
        return jax.lax.stop_gradient(self.image_scale)

    def decode_reward(self, z1: chex.Array, z2: chex.Array) -> chex.Array:
        """Mean of the reward earned on arrival, `[...]`."""
        return self.reward(jnp.concatenate([z1, z2], axis=-1))[..., 0]

    def belief(self, latent: Latent) -> chex.Array:
        """What the actor and the critics see, `[..., Db]`."""
        if self.config.belief == "sample":
            return jnp.concatenate([latent.z1, latent.z2], axis=-1)
        return jnp.concatenate([latent.q1.mean, latent.q1.std, latent.q2.mean, latent.q2.std], axis=-1)

    def __call__(self, image: chex.Array, reward: chex.Array, action: chex.Array, first: chex.Array) -> None:
        """Uses every network once, so that `init` makes all parameters."""
        evidence = self.prepare(image, reward, action, first)
        noise = jnp.zeros((*reward.shape, self.config.z1_size + self.config.z2_size), jnp.float32)
        latent = self.begin(evidence, noise)
        latent = self.advance(latent.z2, evidence, noise)
        self.expect(latent.z2, action, first)
        self.decode(latent.z1, latent.z2)

    def _join_reset(self, action: chex.Array, first: chex.Array) -> chex.Array:
        if not self.config.mark_resets:
            return action
        return jnp.concatenate([action, first[..., None].astype(jnp.float32)], axis=-1)

    def _normal(self, out: chex.Array) -> Normal:
        mean, raw = jnp.split(out, 2, axis=-1)
        return Normal(mean, nn.softplus(raw) + self.config.min_std)

    def _split_noise(self, noise: chex.Array) -> tuple[chex.Array, chex.Array]:
        return noise[..., : self.config.z1_size], noise[..., self.config.z1_size :]
