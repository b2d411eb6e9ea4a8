"""Which losses train the encoder, and that no other one reaches it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pearl_jax import PearlConfig
from pearl_jax.agent import PearlAgent
from pearl_jax.representation import PearlBatch, Row, join_task
from rlcore.experiment import override
from rlcore.sac import SACConfig

NUM_TASKS, NUM_ROWS, OBS_SIZE, ACTION_SIZE = 3, 7, 2, 1
SMALL = PearlConfig(
    sac=SACConfig(hidden_sizes=(8,), temperature=0.0), latent_size=2, encoder_sizes=(8,), kl_coef=0.5, context_size=7
)
CRITIC_ROWS = OBS_SIZE + SMALL.latent_size  # what critics see before the action


def _agent(*losses, **options):
    config = dataclasses.replace(SMALL, encoder_losses=losses, **options)
    return PearlAgent(config, (OBS_SIZE,), ACTION_SIZE, horizon=NUM_ROWS)


def _batch():
    keys = jax.random.split(jax.random.key(5), 4)
    obs, next_obs = (jax.random.normal(key, (NUM_TASKS, NUM_ROWS, OBS_SIZE)) for key in keys[:2])
    action = jax.random.uniform(keys[2], (NUM_TASKS, NUM_ROWS, ACTION_SIZE), minval=-1)
    reward = jax.random.normal(keys[3], (NUM_TASKS, NUM_ROWS))
    ones, steps = jnp.ones_like(reward), jnp.zeros(reward.shape, jnp.int32)
    context = Row(obs, action, reward, ones, next_obs, reward, steps)
    return PearlBatch(obs, action, reward, ones, next_obs, context, jnp.ones(reward.shape, bool))


def _params(agent):
    """Untrained ones, but that last layers, which start tiny, are as large as the others."""
    params = agent.init(jax.random.key(0)).learner.params
    actor, critics = (
        jax.tree.map(lambda x: x * (300 if jnp.abs(x).max() < 0.01 else 1), part)
        for part in (params.actor, params.critics)
    )
    return params._replace(actor=actor, critics=critics)


def _gradient(agent, params=None):
    """Of the encoder, as one vector."""
    state = agent.init(jax.random.key(0)).learner
    params = _params(agent) if params is None else params
    grads, _ = jax.grad(agent.sac.loss, has_aux=True)(params, state.target, _batch(), jax.random.key(1))
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(grads.representation.encoder)])


def _divergence_gradient(agent):
    """What the divergence alone asks of the encoder: reconstruction of no weight."""
    alone = _agent("reconstruction", reconstruction_coef=0.0)
    params = _params(agent)
    decoder = alone.init(jax.random.key(0)).learner.params.representation.decoder
    params = params._replace(representation=params.representation._replace(decoder=decoder))
    return _gradient(alone, params)


def _deaf(params):
    """The same critics, that do not see actions."""
    kernel = params.critics["params"]["VmapMLP_0"]["Dense_0"]["kernel"]
    assert kernel.shape[1] == CRITIC_ROWS + ACTION_SIZE
    critics = jax.tree.map(lambda x: x, params.critics)
    critics["params"]["VmapMLP_0"]["Dense_0"]["kernel"] = kernel.at[:, CRITIC_ROWS:].set(0)
    return params._replace(critics=critics)


@pytest.mark.parametrize("loss", ["critic", "actor", "reconstruction"])
def test_each_loss_alone_trains_the_encoder(loss):
    agent = _agent(loss)
    assert np.abs(_gradient(agent) - _divergence_gradient(agent)).max() > 1e-5


def test_losses_add_up():
    every = _agent("critic", "actor", "reconstruction")
    params = _params(every)
    bare = params._replace(representation=params.representation._replace(decoder={}))
    rest = _divergence_gradient(every)
    parts = [_gradient(_agent(loss), bare) for loss in ("critic", "actor")]
    parts.append(_gradient(_agent("reconstruction"), params))
    total = sum(part - rest for part in parts) + rest
    np.testing.assert_allclose(_gradient(every, params), total, rtol=1e-4, atol=1e-6)


def test_the_actor_changes_what_the_policy_sees_and_not_what_the_critics_see():
    """Critics that do not see actions leave nothing to gain by a better policy; that they like a z does not count."""
    agent = _agent("actor")
    params = _deaf(_params(agent))
    np.testing.assert_allclose(_gradient(agent, params), _divergence_gradient(agent), atol=1e-8)


def test_reconstruction_is_the_squared_error_of_reward_and_where_it_led():
    for next_obs in (False, True):
        agent = _agent("reconstruction", next_obs_in_context=next_obs, encoder="deterministic")
        params, batch = agent.init(jax.random.key(0)).learner.params.representation, _batch()
        output = agent.inference.apply(params, batch, jax.random.key(1))
        z = output.obs[:, 0, OBS_SIZE:]
        first, second = (jax.tree.map(np.asarray, params.decoder["params"][f"Dense_{i}"]) for i in range(2))
        seen = np.asarray(join_task(jnp.concatenate([batch.obs, batch.action], axis=-1), z))
        guess = np.maximum(seen @ first["kernel"] + first["bias"], 0) @ second["kernel"] + second["bias"]
        errors = [np.asarray(guess[..., :1] - batch.reward[..., None])]
        errors += [np.asarray(guess[..., 1:] - (batch.next_obs - batch.obs))] if next_obs else []
        expected = np.mean(np.concatenate(errors, axis=-1) ** 2)
        np.testing.assert_allclose(output.metrics["loss/reconstruction"], expected, rtol=1e-5)
        np.testing.assert_allclose(output.loss, expected, rtol=1e-5)  # this encoder has no divergence


@pytest.mark.parametrize("losses", [(), ("critic", "critic"), ("returns",), ("critic", "")])
def test_other_losses_are_refused(losses):
    with pytest.raises(ValueError, match="encoder_losses must be one or more of critic, actor, reconstruction"):
        PearlConfig(encoder_losses=losses)


def test_a_weight_of_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"reconstruction_coef must be 1 unless .* reconstruction, got 0.5"):
        PearlConfig(reconstruction_coef=0.5)


def test_tasks_that_are_left_out_are_not_reconstructed():
    """Of one task that met no reward nothing is to be told."""
    agent, batch = _agent("reconstruction", require_reward=True, encoder="deterministic"), _batch()
    context = batch.context._replace(context_reward=batch.context.context_reward.at[0].set(0))
    params = agent.init(jax.random.key(0)).learner.params.representation
    losses = [
        agent.inference.apply(params, batch._replace(context=context, reward=reward), jax.random.key(1)).loss
        for reward in (batch.reward, batch.reward.at[0].add(5), batch.reward.at[1].add(5))
    ]
    assert losses[0] == losses[1] != losses[2]


def test_the_option_is_read_from_flags():
    assert override(SMALL, ["encoder_losses=critic,reconstruction"]).encoder_losses == ("critic", "reconstruction")
