"""Training on one task of gymnasium, from what the policy has just played; tests and the benchmark of PPO share it."""

import jax
from rlcore.policy_gradient import Experience, PPOBatch, episode_discounts
from rlcore.rollout import find_ends, host_rollout
from rlcore.updates import make_update_epochs


def train(env, act, learn, state, keys, *, num_steps, seed=0, report=lambda trajectory: None):
    """The state after a round for each pair of keys, of so many steps in each environment.

    Args:
      env: a vector environment.
      act: `(state, obs, key) -> action`.
      learn: `(state, trajectory, key) -> state`.
      state: of the learner.
      keys: pairs of them, one to collect with and one to learn with.
      num_steps: of a round.
      seed: of the environment.
      report: is told the trajectory of each round, after it was learned from.
    """
    obs, _ = env.reset(seed=seed)
    for collect_key, update_key in keys:
        obs, _, trajectory = host_rollout(
            env,
            obs,
            lambda state, obs, key: (act(state, obs, key), state),
            state,
            collect_key,
            num_steps=num_steps,
        )
        state = learn(state, trajectory, update_key)
        report(trajectory)
    return state


def make_ppo(ppo):
    """How PPO on an `ActorCritic` acts and learns, for `train`."""
    config = ppo.config

    @jax.jit
    def act(state, obs, key):
        return ppo.network.apply(state.params, obs)[0].sample(key)

    @jax.jit
    def assess(state, trajectory):
        obs, action, reward, discount, next_obs = trajectory.transition
        (policy, value), (_, next_value) = (ppo.network.apply(state.params, seen) for seen in (obs, next_obs))
        log_prob = policy.log_prob(action)
        discounts = episode_discounts(discount, find_ends(trajectory), config.discount, config.gae_lambda)
        state, advantage, target, _ = ppo.assess(state, Experience(log_prob, value, next_value, reward, *discounts))
        batch = PPOBatch(obs, action, log_prob, advantage, target)
        return state, jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), batch)

    update_epochs = make_update_epochs(ppo.update)

    def learn(state, trajectory, key):
        state, batch = assess(state, trajectory)
        return update_epochs(state, batch, key, config.num_epochs, config.num_minibatches)[0]

    return act, learn
