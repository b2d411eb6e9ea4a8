"""Tasks seen through cameras: what all of them keep to, and the half-cheetah against its formula."""

import functools
import sys

import gymnasium
import jax
import metarl_envs
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from metarl_envs.mujoco import RobotEnv, RobotVectorEnv, SimulatedFamily

pytest.importorskip("mujoco")
pytestmark = pytest.mark.usefixtures("drawing")

# Benchmark, gymnasium's name, horizon, tasks to train on and to test on, shape of an observation, actions.
BENCHMARKS = [
    ("half-cheetah-vel-image-v0", "HalfCheetahVelImage-v0", 50, 30, 10, (64, 64, 3), 6),
    ("half-cheetah-vel-image-reference-v0", "HalfCheetahVelImageReference-v0", 50, 20, 10, (64, 64, 3), 6),
    ("sawyer-reacher-v0", "SawyerReacher-v0", 40, 30, 10, (64, 128, 3), 7),
    ("sawyer-reacher-reference-v0", "SawyerReacherReference-v0", 40, 60, 10, (64, 128, 3), 7),
    ("sawyer-peg-v0", "SawyerPeg-v0", 40, 30, 10, (64, 128, 3), 7),
    ("sawyer-peg-reference-v0", "SawyerPegReference-v0", 40, 30, 10, (64, 128, 3), 7),
    ("sawyer-multi-peg-v0", "SawyerMultiPeg-v0", 40, 3, 3, (64, 128, 3), 7),
    ("sawyer-shelf-v0", "SawyerShelf-v0", 40, 30, 10, (64, 128, 3), 7),
    ("sawyer-shelf-reference-v0", "SawyerShelfReference-v0", 40, 40, 10, (64, 128, 3), 7),
    ("sawyer-button-dense-v0", "SawyerButtonDense-v0", 40, 30, 10, (64, 128, 3), 7),
    ("sawyer-button-sparse-v0", "SawyerButtonSparse-v0", 40, 30, 10, (64, 128, 3), 7),
    ("sawyer-button-dense-reference-v0", "SawyerButtonDenseReference-v0", 40, 15, 12, (64, 128, 3), 7),
    ("sawyer-button-sparse-reference-v0", "SawyerButtonSparseReference-v0", 40, 15, 12, (64, 128, 3), 7),
    ("widowx-ethernet-dense-v0", "WidowXEthernetDense-v0", 40, 20, 10, (64, 128, 3), 5),
    ("widowx-ethernet-sparse-v0", "WidowXEthernetSparse-v0", 40, 20, 10, (64, 128, 3), 5),
]
CHEETAH = "half-cheetah-vel-image-v0"


def test_every_benchmark_with_cameras_is_here():
    seen = {
        name for name in metarl_envs.benchmark_names() if name.startswith(("half-cheetah-vel-image", "sawyer", "wid"))
    }
    assert seen == {row[0] for row in BENCHMARKS}


def take_two(name):
    bench = metarl_envs.benchmark(name)
    return bench.family, metarl_envs.take_tasks(bench.train_tasks, [0, 1])


@pytest.mark.parametrize(("name", "env_id", "horizon", "num_train", "num_test", "shape", "num_actions"), BENCHMARKS)
def test_sizes_and_gymnasium(name, env_id, horizon, num_train, num_test, shape, num_actions):
    bench = metarl_envs.benchmark(name)
    assert (bench.num_train_tasks, bench.num_test_tasks, bench.family.horizon) == (num_train, num_test, horizon)
    assert bench.family.observation_space == gymnasium.spaces.Box(0, 255, shape, np.uint8)
    assert bench.family.action_space == gymnasium.spaces.Box(-1, 1, (num_actions,), np.float32)
    assert gymnasium.spec(f"metarl_envs/{env_id}").max_episode_steps == horizon
    if "reference" not in name:
        env = gymnasium.make(f"metarl_envs/{env_id}", render_mode="rgb_array")
        check_env(env.unwrapped)
        env.close()


def play(env, num_steps):
    """Observations, rewards and truncations of `num_steps` steps, the first observation first."""
    rng = np.random.default_rng(0)
    results = [env.reset(seed=7)]
    for _ in range(num_steps):
        results.append(env.step(rng.uniform(-1.2, 1.2, env.action_space.shape).astype(np.float32)))
    return results


@pytest.mark.parametrize("name", [CHEETAH, "sawyer-peg-v0", "sawyer-shelf-v0", "widowx-ethernet-sparse-v0"])
def test_vector_equals_single_environments_in_gymnasiums_own_vector(name):
    family, tasks = take_two(name)

    def make_single(i):
        return TimeLimit(family.make_env(metarl_envs.get_task(tasks, i)), 3)

    sync = SyncVectorEnv([functools.partial(make_single, i) for i in range(2)], autoreset_mode=AutoresetMode.SAME_STEP)
    vector = family.make_limited_vec(tasks, 3, num_threads=2)
    assert (vector.observation_space, vector.action_space) == (sync.observation_space, sync.action_space)
    for actual, expected in zip(play(vector, 4), play(sync, 4), strict=True):
        for one, other in zip(actual[:-1], expected[:-1], strict=True):
            np.testing.assert_array_equal(one, other)
        assert actual[-1].keys() == expected[-1].keys()
        for i in range(2 if "final_obs" in actual[-1] else 0):
            np.testing.assert_array_equal(actual[-1]["final_obs"][i], expected[-1]["final_obs"][i])
            assert not np.array_equal(actual[-1]["final_obs"][i], actual[0][i])
    vector.close()
    sync.close()


@pytest.mark.parametrize(("name", "scale"), [(CHEETAH, 1.0), ("half-cheetah-vel-image-reference-v0", 0.8)])
def test_the_cheetahs_reward(name, scale):
    family, tasks = take_two(name)
    env = family.make_env(metarl_envs.get_task(tasks, 0))
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(3):
        before = env.simulation.materialise(0)[1].qpos[0]
        action = rng.uniform(-1.5, 1.5, 6)
        _, reward, terminated, truncated, info = env.step(action)
        velocity = (env.simulation.materialise(0)[1].qpos[0] - before) / 0.1
        cost = 0.01 * np.sum((scale * np.clip(action, -1, 1)) ** 2)
        np.testing.assert_allclose(reward, -abs(velocity - env.task.velocity) - cost, atol=1e-6)
        np.testing.assert_allclose(info["x_velocity"], velocity, atol=1e-9)
        np.testing.assert_allclose(info["velocity_error"], abs(velocity - env.task.velocity), atol=1e-9)
        assert info["success"] is bool(abs(velocity - env.task.velocity) < 0.2)
        assert [terminated, truncated] == [False, False]
    env.close()


def test_the_camera_follows_and_the_floor_moves_past():
    family, tasks = take_two(CHEETAH)
    vector = family.make_vec(tasks, seed=0)
    first, _ = vector.reset()
    results = play(vector, 6)
    for image in (first[0], results[-1][0][0]):
        robot = (image[:, :, 0].astype(int) - image[:, :, 1] > 25)[:, 8:56]
        assert 40 < robot.sum() < 500
    assert not np.array_equal(results[-1][0][0][50:], results[-2][0][0][50:])
    frames = vector.render()
    assert (len(frames), frames[0].shape) == (2, (240, 240, 3))
    vector.close()


def test_the_task_may_change_within_an_episode():
    family, tasks = take_two(CHEETAH)
    vector = family.make_vec(tasks, seed=0)
    vector.reset()
    vector.set_tasks(tasks._replace(velocity=np.array([100.0, 0.0], np.float32)))
    _, reward, *_ = vector.step(np.zeros((2, 6)))
    assert reward[0] < -95 < reward[1]
    vector.close()


def test_a_masked_reset_draws_only_what_is_reset(monkeypatch):
    family, tasks = take_two("sawyer-peg-v0")
    vector, drawn = family.make_vec(tasks, seed=0), []
    vector.reset()
    obs, *_ = vector.step(np.ones(vector.action_space.shape))
    eyes = vector._simulation._eyes
    monkeypatch.setattr(
        eyes, "draw_batch", lambda *args: drawn.append(args[1].tolist()) or type(eyes).draw_batch(eyes, *args)
    )
    after, _ = vector.reset(options={"reset_mask": np.array([False, True])})
    assert drawn == [[1]]
    np.testing.assert_array_equal(after[0], obs[0])
    assert not np.array_equal(after[1], obs[1])
    vector.close()


def test_options_of_a_family():
    scenario = metarl_envs.benchmark(CHEETAH).family.scenario
    family = SimulatedFamily(scenario, 5, side=32, num_threads=2, backend=None)
    assert family.observation_space.shape == (32, 32, 3)
    tasks = family.sample_tasks(jax.random.key(0), 50)
    assert 0 <= tasks.velocity.min() < 0.5 < 2.5 < tasks.velocity.max() <= 3
    vector = family.make_vec(metarl_envs.take_tasks(tasks, [0, 1]), seed=0)
    assert isinstance(vector, RobotVectorEnv)
    assert vector.reset()[0].shape == (2, 32, 32, 3)
    assert [vector.step(np.zeros((2, 6)))[3].all() for _ in range(5)] == [False] * 4 + [True]
    vector.close()
    with pytest.raises(ValueError, match="backend='vulkan'"):
        SimulatedFamily(scenario, backend="vulkan")
    for name in ("horizon", "num_threads", "side"):
        with pytest.raises(ValueError, match=f"{name}=0 must be at least 1"):
            SimulatedFamily(scenario, **{name: 0})


def test_wrong_use_is_explained():
    family, tasks = take_two(CHEETAH)
    env = family.make_env(metarl_envs.get_task(tasks, 0))
    assert isinstance(env, RobotEnv)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(6))
    assert env.render() is None
    vector = family.make_limited_vec(tasks, 3)
    assert vector.render() is None
    for make in (env, vector):
        make.reset()
        with pytest.raises(ValueError, match="shape"):
            make.step(np.zeros(5))
        make.close()
    for options in ({"horizon": 0}, {"horizon": 3, "num_threads": 0}, {"horizon": 3, "render_mode": "human"}):
        with pytest.raises(ValueError, match=list(options)[-1]):
            family.make_limited_vec(tasks, **options)


@pytest.mark.parametrize("name", [CHEETAH, "sawyer-reacher-v0"])
def test_without_mujoco_all_but_making_environments_works(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco", None)
    monkeypatch.setitem(sys.modules, "mujoco.batch", None)
    bench = metarl_envs.benchmark(name)
    task = metarl_envs.get_task(bench.family.sample_tasks(jax.random.key(0), 1), 0)
    for make in (lambda: bench.family.make_env(task), lambda: bench.family.make_vec(bench.test_tasks)):
        with pytest.raises(ImportError, match=r"pip install 'metarl-envs\[mujoco\]'"):
            make()
