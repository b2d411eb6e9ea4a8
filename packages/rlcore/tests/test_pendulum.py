"""The continuous SAC on gymnasium's Pendulum-v1, through the host loop."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore import replay as rb
from rlcore.rollout import host_rollout
from rlcore.sac import SAC, ContinuousHead, SACConfig
from rlcore.types import Transition
from rlcore.updates import make_update_many

OPTIMISE = True

HORIZON, NUM_ENVS, NUM_ROUNDS, NUM_STEPS, NUM_UPDATES, BATCH_SIZE = 200, 4, 75, 50, 200, 256
TASK = jnp.zeros(1, jnp.int32)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pendulum_swings_up():
    """15 000 steps, one gradient step for each; a policy that stands at once has about -150 from a random start."""
    gymnasium = pytest.importorskip("gymnasium")
    same_step = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}

    def make_env(num_envs):
        return gymnasium.make_vec("Pendulum-v1", num_envs, vectorization_mode="sync", vector_kwargs=same_step)

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

    test_env = make_env(100)
    obs, _ = test_env.reset(seed=1)
    _, _, trajectory = host_rollout(
        test_env,
        obs,
        lambda params, obs, key: (act(params, obs, key, deterministic=True), params),
        state.params,
        jax.random.key(2),
        num_steps=HORIZON,
    )
    test_env.close()
    assert trajectory.truncated[-1].all()
    returns = np.sum(trajectory.transition.reward, axis=0)
    num_steps = NUM_ROUNDS * NUM_STEPS * NUM_ENVS
    print(f"return {returns.mean():.1f} (worst {returns.min():.1f}) after {num_steps} steps, {trained - began:.0f} s")
    assert returns.mean() > -200
