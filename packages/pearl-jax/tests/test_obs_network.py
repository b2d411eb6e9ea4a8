"""PEARL on features of pictures: who trains the network, who sees its features, and whole runs."""

import dataclasses
import json

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pearl_jax
import pytest
from metarl_envs import benchmark
from pearl_jax import PearlConfig, PearlLearner
from pearl_jax.agent import ContextReplay, PearlAgent, PearlPolicy
from pearl_jax.representation import Row, context_features, join_task
from rlcore.networks import ConvEncoder
from rlcore.replay import add, init_replay
from rlcore.sac import SACConfig
from rlcore.types import Transition

SHAPE, NUM_FEATURES, HORIZON, NUM_TASKS = (8, 8, 3), 3, 4, 3
NETWORK = ConvEncoder((2,), NUM_FEATURES)
PICTURES = "point-image-dense-32-v1"
SMALL = PearlConfig(
    sac=SACConfig(hidden_sizes=(8,), temperature=0.1),
    latent_size=2,
    encoder_sizes=(8,),
    factor="precision",
    prior_factor=True,
    meta_batch_size=2,
    batch_size=4,
    max_context_episodes=2,
    replay_capacity=3 * HORIZON,
)


def _agent(**options):
    return PearlAgent(dataclasses.replace(SMALL, **options), SHAPE, 2, HORIZON, NETWORK, jnp.uint8)


def _data(agent):
    shape = (NUM_TASKS, 3 * HORIZON)
    obs = jax.random.randint(jax.random.key(3), (*shape, *SHAPE), 0, 256).astype(jnp.uint8)
    number = jnp.broadcast_to(jnp.arange(shape[1], dtype=jnp.float32), shape)
    step = number.astype(jnp.int32) % HORIZON
    rows = Row(obs, jnp.full((*shape, 2), 0.5), number, jnp.ones(shape), 255 - obs, number, step)
    replay = add(init_replay(agent.example_row(), shape[1], NUM_TASKS), jnp.arange(NUM_TASKS), rows)
    return ContextReplay(replay, jnp.full(NUM_TASKS, 2 * HORIZON, jnp.int32), jnp.zeros(NUM_TASKS, jnp.int32))


def _start(**options):
    agent = _agent(**options)
    return agent, agent.init(jax.random.key(0)), agent.sample(_data(agent), jax.random.key(1))


def test_pictures_are_stored_and_sampled_as_bytes():
    agent, _, batch = _start()
    stored = _data(agent).replay.data
    for pictures in (stored.obs, stored.next_obs, batch.obs, batch.next_obs, batch.context.obs):
        assert pictures.dtype == jnp.uint8
        assert pictures.shape[2:] == SHAPE


def test_actor_and_critics_see_features_joined_with_the_task():
    agent, state, batch = _start()
    params = state.learner.params.representation
    output = agent.inference.apply(params, batch, jax.random.key(2))
    for joined, pictures in ((output.obs, batch.obs), (output.next_obs, batch.next_obs)):
        features = NETWORK.apply(params.obs_network, pictures)
        z = joined[:, 0, NUM_FEATURES:]
        np.testing.assert_allclose(joined, join_task(features, z), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("part", "reaches"), [("obs", (True, True)), ("loss", (True, False)), ("next_obs", (False,) * 2)]
)
def test_only_the_observations_of_the_batch_train_the_network(part, reaches):
    """The encoder and the network: the KL divergence trains one, the critic's loss both."""
    agent, state, batch = _start()
    grads = jax.grad(lambda p: jnp.sum(getattr(agent.inference.apply(p, batch, jax.random.key(2)), part)))(
        state.learner.params.representation
    )
    sizes = [sum(float(jnp.abs(leaf).sum()) for leaf in jax.tree.leaves(group)) for group in grads[:2]]
    assert tuple(size > 0 for size in sizes) == reaches


@pytest.mark.parametrize("options", [{}, {"next_obs_in_context": True}, {"max_context_episodes": 0}], ids=str)
def test_a_gradient_step_moves_network_encoder_actor_and_critics(options):
    agent, state, batch = _start(**options)
    new, metrics = jax.jit(agent.update)(state, batch, jax.random.key(2))
    assert all(np.isfinite(value) for value in metrics.values())
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), state.learner.params, new.learner.params)
    for group in (*moved.representation[:2], moved.actor, moved.critics):  # there is no decoder
        assert any(jax.tree.leaves(group))


def test_policy_infers_from_pictures_what_a_batch_of_them_gives():
    """The belief after one transition at a time is that of the same transitions in a batch."""
    agent, state, batch = _start(next_obs_in_context=True, max_context_episodes=0, context_size=5)
    params, inference = state.learner.params, agent.inference
    policy = PearlPolicy(agent, deterministic=True)
    memory = policy.begin_trial(params, jax.random.key(1), SMALL.meta_batch_size)
    rows = batch.context
    for t in range(5):
        step = jax.tree.map(lambda leaf, t=t: leaf[:, t], rows)
        memory = policy.observe(
            params, memory, Transition(step.obs, step.action, step.reward, step.discount, step.next_obs)
        )
    features, next_features = (NETWORK.apply(params.representation.obs_network, x) for x in (rows.obs, rows.next_obs))
    seen = context_features(agent.config, features, rows.action, rows.reward, next_features)
    at_once = inference.encoder.summarise(params.representation.encoder, seen, jnp.ones(seen.shape[:2], bool))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), memory.belief, at_once)
    memory = policy.begin_episode(params, memory, jax.random.key(4))
    action, _ = policy.act(params, memory, rows.obs[:, 0], jax.random.key(5))
    expected = agent.sac.act(params, join_task(features[:, 0], memory.z), jax.random.key(5), deterministic=True)
    np.testing.assert_allclose(action, expected, rtol=1e-4, atol=1e-6)


def test_vectors_are_their_own_features_and_take_no_parameters():
    agent = PearlAgent(SMALL, (2,), action_size=2, horizon=HORIZON)
    params = agent.init(jax.random.key(0)).learner.params.representation
    assert not jax.tree.leaves(params.obs_network)
    obs = jnp.ones((2, 3, 2))
    np.testing.assert_array_equal(agent.inference.features(params, obs), obs)


class _KeepsShape(nn.Module):
    @nn.compact
    def __call__(self, picture):
        return picture.astype(jnp.float32)


def test_network_that_makes_no_vector_is_refused():
    with pytest.raises(
        ValueError, match=r"obs_network must make a vector of an observation, got features \(32, 32, 3\)"
    ):
        PearlLearner(SMALL, benchmark(PICTURES), _KeepsShape())


def test_pictures_train_resume_exactly_and_report_success(tmp_path):
    config = dataclasses.replace(
        SMALL,
        replay_capacity=60,
        num_tasks_per_iteration=2,
        num_initial_episodes=1,
        num_prior_episodes=1,
        num_posterior_episodes=1,
        num_extra_episodes=0,
        num_updates=2,
        num_test_episodes=2,
        test_every=1,
        image_channels=(2, 2),
        num_image_features=3,
    )

    def train(name, num_iterations):
        run = pearl_jax.open_run(tmp_path / name, config, benchmark(PICTURES), 0)
        return pearl_jax.train(config, benchmark(PICTURES), run, seed=0, num_iterations=num_iterations)

    whole = train("whole", 2)
    train("parts", 1)
    parts = train("parts", 2)
    jax.tree.map(np.testing.assert_array_equal, parts.agent, whole.agent)
    jax.tree.map(np.testing.assert_array_equal, parts.data, whole.data)
    assert whole.data.replay.data.obs.dtype == jnp.uint8
    assert int(whole.env_steps) == 30 * 20 + 2 * 2 * 2 * 20
    rows = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    for name in ("return", "success", "found"):
        assert {f"test/{name}_1", f"test/{name}_2", f"test/{name}"} <= rows[-1].keys()


class FlaxConvolution(nn.Module):
    """A network of a user's own, with flax's layer."""

    @nn.compact
    def __call__(self, image):
        return nn.Conv(2, (3, 3), strides=2)(image / 255).reshape(*image.shape[:-3], -1)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="elsewhere all steps are in one dispatch")
@pytest.mark.parametrize(
    ("network", "in_one"), [(None, True), (NETWORK, True), (FlaxConvolution(), False)], ids=["usual", "own", "flax"]
)
def test_steps_are_dispatched_one_by_one_where_convolutions_are_slow_in_loops(network, in_one):
    config = dataclasses.replace(SMALL, training_reward="reward", replay_capacity=200)
    learner = PearlLearner(config, benchmark(PICTURES), network)
    assert hasattr(learner._update_many, "lower") == in_one  # jitted as a whole
