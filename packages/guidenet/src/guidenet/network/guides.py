"""The task representation z (thesis 4.3.1) as sums and weights, in JAX: it can be jitted, mapped and differentiated.

Every class has two guides, index 0 of the negatives and 1 of the positives. Sums of floats depend on their order; what
is added and removed while a user annotates is counted exactly, in `guidenet.segmenter.guidance`.

In the shape descriptions `K` denotes classes, `S` shots, `R, Q` the rows and columns of cells, `C` features, `...` any
leading dimensions.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Guide(NamedTuple):
    """Sums of fused features. Guides of the same classes can be added, field by field.

    total: `[..., K, 2, C]`, sum of the features under the masks; of local guides `[..., K, 2, R, Q, C]`.
    weight: `[..., K, 2]`, sum of the masks, or number of shots; 0 where a class has no such annotation. Of local guides
      `[..., K, 2, R, Q]`.
    count: `[..., K, 2]`, annotated pixels: how much was said, whatever it weighs.
    images: `[..., K, 2]`, annotated images; None where nobody asks.
    """

    total: jax.Array
    weight: jax.Array
    count: jax.Array
    images: jax.Array | None = None


def guide(features: jax.Array, masks: jax.Array, *, local: bool = False) -> Guide:
    """Late fusion: features times masks, psi(phi(x), m(+), m(-)), summed over all places or kept where they are.

    Args:
      features: `[..., R, Q, C]` of the support, from the encoder that the query goes through too.
      masks: `[..., K, 2, R, Q]`, annotations in cells as from `guidenet.downsample`. What is in no mask is unknown.
      local: keep the places. There the weight of a cell is at most 1, however many of its pixels are annotated.
    """
    if features.shape[-3:-1] != masks.shape[-2:]:
        raise ValueError(f"masks must have the {features.shape[-3:-1]} cells of the features, got {masks.shape[-2:]}")
    if masks.ndim < 4 or masks.shape[-3] != 2:
        raise ValueError(f"masks must be [..., K, 2, R, Q], got {masks.shape}")
    count = masks.sum((-2, -1))
    if local:
        weight = jnp.minimum(masks, 1)
        return Guide(weight[..., None] * features[..., None, None, :, :, :], weight, count)
    return Guide(jnp.einsum("...rqc,...ksrq->...ksc", features, masks), count, count)


def merge_shots(guides: Guide, shots: str = "equal") -> Guide:
    """One guide of several shots: `[S, ..., K, 2, C]` to `[..., K, 2, C]`. A shot counts where it has annotations.

        z_S = mean over s of z_s    (m_S, thesis 4.3.1)

    Args:
      guides: of each shot.
      shots: `equal`, each shot's mean counts the same, or `pixels`, each annotated pixel does.
    """
    if shots == "equal":
        mean, present = pool(guides)
        guides = guides._replace(total=mean, weight=present.astype(guides.weight.dtype))
    return jax.tree.map(lambda x: x.sum(0), guides)


def pool(guides: Guide) -> tuple[jax.Array, jax.Array]:
    """z, `[..., K, 2, C]`, 0 where there are no annotations, and whether there are any, `[..., K, 2]` bool."""
    present = guides.weight > 0
    return guides.total / jnp.where(present, guides.weight, 1)[..., None], present


def oppose(guides: Guide, *, local: bool = False) -> Guide:
    """One class against the rest: the positives of all other classes join each class's negatives."""
    trailing = 4 if local else 2
    images = None if guides.images is None else _oppose(guides.images, 2)
    return Guide(
        _oppose(guides.total, trailing + 1), _oppose(guides.weight, trailing), _oppose(guides.count, 2), images
    )


def oppose_masks(masks: jax.Array) -> jax.Array:
    """`oppose` for masks `[..., K, 2, H, W]`: pixels of other classes are negative; at most 1."""
    return jnp.minimum(_oppose(masks, 4), 1)


def _oppose(x: jax.Array, trailing: int) -> jax.Array:
    classes = x.ndim - trailing
    negative, positive = jnp.take(x, 0, axis=classes + 1), jnp.take(x, 1, axis=classes + 1)
    # A sum over the others rather than a difference, which would leave rounding errors where there are none.
    others = 1 - jnp.eye(x.shape[classes], dtype=x.dtype)
    rest = jnp.moveaxis(jnp.tensordot(others, positive, ((1,), (classes,))), 0, classes)
    return jnp.stack([negative + rest, positive], axis=classes + 1)
