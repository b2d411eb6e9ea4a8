"""Methods on toy networks: guidance is the network's own, and optimisation on a support fits the support."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guidenet import BackboneConfig, Config, DecoderConfig, GuidedNetwork, HeadConfig, merge_shots, upsample
from guidenet.evaluation import FineTuned, Guided

SMALL = BackboneConfig("small", strides=(4,), channels=(4, 5, 6))
CONCAT = HeadConfig("concat", hidden_size=8)
SIDE = 32
SIZE = (SIDE, SIDE)
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.uint8)
MASKS = np.zeros((2, 2, 2, SIDE, SIDE), bool)
MASKS[:, 0, 1, :9, :9] = MASKS[:, 0, 0, 20, 20] = MASKS[:, 1, 1, 12:, :6] = True


def make(**options):
    network = GuidedNetwork(Config(SMALL, **{"head": CONCAT, "feature_size": 3, **options}))
    params = network.init(jax.random.key(0))
    head = jax.tree.map(lambda x: np.asarray(x) + 0.3 * rng.normal(size=x.shape).astype(np.float32), params["head"])
    return network, {**params, "head": head}


def look(network, params):
    maps = jax.jit(network.look)(params, IMAGES)
    return list(zip(*map(np.asarray, maps), strict=True))  # of each image


@pytest.mark.parametrize("fusion", ["late", "early", "masking", "none"])
def test_guided_is_the_network(fusion):
    network, params = make(fusion=fusion)
    features = look(network, params)
    method = Guided(network, params)
    assert method.needs_images == (fusion in ("early", "masking"))
    seen = [method.see(image, looked) for image, looked in zip(IMAGES, features, strict=True)]
    found = method.segment(seen[1], method.adapt(seen, MASKS), SIZE)

    @jax.jit
    def expected(params):
        guides = [network.guide_image(params, *pair) for pair in zip(IMAGES, MASKS.astype(np.float32), strict=True)]
        guide = merge_shots(jax.tree.map(lambda *x: jnp.stack(x), *guides), network.config.shots)
        return network.score(params, network.encode(params, IMAGES[1]), guide, SIZE)

    np.testing.assert_allclose(found, expected(params), atol=2e-4)


def test_one_shot_is_not_averaged_and_local_guidance_has_one():
    network, params = make(pooling="local", feature_size=0)
    method = Guided(network, params)
    seen = [method.see(None, looked) for looked in look(network, params)]
    found = method.segment(seen[0], method.adapt(seen[:1], MASKS[:1]), SIZE)
    assert found.shape == (2, *SIZE)
    with pytest.raises(ValueError, match="supports must be one image with pooling=local, got 2"):
        method.adapt(seen, MASKS)


@pytest.mark.parametrize("part", ["head", "network"])
def test_fine_tuning_fits_the_support_class_by_class(part):
    network, params = make(fusion="none")
    method = FineTuned(network, params, num_steps=60, learning_rate=0.03, part=part)
    assert method.needs_images == (part == "network")
    seen = [method.see(image, looked) for image, looked in zip(IMAGES, look(network, params), strict=True)]
    task = method.adapt(seen[:1], MASKS[:1])
    logits = np.asarray(method.segment(seen[0], task, SIZE))
    assert logits.shape == (2, *SIZE)
    for k in range(2):
        other = 1 - k
        right = np.concatenate([logits[k][MASKS[0, k, 1]] > 0, logits[k][MASKS[0, other, 1]] < 0])
        assert right.mean() > 0.9
        pairs = zip(jax.tree.leaves(task[k]["backbone"]), jax.tree.leaves(params["backbone"]), strict=True)
        assert all(np.array_equal(*pair) for pair in pairs) == (part == "head")


def test_fine_tuning_on_batches_of_the_support_looks_at_all_of_it_in_time():
    network, params = make(fusion="none")
    seen = look(network, params)
    everything, batches, larger = (
        FineTuned(network, params, num_steps=150, learning_rate=0.03, batch_size=size) for size in (0, 1, 2)
    )
    task, drawn, same = (method.adapt(list(seen), MASKS) for method in (everything, batches, larger))
    for a, b in zip(jax.tree.leaves(task), jax.tree.leaves(same), strict=True):
        np.testing.assert_array_equal(a, b)  # a batch of the whole support is no batch
    assert not np.allclose(task[0]["head"]["threshold"], drawn[0]["head"]["threshold"], atol=1e-6)
    for image, masks in zip(seen, MASKS, strict=True):
        logits = np.asarray(batches.segment(image, drawn, SIZE))
        assert (logits[0][masks[0, 1]] > 0).mean() > 0.65
        assert (logits[0][masks[1, 1]] < 0).mean() > 0.65


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_steps": 0}, "num_steps must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0"),
        ({"batch_size": -1}, "batch_size must be at least 0, got -1"),
        ({"part": "backbone"}, "part must be one of head, network, got 'backbone'"),
    ],
)
def test_options_of_fine_tuning_are_checked(options, message):
    network, params = make(fusion="none")
    with pytest.raises(ValueError, match=message):
        FineTuned(network, params, **options)
    with pytest.raises(ValueError, match="fusion must be none in a network to fine-tune, got 'late'"):
        FineTuned(*make())


def test_a_decoder_is_told_where_only_if_the_query_is_annotated():
    config = Config(BackboneConfig("small", (4, 8), (4, 5, 6)), feature_size=4, decoder=DecoderConfig((4, 5), groups=2))
    network = GuidedNetwork(config)
    params = network.init(jax.random.key(0))
    noise = np.random.default_rng(1)
    params = {**params, "decoder": jax.tree.map(lambda x: x + 0.3 * noise.normal(size=x.shape), params["decoder"])}
    method, (looked, _) = Guided(network, params), look(network, params)
    seen = method.see(None, looked)
    own, alike = (method.segment(seen, method.adapt([seen], MASKS[:1], own=own), SIZE) for own in (True, False))
    assert np.abs(np.asarray(own - alike)).max() > 1e-3

    @jax.jit
    def expected(params):
        features = network.encode(params, IMAGES[0])
        prepared, guide = network.prepare(params, features), network.guide(features, MASKS[0].astype(np.float32))
        scores = network.score_prepared(params, prepared, guide, None, network.place(MASKS[0]))
        return upsample(scores, network.score_grid(*SIZE), *SIZE)

    np.testing.assert_allclose(own, expected(params), atol=1e-3)
