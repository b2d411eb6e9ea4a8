"""Gradient steps: what is trained and what is not, and that every kind of network learns an episode."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guidenet import BackboneConfig, Config, DecoderConfig, HeadConfig, LossConfig
from guidenet.data.material import statistics
from guidenet.network.losses import training_loss
from guidenet.training import Batch, Learner, OptimiserConfig, TrainingConfig
from guidenet.training.learner import standardise

SMALL = BackboneConfig("small", strides=(4,), channels=(4, 5, 6))
COSINE = HeadConfig(hidden_size=4, products=True)
CONCAT = HeadConfig("concat", hidden_size=8)
SIDE = 32
OPTIMISER = OptimiserConfig(learning_rate=3e-2, decay="none", averaging_rate=0.5)
KINDS = {
    "late": {"network": Config(SMALL, COSINE, LossConfig(iu_weight=0.5), feature_size=3)},
    "decoder": {
        "network": Config(
            dataclasses.replace(SMALL, strides=(4, 8)), feature_size=4, decoder=DecoderConfig((4, 5, 6), groups=2)
        )
    },
    "dropout": {"network": Config(SMALL, dataclasses.replace(CONCAT, dropout=0.2), feature_size=3)},
    "whole": {"network": Config(SMALL, CONCAT), "trained": "network"},
    "early": {"network": Config(SMALL, CONCAT, fusion="early", feature_size=3)},
    "masking": {"network": Config(SMALL, CONCAT, fusion="masking", feature_size=3)},
    "none": {"network": Config(SMALL, CONCAT, fusion="none", feature_size=3)},
    "local": {"network": Config(SMALL, CONCAT, pooling="local", feature_size=3), "kinds": ("interactive",)},
    "sgd": {
        "network": Config(SMALL, CONCAT, feature_size=3),
        "optimiser": OptimiserConfig("sgd", 0.1, "cosine", momentum=0.5, weight_decay=1e-3, max_grad_norm=0),
    },
}


update = jax.jit(Learner.update, static_argnums=0)  # compiled once for each kind


@functools.cache
def make(kind):
    options = {"optimiser": OPTIMISER, "num_iterations": 1, "updates_per_iteration": 20, **KINDS[kind]}
    learner = Learner(TrainingConfig(**options))
    params = learner.network.init(jax.random.key(0))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.uint8)
    target = np.zeros((2, SIDE, SIDE), np.int8)
    target[:, 4:20, 8:24] = 1
    images[target == 1] = [250, 20, 20]
    annotation = np.full((2, SIDE, SIDE), -1, np.int8)
    annotation[:, 10, 12], annotation[:, 28, 3] = 1, 0
    maps = tuple(np.asarray(x).astype(np.float16) for x in jax.jit(learner.network.look)(params, images))
    seen = {True: images, False: maps}
    step = learner.config.loss_step
    batch = Batch(
        seen[learner.support_images],
        seen[learner.query_images],
        annotation,
        target[:, step // 2 :: step, step // 2 :: step],
        np.array([True, False]),
    )
    if learner.network.config.feature_size:
        params = standardise(params, *statistics(maps))
    return learner, params, batch


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_network_learns_an_episode(kind):
    learner, params, batch = make(kind)
    frozen = {part: leaves for part, leaves in params.items() if part not in learner.trained_parts}
    state = learner.init(params, jax.random.key(1))
    losses = []
    for _ in range(20):
        state, metrics = update(learner, state, frozen, batch)
        losses.append(float(metrics["loss"]))
    assert losses[-1] < 0.8 * losses[0]
    assert int(state.num_updates) == 20
    trained = learner.join(frozen, state.params)
    for part, leaves in params.items():
        changed = [
            not np.array_equal(a, b)
            for a, b in zip(jax.tree.leaves(leaves), jax.tree.leaves(trained[part]), strict=True)
        ]
        assert any(changed) == (part in learner.trained_parts and bool(changed)), part
    assert float(trained["head"]["threshold"]) == 0
    if learner.network.config.feature_size:
        np.testing.assert_array_equal(trained["projection"]["mean"], params["projection"]["mean"])
        np.testing.assert_array_equal(trained["projection"]["deviation"], params["projection"]["deviation"])


def test_the_loss_is_that_of_the_network_on_one_pixel_in_sixteen():
    learner, params, batch = make("late")
    network = learner.network
    masks = np.stack([batch.annotation == 0, batch.annotation == 1], axis=1)[:, None].astype(np.float32)

    @jax.jit
    def logits(maps, masks):
        encoded = network.project(params, maps)
        return network.score(params, encoded, network.guide(encoded, masks), (SIDE, SIDE))

    expected = jnp.stack(
        [logits(*pair)[:, 2::4, 2::4] for pair in zip(zip(*batch.support, strict=True), masks, strict=True)]
    )
    loss = training_loss(expected, jnp.asarray(batch.target, jnp.int32), network.config.loss)
    np.testing.assert_allclose(jax.jit(learner.loss)(params, batch), loss, rtol=1e-5)


def test_features_are_standardised_by_what_they_were_trained_on():
    learner, params, batch = make("early")
    network = learner.network
    kernel = params["projection"]["kernel"]
    (features,) = (np.asarray(x, np.float32) for x in batch.query)
    mean, deviation = (np.asarray(params["projection"][name]) for name in ("mean", "deviation"))
    expected = (features - mean) / deviation @ np.asarray(kernel)
    np.testing.assert_allclose(network.project(params, batch.query).cells, expected, atol=1e-4)
    np.testing.assert_array_equal(params["support_projection"]["mean"], mean)


def test_the_average_starts_as_a_mean_and_forgets():
    learner, params, batch = make("late")
    frozen = {"backbone": params["backbone"]}
    first, _ = update(learner, learner.init(params, jax.random.key(1)), frozen, batch)
    second, _ = update(learner, first, frozen, batch)
    kernels = [state.params["projection"]["kernel"] for state in (first, second)]
    np.testing.assert_allclose(first.average["projection"]["kernel"], kernels[0], rtol=1e-5)
    np.testing.assert_allclose(
        second.average["projection"]["kernel"], (kernels[0] + kernels[1]) / 2, rtol=1e-4, atol=1e-6
    )
