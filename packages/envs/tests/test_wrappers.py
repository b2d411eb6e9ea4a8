"""Families that film and that change tasks keep the contract of vector environments."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from metarl_envs import ChangingFamily, FilmedFamily, Shot, benchmark, from_gymnasium, take_tasks


class Countdown(gymnasium.Env):
    """Ends after as many steps as its task says; its picture is its number of steps left."""

    observation_space = gymnasium.spaces.Box(-1e6, 1e6, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    render_mode = "rgb_array"

    def __init__(self, task):
        self.task = self.left = task

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = self.task
        return np.array([self.left], np.float32), {}

    def step(self, action):
        self.left -= 1
        return np.array([self.left], np.float32), float(self.task), self.left == 0, False, {}

    def render(self):
        return np.full((2, 2, 3), self.left, np.uint8)


def play(env, num_steps):
    """Plays as rlcore does: whoever steps begins the next episodes."""
    same_step = env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    env.reset(seed=0)
    for _ in range(num_steps):
        _, _, terminated, truncated, _ = env.step(np.zeros(env.action_space.shape, np.float32))
        ended = terminated | truncated
        if ended.any() and not same_step:
            env.reset(options={"reset_mask": ended})


def shots(*values):
    return [Shot(step, float(total), left) for step, total, left in values]


def test_episodes_of_different_lengths_are_filmed_side_by_side():
    family = FilmedFamily(
        from_gymnasium(Countdown, [2, 3], horizon=5), [0, 2, 5], 2, keep=lambda picture: picture[0, 0, 0]
    )
    env = family.make_vec([2, 3])
    play(env, 6)
    one = shots((0, 0, 2), (2, 4, 0))
    assert family.films[0][:2] == [one, one]
    assert family.films[0][2:] == [[], []]  # no more than two episodes are filmed
    other = shots((0, 0, 3), (2, 6, 1), (3, 9, 0))
    assert family.films[1][:2] == [other, other]
    env.set_tasks([1, 4])
    play(env, 4)
    assert family.films[0][:2] == [shots((0, 0, 1), (1, 1, 0))] * 2
    assert family.films[1][0] == shots((0, 0, 4), (2, 8, 2), (4, 16, 0))
    env.close()


def test_where_an_end_is_not_seen_the_last_picture_stays():
    class SameStep:
        horizon = 5

        def make_vec(self, tasks, seed=None):
            makers = [lambda task=task: Countdown(task) for task in tasks]
            return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)

    family = FilmedFamily(SameStep(), [0, 1], 1, keep=lambda picture: picture[0, 0, 0])
    env = family.make_vec([3])
    assert not hasattr(env, "set_tasks")
    play(env, 4)
    assert family.films[0][0] == shots((0, 0, 3), (1, 3, 2), (3, 9, 2))
    env.close()


@pytest.mark.parametrize("name", ["point-sparse-v0", "half-cheetah-vel-v0"])
def test_tasks_change_within_each_episode_and_begin_anew_with_the_next_one(name):
    if name != "point-sparse-v0":
        pytest.importorskip("mujoco")
    family = benchmark(name).family
    tasks = take_tasks(benchmark(name).test_tasks, [0, 1, 2])
    changing = ChangingFamily(family, 2)
    third = -(-family.horizon // 3)
    env = changing.make_vec(tasks, seed=0)
    inner, actions = env.env, np.zeros(env.action_space.shape, np.float32)

    def played():
        leaf, known = (np.asarray(next(iter(fields))) for fields in (inner._read(), tasks))
        return [int(np.flatnonzero((known == row).reshape(3, -1).all(axis=1))[0]) for row in leaf]

    inner._read = (lambda: inner.tasks) if hasattr(inner, "tasks") else (lambda: inner._tasks)
    env.reset(seed=0)
    assert played() == [0, 1, 2]
    for _ in range(third + 1):
        env.step(actions)
    assert played() == [1, 2, 0]
    env.reset(options={"reset_mask": np.array([False, True, False])})
    assert played() == [1, 1, 0]  # whose episode begins plays its first task
    for _ in range(third):
        env.step(actions)
    assert played() == [2, 1, 1]
    env.step(actions)
    assert played() == [2, 2, 1]
    env.set_tasks(take_tasks(tasks, [2, 1, 0]))
    env.reset(seed=0)
    assert played() == [2, 1, 0]
    env.close()


def test_the_last_part_lasts_to_the_end():
    family = ChangingFamily(benchmark("point-sparse-v0").family, 2)
    parts = family.part(np.arange(25))
    assert sorted(set(parts[:20].tolist())) == [0, 1, 2]
    assert np.bincount(parts[:20]).tolist() == [7, 7, 6]
    assert parts[20:].tolist() == [2] * 5


def test_tasks_of_gymnasium_cannot_change_within_an_episode():
    family = ChangingFamily(from_gymnasium(Countdown, [2, 3], horizon=5), 1)
    with pytest.raises(ValueError, match="num_changes must be 0 for environments whose task cannot change"):
        family.make_vec([2, 3])
