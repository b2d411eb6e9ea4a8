"""2-D navigation from pictures: rewards by hand, where the disc is, fixed goals, a search that finds them."""

import gymnasium
import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from metarl_envs import PointImageEnv, PointTask
from metarl_envs.point.image import BACKGROUND, DISC, draw_point

NAMES = [
    f"point-image-{kind}{size}-{version}"
    for kind in ("dense", "sparse")
    for size in ("", "-32")
    for version in ("v0", "v1")
]


def make_key():
    return jax.random.key(0)


def make_task(goal):
    return PointTask(jnp.array(goal, jnp.float32), jnp.array(0.25, jnp.float32))


@pytest.mark.parametrize(
    ("position", "goal", "dense", "sparse"),
    [
        ((0.0, 0.0), (0.0, 1.0), -1.0, 0.0),
        ((0.0, 0.75), (0.0, 1.0), 0.75, 1.0),  # The edge is inside.
        ((0.0, 0.74), (0.0, 1.0), -0.26, 0.0),
        ((0.6, 0.8), (0.6, 0.8), 1.0, 1.0),
    ],
)
def test_rewards(position, goal, dense, sparse):
    for env, expected in ((PointImageEnv(sparse=False), dense), (PointImageEnv(sparse=True), sparse)):
        step = jnp.zeros(2), jnp.zeros(2), jnp.array(position)
        np.testing.assert_allclose(env.reward(*step, make_key(), make_task(goal)), expected, atol=1e-6)
        info = env.transition_info(*step, make_task(goal))
        np.testing.assert_allclose([info["dense_reward"], info["sparse_reward"]], [dense, sparse], atol=1e-6)
        assert info["success"] == bool(sparse)


def test_moves_end_at_the_edge_of_the_picture():
    env = PointImageEnv(sparse=True, step_size=0.15)
    np.testing.assert_allclose(
        env.transition(jnp.zeros(2), jnp.array([1.0, -9.0]), make_key()), [0.15, -0.15], atol=1e-6
    )
    np.testing.assert_allclose(env.transition(jnp.array([1.4, 0.0]), jnp.array([1.0, 0.5]), make_key()), [1.5, 0.075])


@pytest.mark.parametrize(("version", "step_size"), [("v0", 0.15), ("v1", 0.2)])
def test_versions_differ_in_the_length_of_a_step(version, step_size):
    env = metarl_envs.benchmark(f"point-image-sparse-32-{version}").family.functional
    np.testing.assert_allclose(env.transition(jnp.zeros(2), jnp.array([1.0, 0.0]), make_key()), [step_size, 0])


@pytest.mark.parametrize("side", [32, 64])
def test_the_disc_is_where_the_point_is(side):
    draw = jax.jit(lambda position: draw_point(position, side))
    pixel = 3 / side
    for position in ((0.0, 0.0), (0.7, -0.4), (-0.91, 0.63)):
        image = np.asarray(draw(jnp.array(position)))
        assert (image.dtype, image.shape) == (np.uint8, (side, side, 3))
        share = (BACKGROUND[0] - image[..., 0].astype(float)) / (BACKGROUND[0] - DISC[0])
        np.testing.assert_allclose(share.sum() * pixel**2, np.pi * 0.3**2, rtol=0.02)
        rows, columns = np.mgrid[:side, :side]
        x = (columns + 0.5) * pixel - 1.5
        y = 1.5 - (rows + 0.5) * pixel
        centre = (share * x).sum() / share.sum(), (share * y).sum() / share.sum()
        np.testing.assert_allclose(centre, position, atol=0.003)
        assert tuple(image[0, 0]) == BACKGROUND
    assert not np.array_equal(draw(jnp.array([0.0, 0.0])), draw(jnp.array([0.01, 0.0])))  # Less than a pixel.


@pytest.mark.parametrize("name", NAMES)
def test_fixed_goals_one_in_each_part_of_the_half_circle(name):
    bench = metarl_envs.benchmark(name)
    assert (bench.num_train_tasks, bench.num_test_tasks, bench.family.horizon) == (30, 10, 20)
    for tasks, n in ((bench.train_tasks, 30), (bench.test_tasks, 10)):
        angles = np.arctan2(tasks.goal[:, 1], tasks.goal[:, 0])
        np.testing.assert_array_equal(np.sort(np.floor(angles / np.pi * n)), np.arange(n))
        np.testing.assert_allclose(np.linalg.norm(tasks.goal, axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(tasks.radius, np.full(n, 0.25, np.float32))
    expected = [[-0.6036, 0.7973], [-0.1868, 0.9824]]
    np.testing.assert_allclose(bench.train_tasks.goal[:2], expected, atol=1e-4)
    sampled = bench.family.sample_tasks(make_key(), 100)
    assert sampled.goal[:, 1].min() >= 0
    assert sampled.goal[:, 0].std() > 0.6


def play(bench, choose):
    """Sparse return of one episode of each test task, under `choose(position, goal, t)`."""
    env, tasks = bench.family.functional, bench.test_tasks

    @jax.jit
    def step(position, action):
        position = jax.vmap(env.transition, in_axes=(0, 0, None))(position, action, make_key())
        return position, jax.vmap(env.transition_info)(position, action, position, tasks)["sparse_reward"]

    position, total, goals = np.zeros((10, 2), np.float32), 0.0, np.asarray(tasks.goal)
    for t in range(bench.family.horizon):
        position, reward = jax.device_get(step(position, np.float32(choose(position, goals, t))))
        total += reward
    return total


@pytest.mark.parametrize(("version", "known_return", "found"), [("v0", 14, 0.9), ("v1", 16, 1)])
def test_who_knows_the_goal_gets_there_who_searches_finds_it_and_who_wanders_does_not(version, known_return, found):
    bench = metarl_envs.benchmark(f"point-image-sparse-32-{version}")
    step_size = bench.family.functional.step_size

    def walk_along(position, goal, t):
        del goal
        angle = 0.15 + 4 / 3 * step_size * max(t - 4, 0)  # to one end, then along the half circle, a little inside
        target = 0.82 * np.array([[np.cos(angle), np.sin(angle)]])
        return np.clip((target - position) / step_size, -1, 1)

    known = play(bench, lambda position, goal, t: np.clip((goal - position) / step_size, -1, 1))
    assert known.min() >= known_return
    assert (play(bench, walk_along) > 0).mean() >= found
    rng = np.random.default_rng(0)
    assert play(bench, lambda position, goal, t: rng.uniform(-1, 1, (10, 2))).mean() < 1


def test_gymnasium_accepts_the_environments():
    for env_id in ("PointImageDense-v1", "PointImageSparse32-v1"):
        check_env(gymnasium.make(f"metarl_envs/{env_id}", render_mode="rgb_array").unwrapped)
    with pytest.raises(ValueError, match="side=0"):
        PointImageEnv(sparse=True, side=0)
