"""Catcher with simple physics against a few lines of plain Python, over all states and actions."""

import functools

import gymnasium
import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from metarl_envs.catcher import (
    CatcherEnv,
    CatcherFamily,
    CatcherState,
    CatcherTask,
    PleCatcherEnv,
    all_states,
    num_states,
    state_index,
    state_vector,
)
from metarl_envs.catcher.ple import MAX_STEPS

GAMES = [CatcherEnv(observe="state"), CatcherEnv(grip=True, observe="state")]
NAMES = ["catcher-v0", "catcher-grip-v0", "catcher-distractors-v0", "catcher-grip-distractors-v0", "catcher-ple-v0"]
IDS = ["Catcher", "CatcherGrip", "CatcherDistractors", "CatcherGripDistractors", "CatcherPle"]

games = pytest.mark.parametrize("env", GAMES, ids=["catcher", "grip"])


pytestmark = pytest.mark.usefixtures("quick_compilation")


def make_key():
    return jax.random.key(0)


def plain_step(env, state, action):
    """The rules once more: the next state, the reward and whether it ends the episode, or ended before."""
    paddle_x, fruit_x, fruit_y, gripper, background = state
    if fruit_y == 54:
        return state, 0.0, True
    if action % 3 == 0:
        paddle_x = max(paddle_x - 3, 0)
    elif action % 3 == 2:
        paddle_x = min(paddle_x + 3, 51)
    if env.grip and action >= 3:
        gripper = 1 - gripper
    fruit_y += 2
    caught = paddle_x < fruit_x + 4 and fruit_x < paddle_x + 13 and gripper == 1
    reward = 0.0 if fruit_y < 54 else 1.0 if caught else -1.0
    return (paddle_x, fruit_x, fruit_y, gripper, background), reward, fruit_y == 54


@functools.cache
def tables(env):
    """All states, and by state and action the next state, its index, the reward, and whether the game is over."""
    states = all_states(env)

    def outcome(state, action):
        next_state = env.transition(state, action, make_key())
        reward = env.reward(state, action, next_state, make_key())
        return next_state, state_index(env, next_state), reward, env.terminal(next_state, make_key())

    actions = jnp.arange(env.num_actions)
    outcomes = jax.jit(jax.vmap(jax.vmap(outcome, in_axes=(None, 0)), in_axes=(0, None)))(states, actions)
    return jax.device_get((states, *outcomes))


@games
def test_every_state_and_action_follows_the_rules(env):
    states, next_states, _, rewards, ended = tables(env)
    rows = np.stack(states, axis=-1).tolist()
    expected = [[plain_step(env, tuple(row), action) for action in range(env.num_actions)] for row in rows]
    flat = [outcome for row in expected for outcome in row]
    shape = (num_states(env), env.num_actions)
    for name, column in zip(CatcherState._fields, zip(*(outcome[0] for outcome in flat), strict=True), strict=True):
        np.testing.assert_array_equal(getattr(next_states, name), np.reshape(column, shape), err_msg=name)
    np.testing.assert_array_equal(rewards, np.reshape([outcome[1] for outcome in flat], shape))
    np.testing.assert_array_equal(ended, np.reshape([outcome[2] for outcome in flat], shape))
    assert rewards.dtype == np.float32
    assert all(field.dtype == np.int32 for field in next_states)


@games
@pytest.mark.parametrize("wrap", [lambda function: function, jax.jit], ids=["eager", "jit"])
def test_states_are_numbered_in_order(env, wrap):
    states = all_states(env)
    assert num_states(env) == len(states.paddle_x) == (12096 if env.grip else 6048)
    np.testing.assert_array_equal(wrap(functools.partial(state_index, env))(states), np.arange(num_states(env)))
    middle = jax.tree.map(lambda leaf: leaf[100], states)
    assert state_index(env, middle) == 100
    assert len(np.unique(np.stack(states), axis=1).T) == num_states(env)


@games
def test_every_state_is_reached_and_every_start_can_win(env):
    states, _, next_index, rewards, _ = tables(env)
    reached = np.flatnonzero(states.fruit_y == 0)
    total, value = set(reached.tolist()), np.zeros(num_states(env))
    assert len(reached) == num_states(env) / 28
    for _ in range(27):
        reached = np.unique(next_index[reached])
        total |= set(reached.tolist())
        value = (rewards + value[next_index]).max(1)
    assert (states.fruit_y[reached] == 54).all()
    assert len(total) == num_states(env)
    np.testing.assert_array_equal(value[states.fruit_y == 0], 1)
    # From 4 px above the paddle not every state can: the optimum is not to be had by luck.
    late = value[states.fruit_y == 50]
    assert 0 < (late == -1).mean() < 0.9


@games
def test_states_at_the_start_are_uniform(env):
    starts = jax.jit(jax.vmap(env.initial))(jax.random.split(make_key(), 20_000))
    counts = np.bincount(state_index(env, starts), minlength=num_states(env)).reshape(18, 12, 28, -1)
    assert counts[:, :, 1:].sum() == 0
    num_starts = num_states(env) / 28
    chi_square = ((counts[:, :, 0] - 20_000 / num_starts) ** 2).sum() / (20_000 / num_starts)
    assert chi_square < num_starts + 4 * np.sqrt(2 * num_starts)


@games
def test_catch_rate_of_a_random_policy(env):
    """Exactly, by pushing the distribution of states through the tables."""
    states, _, next_index, rewards, _ = tables(env)
    mass = (states.fruit_y == 0) / (states.fruit_y == 0).sum()
    expected = 0.0
    for _ in range(27):
        expected += mass @ rewards.mean(1)
        mass = sum(np.bincount(next_index[:, a], mass, len(mass)) for a in range(env.num_actions)) / env.num_actions
    np.testing.assert_allclose(mass.sum(), 1)
    # As often as by standing still: the paddle stays uniform, and 62 of its 18 * 12 places are below the fruit.
    np.testing.assert_allclose((1 + expected) / 2, 62 / 216 / (2 if env.grip else 1), rtol=1e-5)


@games
def test_state_vector(env):
    states = all_states(env)
    vectors = np.asarray(jax.jit(jax.vmap(functools.partial(state_vector, env)))(states))
    assert vectors.dtype == np.float32
    assert vectors.shape == (num_states(env), 4 if env.grip else 3)
    np.testing.assert_allclose([vectors.min(0), vectors.max(0)], [[-1] * vectors.shape[1], [1] * vectors.shape[1]])
    assert len(np.unique(vectors, axis=0)) == num_states(env)
    np.testing.assert_allclose(vectors[0], [-1, -1, -1, -1][: vectors.shape[1]])
    np.testing.assert_array_equal(env.observation(jax.tree.map(lambda leaf: leaf[9], states), make_key()), vectors[9])


@functools.cache
def background_rollout(distractors):
    """A function from a task to the backgrounds of 64 episodes, `[28, 64]`."""
    env = CatcherEnv(distractors=distractors)

    def play(task):
        def step(states, keys):
            states = jax.vmap(env.transition, in_axes=(0, None, 0, None))(states, jnp.array(1), keys, task)
            return states, states.background

        keys = jax.random.split(make_key(), (28, 64))
        start = jax.vmap(env.initial, in_axes=(0, None))(keys[0], task)
        return jnp.concatenate([start.background[None], jax.lax.scan(step, start, keys[1:])[1]])

    return jax.jit(play)


@pytest.mark.parametrize(("first", "count"), [(0, 192), (192, 64), (7, 1)])
def test_distractors_stay_within_the_task(first, count):
    task = CatcherTask(jnp.array(first, jnp.int32), jnp.array(count, jnp.int32))
    for distractors in ("episode", "step"):
        shown = np.asarray(background_rollout(distractors)(task))
        assert first <= shown.min() <= shown.max() < first + count
        changes = (shown[1:] != shown[:-1]).mean()
        if distractors == "episode":
            assert changes == 0
            assert len(set(shown[0].tolist())) > min(count, 64) / 3
        else:
            np.testing.assert_allclose(changes, 1 - 1 / count, atol=0.03)
    np.testing.assert_array_equal(background_rollout("none")(task), np.zeros((28, 64)))


@pytest.mark.parametrize("distractors", ["episode", "step"])
def test_an_ended_episode_keeps_its_background(distractors):
    env = CatcherEnv(distractors=distractors)
    end = CatcherState(*(jnp.array(value, jnp.int32) for value in (9, 8, 54, 1, 77)))
    assert jax.tree.map(int, env.transition(end, jnp.array(0), make_key())) == jax.tree.map(int, end)


def test_benchmarks_hold_out_backgrounds():
    for name in NAMES:
        bench = metarl_envs.benchmark(name)
        assert (bench.num_train_tasks, bench.num_test_tasks) == (1, 1)
        for tasks, first, count in ((bench.train_tasks, 0, 192), (bench.test_tasks, 192, 64)):
            assert (int(tasks.first_background[0]), int(tasks.num_backgrounds[0])) == (first, count)
            assert all(leaf.dtype == jnp.int32 and not leaf.weak_type for leaf in tasks)
        env = bench.family.functional
        assert env.grip == ("grip" in name)
        assert env.distractors == ("episode" if "distractors" in name else "none")
        assert isinstance(env, PleCatcherEnv) == ("ple" in name)
        assert bench.family.horizon == (50 if "ple" in name else 27)
    assert MAX_STEPS < 50  # Nothing is truncated.
    sampled = CatcherFamily(CatcherEnv()).sample_tasks(make_key(), 3)
    np.testing.assert_array_equal(np.stack(sampled, axis=1), [[0, 192]] * 3)


@pytest.mark.parametrize("name", ["CatcherGripDistractors", "CatcherPle"])
def test_gymnasium_accepts_the_environment(name):
    check_env(gymnasium.make(f"metarl_envs/{name}-v0", render_mode="rgb_array").unwrapped)


def test_gymnasium_knows_all_benchmarks():
    for env_id, name in zip(IDS, NAMES, strict=True):
        env = gymnasium.make(f"metarl_envs/{env_id}-v0")
        assert env.spec.max_episode_steps == metarl_envs.benchmark(name).family.horizon
        assert env.unwrapped.func_env == metarl_envs.benchmark(name).family.functional


@pytest.mark.parametrize("env", [CatcherEnv(size=32), GAMES[1]], ids=["32", "state"])
def test_gymnasium_accepts_other_observations(env):
    check_env(CatcherFamily(env).make_env(env.get_default_params()), skip_render_check=True)


def test_vector_environment_plays_episodes_of_27_steps():
    bench = metarl_envs.benchmark("catcher-grip-v0")
    vector = bench.family.make_vec(metarl_envs.take_tasks(bench.test_tasks, [0] * 3), seed=0)
    obs, _ = vector.reset()
    assert obs.shape == (3, 64, 64, 3)
    for count in range(1, 28):
        before = vector.render()
        np.testing.assert_array_equal(obs, before)
        obs, reward, terminated, truncated, infos = vector.step(vector.action_space.sample())
        assert terminated.tolist() == truncated.tolist() == [count == 27] * 3
        assert np.abs(reward).tolist() == [float(count == 27)] * 3
    assert infos == {}
    assert (obs[0][54:58] == [255, 255, 0]).all(-1).sum() == 16  # The fruit has arrived.
    obs, _ = vector.reset()
    assert (obs[:, :4] == [255, 255, 0]).all(-1).any((1, 2)).all()  # The next fruit is at the top.


@pytest.mark.parametrize("make", [CatcherEnv, PleCatcherEnv])
@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("distractors", "always", "'none', 'episode', 'step'"),
        ("size", 48, "64, 32"),
        ("observe", "pixels", "'image', 'state'"),
        ("gripper_style", "claw", "'lid', 'prongs'"),
        ("grip", None, "False, True"),
        ("gripper_color", (0, 0, 256), "three integers in 0..255"),
        ("gripper_color", (0, 0), "three integers in 0..255"),
    ],
)
def test_bad_options_are_explained(make, option, value, allowed):
    with pytest.raises(ValueError, match=option) as error:
        make(**{option: value})
    assert repr(value) in str(error.value)
    assert allowed in str(error.value)


def test_other_wrong_use_is_explained():
    with pytest.raises(ValueError, match="distractors='step'"):
        all_states(CatcherEnv(distractors="step"))
    with pytest.raises(AttributeError):
        CatcherEnv().grip = True  # A static argument of compiled functions must not change.
    assert CatcherEnv() == CatcherEnv()
    assert CatcherEnv() != PleCatcherEnv()
    assert len({CatcherEnv(), CatcherEnv(), CatcherEnv(grip=True), CatcherEnv(observe="state")}) == 3
