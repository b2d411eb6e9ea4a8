"""Heads: the learned metric from the features of a query and guidance to scores (thesis 4.3.2).

What does not depend on guidance is computed once for an image, by `prepare`; a change of annotations repeats only the
rest. A score is of a class against the background, whose score is 0. Both heads subtract a `threshold` from it, which
is not trained: it can be chosen once training is over, as classes that were not trained on ask for another one.

In the shape descriptions `K` denotes classes, `R, Q` the rows and columns of cells, `C` features, `D` hidden units.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.network.config import HeadConfig

ABSENT_SCORE = -1e4
"""Of a class without positive annotations: its probability is 0."""

OWN_BACKGROUND = 4.0
"""As many annotated negatives weigh as much as what the image itself says of its background."""

INITIAL_SCALE = 10.0
"""Of the difference of cosines, before training."""


class Directions(NamedTuple):
    """What the cosine head keeps of an image.

    features: `[R, Q, C]`, of length 1 each.
    valid: `[R, Q]` bool, cells that lie in the image.
    """

    features: jax.Array
    valid: jax.Array


class WithRidge(NamedTuple):
    """What a network with a ridge regression keeps of an image.

    metric: what its head does.
    features: `[R, Q, F]` of the backbone, centred.
    """

    metric: jax.Array | Directions
    features: jax.Array


Prepared = jax.Array | Directions | WithRidge


def make_head(config: HeadConfig) -> "ConcatHead | CosineHead":
    """The module for a config.

    Its methods: `prepare(features [R, Q, C], valid [R, Q] bool) -> prepared`, where cells that are not valid lie
    outside the image; `__call__(prepared, z, present, deterministic) -> [K, R, Q]`, with z and present as from
    `guidenet.pool`, z perhaps with places, `[K, 2, R, Q, C]`; `everything(features, valid, z, count)`, for `init`.
    """
    return (ConcatHead if config.kind == "concat" else CosineHead)(config)


class ConcatHead(nn.Module):
    """The thesis's: features and guides concatenated, tiled over the image, then two 1x1 convolutions.

        s = W2 relu(W1 [phi(x), z] + b1) + b2

    W1 [phi(x), z] is a sum of two products, of which only W1' z changes with the annotations.
    """

    config: HeadConfig

    def setup(self) -> None:
        """Makes the layers."""
        config = self.config
        init = nn.initializers.normal(1e-3) if config.initialisation == "thesis" else nn.initializers.he_normal()
        self.threshold = self.param("threshold", nn.initializers.zeros, ())
        self.query = nn.Dense(config.hidden_size, kernel_init=init)
        self.guide = nn.Dense(config.hidden_size, use_bias=False, kernel_init=init)
        self.dropout = nn.Dropout(config.dropout)
        self.score = nn.Dense(1 if config.shared else 2, kernel_init=nn.initializers.zeros)

    def prepare(self, features: jax.Array, valid: jax.Array) -> jax.Array:
        """`[R, Q, D]` of `[R, Q, C]`."""
        del valid
        return self.query(features)

    def __call__(self, prepared: jax.Array, z: jax.Array, count: jax.Array, deterministic: bool = True) -> jax.Array:
        """See `make_head`."""
        if z.ndim == 3:
            z = z[:, :, None, None]
        if self.config.shared:
            # The background's guide is what is negative for all; each guide is scored by the same weights.
            guides = jnp.concatenate([_background(z, count)[None], z[:, 1]])
            scores = self._score(prepared, guides, deterministic)[..., 0]
            logits = scores[1:] - scores[:1]
        else:
            scores = self._score(prepared, jnp.concatenate([z[:, 0], z[:, 1]], axis=-1), deterministic)
            logits = scores[..., 1] - scores[..., 0]
        return _without_absent(logits - self.threshold, count)

    def _score(self, prepared: jax.Array, guides: jax.Array, deterministic: bool) -> jax.Array:
        hidden = nn.relu(prepared[None] + self.guide(guides))
        return self.score(self.dropout(hidden, deterministic=deterministic))

    def everything(self, features: jax.Array, valid: jax.Array, z: jax.Array, count: jax.Array) -> jax.Array:
        """See `make_head`."""
        return self(self.prepare(features, valid), z, count)


class CosineHead(nn.Module):
    """A calibrated cosine metric: a linear function of three cosines, and a hidden layer on top if there is one.

        x = [cos(phi, z+), cos(phi, z-), cos(phi, z+) - cos(phi, z-)],  s = w x + b + W2 relu(W1 x + b1)

    With `products`, W1 also sees the products phi * z+ and phi * z- of directions. It starts as the nearest prototype:
    w = (0, 0, 10), all else 0.

    z- is the background. Most of an image is not what is looked for, so until the user has said enough of it the
    background is the query's own: the mean b of its features, weighted by how unlike z+ they are. With N annotated
    negatives, of mean n, and b and n of length 1,

        b ~ sum of exp(-(cos(phi, z+) - mean) / deviation) phi,   z- ~ 4 b + N n,   m = min(1, 4 / N)
        cos-(phi) = cos(phi, z-) + m max(0, cos(phi, b) - cos(phi, z-))

    stands for cos(phi, z-), and without negatives cos(phi, b): the first four can only take from a mask.
    """

    config: HeadConfig

    def setup(self) -> None:
        """Makes the layers."""
        self.threshold = self.param("threshold", nn.initializers.zeros, ())
        self.linear = nn.Dense(1, kernel_init=_initial_calibration)
        if self.config.hidden_size:
            self.hidden = nn.Dense(self.config.hidden_size)
            self.dropout = nn.Dropout(self.config.dropout)
            self.score = nn.Dense(1, use_bias=False, kernel_init=nn.initializers.zeros)
        if self.config.products:
            self.positive = nn.Dense(self.config.hidden_size, use_bias=False)
            self.negative = nn.Dense(self.config.hidden_size, use_bias=False)

    def prepare(self, features: jax.Array, valid: jax.Array) -> Directions:
        """`Directions` of `[R, Q, C]`."""
        return Directions(_direction(features), valid)

    def __call__(self, prepared: Directions, z: jax.Array, count: jax.Array, deterministic: bool = True) -> jax.Array:
        """See `make_head`."""
        positive = _direction(z[:, 1])
        to_positive = jnp.einsum("rqc,kc->krq", prepared.features, positive)
        own = _own_background(prepared, to_positive)
        said = count[:, 0, None].astype(own.dtype)
        negative = _direction(OWN_BACKGROUND * own + said * _direction(z[:, 0]))
        to_own, to_negative = (jnp.einsum("rqc,kc->krq", prepared.features, x) for x in (own, negative))
        share = jnp.minimum(1, OWN_BACKGROUND / jnp.maximum(said, 1))[..., None]
        to_negative += share * nn.relu(to_own - to_negative)
        x = jnp.stack([to_positive, to_negative, to_positive - to_negative], axis=-1)
        logits = self.linear(x)
        if self.config.hidden_size:
            hidden = self.hidden(x)
            if self.config.products:
                features = prepared.features[None]
                hidden += self.positive(features * positive[:, None, None])
                hidden += self.negative(features * negative[:, None, None])
            logits += self.score(self.dropout(nn.relu(hidden), deterministic=deterministic))
        return _without_absent(logits[..., 0] - self.threshold, count)

    def everything(self, features: jax.Array, valid: jax.Array, z: jax.Array, count: jax.Array) -> jax.Array:
        """See `make_head`."""
        return self(self.prepare(features, valid), z, count)


def _own_background(image: Directions, to_positive: jax.Array) -> jax.Array:
    """`[K, C]`: for each class the direction of what is least like it in an image; `to_positive [K, R, Q]` cosines."""
    valid = image.valid[None].astype(to_positive.dtype)
    count = jnp.maximum(valid.sum(), 1)
    mean = (to_positive * valid).sum((1, 2), keepdims=True) / count
    variance = (jnp.square(to_positive - mean) * valid).sum((1, 2), keepdims=True) / count
    unlike = jnp.where(image.valid[None], (mean - to_positive) * jax.lax.rsqrt(variance + 1e-6), -1e9)
    # The direction depends on no factor of the weights, and none of these is too large for a float.
    weight = valid * jnp.exp(unlike - jax.lax.stop_gradient(unlike.max((1, 2), keepdims=True)))
    return _direction(jnp.einsum("krq,rqc->kc", weight, image.features))


def _background(z: jax.Array, count: jax.Array) -> jax.Array:
    counts = (count[:, 0] > 0).astype(z.dtype)
    return jnp.tensordot(counts, z[:, 0], 1) / jnp.maximum(counts.sum(), 1)


def _without_absent(logits: jax.Array, count: jax.Array) -> jax.Array:
    return jnp.where(count[:, 1, None, None] > 0, logits, ABSENT_SCORE)


def _direction(x: jax.Array) -> jax.Array:
    # The square root has no gradient at 0, which is where a guide without annotations is.
    return x * jax.lax.rsqrt(jnp.sum(x * x, axis=-1, keepdims=True) + 1e-12)


def _initial_calibration(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    del key
    return jnp.zeros(shape, dtype).at[-1].set(INITIAL_SCALE)
