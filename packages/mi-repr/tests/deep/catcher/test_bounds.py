"""Bounds: nothing is known by an encoder and a head that say the same of everything."""

import jax
import jax.numpy as jnp
import pytest
from metarl_envs.catcher import CatcherEnv, train_task
from mi_repr.deep import Encoder, EncoderConfig, Setting, make_objective
from mi_repr.deep.catcher.bounds import information_bounds
from mi_repr.deep.catcher.data import collect
from mi_repr.deep.training import PretrainParams

ENV = CatcherEnv(grip=True, size=32)
CONFIG = EncoderConfig(channels=(4, 4, 4, 4, 8), feature_size=8, rank=4)


@pytest.mark.parametrize("name", ["fwd", "state"])
def test_scores_that_are_all_equal_tell_nothing_and_guess_the_twin(name):
    encoder = Encoder(CONFIG)
    objective = make_objective(name, Setting(CONFIG, ENV.num_actions, (32, 32, 3)))
    params = PretrainParams(
        encoder.init(jax.random.key(0), jnp.zeros((1, 32, 32, 3), jnp.uint8)), objective.init(jax.random.key(1))
    )
    params = params._replace(head=jax.tree.map(jnp.zeros_like, params.head))
    episodes = collect(ENV, train_task(), jax.random.key(2), 4, 27)
    found = information_bounds(ENV, encoder, objective, params, episodes, jax.random.key(3))
    assert found == pytest.approx({"information": 0.0, "twin_accuracy": 0.5}, abs=1e-5)
