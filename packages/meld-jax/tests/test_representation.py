"""The belief as a representation: which steps count, what follows on them, which gradients flow."""

import jax
import jax.numpy as jnp
import numpy as np
from meld_builders import init_small, make_small_agent, make_up_trials
from meld_jax.representation import make_policy_batch

ALL = jnp.arange(2 * 7, dtype=jnp.int32)


def _numbered_beliefs(num_trials):
    """Beliefs that say which frame they are of."""
    return jnp.broadcast_to(jnp.arange(8.0)[None, :, None], (num_trials, 8, 1))


def test_steps_lead_to_the_next_frame_and_the_last_one_of_an_episode_to_the_next_start():
    agent = make_small_agent()
    trials = make_up_trials(2, lengths=[[3, 3], [2, 1]])
    out = agent.belief.apply({}, make_policy_batch(trials, _numbered_beliefs(2), ALL, trials.reward), jax.random.key(0))
    following = np.asarray(out.next_obs).reshape(2, 7)
    weight = np.asarray(out.weight).reshape(2, 7)
    np.testing.assert_array_equal(np.asarray(out.obs).reshape(2, 7)[0], np.arange(7))
    # Frames 0 to 3 and 4 to 7 are episodes, or 0 to 2 and 3 to 4; the step to a first one is a reset.
    np.testing.assert_array_equal(weight, [[1, 1, 1, 0, 1, 1, 1], [1, 1, 0, 1, 0, 0, 0]])
    np.testing.assert_array_equal(following[0][weight[0] == 1], [1, 2, 4, 5, 6, 7])
    np.testing.assert_array_equal(following[1][weight[1] == 1], [1, 3, 4])


def test_the_belief_before_and_the_action_since_are_seen_where_there_are_any():
    agent = make_small_agent("model.previous_belief=true")
    trials = make_up_trials(2)
    out = agent.belief.apply({}, make_policy_batch(trials, _numbered_beliefs(2), ALL, trials.reward), jax.random.key(0))
    obs, following = (np.asarray(leaf).reshape(2, 7, -1) for leaf in (out.obs, out.next_obs))
    np.testing.assert_array_equal(obs[0, :, :2], [[0, 0], [1, 0], [2, 1], [3, 2], [4, 4], [5, 4], [6, 5]])
    np.testing.assert_array_equal(obs[..., 2:], trials.action[:, :7])
    np.testing.assert_array_equal(following[0, :, :2], [[1, 0], [2, 1], [4, 4], [4, 4], [5, 4], [6, 5], [7, 6]])


def test_a_step_has_the_action_reward_and_discount_of_the_frame_that_it_leads_to():
    trials = make_up_trials(2, lengths=[[3, 3], [2, 1]])
    chosen = jnp.array([1, 7 + 3], jnp.int32)
    batch = make_policy_batch(trials, _numbered_beliefs(2), chosen, trials.training_reward)
    np.testing.assert_array_equal(batch.action, [trials.action[0, 2], trials.action[1, 4]])
    np.testing.assert_array_equal(batch.reward, [trials.training_reward[0, 2], trials.training_reward[1, 4]])
    np.testing.assert_array_equal(batch.discount, [1, 0])


def test_no_gradient_of_actor_and_critics_reaches_the_belief():
    agent = make_small_agent()
    state = init_small(agent).learner
    trials = make_up_trials(2)
    belief = jax.random.normal(jax.random.key(1), (2, 8, agent.config.model.belief_size))

    def loss(belief, params):
        return agent.sac.loss(
            params, state.target, make_policy_batch(trials, belief, ALL, trials.reward), jax.random.key(2)
        )[0]

    to_belief, to_params = jax.jit(jax.grad(loss, argnums=(0, 1)))(belief, state.params)
    assert not np.any(to_belief)
    assert any(np.any(leaf) for leaf in jax.tree.leaves(to_params.critics))
