"""Task inference networks: from a context to a belief about the task variable z.

Every encoder can take its context in at once (training) or a transition at a time (acting), to the same belief.
In the shape descriptions `N` denotes tasks, `C` the transitions of a context, `Dc` the numbers in one, `Dz` those in z.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian, GaussianFactors, standard_gaussian
from rlcore.networks import MLP
from rlcore.types import Params

from pearl_jax.config import PearlConfig

_SMALLEST_VARIANCE = 1e-7
_FINAL_SCALE = 0.1
_PRECISION_SHIFT = 6.0  # An untrained factor weighs 1/400 of the prior, so the first posteriors are not collapsed.


class Encoder(Protocol):
    """q(z | c), built up over the context."""

    has_kl: bool

    def init(self, key: chex.PRNGKey, context: chex.Array) -> Params:
        """Parameters for contexts `[N, C, Dc]`; the key is consumed."""
        ...

    def blank(self, num_tasks: int) -> Any:
        """The belief about `N` tasks of which nothing is known."""
        ...

    def absorb(self, params: Params, belief: Any, transition: chex.Array) -> Any:
        """The belief after one more transition `[N, Dc]` of each task."""
        ...

    def summarise(self, params: Params, context: chex.Array, valid: chex.Array) -> Any:
        """The belief after a whole context `[N, C, Dc]`, of which `valid: [N, C]` bool counts."""
        ...

    def posterior(self, params: Params, belief: Any) -> Gaussian:
        """q(z | c), `[N, Dz]`; the prior N(0, I) for a blank belief."""
        ...


class GaussianEncoder:
    """q(z|c) as a product of Gaussian factors, one for each transition: permutation-invariant (thesis, equation 9)."""

    has_kl = True

    def __init__(self, config: PearlConfig):
        self._config = config
        self._network = MLP(config.encoder_sizes, 2 * config.latent_size, _FINAL_SCALE)

    def init(self, key: chex.PRNGKey, context: chex.Array) -> Params:
        """The network's parameters; the key is consumed."""
        return self._network.init(key, context)

    def blank(self, num_tasks: int) -> GaussianFactors:
        """No factor at all."""
        zeros = jnp.zeros((num_tasks, self._config.latent_size), jnp.float32)
        return GaussianFactors(zeros, zeros)

    def absorb(self, params: Params, belief: GaussianFactors, transition: chex.Array) -> GaussianFactors:
        """Multiplies by one more factor."""
        return jax.tree.map(jnp.add, belief, self._factors(params, transition))

    def summarise(self, params: Params, context: chex.Array, valid: chex.Array) -> GaussianFactors:
        """The product of the factors of all transitions that count."""
        factors = self._factors(params, context)
        return jax.tree.map(lambda leaf: valid[..., None] * leaf, factors).product(axis=1)

    def posterior(self, params: Params, belief: GaussianFactors) -> Gaussian:
        """The product as a Gaussian, times the prior where the config makes it a factor or nothing is known."""
        del params
        prior_precision = 1.0 if self._config.prior_factor else (belief.precision == 0).astype(jnp.float32)
        return GaussianFactors(belief.precision + prior_precision, belief.weighted_mean).normalise()

    def _factors(self, params: Params, transition: chex.Array) -> GaussianFactors:
        mean, width = jnp.split(self._network.apply(params, transition), 2, axis=-1)
        if self._config.factor == "variance":
            precision = 1 / jnp.maximum(jax.nn.softplus(width), _SMALLEST_VARIANCE)
        else:
            precision = jax.nn.softplus(width - _PRECISION_SHIFT)
        return GaussianFactors(precision, precision * mean)


class _PointSum(NamedTuple):
    total: chex.Array
    count: chex.Array


class DeterministicEncoder:
    """z as the mean of a point for each transition: no uncertainty, so nothing to explore with (thesis, figure 18)."""

    has_kl = False

    def __init__(self, config: PearlConfig):
        self._config = config
        self._network = MLP(config.encoder_sizes, config.latent_size, _FINAL_SCALE)

    def init(self, key: chex.PRNGKey, context: chex.Array) -> Params:
        """The network's parameters; the key is consumed."""
        return self._network.init(key, context)

    def blank(self, num_tasks: int) -> _PointSum:
        """No points."""
        return _PointSum(
            jnp.zeros((num_tasks, self._config.latent_size), jnp.float32), jnp.zeros((num_tasks, 1), jnp.float32)
        )

    def absorb(self, params: Params, belief: _PointSum, transition: chex.Array) -> _PointSum:
        """Adds one more point."""
        return _PointSum(belief.total + self._network.apply(params, transition), belief.count + 1)

    def summarise(self, params: Params, context: chex.Array, valid: chex.Array) -> _PointSum:
        """The sum of all points that count."""
        weight = valid[..., None].astype(jnp.float32)
        return _PointSum(jnp.sum(weight * self._network.apply(params, context), axis=1), jnp.sum(weight, axis=1))

    def posterior(self, params: Params, belief: _PointSum) -> Gaussian:
        """A Gaussian of no width at the mean of the points; at 0 where there are none."""
        del params
        mean = belief.total / jnp.maximum(belief.count, 1)
        return Gaussian(mean, jnp.zeros_like(mean))


class _Recurrent(nn.Module):
    """A dense network, a GRU over time, and a head: `(carry [N, H], [N, C, Dc]) -> (carry [N, H], [N, 2 Dz])`.

    Transitions that are not `valid: [N, C]` leave the carry as it is.
    """

    hidden_sizes: Sequence[int]
    output_size: int

    @nn.compact
    def __call__(self, carry: chex.Array, context: chex.Array, valid: chex.Array) -> tuple[chex.Array, chex.Array]:
        """See the class."""
        inputs = nn.relu(MLP(self.hidden_sizes[:-1], self.hidden_sizes[-1])(context))

        def step(cell: nn.GRUCell, carry: chex.Array, xs: tuple[chex.Array, chex.Array]) -> tuple[chex.Array, None]:
            x, valid = xs
            new, _ = cell(carry, x)
            return jnp.where(valid[:, None], new, carry), None

        scan = nn.scan(step, variable_broadcast="params", split_rngs={"params": False}, in_axes=1)
        carry, _ = scan(nn.GRUCell(self.hidden_sizes[-1]), carry, (inputs, valid))
        return carry, nn.Dense(self.output_size)(carry)


class _Memory(NamedTuple):
    hidden: chex.Array
    output: chex.Array
    count: chex.Array


class RecurrentEncoder:
    """q(z|c) from the last state of a GRU that reads the transitions in order (thesis, figure 16)."""

    has_kl = True

    def __init__(self, config: PearlConfig):
        self._config = config
        self._network = _Recurrent(config.encoder_sizes, 2 * config.latent_size)

    def init(self, key: chex.PRNGKey, context: chex.Array) -> Params:
        """The network's parameters; the key is consumed."""
        valid = jnp.ones(context.shape[:2], bool)
        return self._network.init(key, self.blank(context.shape[0]).hidden, context, valid)

    def blank(self, num_tasks: int) -> _Memory:
        """A state of zeros."""
        return _Memory(
            jnp.zeros((num_tasks, self._config.encoder_sizes[-1]), jnp.float32),
            jnp.zeros((num_tasks, 2 * self._config.latent_size), jnp.float32),
            jnp.zeros((num_tasks, 1), jnp.float32),
        )

    def absorb(self, params: Params, belief: _Memory, transition: chex.Array) -> _Memory:
        """One step of the GRU."""
        valid = jnp.ones((transition.shape[0], 1), bool)
        hidden, output = self._network.apply(params, belief.hidden, transition[:, None], valid)
        return _Memory(hidden, output, belief.count + 1)

    def summarise(self, params: Params, context: chex.Array, valid: chex.Array) -> _Memory:
        """All steps of the GRU that count."""
        blank = self.blank(context.shape[0])
        hidden, output = self._network.apply(params, blank.hidden, context, valid)
        return _Memory(hidden, output, blank.count + jnp.sum(valid, axis=1, keepdims=True))

    def posterior(self, params: Params, belief: _Memory) -> Gaussian:
        """The head's Gaussian."""
        del params
        mean, width = jnp.split(belief.output, 2, axis=-1)
        variance = jnp.maximum(jax.nn.softplus(width), _SMALLEST_VARIANCE)
        prior = standard_gaussian(mean.shape)
        return jax.tree.map(
            lambda known, blank: jnp.where(belief.count > 0, known, blank), Gaussian(mean, variance), prior
        )


def make_encoder(config: PearlConfig) -> Encoder:
    """The encoder that the config names."""
    encoders = {"gaussian": GaussianEncoder, "deterministic": DeterministicEncoder, "recurrent": RecurrentEncoder}
    return encoders[config.encoder](config)
