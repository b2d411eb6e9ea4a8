"""Catcher with the physics of the PyGame Learning Environment against its formulas in plain Python."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from metarl_envs.catcher import CatcherFamily, CatcherState, PleCatcherEnv, PleCatcherState, ple_state_vector, render
from metarl_envs.catcher.ple import MAX_STEPS, VELOCITY_LIMIT

NUM_EPISODES = 500


pytestmark = pytest.mark.usefixtures("quick_compilation")


def make_key():
    return jax.random.key(0)


def plain_episode(fruit_x, fruit_y, gripper, actions):
    """Rows of paddle x, fruit x, fruit y, gripper, velocity, reward after each step until the end; in float64."""
    paddle_x, velocity, rows = 25, 0.0, []
    for action in actions:
        velocity = (velocity + 0.021 * 64 * (action % 3 - 1)) * 0.9
        place = paddle_x + velocity
        if place <= 0:
            place, velocity = 0, 0.0
        if place + 13 >= 64:
            place, velocity = 51, 0.0
        paddle_x, fruit_y = int(place), int(fruit_y + 0.00095 * 64 * (1000 / 30))
        gripper ^= action // 3
        paddle_left, paddle_top, fruit_left, fruit_top = paddle_x - 6, 57, fruit_x - 2, fruit_y - 2
        overlap_x = paddle_left < fruit_left + 4 and fruit_left < paddle_left + 13
        overlap_y = paddle_top < fruit_top + 4 and fruit_top < paddle_top + 3
        caught, lost = overlap_x and overlap_y and gripper == 1, fruit_y >= 64
        rows.append((paddle_x, fruit_x, fruit_y, gripper, velocity, float(caught) - float(lost)))
        if caught or lost:
            break
    return np.array(rows)


@functools.cache
def play_at_random(env):
    """The starts, and after each of 50 steps the frames, velocity, reward and terminal: `[E, 50, ...]`."""

    def episode(key, actions):
        start_key, step_key = jax.random.split(key)

        def step(state, action):
            next_state = env.transition(state, action, step_key)
            reward = env.reward(state, action, next_state, step_key)
            return next_state, (next_state, reward, env.terminal(next_state, step_key))

        start = env.initial(start_key)
        return start, jax.lax.scan(step, start, actions)[1]

    actions = np.random.default_rng(0).integers(0, env.num_actions, (NUM_EPISODES, 50), dtype=np.int32)
    played = jax.jit(jax.vmap(episode))(jax.random.split(make_key(), NUM_EPISODES), actions)
    return actions, *jax.device_get(played)


@pytest.mark.parametrize("env", [PleCatcherEnv(), PleCatcherEnv(grip=True, num_stacked_frames=3)], ids=["2", "grip3"])
def test_random_episodes_follow_the_formulas(env):
    actions, start, (states, rewards, ended) = play_at_random(env)
    lengths = []
    for i in range(NUM_EPISODES):
        fruit_x, fruit_y, gripper = (int(field[i, -1]) for field in start.frames[1:4])
        expected = plain_episode(fruit_x, fruit_y, gripper, actions[i].tolist())
        length = len(expected)
        lengths.append(length)
        actual = [field[i, :length, -1] for field in states.frames[:4]]
        np.testing.assert_array_equal(np.stack(actual, axis=1), expected[:, :4])
        np.testing.assert_allclose(states.velocity[i, :length], expected[:, 4], atol=1e-4)
        np.testing.assert_array_equal(rewards[i, :length], expected[:, 5])
        np.testing.assert_array_equal(ended[i], np.arange(50) >= length - 1)
        assert not rewards[i, length:].any()
        for field in states.frames:  # What has ended stays.
            assert (field[i, length:] == field[i, length - 1]).all()
    assert 30 <= min(lengths) <= max(lengths) <= MAX_STEPS
    if not env.grip:
        # PLE itself, whose episodes are one step longer: mean 37.6, 30 % caught, paddle at 20.3 on average.
        np.testing.assert_allclose(np.mean(lengths), 36.6, atol=0.4)
        np.testing.assert_allclose((rewards.sum(1) == 1).mean(), 0.3, atol=0.06)
        np.testing.assert_allclose(states.frames.paddle_x[:, :30].mean(), 20.5, atol=1.5)


def test_starts_are_ples():
    _, start, _ = play_at_random(PleCatcherEnv())
    np.testing.assert_array_equal(start.frames.paddle_x, np.full((NUM_EPISODES, 2), 25))
    assert set(start.frames.fruit_x[:, -1].tolist()) == set(range(8, 53, 4))
    assert set(start.frames.fruit_y[:, -1].tolist()) == {-4, -8, -12, -16, -20, -24, -28}
    assert not start.velocity.any()
    assert (start.frames.gripper == 1).all()


def test_pushes_from_rest():
    env = PleCatcherEnv(num_stacked_frames=1)
    transition = jax.jit(jax.vmap(env.transition, in_axes=(0, 0, None)))
    states, velocities, places = jax.vmap(env.initial)(jax.random.split(make_key(), 2)), [], []
    for _ in range(16):
        states = transition(states, np.array([0, 2]), make_key())
        velocities.append(states.velocity)
        places.append(states.frames.paddle_x[:, 0])
    expected = np.array([1.21, 2.30, 3.28, 4.16])
    np.testing.assert_allclose(velocities[:4], np.stack([-expected, expected], axis=1), atol=6e-3)
    np.testing.assert_array_equal(places[:4], [[23, 26], [20, 28], [16, 31], [11, 35]])
    np.testing.assert_array_equal(places[-1], [0, 51])
    np.testing.assert_array_equal(velocities[-1], [0, 0])  # The walls stop the paddle.


def test_velocity_has_a_limit():
    np.testing.assert_allclose(VELOCITY_LIMIT, 12.1, atol=0.01)
    states = jax.tree.map(lambda leaf: leaf[None], make_state(0, 8, 0, VELOCITY_LIMIT))
    after = jax.jit(jax.vmap(PleCatcherEnv().transition, in_axes=(0, None, None)))(states, 2, make_key())
    np.testing.assert_allclose(after.velocity, [VELOCITY_LIMIT], rtol=1e-5)
    assert after.frames.paddle_x[0, -1] == 12


def make_state(paddle_x, fruit_x, fruit_y, velocity=0.0, gripper=1):
    frames = CatcherState(*(jnp.full(2, value, jnp.int32) for value in (paddle_x, fruit_x, fruit_y, gripper, 0)))
    return PleCatcherState(frames, jnp.array(velocity, jnp.float32))


@pytest.mark.parametrize(
    ("paddle_x", "fruit_x", "fruit_y", "gripper", "reward"),
    [
        (20, 13, 56, 1, 1.0),
        (20, 12, 56, 1, 0.0),  # Its picture would overlap the paddle's.
        (20, 28, 61, 1, 1.0),
        (20, 29, 61, 1, 0.0),
        (20, 24, 55, 1, 0.0),
        (20, 24, 62, 1, 0.0),
        (20, 24, 64, 1, -1.0),
        (20, 24, 65, 1, -1.0),
        (20, 24, 58, 0, 0.0),
    ],
)
def test_catches(paddle_x, fruit_x, fruit_y, gripper, reward):
    env, after = PleCatcherEnv(grip=True), make_state(paddle_x, fruit_x, fruit_y, gripper=gripper)
    assert env.reward(make_state(25, 8, 0), jnp.array(1), after, make_key()) == reward
    assert env.terminal(after, make_key()) == (reward != 0)


def test_an_opened_gripper_still_catches_a_fruit_that_passes():
    env = PleCatcherEnv(grip=True)
    state = make_state(20, 24, 58, gripper=0)
    assert env.reward(state, jnp.array(4), env.transition(state, jnp.array(4), make_key()), make_key()) == 1


@pytest.mark.parametrize(("num_frames", "size"), [(1, 32), (3, 64)])
def test_frames_are_stacked_oldest_first(num_frames, size):
    env = PleCatcherEnv(num_stacked_frames=num_frames, size=size, distractors="step")
    assert env.observation_space.shape == (size, size, 3 * num_frames)
    transition, observation, draw = jax.jit(env.transition), jax.jit(env.observation), jax.jit(render, static_argnums=0)
    state = jax.jit(env.initial)(make_key())
    seen = [env.seen(state)] * num_frames
    for key in jax.random.split(jax.random.key(1), 4):
        expected = np.concatenate([draw(env, frame) for frame in seen[-num_frames:]], axis=-1)
        np.testing.assert_array_equal(observation(state, make_key()), expected)
        np.testing.assert_array_equal(env.render_image(state, None)[1], expected[..., -3:])
        state = transition(state, 2, key)
        seen.append(env.seen(state))
    assert len({int(frame.background) for frame in seen}) > 2


@pytest.mark.parametrize("grip", [False, True])
def test_state_vector(grip):
    env = PleCatcherEnv(grip=grip, observe="state")
    vector = ple_state_vector(env, make_state(51, 8, -28, velocity=12.1, gripper=0))
    np.testing.assert_allclose(vector, [1, -1, -1, -1, 1] if grip else [1, -1, -1, 1], atol=1e-3)
    np.testing.assert_array_equal(env.observation(make_state(51, 8, -28, 12.1, 0), make_key()), vector)
    states = play_at_random(PleCatcherEnv())[2][0]
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), states)
    vectors = jax.jit(jax.vmap(functools.partial(ple_state_vector, env)))(flat)
    assert np.abs(vectors).max() <= 1
    if grip:
        check_env(CatcherFamily(env).make_env(env.get_default_params()), skip_render_check=True)


def test_bad_number_of_frames():
    with pytest.raises(ValueError, match="num_stacked_frames=0 must be at least 1"):
        PleCatcherEnv(num_stacked_frames=0)
