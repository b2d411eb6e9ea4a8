"""Environments can be copied and pickled, in mid-episode, and play on alike."""

import copy
import pickle

import cloudpickle
import gymnasium
import jax
import metarl_envs
import numpy as np
import pytest

IDS = ["HalfCheetahVel-v0", "AntFwdBack-v0", "WalkerParams-v0", "HumanoidDir-v0", "PointSparse-v0", "Catcher-v0"]
WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "cloudpickle": lambda env: cloudpickle.loads(cloudpickle.dumps(env)),
}


def play(env, actions):
    return [jax.tree.map(np.array, env.step(action)) for action in actions]


def assert_alike(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", IDS)
def test_a_copy_of_a_single_environment_plays_on_alike(name, way):
    if not name.startswith(("Point", "Catcher")):
        pytest.importorskip("mujoco")
    env = gymnasium.make(f"metarl_envs/{name}", disable_env_checker=True)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(20)]
    play(env, actions[:7])
    copied = WAYS[way](env)
    expected = play(env, actions[7:])
    assert_alike(play(copied, actions[7:]), expected)
    assert_alike(copied.reset()[0], env.reset()[0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["half-cheetah-vel-v0", "hopper-params-v0", "point-dense-v0"])
def test_a_copy_of_a_vector_environment_plays_on_alike(name, way):
    if not name.startswith("point"):
        pytest.importorskip("mujoco")
    bench = metarl_envs.benchmark(name)
    env = bench.family.make_vec(metarl_envs.take_tasks(bench.test_tasks, [0, 3, 1]), seed=0)
    env.reset()
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(12)]
    play(env, actions[:6])
    copied = WAYS[way](env)
    assert_alike(play(copied, actions[6:]), play(env, actions[6:]))
    jax.tree.map(np.testing.assert_array_equal, copied.tasks, env.tasks)


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("name", ["half-cheetah-vel-image-v0", "sawyer-peg-v0", "widowx-ethernet-dense-v0"])
def test_a_copy_of_what_draws_draws_alike(name):
    bench = metarl_envs.benchmark(name)
    env = bench.family.make_env(metarl_envs.get_task(bench.test_tasks, 0))
    env.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (8, *env.action_space.shape))
    play(env, actions[:4])
    copied = copy.deepcopy(env)
    assert_alike(play(copied, actions[4:]), play(env, actions[4:]))
    env.close()
    copied.close()
