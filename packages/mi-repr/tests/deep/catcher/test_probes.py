"""Probes: exact features read back, noise does not; twins are never split."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from metarl_envs.catcher import CatcherEnv
from mi_repr.deep.catcher import probe
from mi_repr.deep.catcher.config import ProbeConfig
from mi_repr.deep.catcher.probes import draw_states

OPTIMISE = True
ENV = CatcherEnv(grip=True)
CONFIG = ProbeConfig(num_states=4000, hidden_sizes=(32,), num_updates=300, learning_rate=1e-2)


@pytest.fixture(scope="module")
def data():
    return draw_states(ENV, CONFIG, jax.random.key(0))


def test_true_state_is_read_back_and_noise_is_not(data):
    columns = [np.asarray(column, np.float32) for column in data.state[:4]]
    noise = np.random.default_rng(0).normal(size=(4000, 6)).astype(np.float32)
    hidden = jnp.asarray(np.stack([columns[0] ** 2, columns[1], noise[:, 0]], axis=1))
    found = probe(ENV, CONFIG, hidden, data, jax.random.key(1))
    assert found["linear/fruit_x"] < 0.05
    assert found["mlp/fruit_x"] < 0.1
    assert found["mlp/paddle_x"] < 0.5 * found["linear/paddle_x"]  # through its square only
    for kind in ("linear", "mlp"):
        assert found[f"{kind}/fruit_y"] == pytest.approx(1, abs=0.1)
        assert found[f"{kind}/gripper"] == pytest.approx(0.5, abs=0.07)


def test_gripper_is_read_back(data):
    features = jnp.stack([data.state.gripper, data.state.paddle_x], axis=1).astype(jnp.float32)
    found = probe(ENV, CONFIG, features, data, jax.random.key(1))
    assert found["linear/gripper"] == found["mlp/gripper"] == 1


def test_states_that_differ_in_the_gripper_only_are_on_the_same_side(data):
    side = {}
    for paddle, x, y, tested in zip(*map(np.asarray, data.state[:3]), data.tested, strict=True):
        assert side.setdefault((paddle, x, y), tested) == tested
    assert np.mean(data.tested) == pytest.approx(CONFIG.test_share, abs=0.02)


def test_all_states_are_drawn_once_where_that_many_are_asked_for():
    everything = draw_states(CatcherEnv(), ProbeConfig(num_states=10**6), jax.random.key(0))
    assert len(set(zip(*map(np.asarray, everything.state[:3]), strict=True))) == 6048
    assert everything.tested.shape == (6048,)


def test_backgrounds_are_those_of_the_train_task():
    data = draw_states(CatcherEnv(distractors="episode"), CONFIG, jax.random.key(0))
    backgrounds = np.unique(data.state.background)
    assert backgrounds.min() == 0
    assert backgrounds.max() == 191
    assert len(backgrounds) > 180


def test_game_without_a_gripper_has_no_gripper_to_probe():
    data = draw_states(CatcherEnv(), ProbeConfig(num_states=100), jax.random.key(0))
    config = ProbeConfig(num_updates=1, ridge=1.0, test_share=0.5, batch_size=8)
    found = probe(CatcherEnv(), config, jnp.ones((100, 2)), data, jax.random.key(0))
    assert {name.split("/")[1] for name in found} == {"paddle_x", "fruit_x", "fruit_y"}
