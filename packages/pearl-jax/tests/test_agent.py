"""What a gradient step learns from, and that every option takes one."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pearl_jax import PearlConfig
from pearl_jax.agent import ContextReplay, PearlAgent, PearlPolicy
from pearl_jax.representation import Row, TaskInference, VectorObs, kl_from_prior
from rlcore.replay import add, init_replay
from rlcore.sac import SACConfig
from rlcore.types import Transition

HORIZON, NUM_TASKS, NUM_EPISODES = 4, 3, 5
SMALL = PearlConfig(
    sac=SACConfig(hidden_sizes=(8,), temperature=0.1),
    latent_size=2,
    encoder_sizes=(8,),
    meta_batch_size=5,
    batch_size=8,
    context_size=6,
    replay_capacity=NUM_EPISODES * HORIZON,
)


def _agent(**options):
    return PearlAgent(dataclasses.replace(SMALL, **options), (2,), action_size=2, horizon=HORIZON)


def _data(agent, num_recent=2 * HORIZON, num_extra=0):
    """`reward` of a row is its number, its `context_reward` a hundred times its task."""
    num_rows = NUM_EPISODES * HORIZON
    shape = (NUM_TASKS, num_rows)
    number = jnp.broadcast_to(jnp.arange(num_rows, dtype=jnp.float32), shape)
    task = jnp.broadcast_to(jnp.arange(NUM_TASKS, dtype=jnp.float32)[:, None], shape)
    obs = jax.random.normal(jax.random.key(3), (*shape, 2))
    rows = Row(obs, jnp.tanh(obs), number, jnp.ones(shape), obs + 0.1, 100 * task, number.astype(jnp.int32) % HORIZON)
    replay = add(init_replay(agent.example_row(), num_rows, NUM_TASKS), jnp.arange(NUM_TASKS), rows)
    recent, extra = (jnp.full(NUM_TASKS, number, jnp.int32) for number in (num_recent, num_extra))
    return ContextReplay(replay, recent, extra)


def _context_numbers(agent, data, key):
    """The numbers of the rows in a sampled context, by making each row's context reward its number."""
    rows = data.replay.data
    numbered = data._replace(replay=data.replay._replace(data=rows._replace(context_reward=rows.reward)))
    batch = agent.sample(numbered, key)
    return np.asarray(batch.context.context_reward), np.asarray(batch.context_valid), np.asarray(batch.reward)


def test_recent_context_holds_only_what_was_collected_last():
    agent = _agent()
    numbers, _, rl = _context_numbers(agent, _data(agent), jax.random.key(0))
    first_recent = (NUM_EPISODES - 2) * HORIZON
    assert numbers.min() >= first_recent
    assert rl.min() < first_recent


def test_off_policy_context_comes_from_the_whole_buffer():
    agent = _agent(context_sampler="off_policy")
    numbers, _, rl = _context_numbers(agent, _data(agent), jax.random.key(0))
    assert numbers.min() < (NUM_EPISODES - 2) * HORIZON
    assert set(map(tuple, numbers)) != set(map(tuple, rl[:, :6]))


def test_same_batch_context_is_the_batch_of_actor_and_critics():
    agent = _agent(context_sampler="same_batch")
    numbers, _, rl = _context_numbers(agent, _data(agent), jax.random.key(0))
    np.testing.assert_array_equal(numbers, rl)


def test_context_and_batch_of_a_row_are_of_one_task():
    agent = _agent()
    batch = agent.sample(_data(agent), jax.random.key(0))
    tasks = np.asarray(batch.context.context_reward)
    assert (tasks == tasks[:, :1]).all()
    np.testing.assert_array_equal(np.sign(tasks[:, 0]), np.sign(tasks).mean(axis=1))


def test_context_of_episodes_is_whole_episodes_of_a_random_number():
    agent = _agent(max_context_episodes=3, meta_batch_size=64)
    numbers, valid, _ = _context_numbers(agent, _data(agent), jax.random.key(0))
    episodes = numbers.reshape(64, 3, HORIZON)
    np.testing.assert_array_equal(episodes - episodes[..., :1], np.broadcast_to(np.arange(HORIZON), episodes.shape))
    assert (episodes[..., 0] % HORIZON == 0).all()
    counts = valid.reshape(64, 3, HORIZON)
    assert (counts == counts[..., :1]).all()
    assert set(counts[..., 0].sum(axis=1)) == {1, 2, 3}


def test_recurrent_context_is_one_run_in_order():
    agent = _agent(encoder="recurrent", context_size=2 * HORIZON)
    numbers, _, _ = _context_numbers(agent, _data(agent), jax.random.key(0))
    np.testing.assert_array_equal(np.diff(numbers, axis=1), 1)


def test_correlated_batch_is_one_run_in_order():
    agent = _agent(correlated_batch=True)
    np.testing.assert_array_equal(np.diff(agent.sample(_data(agent), jax.random.key(0)).reward, axis=1), 1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"encoder": "deterministic"},
        {"encoder": "recurrent", "num_hypotheses": 8},
        {"factor": "precision", "prior_factor": True},
        {"next_obs_in_context": True},
        {"kl_reduction": "mean"},
        {"max_context_episodes": 2, "require_reward": True},
        {"blank_kl_coef": 0.1, "prior_factor": True, "num_hypotheses": 8},
        {"context_sampler": "same_batch", "correlated_batch": True},
        {"sac": SACConfig(hidden_sizes=(8,), value_network=True, temperature=1.0, reward_scale=5.0, mean_coef=1e-3)},
        {"averaging_rate": 0.1},
    ],
    ids=str,
)
def test_every_option_takes_a_gradient_step(options):
    agent = _agent(**options)
    state = agent.init(jax.random.key(0))
    batch = agent.sample(_data(agent), jax.random.key(1))
    new, metrics = jax.jit(agent.update)(state, batch, jax.random.key(2))
    assert all(np.isfinite(value) for value in metrics.values())
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), state.learner.params, new.learner.params)
    assert any(jax.tree.leaves(moved.representation))
    assert any(jax.tree.leaves(moved.actor))
    assert any(jax.tree.leaves(moved.critics))


def test_average_is_the_mean_of_the_first_updates_and_then_follows_at_its_rate():
    """Of the random parameters at the start nothing is left after one update."""
    agent = _agent(averaging_rate=0.4)
    update, state, learned = jax.jit(agent.update), agent.init(jax.random.key(0)), []
    for key in jax.random.split(jax.random.key(2), 3):
        state, _ = update(state, agent.sample(_data(agent), jax.random.key(1)), key)
        learned.append(state.learner.params)
    jax.tree.map(
        lambda average, one, two, three: np.testing.assert_allclose(
            average, 0.6 * (one + two) / 2 + 0.4 * three, rtol=1e-4, atol=1e-6
        ),
        state.average,
        *learned,
    )


def test_extra_rows_are_for_actor_and_critics_alone():
    agent = _agent()
    numbers, _, rl = _context_numbers(agent, _data(agent, HORIZON, num_extra=HORIZON), jax.random.key(0))
    last_visible = (NUM_EPISODES - 1) * HORIZON - 1
    assert last_visible - HORIZON < numbers.min() <= numbers.max() <= last_visible
    assert rl.max() > last_visible


def _inference(**options):
    agent = _agent(**options)
    batch = agent.sample(_data(agent), jax.random.key(1))
    inference = TaskInference(agent.config, VectorObs())
    params = inference.init(jax.random.key(0), batch)
    return inference, params, batch


def test_kl_is_summed_over_tasks_or_averaged():
    total, mean = (
        inference.apply(params, batch, jax.random.key(2)).loss
        for inference, params, batch in (_inference(kl_coef=0.5), _inference(kl_coef=0.5, kl_reduction="mean"))
    )
    np.testing.assert_allclose(total, SMALL.meta_batch_size * mean, rtol=1e-5)
    assert mean > 0


def test_blank_kl_counts_the_posterior_given_the_transitions_without_reward():
    """Task 0 has no reward anywhere, the others have some everywhere: the belief about those stays the prior."""
    inference, params, batch = _inference(kl_coef=0.0, blank_kl_coef=0.5, kl_reduction="sum", factor="precision")
    output = inference.apply(params, batch, jax.random.key(2))
    posterior = inference.encoder.posterior(
        params.encoder,
        inference.encoder.summarise(
            params.encoder, inference.see(params, batch.context), jnp.ones(batch.context.reward.shape, bool)
        ),
    )
    blank = np.asarray(batch.context.context_reward[:, 0] == 0)
    assert 0 < blank.sum() < len(blank)
    np.testing.assert_allclose(output.loss, 0.5 * np.asarray(kl_from_prior(posterior))[blank].sum(), rtol=1e-4)


def test_one_task_variable_serves_all_transitions_of_a_task():
    inference, params, batch = _inference()
    output = inference.apply(params, batch, jax.random.key(2))
    z = output.obs[..., 2:]
    np.testing.assert_array_equal(z, jnp.broadcast_to(z[:, :1], z.shape))
    np.testing.assert_array_equal(z, output.next_obs[..., 2:])
    np.testing.assert_array_equal(output.obs[..., :2], batch.obs)


def test_gradient_reaches_the_encoder_through_obs_and_not_through_next_obs():
    inference, params, batch = _inference()

    def gradient(part):
        grads = jax.grad(lambda p: jnp.sum(getattr(inference.apply(p, batch, jax.random.key(2)), part)))(params)
        return sum(float(jnp.abs(leaf).sum()) for leaf in jax.tree.leaves(grads))

    assert gradient("obs") > 0
    assert gradient("next_obs") == 0


def test_tasks_without_reward_are_left_out_only_where_asked():
    inference, params, batch = _inference(require_reward=True)
    output = inference.apply(params, batch, jax.random.key(2))
    np.testing.assert_array_equal(output.weight[:, 0], batch.context.context_reward[:, 0] != 0)
    assert _inference()[0].apply(params, batch, jax.random.key(2)).weight is None


@pytest.mark.parametrize("prior", [{"num_prior_episodes": 2}, {"num_prior_steps": 2}], ids=str)
def test_policy_draws_the_task_variable_once_an_episode_and_from_the_prior_first(prior):
    """Episodes of one step each: two of them are two steps."""
    agent = _agent()
    params = agent.init(jax.random.key(0)).learner.params
    policy = PearlPolicy(agent, deterministic=True, **prior)
    memory = policy.begin_trial(params, jax.random.key(1), NUM_TASKS)
    pair, scalar = jnp.ones((NUM_TASKS, 2)), jnp.ones(NUM_TASKS)
    step = Transition(pair, pair, scalar, scalar, pair)
    key = jax.random.key(2)
    prior_draw = jax.random.normal(key, (NUM_TASKS, 2))
    for episode in range(3):
        memory = policy.begin_episode(params, memory, jax.random.clone(key))
        z = memory.z
        assert np.allclose(z, prior_draw) == (episode < 2)
        action, memory = policy.act(params, memory, step.obs, jax.random.clone(key))
        memory = policy.observe(params, memory, step)
        np.testing.assert_array_equal(memory.z, z)
        assert action.shape == (NUM_TASKS, 2)
