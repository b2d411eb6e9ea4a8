"""The continuous SAC, PPO and TRPO on gymnasium's Pendulum-v1, through the host loop."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from on_policy import make_ppo, train
from rlcore import replay as rb
from rlcore.policy_gradient import PPO, ActorCritic, GaussianPolicy, PPOConfig, TRPOConfig
from rlcore.rollout import host_rollout
from rlcore.sac import SAC, ContinuousHead, SACConfig
from rlcore.types import Transition
from rlcore.updates import make_update_many
from trpo_steps import make_trpo

OPTIMISE = True

HORIZON, NUM_ENVS, NUM_ROUNDS, NUM_STEPS, NUM_UPDATES, BATCH_SIZE = 200, 4, 75, 50, 200, 256
TASK = jnp.zeros(1, jnp.int32)


def make_env(num_envs):
    gymnasium = pytest.importorskip("gymnasium")
    same_step = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}
    return gymnasium.make_vec("Pendulum-v1", num_envs, vectorization_mode="sync", vector_kwargs=same_step)


def play_test(act, params):
    """Returns of 100 episodes, by the policy's centre."""
    env = make_env(100)
    obs, _ = env.reset(seed=1)
    key = jax.random.key(2)
    _, _, trajectory = host_rollout(
        env, obs, lambda memory, obs, key: (act(params, obs), memory), (), key, num_steps=HORIZON
    )
    env.close()
    assert trajectory.truncated[-1].all()
    return np.sum(trajectory.transition.reward, axis=0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pendulum_swings_up_by_sac():
    """15 000 steps, one gradient step for each; a policy that stands at once has about -150 from a random start."""
    config = SACConfig(actor_learning_rate=1e-3, critic_learning_rate=1e-3, temperature_learning_rate=1e-3)
    sac = SAC(config, ContinuousHead(config, 1))
    zero = jnp.zeros(())
    example = Transition(jnp.zeros(3), jnp.zeros(1), zero, zero, jnp.zeros(3))
    act = jax.jit(sac.act, static_argnames="deterministic")
    add = jax.jit(rb.add, donate_argnums=0)
    update_many = make_update_many(
        sac.update, lambda replay, key: jax.tree.map(lambda leaf: leaf[0], rb.sample(replay, key, TASK, BATCH_SIZE))
    )

    began = time.perf_counter()
    state = sac.init(jax.random.key(0), jax.tree.map(lambda leaf: leaf[None], example))
    replay = rb.init_replay(example, NUM_ROUNDS * NUM_STEPS * NUM_ENVS)
    env = make_env(NUM_ENVS)
    obs, _ = env.reset(seed=0)
    for round_key in jax.random.split(jax.random.key(1), NUM_ROUNDS):
        collect_key, update_key = jax.random.split(round_key)
        obs, _, trajectory = host_rollout(
            env,
            obs,
            lambda params, obs, key: (act(params, obs, key), params),
            state.params,
            collect_key,
            num_steps=NUM_STEPS,
        )
        rows = jax.tree.map(lambda leaf: leaf.reshape(1, -1, *leaf.shape[2:]), trajectory.transition)
        replay = add(replay, TASK, rows)
        state, _ = update_many(state, replay, update_key, NUM_UPDATES)
    env.close()
    trained = time.perf_counter()

    returns = play_test(lambda params, obs: act(params, obs, jax.random.key(3), deterministic=True), state.params)
    num_steps = NUM_ROUNDS * NUM_STEPS * NUM_ENVS
    print(f"return {returns.mean():.1f} (worst {returns.min():.1f}) after {num_steps} steps, {trained - began:.0f} s")
    assert returns.mean() > -200


def train_on_policy(act, learn, state, num_envs, num_iterations):
    """The state after so many rounds of 200 steps in each environment."""
    env = make_env(num_envs)
    keys = map(jax.random.split, jax.random.split(jax.random.key(1), num_iterations))
    state = train(env, act, learn, state, keys, num_steps=HORIZON)
    env.close()
    return state


def report(returns, num_steps, began):
    seconds = time.perf_counter() - began
    print(f"return {returns.mean():.1f} (worst {returns.min():.1f}) after {num_steps} steps, {seconds:.0f} s")


NUM_PPO_ENVS, NUM_PPO_ITERATIONS = 16, 100


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pendulum_swings_up_by_ppo():
    """320 000 steps: PPO needs twenty times those of SAC, and hardly any gradient steps."""
    options = {"discount": 0.95, "learning_rate": 1e-3, "num_epochs": 10, "num_minibatches": 16}
    config = PPOConfig(**options)
    ppo = PPO(config, ActorCritic((64, 64), 1))
    began = time.perf_counter()
    state = ppo.init(jax.random.key(0), jnp.zeros((1, 3)))
    state = train_on_policy(*make_ppo(ppo), state, NUM_PPO_ENVS, NUM_PPO_ITERATIONS)
    returns = play_test(jax.jit(lambda params, obs: ppo.network.apply(params, obs)[0].mean), state.params)
    report(returns, NUM_PPO_ITERATIONS * HORIZON * NUM_PPO_ENVS, began)
    assert returns.mean() > -200


NUM_TRPO_ENVS, NUM_TRPO_ITERATIONS = 32, 250


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pendulum_swings_up_by_trpo():
    """1.6 million steps, with a linear baseline: no network but the policy's."""
    network, config = GaussianPolicy((64, 64), 1, 0.5), TRPOConfig(max_kl=0.02, damping=1e-3)
    improve = make_trpo(network, config, discount=0.95, gae_lambda=0.95)
    step = jnp.broadcast_to(jnp.arange(HORIZON)[:, None], (HORIZON, NUM_TRPO_ENVS))
    began = time.perf_counter()
    params = network.init(jax.random.key(0), jnp.zeros((1, 3)))
    act = jax.jit(lambda params, obs, key: network.apply(params, obs).sample(key))
    params = train_on_policy(
        act,
        lambda params, trajectory, key: improve(params, trajectory, step)[0],
        params,
        NUM_TRPO_ENVS,
        NUM_TRPO_ITERATIONS,
    )
    returns = play_test(jax.jit(lambda params, obs: network.apply(params, obs).mean), params)
    report(returns, NUM_TRPO_ITERATIONS * HORIZON * NUM_TRPO_ENVS, began)
    assert returns.mean() > -200
