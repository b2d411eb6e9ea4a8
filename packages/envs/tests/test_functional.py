"""The single and the vector environment of pure JAX families, on an environment in which everything is random."""

import functools
from typing import NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from gymnasium.experimental.functional import FuncEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from metarl_envs import FunctionalEnv, FunctionalVectorEnv
from metarl_envs.adapters.functional_env import env_key

HORIZON = 5


class Countdown(NamedTuple):
    """A task: how many steps there are before the end."""

    length: jax.Array


class State(NamedTuple):
    count: jax.Array
    noise: jax.Array


class CountdownEnv(FuncEnv):
    """Terminates after `length` steps; start, noise, observation and reward are random."""

    observation_space = gymnasium.spaces.Dict(
        {
            "count": gymnasium.spaces.Box(0, 100, (), np.int32),
            "noise": gymnasium.spaces.Box(-100, 100, (2,), np.float32),
        }
    )
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self):
        super().__init__()
        self.num_traces = 0

    def initial(self, rng, params=None):
        return State(jnp.zeros((), jnp.int32), jax.random.uniform(rng, (2,)))

    def transition(self, state, action, rng, params=None):
        self.num_traces += 1
        return State(state.count + 1, state.noise + action * jax.random.uniform(rng, (2,)))

    def observation(self, state, rng, params=None):
        return {"count": state.count, "noise": state.noise + jax.random.uniform(rng, (2,))}

    def reward(self, state, action, next_state, rng, params=None):
        return state.count + jax.random.uniform(rng)

    def terminal(self, state, rng, params=None):
        return state.count >= params.length

    def transition_info(self, state, action, next_state, params=None):
        return {"left": params.length - next_state.count, "noise": next_state.noise}


ENV = CountdownEnv()
LENGTHS = Countdown(jnp.array([2, 5, 9, 3], jnp.int32))  # Two terminate early, one on the horizon, one is truncated.


def assert_same(actual, expected):
    actual, expected = jax.tree.map(unpack, (actual, expected))
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-6), actual, expected)


def unpack(leaf):
    """Object arrays, such as final observations, become lists that a tree looks into."""
    return leaf.tolist() if isinstance(leaf, np.ndarray) and leaf.dtype == object else leaf


def play(env, num_steps, seed=None):
    """All that `reset` and `num_steps` steps return."""
    rng = np.random.default_rng(0)
    return [env.reset(seed=seed)] + [env.step(rng.integers(0, 2, env.num_envs)) for _ in range(num_steps)]


def make_single(i):
    return TimeLimit(FunctionalEnv(ENV, metarl_envs.get_task(LENGTHS, i)), HORIZON)


def test_vector_equals_single_environments_in_gymnasiums_own_vector():
    sync = SyncVectorEnv([functools.partial(make_single, i) for i in range(4)], autoreset_mode=AutoresetMode.SAME_STEP)
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    assert vector.observation_space == sync.observation_space
    assert vector.action_space == sync.action_space
    assert vector.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    for actual, expected in zip(play(vector, 23, seed=7), play(sync, 23, seed=7), strict=True):
        assert_same(actual, expected)
        assert actual[0] in vector.observation_space


def test_episodes_terminate_and_truncate():
    results = play(FunctionalVectorEnv(ENV, LENGTHS, HORIZON), 5, seed=0)[1:]
    terminated = np.stack([result[2] for result in results], axis=1)
    truncated = np.stack([result[3] for result in results], axis=1)
    np.testing.assert_array_equal(terminated, [[0, 1, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
    np.testing.assert_array_equal(truncated, [[0] * 5, [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5])


def test_the_last_observation_is_kept_when_the_next_episode_begins():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    obs, _, _, _, infos = play(vector, 2, seed=0)[-1]
    np.testing.assert_array_equal(obs["count"], [0, 2, 2, 2])
    np.testing.assert_array_equal(infos["_final_obs"], [True, False, False, False])
    assert infos["final_obs"][0]["count"] == 2
    assert infos["final_obs"][1] is None


def test_transition_info_reads_signals_at_every_step():
    vector = FunctionalVectorEnv(ENV, Countdown(jnp.array([2, 3, 2, 3], jnp.int32)), HORIZON)
    infos = [result[-1] for result in play(vector, 6, seed=0)[1:]]
    left = [metarl_envs.transition_info(info, "left").tolist() for info in infos]
    assert left == [pair * 2 for pair in ([1, 2], [0, 1], [1, 0], [0, 2], [1, 1], [0, 0])]
    assert "left" not in infos[-1]  # All ended: gymnasium's convention has nothing else to tell.
    with pytest.raises(ValueError, match="no name='lef'; they report: left, noise"):
        metarl_envs.transition_info(infos[1], "lef")
    with pytest.raises(ValueError, match="report: nothing"):
        metarl_envs.transition_info({}, "left")


def test_seeds_fix_everything():
    first = play(FunctionalVectorEnv(ENV, LENGTHS, HORIZON, seed=3), 12)
    assert_same(play(FunctionalVectorEnv(ENV, LENGTHS, HORIZON), 12, seed=3), first)
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON, seed=8)
    other = play(vector, 12)
    assert not np.allclose(other[0][0]["noise"], first[0][0]["noise"])
    assert_same(play(vector, 12, seed=3), first)


def test_without_a_seed_every_episode_and_every_environment_differs():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    starts = [vector.reset()[0]["noise"] for _ in range(3)]
    starts += [FunctionalVectorEnv(ENV, LENGTHS, HORIZON).reset()[0]["noise"]]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 16
    single = make_single(0)
    assert not np.allclose(single.reset()[0]["noise"], single.reset()[0]["noise"])


def test_where_an_episode_starts_does_not_depend_on_the_episodes_before():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    play(vector, 1, seed=4)
    after_one_step = vector.reset()[0]
    vector.reset(seed=4)
    assert_same(vector.reset()[0], after_one_step)


def test_nothing_is_compiled_twice():
    env = CountdownEnv()
    for length in (2, 7):
        vector = FunctionalVectorEnv(env, Countdown(jnp.full(3, length)), HORIZON)
        play(vector, 12)
        vector.set_tasks(Countdown(np.full(3, 4, np.int32)))
        play(vector, 2, seed=1)
    assert env.num_traces == 1


def test_results_are_the_users_to_change():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    for result in play(vector, 5, seed=0)[1:]:
        arrays = [leaf for leaf in jax.tree.leaves(result) if isinstance(leaf, np.ndarray)]
        assert all(array.flags.writeable for array in arrays)
        assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


def test_set_tasks_in_mid_episode_keeps_the_state_and_holds_from_the_next_step():
    kept, changed = (FunctionalVectorEnv(ENV, Countdown(np.full(4, 9, np.int32)), HORIZON) for _ in range(2))
    with pytest.raises(gymnasium.error.ResetNeeded):
        changed.step(np.zeros(4, int))
    for vector in (kept, changed):
        vector.reset(seed=0)
        vector.step(np.zeros(4, int))
    changed.set_tasks([Countdown(np.int32(length)) for length in (2, 3, 9, 1)])
    assert_same(changed.tasks, Countdown(np.array([2, 3, 9, 1], np.int32)))
    _, reward, terminated, _, infos = changed.step(np.ones(4, int))
    obs, kept_reward, _, _, _ = kept.step(np.ones(4, int))
    assert terminated.tolist() == [True, False, False, True]
    np.testing.assert_array_equal(reward, kept_reward)
    np.testing.assert_array_equal(infos["final_obs"][0]["noise"], obs["noise"][0])
    assert metarl_envs.transition_info(infos, "left").tolist() == [0, 1, 7, -1]


def test_wrong_use_is_explained():
    with pytest.raises(ValueError, match="horizon=0"):
        FunctionalVectorEnv(ENV, LENGTHS, 0)
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    with pytest.raises(ValueError, match="3 tasks for num_envs=4"):
        vector.set_tasks(metarl_envs.take_tasks(LENGTHS, [0, 1, 2]))
    vector.reset()
    with pytest.raises(ValueError, match=r"shape \(3,\), must be \(4,\)"):
        vector.step(np.zeros(3, int))
    with pytest.raises(gymnasium.error.ResetNeeded):
        FunctionalEnv(ENV, metarl_envs.get_task(LENGTHS, 0)).step(0)


def test_vector_equals_a_scan_over_the_functional_environment():
    bench = metarl_envs.benchmark("point-dense-v0")
    env, tasks = bench.family.functional, bench.test_tasks
    actions = np.random.default_rng(0).uniform(-1.5, 1.5, (20, 20, 2)).astype(np.float32)

    def rollout(task, start, actions, key):
        def step(state, action):
            next_state = env.transition(state, action, key, task)
            info = env.transition_info(state, action, next_state, task)
            return next_state, (next_state, env.reward(state, action, next_state, key, task), info)

        return jax.lax.scan(step, start, actions)[1]

    vector = bench.family.make_vec(tasks, seed=5)
    start, _ = vector.reset()
    np.testing.assert_allclose(start[3], vector.func_env.initial(first_key(seed=5 + 3)), atol=1e-6)
    obs, reward, info = jax.vmap(rollout, in_axes=(0, 0, 1, None))(tasks, start, actions, jax.random.key(0))
    for t in range(20):
        vector_obs, vector_reward, terminated, truncated, infos = vector.step(actions[t])
        vector_obs = np.stack(infos["final_obs"]) if t == 19 else vector_obs
        np.testing.assert_allclose(vector_obs, obs[:, t], atol=1e-6)
        np.testing.assert_allclose(vector_reward, reward[:, t], atol=1e-6)
        for name in ("dense_reward", "sparse_reward"):
            np.testing.assert_allclose(metarl_envs.transition_info(infos, name), info[name][:, t], atol=1e-6)
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (t == 19)


def first_key(seed):
    """What the module's docstring says that the first episode's `initial` draws from."""
    return jax.random.split(jax.random.fold_in(jax.random.fold_in(env_key(seed), 0), 0))[0]


def test_gymnasium_makes_single_and_vector_environments():
    bench = metarl_envs.benchmark("point-sparse-v0")
    single = gymnasium.make("metarl_envs/PointSparse-v0")
    np.testing.assert_array_equal(single.unwrapped.task.goal, bench.train_tasks.goal[0])
    task = metarl_envs.get_task(bench.test_tasks, 4)
    single = gymnasium.make("metarl_envs/PointSparse-v0", task=task)
    np.testing.assert_array_equal(single.unwrapped.task.goal, task.goal)
    single.reset(seed=0)
    assert [single.step(np.zeros(2, np.float32))[3] for _ in range(20)] == [False] * 19 + [True]

    vector = gymnasium.make_vec("metarl_envs/PointSparse-v0", num_envs=103)
    assert isinstance(vector, FunctionalVectorEnv)
    assert vector.horizon == 20
    np.testing.assert_array_equal(vector.tasks.goal[100:], bench.train_tasks.goal[:3])
    vector = gymnasium.make_vec("metarl_envs/PointSparse-v0", num_envs=20, tasks=bench.test_tasks)
    np.testing.assert_array_equal(vector.tasks.goal, bench.test_tasks.goal)
    with pytest.raises(ValueError, match="20 tasks for num_envs=2"):
        gymnasium.make_vec("metarl_envs/PointSparse-v0", num_envs=2, tasks=bench.test_tasks)


def test_vector_draws_each_environment_with_its_own_trail():
    bench = metarl_envs.benchmark("point-sparse-v0")
    vector = bench.family.make_vec(metarl_envs.take_tasks(bench.test_tasks, [0, 1]), seed=0)
    vector.reset()
    first = vector.render()
    assert len(first) == 2
    assert not np.array_equal(first[0], first[1])
    for _ in range(19):
        vector.step(np.ones((2, 2), np.float32))
    assert not np.array_equal(vector.render()[0], first[0])
    vector.step(np.ones((2, 2), np.float32))  # The episode ends: the trail begins anew.
    np.testing.assert_array_equal(vector.render()[0], first[0])
    assert FunctionalVectorEnv(ENV, LENGTHS, HORIZON).render() is None


@pytest.mark.usefixtures("scratch_registry")
def test_families_that_gymnasium_cannot_make_are_refused(monkeypatch):
    family = metarl_envs.from_gymnasium(lambda _: gymnasium.make("CartPole-v1"), [0])
    metarl_envs.register_benchmark("cartpole-test-v0", lambda: metarl_envs.Benchmark("cartpole", family, [0], [0]))
    monkeypatch.setattr(gymnasium.envs.registration, "registry", {})
    metarl_envs.register_with_gymnasium("test/CartPole-v0", "cartpole-test-v0", 5)
    with pytest.raises(ValueError, match="'cartpole' makes no environments for gymnasium"):
        gymnasium.make("test/CartPole-v0")
