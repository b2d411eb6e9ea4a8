"""The loss on logits worked out by hand."""

import jax.numpy as jnp
import numpy as np
import pytest
from guidenet import LossConfig
from guidenet.network.losses import IGNORE, pixel_cross_entropy, soft_positive_iu, training_loss

# One class against the background, four pixels: softmax of [0, log 3] is [1/4, 3/4].
LOGITS = jnp.full((1, 1, 4), np.log(3.0))
A, B = -np.log(0.25), -np.log(0.75)


@pytest.mark.parametrize(
    ("labels", "options", "expected"),
    [
        ([0, 0, 0, 1], {"balance": "pixels"}, (3 * A + B) / 4),
        ([0, 0, 0, 1], {"balance": "classes"}, (A + B) / 2),
        ([0, 0, 0, 1], {"balance": "pixels", "positive_weight": 6.0}, (3 * A + 6 * B) / 9),
        ([0, 0, 0, 1], {"balance": "classes", "positive_weight": 3.0}, (A + 3 * B) / 4),
        ([0, IGNORE, IGNORE, 1], {"balance": "pixels"}, (A + B) / 2),
        ([1, 1, 1, 1], {"balance": "classes"}, B),
        ([IGNORE] * 4, {"balance": "classes"}, 0),
    ],
)
def test_one_class(labels, options, expected):
    loss = pixel_cross_entropy(LOGITS, jnp.asarray([labels]), LossConfig(**options))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_several_classes_and_images():
    logits = jnp.log(jnp.asarray([[[[2.0, 2.0]], [[5.0, 5.0]]], [[[1.0, 1.0]], [[1.0, 1.0]]]]))  # [N, K, H, W]
    loss = pixel_cross_entropy(logits, jnp.asarray([[[2, 0]], [[1, 1]]]), LossConfig("pixels"))
    np.testing.assert_allclose(loss, [-(np.log(5 / 8) + np.log(1 / 8)) / 2, np.log(3)], rtol=1e-6)


def test_shapes_must_fit():
    with pytest.raises(ValueError, match=r"labels must be \[..., H, W\] for logits \[..., K, H, W\]"):
        pixel_cross_entropy(LOGITS, jnp.zeros((4,), int), LossConfig())


def test_soft_positive_iu_is_that_of_probabilities():
    # p = 3/4 everywhere: found 3/4 of one pixel, of a union of 1 + 3 * 3/4.
    labels = jnp.asarray([[0, 0, 0, 1]])
    np.testing.assert_allclose(soft_positive_iu(LOGITS, labels), 0.75 / (1 + 3 * 0.75), rtol=1e-6)
    labels = jnp.asarray([[0, IGNORE, IGNORE, 1]])
    np.testing.assert_allclose(soft_positive_iu(LOGITS, labels), 0.75 / (1 + 0.75), rtol=1e-6)
    certain = jnp.full((1, 1, 2), -1e4).at[0, 0, 1].set(1e4)
    np.testing.assert_allclose(soft_positive_iu(certain, jnp.asarray([[0, 1]])), 1)
    np.testing.assert_allclose(soft_positive_iu(certain, jnp.asarray([[IGNORE, IGNORE]])), 1)


def test_the_training_loss_mixes_both():
    labels = jnp.asarray([[[0, 0, 0, 1]], [[1, 1, 1, 1]]])
    logits = jnp.stack([LOGITS, LOGITS])
    entropy = ((A + B) / 2 + B) / 2
    iu = (5 * 0.75) / (5 + 3 * 0.75)
    for weight in (0.0, 0.25, 1.0):
        loss = training_loss(logits, labels, LossConfig(iu_weight=weight))
        np.testing.assert_allclose(loss, (1 - weight) * entropy + weight * (1 - iu), rtol=1e-6)
    with pytest.raises(ValueError, match="iu_weight must be between 0 and 1, got 2"):
        LossConfig(iu_weight=2)
