"""What recurrent SAC and VariBAD remember of replayed trials, and how far credit and gradients reach."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from baseline_cases import POINT, enliven, play, remember
from metarl_baselines import recurrent_sac, varibad
from metarl_baselines.off_policy import make_batch, sample_trials
from metarl_baselines.off_policy.learner import store
from metarl_baselines.policy import TrialPolicy
from metarl_baselines.trials import make_trials
from metarl_envs import benchmark
from rlcore.meta.trials import begin_trial_and_act
from rlcore.rollout import find_ends

KINDS = {
    "separate": (recurrent_sac, {}),
    "shared": (recurrent_sac, {"memory": "shared"}),
    "varibad": (varibad, {}),
}


@pytest.fixture(params=KINDS)
def make(request, small_replaying):
    """`make(benchmark, **options)`: a learner of each kind."""
    package, of_kind = KINDS[request.param]
    name = package.__name__.rpartition(".")[-1]
    return lambda chosen, **options: package.make_learner(small_replaying(name, **of_kind, **options), chosen)


def _play(learner, chosen, num_steps, deterministic=True, seed=1):
    """Parameters, and a trial in three tasks."""
    agent, data = learner.init(jax.random.key(0))
    params = enliven(agent.params)
    visit = play(TrialPolicy(learner.agent, deterministic), params, chosen, num_steps, seed=seed)
    return agent._replace(params=params), data, visit


def _batch(learner, visit):
    return make_batch(learner.config, make_trials(visit, visit.trajectory.transition.reward))


def _replayed_actions(learner, params, batch):
    """The centre of the policy at every step of replayed trials."""
    features = learner.agent.sac.representation.apply(params.representation, batch, jax.random.key(0))
    return learner.agent.sac.act(params, features.obs, jax.random.key(1), deterministic=True)


@pytest.mark.parametrize("kind", ["functional", "host"])
@pytest.mark.parametrize("border_in_memory", [True, False])
def test_acting_step_by_step_and_replaying_the_stored_trial_give_the_same(kind, border_in_memory, make, make_lines):
    """Episodes of lines end early, at different steps in different tasks."""
    chosen = make_lines() if kind == "host" else benchmark(POINT)
    learner = make(chosen, border_in_memory=border_in_memory)
    agent, _, visit = _play(learner, chosen, num_steps=45)
    assert np.asarray(find_ends(visit.trajectory))[:-1].any(axis=0).all()  # each task has begun a second episode
    batch = _batch(learner, visit)
    np.testing.assert_allclose(_replayed_actions(learner, agent.params, batch), batch.action, rtol=1e-3, atol=1e-4)
    assert np.asarray(batch.action).std(axis=1).min() > 1e-3


def test_the_memory_is_zero_at_the_start_of_a_trial_only(make):
    learner = make(benchmark(POINT))
    agent, _, visit = _play(learner, benchmark(POINT), num_steps=40)
    policy, transition, ends = TrialPolicy(learner.agent), visit.trajectory.transition, find_ends(visit.trajectory)
    assert not any(np.asarray(leaf).any() for leaf in policy.begin_trial(agent.params, jax.random.key(0), 3))
    memories = remember(policy, agent.params, visit)
    assert all(np.abs(memory.state).max() > 0 for memory in memories)
    assert bool(ends[19].all())
    _, fresh = begin_trial_and_act(policy, agent.params, transition.obs[20], jax.random.key(1), 3)
    assert not np.allclose(memories[20].state, fresh.state)  # at the first step of the second episode


def test_the_last_reward_of_an_episode_reaches_the_first_action_of_the_next(make):
    learner = make(benchmark(POINT))
    agent, _, visit = _play(learner, benchmark(POINT), num_steps=40)
    batch = _batch(learner, visit)

    def act(bonus):
        trials = batch.trials._replace(reward=batch.trials.reward.at[:, 19].add(bonus))
        return np.asarray(_replayed_actions(learner, agent.params, make_batch(learner.config, trials)))

    # Both signs, because a few rectified units may be blind to one of them.
    differs = sum(np.abs(act(bonus) - act(0.0)).max(axis=(0, 2)) for bonus in (3.0, -3.0)) > 1e-6
    assert not differs[:20].any()
    assert differs[20]


def test_the_critics_target_at_the_end_of_an_episode_depends_on_the_first_observation_of_the_next(make):
    learner = make(benchmark(POINT), sac_discount=0.5)
    agent, _, visit = _play(learner, benchmark(POINT), num_steps=40)
    batch, sac = _batch(learner, visit), learner.agent.sac

    def targets(trials):
        batch = make_batch(learner.config, trials)
        then = sac.representation.apply(agent.params.representation, batch, jax.random.key(0)).next_obs
        terms = sac.head.policy_terms(agent.params.actor, agent.params.critics, then, jax.random.key(1))
        return batch.reward + 0.5 * batch.discount * terms.q

    before = targets(batch.trials)
    moved = batch.trials._replace(obs=batch.trials.obs.at[:, 20].add(0.5))
    differs = np.abs(np.asarray(targets(moved) - before)).max(axis=0) > 1e-6
    assert not differs[:19].any()
    assert differs[19]
    elsewhere = batch.trials._replace(next_obs=batch.trials.next_obs.at[:, 19].add(0.5))  # nobody acts there
    np.testing.assert_array_equal(targets(elsewhere), before)


def test_what_follows_always_counts_but_for_the_end_of_a_trial_if_asked(make, make_lines):
    chosen = make_lines()
    for bootstrap in (True, False):
        learner = make(chosen, bootstrap_at_end=bootstrap)
        _, _, visit = _play(learner, chosen, num_steps=12)
        batch = _batch(learner, visit)
        assert (np.asarray(batch.trials.discount) == 0).any()  # robots fall, and trials go on
        assert (np.asarray(batch.discount[:, :-1]) == 1).all()
        assert (np.asarray(batch.discount[:, -1]) == bootstrap).all()


def test_values_after_a_step_are_those_before_the_next_one(make):
    learner = make(benchmark(POINT))
    agent, _, visit = _play(learner, benchmark(POINT), num_steps=40)
    batch, sac = _batch(learner, visit), learner.agent.sac
    features = sac.representation.apply(agent.params.representation, batch, jax.random.key(0))
    now, then = (
        sac.head.q_values(agent.params.critics, obs, batch.action) for obs in (features.obs, features.next_obs)
    )
    action = batch.action[:, 1:]
    shifted = jnp.concatenate([action, action[:, -1:]], axis=1)
    then = sac.head.q_values(agent.params.critics, features.next_obs, shifted)
    np.testing.assert_allclose(then[:, :, :-1], now[:, :, 1:], rtol=1e-4, atol=1e-5)


def _gradients(learner, agent, batch, name):
    """Of one metric, for all parameters."""

    def metric(params):
        return learner.agent.sac.loss(params, agent.target, batch, jax.random.key(2))[1][name]

    return jax.grad(metric)(agent.params)


def _reached(tree):
    return [bool(np.asarray(leaf).any()) for leaf in jax.tree.leaves(tree)]


def test_each_of_two_memories_is_trained_by_its_own_loss(small_replaying):
    learner = recurrent_sac.make_learner(small_replaying("recurrent_sac"), benchmark(POINT))
    agent, _, visit = _play(learner, benchmark(POINT), num_steps=40)
    batch = _batch(learner, visit)
    of_actor, of_critics = (_gradients(learner, agent, batch, f"loss/{name}") for name in ("actor", "critic"))
    assert _reached(of_actor.actor["params"]["recall"])
    assert all(_reached(of_actor.actor))
    assert not any(_reached(of_actor.critics))
    assert all(_reached(of_critics.critics))
    assert not any(_reached(of_critics.actor))
    chex.assert_trees_all_equal_shapes(agent.target, agent.params.critics)  # the memory's slow copy is among them
    assert "recall" in agent.target["params"]


def test_a_shared_memory_is_trained_by_the_critics_alone(small_replaying):
    learner = recurrent_sac.make_learner(small_replaying("recurrent_sac", memory="shared"), benchmark(POINT))
    agent, _, visit = _play(learner, benchmark(POINT), num_steps=40)
    batch = _batch(learner, visit)
    of_actor, of_critics = (_gradients(learner, agent, batch, f"loss/{name}") for name in ("actor", "critic"))
    assert not any(_reached(of_actor.representation))
    assert all(_reached(of_critics.representation))


def test_trials_are_stored_by_task_and_drawn_whole_from_those_that_there_are(small_replaying):
    chosen = benchmark(POINT)
    learner = recurrent_sac.make_learner(small_replaying("recurrent_sac", replay_capacity=2), chosen)
    _, data, first = _play(learner, chosen, num_steps=40, deterministic=False)
    data = jax.tree.map(lambda leaf: leaf[:3], data)
    visits = [first, *(_play(learner, chosen, 40, deterministic=False, seed=seed)[2] for seed in (2, 3))]
    ids = jnp.arange(3, dtype=jnp.int32)
    data = store(data, ids, first, first.trajectory.transition.reward)
    drawn = sample_trials(data, jax.random.key(0), 64)
    played = np.swapaxes(np.asarray(first.trajectory.transition.action), 0, 1)
    found = [int(np.flatnonzero((played == row).all(axis=(1, 2)))[0]) for row in np.asarray(drawn.action)]
    assert sorted(set(found)) == [0, 1, 2]  # never a row that is empty
    for visit in visits[1:]:
        data = store(
            data, ids[1:], jax.tree.map(lambda leaf: leaf[:, 1:], visit), visit.trajectory.transition.reward[:, 1:]
        )
    assert data.num_added.tolist() == [1, 3, 3]
    oldest = np.asarray(first.trajectory.transition.action)[:, 1]
    assert not (np.asarray(data.data.action[1]) == oldest).all(axis=(1, 2)).any()
