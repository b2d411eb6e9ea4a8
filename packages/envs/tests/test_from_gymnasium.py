"""Any gymnasium environment as a family."""

import gymnasium
import jax
import metarl_envs
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeLimit
from metarl_envs import from_gymnasium, transition_info


class Corridor(gymnasium.Env):
    """Walk right until the end, `length` cells away; the start is random in the first two."""

    observation_space = gymnasium.spaces.Box(-100, 100, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, length):
        self.length = length

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = int(self.np_random.integers(2))
        return self._obs(), {"left": self.length - self.position}

    def step(self, action):
        self.position += 1 if action == 1 else -1
        left = self.length - self.position
        return self._obs(), float(left == 0), left == 0, False, {"left": left}

    def _obs(self):
        return np.array([self.position], np.float32)


def test_tasks_in_a_list_make_a_benchmark():
    family = from_gymnasium(Corridor, [3, 100], horizon=6)
    bench = metarl_envs.Benchmark(name="mine", family=family, train_tasks=[3, 100], test_tasks=[4])
    assert (bench.num_train_tasks, bench.num_test_tasks) == (2, 1)
    assert family.horizon == 6
    assert family.functional is None
    assert family.observation_space == Corridor.observation_space
    assert family.action_space == Corridor.action_space
    assert family.ease(bench.train_tasks, 0.5) is bench.train_tasks


def test_termination_and_truncation_are_told_apart():
    family = from_gymnasium(Corridor, [3, 100], horizon=6)
    env = family.make_vec([3, 100], seed=0)
    assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    obs, _ = env.reset()
    left = np.array([3, 100]) - obs[:, 0]
    for t in range(1, 7):
        obs, reward, terminated, truncated, infos = env.step(np.array([1, 1]))
        left -= 1
        np.testing.assert_array_equal(transition_info(infos, "left"), left)
        np.testing.assert_array_equal(terminated, left == 0)
        np.testing.assert_array_equal(reward, left == 0)
        np.testing.assert_array_equal(truncated, [False, t == 6])
        for i in np.flatnonzero(terminated | truncated):
            assert infos["final_obs"][i][0] == [3, 100][i] - left[i]
            assert obs[i, 0] <= 1  # The next episode's.
        left[0] = 3 - obs[0, 0]


def test_tasks_can_be_rows_of_arrays():
    family = from_gymnasium(lambda task: Corridor(int(task["length"])), {"length": np.array([3, 5, 7])}, horizon=9)
    tasks = family.sample_tasks(jax.random.key(0), 50)
    assert set(tasks["length"].tolist()) == {3, 5, 7}
    env = family.make_vec(tasks, seed=0)
    assert [sub_env.unwrapped.length for sub_env in env.envs] == tasks["length"].tolist()


def test_sampling_a_list_is_uniform_with_replacement_and_seeded():
    family = from_gymnasium(Corridor, [3, 5], horizon=9)
    tasks = family.sample_tasks(jax.random.key(0), 1000)
    assert tasks == family.sample_tasks(jax.random.key(0), 1000)
    np.testing.assert_allclose(np.mean(np.array(tasks) == 3), 0.5, atol=0.06)


def test_seeds():
    family = from_gymnasium(Corridor, [3], horizon=9)
    first, same, other = (family.make_vec([50] * 20, seed=seed).reset()[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    assert family.make_vec([50]).reset()[0].shape == (1, 1)


@pytest.mark.parametrize(
    ("make_env", "horizon"),
    [
        (lambda _: gymnasium.make("CartPole-v1"), 500),
        (lambda _: gymnasium.make("CartPole-v1", max_episode_steps=30), 30),
        (lambda length: TimeLimit(Corridor(length), 40), 40),
    ],
)
def test_horizon_is_that_of_the_environment(make_env, horizon):
    assert from_gymnasium(make_env, [3]).horizon == horizon
    assert from_gymnasium(make_env, [3], horizon=7).horizon == 7


@pytest.mark.parametrize("make_env", [Corridor, lambda _: gymnasium.make("CartPole-v1", max_episode_steps=-1)])
def test_a_family_without_horizon_is_refused(make_env):
    with pytest.raises(ValueError, match="horizon=None"):
        from_gymnasium(make_env, [3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": []}, "tasks is empty"),
        ({"horizon": 0}, "horizon=0 must be at least 1"),
        ({"vectorization": "threads"}, "vectorization='threads' must be 'sync' or 'async'"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        from_gymnasium(Corridor, **{"tasks": [3], "horizon": 5, **options})


def test_async_equals_sync():
    def make_env(gravity):
        env = gymnasium.make("CartPole-v1")
        env.unwrapped.gravity = gravity
        return env

    results = []
    for vectorization in ("sync", "async"):
        env = from_gymnasium(make_env, [9.8], horizon=8, vectorization=vectorization).make_vec([9.8, 90.0], seed=0)
        assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
        env.reset()
        results.append([env.step(np.array([1, 1]))[:4] for _ in range(12)])
        env.close()
    jax.tree.map(np.testing.assert_array_equal, *results)
