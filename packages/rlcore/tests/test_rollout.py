"""Rollouts in a deterministic environment: the functional one and a vector environment written by hand agree."""

import enum
import functools
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore import rollout as ro
from rlcore.types import Transition

HORIZON = 4
GOALS = np.asarray([0.9, 2.0, 10.0], np.float32)  # reached after 2 steps, after 4 steps, never
NUM_ENVS = len(GOALS)


class State(NamedTuple):
    position: jax.Array
    steps: jax.Array


class Walk:
    """Walks by the action; terminates at or beyond the goal, which is the task. obs: position and goal."""

    def initial(self, rng, params):
        del rng, params
        return State(jnp.zeros(()), jnp.zeros((), jnp.int32))

    def transition(self, state, action, rng, params):
        del rng, params
        return State(state.position + action[0], state.steps + 1)

    def observation(self, state, rng, params):
        del rng
        return jnp.stack([state.position, params])

    def reward(self, state, action, next_state, rng, params):
        del state, action, rng
        return -jnp.abs(params - next_state.position)

    def terminal(self, state, rng, params):
        del rng
        return state.position >= params

    def transition_info(self, state, action, next_state, params):
        del state, action, params
        return {"steps": next_state.steps}


class VectorWalk:
    """The same as gymnasium's vector environments do it in mode SAME_STEP, or DISABLED."""

    def __init__(self, mode="SAME_STEP", low=-1.0, high=1.0, reset_info=None):
        self.disabled = getattr(mode, "name", mode) == "DISABLED"
        self.num_resets = 0
        self.num_envs = NUM_ENVS
        self.metadata = {"autoreset_mode": mode}
        bound = np.ones(1, np.float32)
        self.single_action_space = SimpleNamespace(low=low * bound, high=high * bound, dtype=np.dtype(np.float32))
        self.reset_info = reset_info or {}
        self.actions = []

    def reset(self, *, seed=None, options=None):
        del seed
        self.num_resets += 1
        mask = np.ones(NUM_ENVS, bool) if options is None else options["reset_mask"]
        if options is None:
            self.position, self.steps = np.zeros(NUM_ENVS, np.float32), np.zeros(NUM_ENVS, int)
        self.position[mask], self.steps[mask] = 0, 0
        return self._obs(), {}

    def step(self, actions):
        self.actions.append(actions)
        self.position, self.steps = self.position + actions[:, 0], self.steps + 1
        terminated = self.position >= GOALS
        truncated = self.steps >= HORIZON  # gymnasium's time limit does not ask whether the step terminated
        reward, ended, info = -np.abs(GOALS - self.position), terminated | truncated, {}
        if self.disabled:
            return self._obs(), reward.astype(float), terminated, truncated, {"steps": self.steps.copy()}
        if ended.any():
            final_obs = np.full(NUM_ENVS, None, object)
            for i in np.flatnonzero(ended):
                final_obs[i] = self._obs()[i]
            final_info = {"steps": np.where(ended, self.steps, 0), "_steps": ended}
            info |= {"final_obs": final_obs, "_final_obs": ended, "final_info": final_info, "_final_info": ended}
            for name, value in self.reset_info.items():
                info |= {name: np.where(ended, value, 0), f"_{name}": ended}
        if not ended.all():
            info |= {"steps": np.where(ended, 0, self.steps), "_steps": ~ended}
        self.position, self.steps = np.where(ended, 0, self.position), np.where(ended, 0, self.steps)
        return self._obs(), reward.astype(float), terminated, truncated, info

    def _obs(self):
        return np.stack([self.position, GOALS], 1).astype(np.float32)


def half(memory, obs, key):
    """Goes on by 0.5; the memory counts steps."""
    del key
    return np.full((*obs.shape[:-1], 1), 0.5, np.float32), memory + 1


@functools.partial(jax.jit, static_argnames=("num_steps", "observe"))
def run_functional(num_steps, carry=None, observe=ro.never_observe, memory=0, goals=GOALS):
    carry = ro.start(Walk(), goals, jax.random.key(0)) if carry is None else carry
    key = jax.random.key(1)
    return ro.rollout(Walk(), goals, carry, half, memory, key, num_steps=num_steps, horizon=HORIZON, observe=observe)


def run_host(env, num_steps, act=half, observe=ro.never_observe):
    obs, _ = env.reset()
    return ro.host_rollout(env, obs, act, 0, jax.random.key(1), num_steps=num_steps, observe=observe)


def test_episodes_end_by_termination_or_by_the_horizon_and_begin_again():
    carry, memory, trajectory = run_functional(6)
    position = trajectory.transition.obs[..., 0]
    np.testing.assert_allclose(position[:, 0], [0, 0.5, 0, 0.5, 0, 0.5])
    np.testing.assert_allclose(position[:, 1:], [[0, 0], [0.5, 0.5], [1, 1], [1.5, 1.5], [0, 0], [0.5, 0.5]])
    np.testing.assert_array_equal(
        trajectory.transition.discount, [[1, 1, 1], [0, 1, 1], [1, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1]]
    )
    np.testing.assert_array_equal(np.argwhere(trajectory.truncated), [[3, 2]])
    np.testing.assert_array_equal(carry.time, [0, 2, 2])
    np.testing.assert_allclose(carry.obs[:, 0], [0, 1, 1])
    assert memory == 6


def test_the_next_observation_is_the_one_before_the_reset():
    _, _, trajectory = run_functional(6)
    np.testing.assert_allclose(trajectory.transition.next_obs[..., 0], trajectory.transition.obs[..., 0] + 0.5)
    next_position = np.asarray(trajectory.transition.next_obs[..., 0])
    np.testing.assert_allclose(trajectory.transition.reward, -np.abs(GOALS - next_position))
    np.testing.assert_array_equal(trajectory.info["steps"][:, 2], [1, 2, 3, 4, 1, 2])


def test_a_rollout_goes_on_where_the_last_one_stood():
    _, _, whole = run_functional(6)
    carry, memory, first = run_functional(3)
    _, memory, second = run_functional(3, carry, memory=memory)
    jax.tree.map(lambda w, *parts: np.testing.assert_allclose(w, np.concatenate(parts)), whole, first, second)
    assert memory == 6


def test_episodes_are_numbered_in_each_environment():
    expected = [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0], [2, 1, 1], [2, 1, 1]]
    for trajectory in (run_functional(6)[2], run_host(VectorWalk(), 6)[2]):
        number = ro.number_episodes(trajectory)
        np.testing.assert_array_equal(number, expected)
        assert isinstance(number, type(trajectory.truncated))
        assert number.dtype == np.int32


@pytest.mark.parametrize("mode", ["SAME_STEP", "DISABLED"])
def test_host_and_functional_rollouts_agree(mode):
    _, memory, functional = run_functional(6)
    obs, host_memory, host = run_host(VectorWalk(mode), 6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), functional, host)
    assert jax.tree.structure(functional) == jax.tree.structure(host)
    assert memory == host_memory == 6
    np.testing.assert_allclose(obs[:, 0], [0, 1, 1])
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(host))
    assert host.transition.reward.dtype == host.transition.discount.dtype == np.float32


def test_observers_see_every_transition_before_the_reset_and_every_end():
    def observe(memory, transition, ended):
        return memory + transition.next_obs.sum() + 100 * ended.sum()

    (_, memory, functional), (_, host_memory, host) = (
        run_functional(6, observe=observe, memory=0.0),
        run_host(VectorWalk(), 6, observe=observe),
    )
    num_ends = 5  # three times the first goal, once the second, once the horizon
    np.testing.assert_allclose(memory, 6 + functional.transition.next_obs.sum() + 100 * num_ends, rtol=1e-5)
    np.testing.assert_allclose(host_memory, 6 + host.transition.next_obs.sum() + 100 * num_ends, rtol=1e-5)


@pytest.mark.parametrize("env_mode", ["string", "enum"])
def test_the_autoreset_mode_is_same_step_by_name_or_as_gymnasiums_enum(env_mode):
    mode = {"string": "SAME_STEP", "enum": enum.Enum("AutoresetMode", "NEXT_STEP SAME_STEP")["SAME_STEP"]}[env_mode]
    assert run_host(VectorWalk(mode), 2)[2].truncated.shape == (2, NUM_ENVS)


@pytest.mark.parametrize("mode", ["NEXT_STEP", None])
def test_other_autoreset_modes_are_refused(mode):
    with pytest.raises(ValueError, match=f"autoreset_mode .*DISABLED or SAME_STEP, got {mode}"):
        run_host(VectorWalk(mode), 1)


def test_actions_are_scaled_to_the_space_and_recorded_as_the_policys():
    env = VectorWalk(low=-2.0, high=6.0)
    act = lambda memory, obs, key: (np.asarray([[-1.0], [0.0], [1.0]], np.float32), memory)  # noqa: E731
    _, _, trajectory = run_host(env, 2, act)
    np.testing.assert_allclose(env.actions[0], [[-2.0], [2.0], [6.0]])
    assert env.actions[0].dtype == np.float32
    np.testing.assert_allclose(trajectory.transition.action[0], [[-1.0], [0.0], [1.0]])


def test_environments_are_given_clipped_actions_and_the_trajectory_has_the_policys():
    wild = np.asarray([[-3.0], [0.5], [7.0]], np.float32)
    act = lambda memory, obs, key: (wild, memory)  # noqa: E731
    env = VectorWalk(low=-2.0, high=6.0)
    _, _, host = run_host(env, 1, act)
    np.testing.assert_allclose(env.actions[0], [[-2.0], [4.0], [6.0]])
    carry = ro.start(Walk(), GOALS, jax.random.key(0))
    _, _, functional = ro.rollout(Walk(), GOALS, carry, act, 0, jax.random.key(1), num_steps=1, horizon=HORIZON)
    np.testing.assert_allclose(functional.transition.next_obs[0, :, 0], [-1.0, 0.5, 1.0])
    for trajectory in (host, functional):
        np.testing.assert_array_equal(trajectory.transition.action[0], wild)


@pytest.mark.parametrize(
    ("space", "given"), [({"n": 3}, 1), ({"n": 3, "start": np.int64(0)}, 1), ({"n": 3, "start": 5}, 6)]
)
def test_discrete_actions_are_counted_from_where_the_space_begins(space, given):
    env = VectorWalk()
    env.single_action_space = SimpleNamespace(**space)
    _, _, trajectory = run_host(env, 2, lambda memory, obs, key: (np.ones((NUM_ENVS, 1), np.int32), memory))
    assert trajectory.transition.action.dtype == np.int32
    assert (trajectory.transition.action == 1).all()
    assert (env.actions[0] == given).all()


@pytest.mark.parametrize("bounds", [(-np.inf, 1.0), (-1.0, np.inf)])
def test_unbounded_action_spaces_are_refused(bounds):
    with pytest.raises(ValueError, match="action space must be bounded"):
        run_host(VectorWalk(low=bounds[0], high=bounds[1]), 1)


def test_signals_of_a_reset_are_not_those_of_a_step():
    _, _, plain = run_host(VectorWalk(), 6)
    _, _, trajectory = run_host(VectorWalk(reset_info={"steps": 77, "level": 3}), 6)
    np.testing.assert_array_equal(trajectory.info["steps"], plain.info["steps"])
    assert np.isnan(trajectory.info.get("level", np.full(1, np.nan))).all()


def test_nothing_is_reset_behind_the_last_step_unless_the_rollout_goes_on():
    for goes_on in (True, False):
        env = VectorWalk("DISABLED")
        obs, _ = env.reset()
        ro.host_rollout(env, obs, half, 0, jax.random.key(1), num_steps=2, goes_on=goes_on)  # the first goal
        assert env.num_resets == 1 + goes_on


class Counter:
    """A vector environment of two that counts in an array of its own, and tells of odd things."""

    num_envs = 2
    single_action_space = SimpleNamespace(n=2)

    def __init__(self, mode, infos):
        self.metadata, self.infos = {"autoreset_mode": mode}, infos
        self.count = np.zeros((2, 1))

    def reset(self, *, seed=None, options=None):
        self.count[[True, True] if options is None else options["reset_mask"]] = 0
        return {"count": self.count, "side": (self.count,)}, {}

    def step(self, actions):
        del actions
        self.count += 1
        ended, info = self.count[:, 0] >= 3, self.infos[int(self.count[0, 0]) - 1]
        obs = {"count": self.count, "side": (self.count,)}
        if ended.any() and self.metadata["autoreset_mode"] == "SAME_STEP":
            last = [{"side": (row.copy(),), "count": row.copy()} for row in self.count]
            info = {"final_obs": np.array([*last, None], object)[:-1], "final_info": info}
            self.count[:] = 0
        return obs, np.zeros(2), np.zeros(2, bool), ended, info


@pytest.mark.parametrize("mode", ["SAME_STEP", "DISABLED"])
def test_dictionaries_of_arrays_that_an_environment_uses_again_are_copied(mode):
    env = Counter(mode, [{}] * 3)
    obs, _ = env.reset()
    act = lambda memory, obs, key: (np.zeros(2, int), memory)  # noqa: E731
    obs, _, trajectory = ro.host_rollout(env, obs, act, (), jax.random.key(0), num_steps=5)
    for leaf in jax.tree.leaves(trajectory.transition.obs):
        np.testing.assert_array_equal(leaf[:, 0, 0], [0, 1, 2, 0, 1])
    for leaf in jax.tree.leaves(trajectory.transition.next_obs):
        np.testing.assert_array_equal(leaf[:, 0, 0], [1, 2, 3, 1, 2])
    np.testing.assert_array_equal(obs["count"], [[2], [2]])


@pytest.mark.parametrize("mode", ["SAME_STEP", "DISABLED"])
def test_signals_keep_their_values_and_what_is_missing_is_not_a_number(mode):
    yes, first = np.ones(2, bool), np.asarray([True, False])
    infos = [
        {"whole": np.asarray([0, 2]), "_whole": yes, "some": np.asarray([5, 0]), "_some": first, "text": ["a", "b"]},
        {"whole": np.asarray([0.5, -0.5]), "_whole": yes, "vector": np.zeros((2, 3))},
        {"whole": np.asarray([True, False]), "_whole": yes, "some": np.asarray([1.5, 0.0]), "_some": first},
    ]
    env = Counter(mode, infos)
    obs, _ = env.reset()
    act = lambda memory, obs, key: (np.zeros(2, int), memory)  # noqa: E731
    info = ro.host_rollout(env, obs, act, (), jax.random.key(0), num_steps=3)[2].info
    assert info.keys() == {"whole", "some"}
    np.testing.assert_array_equal(info["whole"], [[0, 2], [0.5, -0.5], [1, 0]])
    np.testing.assert_array_equal(info["some"], [[5, np.nan], [np.nan, np.nan], [1.5, np.nan]])


def test_an_action_that_is_not_a_number_is_recorded_and_reaches_no_environment():
    env = VectorWalk(low=-2.0, high=6.0)
    act = lambda memory, obs, key: (np.asarray([[np.nan], [np.inf], [-np.inf]], np.float32), memory)  # noqa: E731
    _, _, trajectory = run_host(env, 1, act)
    np.testing.assert_allclose(env.actions[0], [[2.0], [6.0], [-2.0]])
    assert np.isnan(trajectory.transition.action[0, 0, 0])


def test_rollouts_map_over_tasks():
    """Environments side by side do not touch each other."""
    _, _, together = run_functional(6)
    for i in range(NUM_ENVS):
        _, _, alone = run_functional(6, goals=GOALS[i : i + 1])
        jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[:, i : i + 1], b), together, alone)


def test_never_observe_keeps_the_memory():
    empty = jnp.zeros(1)
    assert ro.never_observe("memory", Transition(empty, empty, empty, empty, empty), empty > 0) == "memory"
