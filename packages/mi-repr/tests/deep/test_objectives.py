"""Objectives: which pairs they see, what the action is to them, steps ahead."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mi_repr.deep import OBJECTIVES, EncoderConfig, Encoding, PretrainConfig, Setting, make_objective
from mi_repr.deep.objectives import EncodedFrames
from mi_repr.deep.objectives.protocol import pairs

CONFIG = EncoderConfig(feature_size=5, rank=3, inverse_hidden_sizes=(7,))
RNG = np.random.default_rng(0)
FEATURES = jnp.asarray(RNG.normal(size=(2, 4, 5)), jnp.float32)
ACTION = jnp.asarray(RNG.integers(0, 3, (2, 4)), jnp.int32)
ENCODING = Encoding(FEATURES, jnp.full_like(FEATURES, 0.1))


IMAGE = jnp.asarray(RNG.integers(0, 256, (2, 4, 8, 8, 3)), jnp.uint8)


def _make(name, config=CONFIG, **options):
    return make_objective(name, Setting(config, 3, **options))


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
    with pytest.raises(ValueError, match="objective must be one of fwd, state, inv, got 'forward'"):
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
        assert objective.span >= 1
        assert hash(objective) == hash(_make(name))
        record.check(EncoderConfig(**record.encoder), PretrainConfig(**record.pretrain))
