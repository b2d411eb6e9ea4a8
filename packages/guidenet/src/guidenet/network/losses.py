"""The training loss (thesis 4.3.3).

In the shape descriptions `K` denotes classes, `H, W` pixels, `...` any leading dimensions.
"""

import jax
import jax.numpy as jnp

from guidenet.network.config import LossConfig

IGNORE = -1
"""The label of pixels that do not count."""


def pixel_cross_entropy(logits: jax.Array, labels: jax.Array, config: LossConfig) -> jax.Array:
    """Weighted mean of -log p of each pixel's label, `[...]` in nats; 0 where no pixel counts.

        p = softmax([0, logits])

    The thesis's loss is the plain mean over the pixels of an image, whatever its size (B.1.1).

    Args:
      logits: `[..., K, H, W]`, of classes against the background.
      labels: `[..., H, W]` int: 0 background, 1..K classes, `IGNORE` neither.
      config: how the pixels weigh.
    """
    scores = _with_background(logits, labels)
    log_p = jax.nn.log_softmax(scores, axis=-3)
    # An ignored pixel is in no class, so it weighs nothing.
    member = jax.nn.one_hot(labels, scores.shape[-3], axis=-3)
    weight = member.at[..., 1:, :, :].multiply(config.positive_weight)
    if config.balance == "classes":
        weight = weight / jnp.maximum(member.sum((-2, -1), keepdims=True), 1)
    total = weight.sum((-3, -2, -1))
    return -jnp.sum(weight * log_p, axis=(-3, -2, -1)) / jnp.where(total > 0, total, 1)


def soft_positive_iu(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """The positive IU of all images and classes together (B.1.2), with probabilities for masks; scalar, 0 to 1.

        sum over pixels of p y / sum over pixels of (p + y - p y)

    Arguments as for `pixel_cross_entropy`. Cross-entropy asks for probabilities, and what to weigh pixels with so that
    the more likely label is the one with the better IU depends on the IU; this asks for the IU itself. 1 where there is
    nothing to find.
    """
    scores = _with_background(logits, labels)
    p = jax.nn.softmax(scores, axis=-3)[..., 1:, :, :]
    y = jax.nn.one_hot(labels, scores.shape[-3], axis=-3)[..., 1:, :, :]
    p = p * jnp.expand_dims(labels != IGNORE, -3)
    both, union = jnp.sum(p * y), jnp.sum(p + y - p * y)
    return jnp.where(union > 0, both / jnp.where(union > 0, union, 1), 1.0)


def _with_background(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Scores `[..., K + 1, H, W]`, the background's 0 first; raises unless labels fit."""
    if logits.ndim < 3 or logits.shape[:-3] + logits.shape[-2:] != labels.shape:
        raise ValueError(f"labels must be [..., H, W] for logits [..., K, H, W], got {labels.shape} for {logits.shape}")
    return jnp.concatenate([jnp.zeros_like(logits[..., :1, :, :]), logits], axis=-3)


def training_loss(logits: jax.Array, labels: jax.Array, config: LossConfig) -> jax.Array:
    """What training lowers, scalar: `(1 - w)` mean cross-entropy of the images, `w (1 - soft positive IU)` of them all.

    Arguments as for `pixel_cross_entropy`; w is `config.iu_weight`.
    """
    loss = pixel_cross_entropy(logits, labels, config).mean()
    if not config.iu_weight:
        return loss
    return (1 - config.iu_weight) * loss + config.iu_weight * (1 - soft_positive_iu(logits, labels))
