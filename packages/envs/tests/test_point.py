"""2-D navigation against numbers computed by hand, and its fixed task sets."""

import functools
import hashlib

import gymnasium
import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from metarl_envs import PointEnv, PointFamily, PointTask

SPARSE = PointEnv(sparse=True, random_start=False)
DENSE = PointEnv(sparse=False, random_start=True)


def make_key():
    return jax.random.key(0)


def make_task(goal, radius=0.2):
    return PointTask(jnp.array(goal, jnp.float32), jnp.array(radius, jnp.float32))


def greedy_rollout(env, horizon, task, key):
    """The best controller: each axis goes straight to the goal. Returns positions `[T, 2]` and rewards `[T]`."""

    def step(state, _):
        action = jnp.clip((task.goal - state) / 0.1, -1.0, 1.0)
        next_state = env.transition(state, action, key, task)
        return next_state, (next_state, env.reward(state, action, next_state, key, task))

    return jax.lax.scan(step, env.initial(key, task), length=horizon)[1]


# Position, goal, radius; dense reward, sparse reward.
REWARDS = [
    ((0.0, 0.0), (0.0, 1.0), 0.2, -1.0, 0.0),
    ((0.0, 0.9), (0.0, 1.0), 0.2, -0.1, 0.9),
    ((0.6, 0.8), (0.6, 0.8), 0.2, 0.0, 1.0),
    ((-0.3, 0.4), (0.0, 0.0), 0.2, -0.5, 0.0),
    ((-0.3, 0.4), (0.0, 0.0), 0.8, -0.5, 0.5),
    ((0.0, 0.5), (0.0, 0.0), 0.5, -0.5, 0.5),  # The edge is inside.
    ((3.0, -3.0), (-1.0, 0.0), 0.8, -5.0, 0.0),
]


@pytest.mark.parametrize("wrap", [lambda function: function, jax.jit], ids=["eager", "jit"])
def test_rewards(wrap):
    position, goal, radius, dense, sparse = (np.array(column, np.float32) for column in zip(*REWARDS, strict=True))
    rewards = []
    for env in (DENSE, SPARSE):
        reward = wrap(jax.vmap(env.reward, in_axes=(None, None, 0, None, 0)))
        rewards.append(reward(jnp.ones(2), jnp.ones(2), position, make_key(), PointTask(goal, radius)))
    np.testing.assert_allclose(rewards, [dense, sparse], atol=1e-6)
    info = wrap(jax.vmap(SPARSE.transition_info, in_axes=(None, None, 0, 0)))
    info = info(jnp.ones(2), jnp.ones(2), position, PointTask(goal, radius))
    np.testing.assert_allclose([info["dense_reward"], info["sparse_reward"]], [dense, sparse], atol=1e-6)


@pytest.mark.parametrize(
    ("action", "expected"), [((1.0, -1.0), (0.6, 0.4)), ((0.5, 0.0), (0.55, 0.5)), ((7.0, -9.0), (0.6, 0.4))]
)
def test_transition_moves_a_tenth_of_the_clipped_action(action, expected):
    next_state = SPARSE.transition(jnp.array([0.5, 0.5]), jnp.array(action), make_key(), make_task((0.0, 1.0)))
    np.testing.assert_allclose(next_state, expected, atol=1e-6)
    assert not SPARSE.terminal(next_state, make_key())


def test_starts():
    keys = jax.random.split(make_key(), 500)
    np.testing.assert_array_equal(jax.vmap(SPARSE.initial)(keys), np.zeros((500, 2)))
    starts = jax.vmap(DENSE.initial)(keys)
    assert np.abs(starts).max() <= 1
    np.testing.assert_allclose(starts.mean(0), 0, atol=0.1)
    np.testing.assert_allclose(starts.std(0), 1 / np.sqrt(3), atol=0.05)


def test_without_a_task_the_default_one_is_played():
    info = SPARSE.transition_info(jnp.zeros(2), jnp.zeros(2), jnp.array([0.0, 0.9]))
    np.testing.assert_allclose([info["dense_reward"], info["sparse_reward"]], [-0.1, 0.9], atol=1e-6)
    with pytest.raises(AttributeError):
        SPARSE.sparse = False  # A static argument of compiled functions must not change.


@pytest.mark.parametrize(("radius", "mean", "low", "high"), [(0.2, 13.4, 11.9, 14.8), (0.8, 16.0, 15.0, 17.0)])
def test_greedy_controller_reaches_the_best_returns_of_the_reference_goals(radius, mean, low, high):
    bench = metarl_envs.benchmark("point-sparse-reference-v0")
    goals = np.concatenate([bench.train_tasks.goal, bench.test_tasks.goal])
    tasks = PointTask(jnp.asarray(goals), jnp.full(100, radius, jnp.float32))
    rollout = functools.partial(greedy_rollout, bench.family.functional, bench.family.horizon)
    returns = jax.vmap(rollout, in_axes=(0, None))(tasks, make_key())[1].sum(1)
    np.testing.assert_allclose(returns.mean(), mean, atol=0.06)
    assert low - 0.1 <= returns.min() <= returns.max() <= high + 0.1


def test_standing_still_costs_what_the_reference_says():
    family = metarl_envs.benchmark("point-dense-v0").family
    tasks = family.sample_tasks(jax.random.key(1), 4000)
    starts = jax.vmap(family.functional.initial)(jax.random.split(jax.random.key(2), 4000), tasks)
    distance = np.linalg.norm(starts - tasks.goal, axis=1)
    np.testing.assert_allclose(-20 * distance.mean(), -21.0, atol=0.5)


@pytest.mark.parametrize("name", ["point-dense-v0", "point-sparse-v0"])
def test_mapping_over_tasks_equals_a_stack(name):
    bench = metarl_envs.benchmark(name)
    rollout = functools.partial(greedy_rollout, bench.family.functional, bench.family.horizon)
    tasks = metarl_envs.take_tasks(bench.test_tasks, range(5))
    mapped = jax.vmap(rollout)(tasks, jax.random.split(make_key(), 5))
    keys = jax.random.split(make_key(), 5)
    stacked = [rollout(metarl_envs.get_task(tasks, i), keys[i]) for i in range(5)]
    for part, expected in zip(mapped, zip(*stacked, strict=True), strict=True):
        np.testing.assert_allclose(part, np.stack(expected), atol=1e-6)


def fingerprint(tasks):
    rounded = np.round(np.asarray(tasks.goal, np.float64), 4) + 0.0  # No negative zeros.
    return hashlib.sha256(rounded.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "radius", "num_train", "train", "test", "first"),
    [
        ("point-dense-v0", 0.2, 80, "591fb657e7db4d36", "70a3d5cbca59e773", [[-0.4760, -0.6826], [-0.4437, -0.0814]]),
        ("point-sparse-v0", 0.2, 100, "17a7e041db606a06", "f738dd361082387c", [[0.6799, 0.7333], [0.8783, 0.4781]]),
        (
            "point-sparse-wide-v0",
            0.8,
            100,
            "17a7e041db606a06",
            "f738dd361082387c",
            [[0.6799, 0.7333], [0.8783, 0.4781]],
        ),
        (
            "point-sparse-reference-v0",
            0.2,
            80,
            "ba55571503ec4212",
            "53e60c721f5c5cc9",
            [[0.9980, 0.0634], [0.0476, 0.9989]],
        ),
    ],
)
def test_task_sets_never_change(name, radius, num_train, train, test, first):
    bench = metarl_envs.benchmark(name)
    assert (bench.num_train_tasks, bench.num_test_tasks) == (num_train, 20)
    np.testing.assert_allclose(bench.train_tasks.goal[:2], first, atol=5e-5)
    assert (fingerprint(bench.train_tasks), fingerprint(bench.test_tasks)) == (train, test)
    for tasks in (bench.train_tasks, bench.test_tasks):
        np.testing.assert_array_equal(tasks.radius, np.full_like(tasks.radius, radius))
        assert all(leaf.dtype == jnp.float32 and not leaf.weak_type for leaf in tasks)
        if name != "point-dense-v0":
            np.testing.assert_allclose(np.linalg.norm(tasks.goal, axis=1), 1, atol=1e-6)
            assert np.asarray(tasks.goal)[:, 1].min() > -1e-6
    goals = {tuple(goal) for goal in np.concatenate([bench.train_tasks.goal, bench.test_tasks.goal]).tolist()}
    assert len(goals) == num_train + 20


def test_dense_and_reference_goals_are_those_of_the_reference_code():
    rng = np.random.RandomState(1337)
    dense = [[rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0)] for _ in range(100)]
    rng = np.random.RandomState(1337)
    angles = np.linspace(0, np.pi, num=100)
    sparse = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rng.shuffle(sparse)
    for name, goals in (("point-dense-v0", dense), ("point-sparse-reference-v0", sparse)):
        bench = metarl_envs.benchmark(name)
        np.testing.assert_allclose(bench.train_tasks.goal, goals[:80], atol=1e-6)
        np.testing.assert_allclose(bench.test_tasks.goal, goals[-20:], atol=1e-6)


def test_sampled_tasks():
    sparse = PointFamily(sparse=True, radius=0.8).sample_tasks(make_key(), 1000)
    np.testing.assert_allclose(np.linalg.norm(sparse.goal, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(sparse.goal.mean(0), [0, 2 / np.pi], atol=0.06)
    np.testing.assert_array_equal(sparse.radius, np.full(1000, 0.8, np.float32))
    dense = PointFamily(sparse=False).sample_tasks(jax.random.key(1), 1000)
    np.testing.assert_allclose(dense.goal.std(0), 1 / np.sqrt(3), atol=0.05)
    assert np.abs(dense.goal).max() <= 1


@pytest.mark.parametrize(("difficulty", "radius"), [(0.0, 0.8), (0.25, 0.65), (0.5, 0.5), (1.0, 0.2)])
@pytest.mark.parametrize("jit", [False, True])
def test_ease_narrows_sparse_goals(difficulty, radius, jit):
    family = PointFamily(sparse=True)
    tasks = family.sample_tasks(make_key(), 3)
    eased = (jax.jit(family.ease) if jit else family.ease)(tasks, difficulty)
    np.testing.assert_allclose(eased.radius, np.full(3, radius), atol=1e-6)
    np.testing.assert_array_equal(eased.goal, tasks.goal)
    if difficulty == 1:
        np.testing.assert_array_equal(eased.radius, tasks.radius)


def test_ease_leaves_wide_and_dense_goals_alone():
    wide = PointTask(jnp.zeros((2, 2)), jnp.array([0.8, 1.5]))
    np.testing.assert_array_equal(PointFamily(sparse=True).ease(wide, 0.0).radius, wide.radius)
    dense = PointFamily(sparse=False)
    tasks = dense.sample_tasks(make_key(), 2)
    assert dense.ease(tasks, 0.0) is tasks


@pytest.mark.parametrize("name", ["PointDense", "PointSparse", "PointSparseWide"])
@pytest.mark.parametrize("render_mode", [None, "rgb_array"])
def test_gymnasium_accepts_the_environment(name, render_mode):
    check_env(gymnasium.make(f"metarl_envs/{name}-v0", render_mode=render_mode).unwrapped)


def test_drawing_shows_goal_trail_and_point():
    env = gymnasium.make("metarl_envs/PointSparse-v0", task=make_task((0.0, 1.0)), render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    assert first.shape == (128, 128, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first[64, 64], [30, 60, 160])  # The point, at the origin.
    np.testing.assert_array_equal(first[64 - 43, 64], [40, 140, 60])  # The goal, 1 m up: 43 pixels.
    for _ in range(10):
        env.step(np.array([1.0, 0.0], np.float32))
        last = env.render()
    np.testing.assert_array_equal(last[64, 64], [150, 170, 220])  # The trail begins at the origin.
    np.testing.assert_array_equal(last[64, 64 + 43], [30, 60, 160])
    env.reset()
    np.testing.assert_array_equal(env.render(), first)


@pytest.mark.parametrize("difficulty", [2.0, -0.1, float("nan"), None, "1", [0.5], True + 1])
def test_a_difficulty_that_is_none_is_refused(difficulty):
    class Plain(metarl_envs.TaskFamily):
        def sample_tasks(self, key, n):
            return [0] * n

        def make_vec(self, tasks, seed=None):
            raise NotImplementedError

    sparse, dense = (metarl_envs.benchmark(name) for name in ("point-sparse-v0", "point-dense-v0"))
    for family, tasks in ((sparse.family, sparse.test_tasks), (dense.family, dense.test_tasks), (Plain(), [1])):
        with pytest.raises(ValueError, match=r"difficulty=.* must be a number from 0 to 1"):
            family.ease(tasks, difficulty)
        for good in (0, 1, 0.5, np.float32(0.5), jax.numpy.float32(1)):
            family.ease(tasks, good)
        jax.jit(lambda value, family=family: family.ease(sparse.test_tasks, value))(2.0)  # traced, so not known
