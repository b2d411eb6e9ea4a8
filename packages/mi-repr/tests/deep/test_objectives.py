"""Objectives: which pairs they see, what the action is to them, steps ahead."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mi_repr.deep import OBJECTIVES, EncoderConfig, Encoding, PretrainConfig, Setting, make_objective
from mi_repr.deep.objectives import EncodedFrames
from mi_repr.deep.objectives.protocol import pairs
from mi_repr.deep.objectives.reconstruction import Decoder
from rlcore.networks import MLP

CONFIG = EncoderConfig(feature_size=5, rank=3, inverse_hidden_sizes=(7,))
RNG = np.random.default_rng(0)
FEATURES = jnp.asarray(RNG.normal(size=(2, 4, 5)), jnp.float32)
ACTION = jnp.asarray(RNG.integers(0, 3, (2, 4)), jnp.int32)
ENCODING = Encoding(FEATURES, jnp.full_like(FEATURES, 0.1))


IMAGE = jnp.asarray(RNG.integers(0, 256, (2, 4, 8, 8, 3)), jnp.uint8)


def _make(name, config=CONFIG, **options):
    return make_objective(name, Setting(config, 3, (8, 8, 3), **options))


def _loss(objective, encoding=ENCODING, action=ACTION, beta=0.0):
    params = objective.init(jax.random.key(1))
    frames = EncodedFrames(IMAGE, action, encoding)
    return objective.loss(params, frames, jax.random.key(2), jnp.asarray(beta))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_pairs_are_all_frames_k_apart_with_the_first_action(k):
    now, action, later = pairs(FEATURES, ACTION, k)
    expected = [(w, t) for w in range(2) for t in range(4 - k)]
    for row, (w, t) in enumerate(expected):
        np.testing.assert_array_equal(now[row], FEATURES[w, t])
        np.testing.assert_array_equal(later[row], FEATURES[w, t + k])
        assert action[row] == ACTION[w, t]
    assert len(now) == len(expected)


@pytest.mark.parametrize("scorer", ["per_action_bilinear", "concat_bilinear"])
def test_state_objective_ignores_the_action_and_forward_does_not(scorer):
    config = EncoderConfig(feature_size=5, rank=3, scorer=scorer)
    other = (ACTION + 1) % 3
    state, forward = (_make(name, config) for name in ("state", "fwd"))
    assert _loss(state)[0] == _loss(state, action=other)[0]
    assert _loss(forward)[0] != _loss(forward, action=other)[0]


def test_last_actions_are_not_used():
    changed = ACTION.at[:, -1].add(1) % 3
    for name in ("fwd", "inv"):
        objective = _make(name)
        assert _loss(objective)[0] == _loss(objective, action=changed)[0]


def test_bound_and_gap_of_a_contrastive_loss_add_up_to_log_batch():
    loss, metrics = _loss(_make("fwd"))
    assert metrics["information/bound"] + metrics["information/gap_to_log_batch"] == pytest.approx(np.log(6), rel=1e-5)
    assert loss == metrics["loss/nce"]


def test_negatives_come_from_the_own_group_and_what_it_shares_says_nothing():
    config = EncoderConfig(feature_size=5, rank=3, shared_coef=0.0)
    objective = _make("fwd", config, num_groups=2)
    _, metrics = _loss(objective)
    assert metrics["information/bound"] + metrics["loss/nce"] == pytest.approx(np.log(3), rel=1e-5)
    shift = jnp.array([10.0, -7.0])[:, None, None] * jnp.ones(5)[None, None]
    shifted, _ = _loss(objective, Encoding(FEATURES + shift, None))
    assert shifted == pytest.approx(float(_loss(objective)[0]), rel=1e-4)


def test_what_features_tell_of_a_group_is_paid_for():
    free = _make("state", EncoderConfig(feature_size=5, rank=3, shared_coef=0.0), num_groups=2)
    paid = _make("state", EncoderConfig(feature_size=5, rank=3, shared_coef=0.5), num_groups=2)
    loss, metrics = _loss(paid)
    assert loss == pytest.approx(float(_loss(free)[0] + 0.5 * metrics["information/shared"]), rel=1e-5)


def test_inverse_loss_is_the_action_loss_and_beta_times_the_rate():
    objective = _make("inv")
    free, metrics = _loss(objective)
    paid, _ = _loss(objective, beta=0.5)
    assert free == metrics["loss/action"]
    assert paid == pytest.approx(float(free + 0.5 * metrics["information/rate"]), rel=1e-5)


def test_inverse_head_without_hidden_layers_is_linear():
    objective = _make("inv", EncoderConfig(feature_size=5, inverse_hidden_sizes=()))
    params = objective.init(jax.random.key(0))
    assert [leaf.shape for leaf in jax.tree.leaves(params)] == [(3,), (10, 3)]


def test_inverse_needs_a_gaussian_encoder():
    with pytest.raises(ValueError, match="gaussian=True"):
        _loss(_make("inv"), Encoding(FEATURES, None))


def test_unknown_objective():
    with pytest.raises(ValueError, match=r"objective must be one of fwd, state, inv, .*, got 'forward'"):
        _make("forward")


def test_groups_mean_nothing_where_there_are_no_negatives():
    assert _make("inv", num_groups=2).setting.num_groups == 1
    assert _make("fwd", num_groups=2).setting.num_groups == 2


def test_bound_of_the_inverse_model_is_held_against_the_entropy_of_the_actions():
    uniform, uneven = (_loss(_make("inv", action_entropy=entropy))[1] for entropy in (None, 0.5))
    assert uniform["information/bound"] + uniform["loss/action"] == pytest.approx(np.log(3), rel=1e-5)
    assert uneven["information/bound"] + uneven["loss/action"] == pytest.approx(0.5, rel=1e-5)


def test_records_say_what_each_objective_is():
    for name, record in OBJECTIVES.items():
        assert record.name == name
        assert record.needs
        assert record.description
        objective = _make(name)
        assert objective.span >= 0
        assert hash(objective) == hash(_make(name))
        record.check(EncoderConfig(**record.encoder), PretrainConfig(**record.pretrain))


@pytest.mark.parametrize("scorer", ["concat_bilinear", "per_action_bilinear"])
def test_names_of_the_thesis_stand_for_its_heads(scorer):
    encoder = EncoderConfig(scorer=scorer)
    for name in ("fwd-thesis", "state-thesis"):
        if scorer == "concat_bilinear":
            OBJECTIVES[name].check(encoder, PretrainConfig(num_warmup_updates=0))
        else:
            with pytest.raises(ValueError, match=f"scorer must be 'concat_bilinear' with '{name}', got '{scorer}'"):
                OBJECTIVES[name].check(encoder, PretrainConfig(num_warmup_updates=0))
    with pytest.raises(ValueError, match="num_warmup_updates must be 0 with 'inv-thesis', got 300"):
        OBJECTIVES["inv-thesis"].check(EncoderConfig(inverse_hidden_sizes=()), PretrainConfig())


def test_windows_must_be_longer_than_what_an_objective_looks_ahead():
    OBJECTIVES["inv"].check(EncoderConfig(), PretrainConfig(window_size=2))
    for name in ("multi-inv", "bootstrap"):
        with pytest.raises(ValueError, match=f"window_size must be above max_steps_ahead=3 with '{name}', got 3"):
            OBJECTIVES[name].check(EncoderConfig(), PretrainConfig(window_size=3))


def test_multi_inverse_is_the_mean_over_steps_of_models_that_are_told_how_many():
    config = EncoderConfig(feature_size=5, inverse_hidden_sizes=())
    objective = _make("multi-inv", config, max_steps_ahead=2)
    head = objective.init(jax.random.key(1))
    kernel, bias = (np.asarray(head["params"]["Dense_0"][name]) for name in ("kernel", "bias"))
    assert kernel.shape == (12, 3)
    expected = []
    for k in (1, 2):
        losses = []
        for w in range(2):
            for t in range(4 - k):
                now, later = FEATURES[w, t], FEATURES[w, t + k]
                logits = np.concatenate([now, later - now, np.eye(2)[k - 1]]) @ kernel + bias
                losses.append(np.log(np.exp(logits).sum()) - logits[ACTION[w, t]])
        expected.append(np.mean(losses))
    loss, metrics = objective.head_loss(head, FEATURES, ACTION)
    assert loss == pytest.approx(np.mean(expected), rel=1e-5)
    assert metrics["information/bound"] == pytest.approx(np.log(3) - np.mean(expected), rel=1e-4)


def test_multi_inverse_of_one_step_pays_for_its_bottleneck_like_the_inverse_model():
    objective = _make("multi-inv", max_steps_ahead=1)
    free, metrics = _loss(objective)
    paid, _ = _loss(objective, beta=0.5)
    assert paid == pytest.approx(float(free + 0.5 * metrics["information/rate"]), rel=1e-5)
    assert metrics["information/rate"] == pytest.approx(float(_loss(_make("inv"))[1]["information/rate"]), rel=1e-6)


@pytest.mark.parametrize("shape", [(8, 8, 3), (64, 64, 3), (40, 21, 1)])
def test_decoder_gives_images_of_the_shape(shape):
    decoder = Decoder(shape, (6, 7))
    params = decoder.init(jax.random.key(0), jnp.zeros((1, 5)))
    assert decoder.apply(params, FEATURES).shape == (2, 4, *shape)


def test_patches_of_the_decoder_are_where_the_encoder_cuts_them():
    decoder = Decoder((32, 48, 1), (3, 4))
    params = decoder.init(jax.random.key(0), jnp.zeros((1, 5)))
    kernel = params["params"]["Dense_0"]["kernel"]
    assert kernel.shape == (5, 2 * 3 * 3)
    # Of the six patches of 16 pixels only the fourth is told anything: row 1, column 0.
    only = jnp.zeros_like(kernel).at[:, 9:12].set(1.0)
    params["params"]["Dense_0"]["kernel"] = only
    shown = np.asarray(decoder.apply(params, jnp.ones((5,)))[..., 0] != decoder.apply(params, jnp.zeros((5,)))[..., 0])
    assert shown[16:, :16].mean() > 0.3
    assert not shown[:16].any()
    assert not shown[:, 16:].any()


@pytest.mark.parametrize("kind", ["squared", "bernoulli"])
def test_reconstruction_sees_images_and_no_actions(kind):
    config = EncoderConfig(feature_size=5, reconstruction=kind, decoder_channels=(4, 4))
    objective = _make("reconstruction", config)
    head = jax.tree.map(jnp.zeros_like, objective.init(jax.random.key(1)))
    loss, metrics = objective.loss(head, EncodedFrames(IMAGE, ACTION, ENCODING), jax.random.key(2), jnp.zeros(()))
    image = np.asarray(IMAGE, float) / 255
    # All zeros are an image of zeros, or of halves.
    expected = {"squared": np.mean(image**2), "bernoulli": np.log(2)}[kind]
    assert loss == pytest.approx(expected, rel=1e-4)
    shown = {"squared": 0.0, "bernoulli": 0.5}[kind]
    explained = 1 - np.mean((shown - image) ** 2) / np.mean((image.mean(axis=(0, 1)) - image) ** 2)
    assert metrics["reconstruction/explained"] == pytest.approx(explained, rel=1e-4)


def test_bootstrap_predicts_the_averages_features_by_the_actions():
    config = EncoderConfig(feature_size=5, projection_size=6, transition_hidden_sizes=(4,))
    objective = _make("bootstrap", config, max_steps_ahead=2)
    head, average = objective.init(jax.random.key(1)), objective.init(jax.random.key(3))
    target = jnp.asarray(RNG.normal(size=(2, 4, 5)), jnp.float32)

    def loss(features=FEATURES, action=ACTION, target=target):
        frames = EncodedFrames(IMAGE, action, Encoding(features, None), target, average)
        return objective.loss(head, frames, jax.random.key(2), jnp.zeros(()))

    def project(part, x):
        return MLP((6,), 6).apply(part, x)

    errors = []
    for j in (1, 2):
        for w in range(2):
            for t in range(4 - j):
                z = FEATURES[w, t]
                for step in range(j):
                    one_hot = jnp.eye(3)[ACTION[w, t + step]]
                    z = z + MLP((4,), 5).apply(head["transition"], jnp.concatenate([z, one_hot]))
                predicted = project(head["predictor"], project(head["projector"], z))
                wanted = project(average["projector"], target[w, t + j])
                cosine = predicted @ wanted / jnp.linalg.norm(predicted) / jnp.linalg.norm(wanted)
                errors.append((j, float(1 - cosine)))
    expected = np.mean([np.mean([error for step, error in errors if step == j]) for j in (1, 2)])
    found, metrics = loss()
    assert found == pytest.approx(expected, rel=1e-4)
    assert 0 < metrics["collapse/spread"] < 1
    assert loss(action=(ACTION + 1) % 3)[0] != found
    assert loss(action=ACTION.at[:, -1].add(1) % 3)[0] == found  # the last ones are not used
    gradient = jax.grad(lambda target: loss(target=target)[0])(target)
    assert not np.asarray(gradient).any()


def test_bootstrap_needs_an_average():
    with pytest.raises(ValueError, match="needs an average of the encoder"):
        _loss(_make("bootstrap"))
