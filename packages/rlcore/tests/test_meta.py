"""Trials on a bandit whose task is the arm that pays; the policy tries arms in turn and stays where it is paid."""

import functools
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore import meta
from rlcore.types import Transition

NUM_ARMS = HORIZON = 4


class Task(NamedTuple):
    """arm: the one that pays. length: steps after which an episode terminates, if it lasts so long."""

    arm: jax.Array
    length: jax.Array


NEVER = 100
TASKS = Task(np.asarray([0, 1, 3, 2], np.int32), np.asarray([NEVER, NEVER, NEVER, 2], np.int32))
NUM_TASKS = 4


class Bandit:
    """Pays 1 for the task's arm. obs: steps so far."""

    def initial(self, rng, params):
        del rng, params
        return jnp.zeros((), jnp.int32)

    def transition(self, state, action, rng, params):
        del action, rng, params
        return state + 1

    def observation(self, state, rng, params):
        del rng, params
        return state[None].astype(jnp.float32)

    def reward(self, state, action, next_state, rng, params):
        del state, next_state, rng
        return (action == params.arm).astype(jnp.float32)

    def terminal(self, state, rng, params):
        del rng
        return state >= params.length

    def transition_info(self, state, action, next_state, params):
        del state, action, next_state, params
        return {}


class VectorBandit:
    """The same as a vector environment; env i plays task i."""

    def __init__(self, tasks=TASKS, time_limit=HORIZON):
        self.tasks, self.num_envs = tasks, len(tasks.arm)
        self.closed, self.time_limit = False, time_limit
        self.metadata, self.single_action_space = {"autoreset_mode": "SAME_STEP"}, SimpleNamespace(n=NUM_ARMS)

    def reset(self, *, seed=None, options=None):
        assert isinstance(seed, int)
        self.steps = np.zeros(self.num_envs, int)
        return self._obs(), {}

    def step(self, actions):
        self.steps += 1
        terminated, truncated = self.steps >= self.tasks.length, self.steps >= self.time_limit
        ended, final_obs, info = terminated | truncated, self._obs(), {}
        if ended.any():
            info = {"final_obs": np.asarray([*final_obs, None], object)[:-1], "_final_obs": ended}
        self.steps[ended] = 0
        return self._obs(), (actions == self.tasks.arm).astype(float), terminated, truncated, info

    def close(self):
        self.closed = True

    def _obs(self):
        return self.steps[:, None].astype(np.float32)


class Memory(NamedTuple):
    """arm: to play next. found: whether it pays. observed, acted: steps. episodes: begun."""

    arm: jax.Array
    found: jax.Array
    observed: jax.Array
    acted: jax.Array
    episodes: jax.Array


class Remembering:
    """Tries arms in turn until one pays; `params` says whether it remembers."""

    def begin_trial(self, params, key, num_tasks):
        del params, key
        zero = jnp.zeros(num_tasks, jnp.int32)
        return Memory(zero, zero.astype(bool), zero, zero, zero)

    def begin_episode(self, params, memory, key):
        del params, key
        return memory._replace(episodes=memory.episodes + 1)

    def act(self, params, memory, obs, key):
        del params, obs, key
        return memory.arm, memory._replace(acted=memory.acted + 1)

    def observe(self, params, memory, transition):
        found = memory.found | (transition.reward > 0)
        arm = jnp.where(found, memory.arm, (memory.arm + params["memory"]) % NUM_ARMS)
        return memory._replace(arm=arm, found=found, observed=memory.observed + 1)


class Counting(Remembering):
    """Plays what it has counted: episodes, its own actions, observed steps."""

    def act(self, params, memory, obs, key):
        _, acted = super().act(params, memory, obs, key)
        return 10000 * memory.episodes + 100 * memory.acted + memory.observed, acted


POLICY, ENV = Remembering(), Bandit()
REMEMBERS, FORGETS = {"memory": jnp.asarray(1)}, {"memory": jnp.asarray(0)}
# The arm 3 is found at the last step of episode 1; where episodes last 2 steps arm 2 is the first of episode 2.
RETURNS = [[4, 4, 4], [3, 4, 4], [1, 4, 4], [0, 2, 2]]


@functools.partial(jax.jit, static_argnames="policy")
def jit_trials(policy, params, tasks):
    return meta.run_trials(policy, params, ENV, tasks, jax.random.key(0), num_episodes=3, horizon=HORIZON)


def run_trials(tasks=TASKS, params=REMEMBERS, policy=POLICY):
    return jit_trials(policy, params, tasks)


def run_host_trials(tasks=TASKS, params=REMEMBERS, policy=POLICY, time_limit=HORIZON):
    env = VectorBandit(tasks, time_limit)
    return meta.run_host_trials(policy, params, env, jax.random.key(0), num_episodes=3, horizon=HORIZON)


RUNS = pytest.mark.parametrize("run", [run_trials, run_host_trials], ids=["functional", "host"])


@RUNS
def test_a_policy_that_remembers_finds_the_reward_by_episode_2(run):
    returns = run().returns()
    assert returns.shape == (NUM_TASKS, 3)
    np.testing.assert_array_equal(returns, RETURNS)
    np.testing.assert_array_equal(run(params=FORGETS).returns(), [[4, 4, 4], [0, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_host_trials_equal_functional_trials():
    functional, host = run_trials(), run_host_trials()
    assert jax.tree.structure(functional) == jax.tree.structure(host)
    jax.tree.map(np.testing.assert_array_equal, functional, host)
    assert host.trajectory.transition.obs.shape == (3, HORIZON, NUM_TASKS, 1)


@RUNS
def test_steps_after_an_early_end_are_neither_counted_nor_remembered(run):
    trials = run()
    expected = np.ones((3, HORIZON, NUM_TASKS), bool)
    expected[:, 2:, 3] = False
    np.testing.assert_array_equal(trials.valid, expected)
    # Episode 2 begins with arm 2 at once: steps 3 and 4 of episode 1 would have tried arms 2 and 3.
    np.testing.assert_array_equal(trials.trajectory.transition.action[1, 0], [0, 1, 3, 2])
    assert trials.trajectory.transition.reward[1, 2:, 3].all()  # what went uncounted


def test_a_time_limit_below_the_horizon_ends_the_episode_too():
    trials = run_host_trials(time_limit=3)
    np.testing.assert_array_equal(trials.valid.sum(axis=1), [[3, 3, 3, 2]] * 3)
    np.testing.assert_array_equal(trials.returns(), [[3, 3, 3], [2, 3, 3], [0, 3, 3], [0, 2, 2]])


@RUNS
def test_memory_changes_at_the_beginning_of_episodes_and_by_their_own_steps(run):
    """What the policy remembers, read off its actions."""
    action = np.asarray(run(policy=Counting()).trajectory.transition.action)
    num_steps = np.minimum(TASKS.length, HORIZON)
    for k in range(3):
        for t in range(HORIZON):
            past = k * num_steps + np.minimum(t, num_steps)
            np.testing.assert_array_equal(action[k, t], 10000 * (k + 1) + 100 * past + past)


def test_tasks_side_by_side_equal_tasks_alone():
    together = run_trials()
    for i in range(NUM_TASKS):
        alone = run_trials(jax.tree.map(lambda leaf, i=i: leaf[i : i + 1], TASKS))
        np.testing.assert_array_equal(together.returns()[i : i + 1], alone.returns())
        np.testing.assert_array_equal(together.valid[..., i : i + 1], alone.valid)


class Family:
    """Bandits, functional or as vector environments."""

    horizon = HORIZON

    def __init__(self, functional):
        self.functional = functional
        self.made = []

    def make_vec(self, tasks, seed):
        assert isinstance(seed, int)
        self.made.append(VectorBandit(tasks))
        return self.made[-1]


FAMILIES = pytest.mark.parametrize("functional", [ENV, None], ids=["functional", "vector"])


@FAMILIES
def test_evaluate_gives_returns_of_each_task_and_episode(functional):
    family = Family(functional)
    returns = meta.evaluate(POLICY, REMEMBERS, family, TASKS, jax.random.key(0), num_episodes=3)
    assert isinstance(returns, np.ndarray)
    np.testing.assert_array_equal(returns, RETURNS)
    assert [env.closed for env in family.made] == ([] if functional else [True])


@FAMILIES
def test_a_trial_player_compiles_once_for_all_parameters_and_tasks(functional):
    class Traced(Remembering):
        num_traces = 0

        def begin_episode(self, params, memory, key):
            Traced.num_traces += 1
            return super().begin_episode(params, memory, key)

    play = meta.TrialPlayer(Traced(), Family(functional), num_episodes=2)
    for params, tasks in ((REMEMBERS, TASKS), (FORGETS, TASKS), (REMEMBERS, TASKS._replace(arm=TASKS.arm[::-1]))):
        play(params, tasks, jax.random.key(0))
    assert Traced.num_traces == 1


def test_returns_add_valid_rewards_over_the_steps_of_each_episode():
    reward = np.arange(12.0).reshape(2, 3, 2)  # [K, T, N]
    valid = np.ones((2, 3, 2), bool)
    valid[1, 2, 0] = False
    trajectory = meta.Trajectory(Transition(None, None, reward, None, None), None, {})
    np.testing.assert_array_equal(meta.Trials(trajectory, valid).returns(), [[0 + 2 + 4, 6 + 8], [1 + 3 + 5, 27]])
