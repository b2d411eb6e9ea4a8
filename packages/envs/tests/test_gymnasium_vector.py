"""The vector environments of a user's environments: how long what is made lives, in this process and in others."""

import os
import signal
import sys
import time

import cloudpickle
import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from metarl_envs import from_gymnasium, transition_info
from metarl_envs.adapters.gymnasium_vector import list_tasks

# Workers cannot import this module by the name that pytest gives it.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Counter(gymnasium.Env):
    """Says which task it plays, where it lives, and the random number of its reset; steps add the action."""

    observation_space = gymnasium.spaces.Box(-1e6, 1e6, (3,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    made: list = []  # noqa: RUF012

    def __init__(self, task):
        self.task, self.sum = task, 0.0
        self.number = len(Counter.made)
        Counter.made.append(task)
        self.is_open = True

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.sum, self.start = 0.0, self.np_random.uniform()
        return self._obs(), {}

    def step(self, action):
        if self.task == "fail":
            raise KeyError("motor")
        if self.task == "unsendable":
            return self._obs(), 0.0, False, False, {"what": lambda: 0}
        if self.task == "die":
            os._exit(3)
        self.sum += float(action[0])
        info = {"pid": os.getpid(), "number": self.number, "sum": self.sum}
        return self._obs(), self.sum, self.task == "short" and self.sum >= 2, False, info

    def set_task(self, task):
        self.task = task

    def close(self):
        self.is_open = False

    def pid(self):
        return os.getpid()

    def made_here(self):
        return Counter.made

    def _obs(self):
        return np.array([hash_number(self.task), self.start, self.sum], np.float32)


def hash_number(task):
    return sum(map(ord, str(task)))


@pytest.fixture(autouse=True)
def forget():
    Counter.made.clear()


def make_family(vectorization="sync", **options):
    return from_gymnasium(Counter, list(range(10)), horizon=5, vectorization=vectorization, **options)


def step(env, action=0.5):
    return env.step(np.full((env.num_envs, 1), action, np.float32))


def test_an_environment_is_made_once_for_each_task():
    env = make_family().make_vec([0, 1, 2], seed=0)
    Counter.made.remove(0)  # the one that was looked at
    rng, seen = np.random.default_rng(0), set()
    for _ in range(30):
        tasks = rng.choice(10, 3, replace=False).tolist()
        seen |= set(tasks)
        env.set_tasks(tasks)
        obs, _ = env.reset(seed=int(rng.integers(1000)))
        np.testing.assert_array_equal(obs[:, 0], [hash_number(task) for task in tasks])
        step(env)
    assert sorted(Counter.made) == sorted(seen | {0, 1, 2})
    assert env.tasks == tasks


def test_the_same_task_twice_side_by_side_is_two_environments():
    env = make_family().make_vec([3, 3, 4])
    assert Counter.made[1:] == [3, 3, 4]
    env.set_tasks([4, 3, 3])
    env.set_tasks([3, 4, 3])
    env.set_tasks([4, 4, 4])
    assert Counter.made[1:] == [3, 3, 4, 4, 4]
    env.reset(seed=0)
    numbers = transition_info(step(env)[-1], "number")
    assert len(set(numbers)) == 3


def test_equal_tasks_are_one_task_whatever_object_they_are():
    family = from_gymnasium(lambda task: Counter(task["goal"]), [{"goal": 1.0, "name": "a"}], horizon=5)
    env = family.make_vec([{"goal": 1.0, "name": "a"}])
    env.set_tasks([{"name": "a", "goal": 1.0}])
    assert len(Counter.made) == 2
    env.set_tasks([{"name": "b", "goal": 1.0}])
    assert len(Counter.made) == 3


def test_tasks_without_a_fingerprint_are_told_apart_by_identity():
    first, second = (lambda: 1), (lambda: 2)
    env = from_gymnasium(lambda task: Counter(task()), [first, second], horizon=5).make_vec([first, second])
    env.set_tasks([second, first])
    assert Counter.made == [1, 1, 2]


def test_all_live_until_the_vector_environment_is_closed():
    env = make_family().make_vec([0, 1])
    first = list(env.envs)
    env.set_tasks([2, 3])
    assert all(one.unwrapped.is_open for one in first)
    second = list(env.envs)
    env.close()
    assert not any(one.unwrapped.is_open for one in first + second)


def test_a_closing_that_fails_does_not_keep_others_open():
    class Stuck(Counter):
        def close(self):
            super().close()
            if self.task == 1:
                raise RuntimeError("stuck")

    env = from_gymnasium(Stuck, [0, 1, 2], horizon=5).make_vec([0, 1, 2])
    envs = list(env.envs)
    with pytest.raises(RuntimeError, match="stuck") as error:
        env.close()
    assert "task 1" in error.value.__notes__[0]
    assert not any(one.unwrapped.is_open for one in envs)


def test_with_set_task_there_is_one_environment_a_place():
    calls = []

    def set_task(env, task):
        calls.append((env, task))
        env.set_task(task)

    env = make_family(set_task=set_task).make_vec([0, 1], seed=0)
    assert (Counter.made, calls) == ([0, 0, 1], [])
    for tasks in ([2, 3], [3, 3], [1, 0]):
        env.set_tasks(tasks)
        obs, _ = env.reset(seed=0)
        np.testing.assert_array_equal(obs[:, 0], [hash_number(task) for task in tasks])
    assert len(Counter.made) == 3
    assert all(isinstance(one, Counter) for one, _ in calls)
    env.close()


def test_a_method_set_task_of_the_environment_is_not_called_by_itself(monkeypatch):
    monkeypatch.setattr(Counter, "set_task", lambda *_: pytest.fail("called"))
    make_family().make_vec([0, 1]).set_tasks([2, 3])


def test_the_first_seed_is_for_the_first_reset_only():
    env, other = make_family().make_vec([3, 4], seed=1), make_family().make_vec([3, 4], seed=2)
    np.testing.assert_array_equal(env.reset(seed=5)[0], other.reset(seed=5)[0])
    np.testing.assert_array_equal(env.reset()[0], other.reset()[0])
    env, other = make_family().make_vec([3, 4], seed=5), make_family().make_vec([3, 4])
    np.testing.assert_array_equal(env.reset()[0], other.reset(seed=5)[0])
    assert not np.array_equal(env.reset()[0], other.reset(seed=5)[0])


def test_a_seeded_reset_fixes_all_that_follows():
    def play(env):
        results = [env.reset(seed=5)[0]]
        for _ in range(7):
            obs, *rest, _ = step(env)
            results += [obs, *rest]
            ended = rest[1] | rest[2]
            if ended.any():
                results.append(env.reset(options={"reset_mask": ended})[0])
        return results

    family = make_family()
    used, fresh = family.make_vec(["short", 4], seed=1), family.make_vec(["short", 4])
    play(used)
    used.set_tasks([4, "short"])
    used.reset(seed=8)
    used.set_tasks(["short", 4])
    for one, other in zip(play(used), play(fresh), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_wrong_use_is_explained(vectorization):
    env = make_family(vectorization).make_vec([0, 1])
    with pytest.raises(gymnasium.error.ResetNeeded):
        step(env)
    with pytest.raises(gymnasium.error.ResetNeeded, match="first reset"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset()
    with pytest.raises(ValueError, match=r"seed=-1"):
        env.reset(seed=-1)
    with pytest.raises(ValueError, match=r"reset_mask must be bool \[2\]"):
        env.reset(options={"reset_mask": [True]})
    with pytest.raises(ValueError, match="nan in environment 1"):
        env.step(np.array([[0], [np.nan]], np.float32))
    with pytest.raises(ValueError, match="shape"):
        env.step(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="3 tasks for num_envs=2"):
        env.set_tasks([0, 1, 2])
    env.set_tasks([2, 3])
    with pytest.raises(gymnasium.error.ResetNeeded):
        step(env)
    env.close()


def test_workers_persist_and_play_what_this_process_plays():
    expected = make_family().make_vec([0, "short", 2], seed=3)
    env = make_family("async").make_vec([0, "short", 2], seed=3)
    pids, num_before = set(), len(Counter.made)
    for tasks in ([0, "short", 2], [2, 0, 1], [1, 2, "short"], [2, 2, 0], ["short", "short", "short"]):
        for one in (env, expected):
            one.set_tasks(tasks)
        np.testing.assert_array_equal(env.reset(seed=1)[0], expected.reset(seed=1)[0])
        for action in (0.5, 1.0, 1.0, 0.25, 0.25):
            results, others = step(env, action), step(expected, action)
            for found, wanted in zip(results[:4], others[:4], strict=True):
                np.testing.assert_array_equal(found, wanted)
            np.testing.assert_array_equal(results[4]["sum"], others[4]["sum"])
            pids |= set(results[4]["pid"].tolist())
            ended = results[2] | results[3]
            if ended.any():
                mask = {"reset_mask": ended}
                np.testing.assert_array_equal(env.reset(options=mask)[0], expected.reset(options=mask)[0])
    assert os.getpid() not in pids
    assert len(pids) == 3
    # Each task has been made once, but for `2` and `short` where they stand side by side.
    made = dict(zip(env.call("pid"), env.call("made_here"), strict=True)).values()
    assert sorted(str(task) for tasks in made for task in tasks[num_before:]) == ["0", "1", "2", "2", *["short"] * 3]
    processes = list(env.processes)
    env.close()
    assert not any(process.is_alive() for process in processes)


def test_workers_survive_errors_and_interrupts():
    env = make_family("async").make_vec([0, "fail"], seed=0)
    env.reset()
    with pytest.raises(KeyError, match="motor") as error:
        step(env)
    assert "task 'fail'" in error.value.__notes__[0]
    assert "Traceback" in error.value.__notes__[1]
    with pytest.raises(gymnasium.error.ResetNeeded):
        step(env)
    env.set_tasks([0, 1])
    env.reset(seed=0)
    for process in env.processes:
        os.kill(process.pid, signal.SIGINT)
    time.sleep(0.2)
    step(env)
    env.set_tasks([0, "unsendable"])
    env.reset()
    with pytest.raises(Exception, match=r"(?i)pickle"):
        step(env)
    env.set_tasks([0, "die"])
    env.reset()
    with pytest.raises(RuntimeError, match="process that plays task 'die' has ended"):
        step(env)
    env.close()


def test_workers_refuse_what_cannot_be_made_and_set_tasks():
    def make_env(task):
        if task == 7:
            raise OSError("no licence")
        return Counter(task)

    def set_task(env, task):
        env.set_task(task)

    family = from_gymnasium(make_env, [0], horizon=5, vectorization="async", set_task=set_task)
    with pytest.raises(OSError, match="no licence") as error:
        family.make_vec([0, 7])
    assert "`make_env` for task 7" in error.value.__notes__[0]
    env = family.make_vec([0, 1], seed=0, autoreset_mode=AutoresetMode.SAME_STEP)
    env.set_tasks([7, 3])
    obs, _ = env.reset()
    np.testing.assert_array_equal(obs[:, 0], [hash_number(7), hash_number(3)])
    for _ in range(5):
        obs, _, _, truncated, infos = step(env)
    assert truncated.all()
    assert (obs[:, 2] == 0).all()
    assert infos["final_obs"][1][2] == 2.5
    np.testing.assert_array_equal(transition_info(infos, "sum"), [2.5, 2.5])
    env.close()


def test_rows_of_arrays_are_listed_as_scalars_and_copies():
    tasks = {"length": np.array([3, 5]), "goal": np.zeros((2, 2))}
    listed = list_tasks(jax.tree.map(jax.numpy.asarray, tasks))
    assert isinstance(listed[1]["length"], np.integer)
    listed = list_tasks(tasks)
    listed[0]["goal"][:] = 1
    assert tasks["goal"].sum() == 0


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_what_is_closed_plays_no_more(vectorization):
    env = make_family(vectorization).make_vec([0, 1])
    env.reset()
    env.close()
    env.close()
    for call in (env.reset, lambda: step(env), lambda: env.set_tasks([0, 1]), lambda: env.reset(seed=0)):
        with pytest.raises(gymnasium.error.ClosedEnvironmentError, match="clos"):
            call()
