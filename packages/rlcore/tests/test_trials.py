"""Trials on a bandit whose task is the arm that pays; the policy tries arms in turn and stays where it is paid."""

import functools
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore import meta
from rlcore.experiment import NonFiniteError
from rlcore.rollout import Trajectory
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

    def __init__(self, tasks=TASKS, time_limit=HORIZON, mode="DISABLED"):
        self.tasks, self.num_envs = tasks, len(tasks.arm)
        self.closed, self.time_limit, self.mode = False, time_limit, mode
        self.metadata, self.single_action_space = {"autoreset_mode": mode}, SimpleNamespace(n=NUM_ARMS)
        self.num_steps, self.num_resets, self.needs_reset = 0, 0, np.zeros(self.num_envs, bool)

    def set_tasks(self, tasks):
        self.tasks = tasks

    def reset(self, *, seed=None, options=None):
        self.num_resets += 1
        if options is None:
            assert isinstance(seed, int)
            self.steps = np.zeros(self.num_envs, int)
            self.needs_reset[:] = False
        else:
            assert self.mode == "DISABLED"
            np.testing.assert_array_equal(options["reset_mask"], self.needs_reset)
            self.steps[options["reset_mask"]] = 0
            self.needs_reset[:] = False
        return self._obs(), {}

    def step(self, actions):
        assert not self.needs_reset.any()
        self.num_steps += 1
        self.steps += 1
        terminated, truncated = self.steps >= self.tasks.length, self.steps >= self.time_limit
        ended, final_obs, info = terminated | truncated, self._obs(), {}
        if self.mode == "DISABLED":
            self.needs_reset = ended
            return final_obs, (actions == self.tasks.arm).astype(float), terminated, truncated, info
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


@functools.partial(jax.jit, static_argnames=("policy", "num_steps"))
def jit_trial(policy, params, tasks, num_steps):
    return meta.play_trial(policy, params, ENV, tasks, jax.random.key(0), num_steps=num_steps, horizon=HORIZON)


def play_functional(tasks=TASKS, params=REMEMBERS, policy=POLICY, num_steps=3 * HORIZON):
    return jit_trial(policy, params, tasks, num_steps)


def play_host(tasks=TASKS, params=REMEMBERS, policy=POLICY, num_steps=3 * HORIZON, time_limit=HORIZON, mode="DISABLED"):
    env = VectorBandit(tasks, time_limit, mode)
    return meta.play_host_trial(policy, params, env, jax.random.key(0), num_steps=num_steps)


PLAYS = pytest.mark.parametrize(
    "play",
    [play_functional, play_host, functools.partial(play_host, mode="SAME_STEP")],
    ids=["functional", "host", "host_same_step"],
)


def returns_of(visit):
    return visit.by_episode(3, HORIZON).returns()


@PLAYS
def test_a_policy_that_remembers_finds_the_reward_by_episode_2(play):
    assert returns_of(play()).shape == (NUM_TASKS, 3)
    np.testing.assert_array_equal(returns_of(play()), RETURNS)
    forgotten = [[4, 4, 4], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(returns_of(play(params=FORGETS)), forgotten)


@pytest.mark.parametrize("mode", ["DISABLED", "SAME_STEP"])
def test_host_trials_equal_functional_trials(mode):
    functional, host = play_functional(), play_host(mode=mode)
    assert jax.tree.structure(functional) == jax.tree.structure(host)
    jax.tree.map(np.testing.assert_array_equal, functional, host)
    assert host.trajectory.transition.obs.shape == (3 * HORIZON, NUM_TASKS, 1)


@PLAYS
def test_an_early_end_is_followed_by_another_episode_and_no_step_is_lost(play):
    visit = play()
    assert visit.num_steps == 3 * HORIZON * NUM_TASKS
    episode = np.repeat(np.arange(3), HORIZON)[:, None].repeat(NUM_TASKS, axis=1)
    episode[:, 3] = np.repeat(np.arange(6), 2)
    np.testing.assert_array_equal(visit.episode, episode)
    step = np.tile(np.arange(HORIZON), 3)[:, None].repeat(NUM_TASKS, axis=1)
    step[:, 3] = np.tile([0, 1], 6)
    np.testing.assert_array_equal(visit.step_in_episode(), step)
    np.testing.assert_array_equal(visit.trajectory.transition.obs[..., 0], step)
    np.testing.assert_array_equal(visit.trajectory.transition.next_obs[..., 0], step + 1)


@PLAYS
def test_laid_out_by_episode_shorter_ones_end_early_and_later_ones_are_left_out(play):
    trials = play().by_episode(3, HORIZON)
    expected = np.ones((3, HORIZON, NUM_TASKS), bool)
    expected[:, 2:, 3] = False
    np.testing.assert_array_equal(trials.valid, expected)
    np.testing.assert_array_equal(trials.trajectory.transition.action[1, :2, 3], [2, 2])
    assert not trials.trajectory.transition.reward[:, 2:, 3].any()


def test_a_time_limit_below_the_horizon_ends_the_episode_too():
    trials = play_host(time_limit=3).by_episode(3, HORIZON)
    np.testing.assert_array_equal(trials.valid.sum(axis=1), [[3, 3, 3, 2]] * 3)
    np.testing.assert_array_equal(trials.returns(), [[3, 3, 3], [2, 3, 3], [0, 3, 3], [0, 2, 2]])


@PLAYS
def test_borders_of_episodes_reach_the_memory_wherever_each_task_has_them(play):
    """What the policy remembers, read off its actions: episodes begun, its own actions, steps observed."""
    action = np.asarray(play(policy=Counting()).trajectory.transition.action)
    length = np.minimum(TASKS.length, HORIZON)
    steps = np.arange(3 * HORIZON)[:, None]
    np.testing.assert_array_equal(action, 10000 * (steps // length + 1) + 100 * steps + steps)


def test_tasks_side_by_side_equal_tasks_alone():
    together = play_functional()
    for i in range(NUM_TASKS):
        alone = play_functional(jax.tree.map(lambda leaf, i=i: leaf[i : i + 1], TASKS))
        one = jax.tree.map(lambda leaf, i=i: leaf[:, i : i + 1], together)
        jax.tree.map(np.testing.assert_array_equal, one, alone)


class Family:
    """Bandits, functional or as vector environments."""

    horizon = HORIZON

    def __init__(self, functional, time_limit=HORIZON):
        self.functional, self.time_limit = functional, time_limit
        self.made = []

    def make_vec(self, tasks, seed):
        assert isinstance(seed, int)
        self.made.append(VectorBandit(tasks, self.time_limit))
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

        def begin_trial(self, params, key, num_tasks):
            Traced.num_traces += 1
            return super().begin_trial(params, key, num_tasks)

    policy = Traced()
    with meta.TrialPlayer(Family(functional)) as player:
        for params, tasks in ((REMEMBERS, TASKS), (FORGETS, TASKS), (REMEMBERS, TASKS._replace(arm=TASKS.arm[::-1]))):
            player.play(policy, params, tasks, jax.random.key(0), num_episodes=2)
    assert Traced.num_traces == 1


def test_environments_live_as_long_as_the_player_one_for_each_number_of_tasks():
    family, two = Family(None), Task(TASKS.arm[:2], TASKS.length[:2])
    with meta.TrialPlayer(family) as player:
        for tasks in (TASKS, two, TASKS._replace(arm=TASKS.arm[::-1]), two):
            visit = player.play(POLICY, REMEMBERS, tasks, jax.random.key(0), num_episodes=1)
            paid = np.asarray(visit.trajectory.transition.reward) > 0
            arms = np.asarray(visit.trajectory.transition.action)
            np.testing.assert_array_equal(paid, arms == np.asarray(tasks.arm))
    assert [env.num_envs for env in family.made] == [4, 2]
    assert all(env.closed for env in family.made)


def test_environments_that_cannot_change_tasks_are_made_anew():
    class Fixed(VectorBandit):
        set_tasks = property()

    class FixedFamily(Family):
        def make_vec(self, tasks, seed):
            self.made.append(Fixed(tasks))
            return self.made[-1]

    family = FixedFamily(None)
    with meta.TrialPlayer(family) as player:
        for _ in range(2):
            player.play(POLICY, REMEMBERS, TASKS, jax.random.key(0), num_steps=2)
    assert [env.closed for env in family.made] == [True, True]


def test_all_environments_are_closed_even_if_one_cannot_be():
    family, two = Family(None), Task(TASKS.arm[:2], TASKS.length[:2])
    player = meta.TrialPlayer(family)
    for tasks in (TASKS, two):
        player.play(POLICY, REMEMBERS, tasks, jax.random.key(0), num_steps=1)
    for env in family.made:
        env.close = functools.partial(_close_or_fail, env, fails=env.num_envs == 2)
    with pytest.raises(RuntimeError, match="port"):
        player.close()
    assert [env.closed for env in family.made] == [True, True]


def _close_or_fail(env, fails):
    env.closed = True
    if fails:
        raise RuntimeError("port is gone")


def test_a_test_on_the_host_stops_as_soon_as_all_tasks_have_their_episodes():
    family = Family(None, time_limit=2)
    with meta.TrialPlayer(family) as player:
        visit = player.play(POLICY, REMEMBERS, TASKS, jax.random.key(0), num_episodes=3)
    assert visit.episode.shape == (6, NUM_TASKS)
    assert family.made[0].num_steps == 6
    assert family.made[0].num_resets == 3  # none behind the last step


def test_returns_add_valid_rewards_over_the_steps_of_each_episode():
    reward = np.arange(12.0).reshape(2, 3, 2)  # [K, T, N]
    valid = np.ones((2, 3, 2), bool)
    valid[1, 2, 0] = False
    trajectory = Trajectory(Transition(None, None, reward, None, None), None, {})
    np.testing.assert_array_equal(meta.Trials(trajectory, valid).returns(), [[0 + 2 + 4, 6 + 8], [1 + 3 + 5, 27]])


@PLAYS
def test_random_lengths_keep_every_step_with_its_episode(play):
    """Lengths that nobody chose: every step is there once, and by episode the same rewards add up."""
    rng = np.random.default_rng(0)
    tasks = Task(rng.integers(0, NUM_ARMS, NUM_TASKS).astype(np.int32), rng.integers(1, 6, NUM_TASKS).astype(np.int32))
    visit = play(tasks=tasks, num_steps=37)
    length = np.minimum(tasks.length, HORIZON)
    np.testing.assert_array_equal(visit.episode, np.arange(37)[:, None] // length)
    trials = visit.by_episode(37, HORIZON)
    assert trials.valid.sum() == 37 * NUM_TASKS
    np.testing.assert_array_equal(trials.returns().sum(axis=1), np.asarray(visit.trajectory.transition.reward).sum(0))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"obs": (2, 1)}, r"the environment's observation is nan at step 2 of episode 0 in task 1"),
        ({"action": (5, 0), "next_obs": (5, 0)}, r"the agent's action is nan at step 1 of episode 1 in task 0"),
        ({"reward": (3, 3), "obs": (4, 3)}, r"the environment's reward is nan at step 1 of episode 1 in task 3"),
        ({"next_obs": (0, 2), "action": (1, 2)}, r"the environment's next observation is nan at step 0 of episode 0"),
    ],
    ids=str,
)
def test_the_first_number_that_is_not_finite_is_named_with_whose_it_is(broken, message):
    visit = jax.tree.map(np.array, play_host())
    leaves = visit.trajectory.transition._asdict()
    for name, (step, task) in broken.items():
        leaves[name] = leaves[name].astype(np.float32)
        leaves[name][step, task] = np.nan
    visit = visit._replace(trajectory=visit.trajectory._replace(transition=Transition(**leaves)))
    with pytest.raises(NonFiniteError, match=message):
        meta.check_finite(visit)


def test_a_signal_that_trains_and_is_missing_is_an_error():
    visit = play_host()
    signal = np.zeros(visit.episode.shape)
    signal[4, 3] = np.nan
    visit = visit._replace(trajectory=visit.trajectory._replace(info={"dense": signal}))
    names = [f"train task {i}" for i in range(NUM_TASKS)]
    with pytest.raises(NonFiniteError, match=r"dense is missing .* step 0 of episode 2 in train task 3; training_rew"):
        meta.check_reported(visit, {"training_reward": "dense"}, names)
    with pytest.raises(ValueError, match=r"training_reward must be one of reward, dense, got sparse"):
        meta.check_reported(visit, {"training_reward": "sparse"}, names)


def test_success_is_told_only_where_an_environment_reports_it():
    visit = jax.tree.map(np.asarray, play_host())
    assert not [name for name in meta.outcome_metrics(visit.by_episode(3, HORIZON)) if "success" in name]
    success = np.full(visit.episode.shape, np.nan)  # reported at the end of episodes only
    ends = np.asarray(visit.trajectory.truncated | (visit.trajectory.transition.discount == 0))
    success[ends] = 0
    success[HORIZON - 1, 0] = 1
    visit = visit._replace(trajectory=visit.trajectory._replace(info={"success": success}))
    metrics = meta.outcome_metrics(visit.by_episode(3, HORIZON))
    assert [metrics[f"test/success_{k}"] for k in (1, 2, 3)] == [0.25, 0, 0]
    assert metrics["test/found"] == 0


def test_a_player_acts_step_by_step_as_in_a_trial():
    visit = play_host(num_steps=9)
    for i in range(NUM_TASKS):
        env = VectorBandit(jax.tree.map(lambda leaf, i=i: leaf[i : i + 1], TASKS))
        space = SimpleNamespace(shape=(1,), dtype=np.dtype(np.float32))
        player = meta.Player(POLICY, REMEMBERS, space, env.single_action_space, jax.random.key(0))
        obs, _ = env.reset(seed=0)
        for step in range(9):
            action = player.act(obs[0])
            assert action == visit.trajectory.transition.action[step, i]
            obs, reward, terminated, truncated, _ = env.step(np.asarray([action]))
            player.observe(obs[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]))
            if terminated or truncated:
                obs, _ = env.reset(options={"reset_mask": np.ones(1, bool)})
        player.begin_trial()
        assert player.act(obs[0]) == 0


def test_a_player_says_what_was_called_out_of_turn_or_does_not_fit():
    space = SimpleNamespace(shape=(1,), dtype=np.dtype(np.float32))
    player = meta.Player(POLICY, REMEMBERS, space, SimpleNamespace(n=NUM_ARMS), jax.random.key(0))
    with pytest.raises(ValueError, match="observe was called without act"):
        player.observe(np.zeros(1, np.float32), 0.0, False, False)
    with pytest.raises(ValueError, match="obs must fit"):
        player.act(np.zeros(2, np.float32))
    player.act(np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="act was called twice"):
        player.act(np.zeros(1, np.float32))
    with pytest.raises(NonFiniteError, match="the environment's reward is nan"):
        player.observe(np.zeros(1, np.float32), float("nan"), False, False)
    with pytest.raises(NonFiniteError, match="the environment's observation is"):
        player.observe(np.full(1, np.inf, np.float32), 0.0, False, False)


class DictBandit(Bandit):
    """The same, seen as a dictionary."""

    def observation(self, state, rng, params):
        return {"steps": super().observation(state, rng, params), "twice": (2.0 * state[None],)}


def test_dictionaries_of_observations_work_in_functional_environments_too():
    plain = play_functional()
    visit = meta.play_trial(
        POLICY, REMEMBERS, DictBandit(), TASKS, jax.random.key(0), num_steps=3 * HORIZON, horizon=HORIZON
    )
    meta.check_finite(visit)
    for name in ("obs", "next_obs"):
        seen, expected = getattr(visit.trajectory.transition, name), getattr(plain.trajectory.transition, name)
        np.testing.assert_array_equal(seen["steps"], expected)
        np.testing.assert_array_equal(seen["twice"][0], 2 * np.asarray(expected))
    np.testing.assert_array_equal(visit.by_episode(3, HORIZON).returns(), RETURNS)


KEY = jax.random.key(0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"policy": Remembering}, "policy must be a MetaPolicy"),
        ({"policy": lambda obs: obs}, "policy must be a MetaPolicy, .* begin_trial, begin_episode, act, observe"),
        ({"key": 0}, "key must be one key made by jax.random.key, got 0"),
        ({"key": np.zeros(2, np.uint32)}, "key must be one key made by jax.random.key"),
        ({"tasks": []}, "tasks must not be empty"),
        ({"tasks": Task(np.zeros(2, np.int32), np.zeros(3, np.int32))}, "tasks must be a list, or arrays with one"),
        ({"tasks": 3}, "tasks must be a list, or arrays with one"),
        ({"num_episodes": 0}, "num_episodes must be a whole number of at least 1, got 0"),
        ({"num_episodes": 2.0}, "num_episodes must be a whole number of at least 1, got 2.0"),
        ({"num_episodes": True}, "num_episodes must be a whole number"),
        ({"num_episodes": None, "num_steps": -1}, "num_steps must be a whole number of at least 1, got -1"),
        ({"num_episodes": None}, "num_steps and num_episodes are both None"),
    ],
)
@FAMILIES
def test_arguments_that_are_none_are_refused_by_name_before_anything_is_made(functional, changed, message):
    family = Family(functional)
    arguments = {"policy": POLICY, "params": REMEMBERS, "tasks": TASKS, "key": jax.random.clone(KEY), "num_episodes": 1}
    with meta.TrialPlayer(family) as player, pytest.raises(ValueError, match=message):
        player.play(**{**arguments, **changed})
    assert family.made == []


def test_a_list_of_tasks_is_played_as_their_arrays_are():
    listed = [jax.tree.map(lambda leaf, i=i: leaf[i], TASKS) for i in range(NUM_TASKS)]
    with meta.TrialPlayer(Family(ENV)) as player:
        visits = [
            player.play(POLICY, REMEMBERS, tasks, jax.random.clone(KEY), num_steps=5) for tasks in (listed, TASKS)
        ]
    jax.tree.map(np.testing.assert_array_equal, *visits)
