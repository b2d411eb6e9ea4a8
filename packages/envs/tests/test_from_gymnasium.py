"""Any gymnasium environment as a family."""

import gymnasium
import jax
import jax.numpy as jnp
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


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_termination_and_truncation_are_told_apart(mode):
    family = from_gymnasium(Corridor, [3, 100], horizon=6)
    env = family.make_vec([3, 100], seed=0, autoreset_mode=mode)
    assert env.metadata["autoreset_mode"] == mode
    obs, _ = env.reset()
    left = np.array([3, 100]) - obs[:, 0]
    for t in range(1, 7):
        obs, reward, terminated, truncated, infos = env.step(np.array([1, 1]))
        left -= 1
        np.testing.assert_array_equal(transition_info(infos, "left"), left)
        np.testing.assert_array_equal(terminated, left == 0)
        np.testing.assert_array_equal(reward, left == 0)
        np.testing.assert_array_equal(truncated, [False, t == 6])
        ended = terminated | truncated
        for i in np.flatnonzero(ended):
            last_obs = obs[i] if mode == AutoresetMode.DISABLED else infos["final_obs"][i]
            assert last_obs[0] == [3, 100][i] - left[i]
        if mode == AutoresetMode.DISABLED and ended.any():
            with pytest.raises(gymnasium.error.ResetNeeded, match="have ended"):
                env.step(np.array([1, 1]))
            before, (obs, _) = obs, env.reset(options={"reset_mask": ended})
            np.testing.assert_array_equal(obs[~ended], before[~ended])
        assert (obs[ended] <= 1).all()
        left[0] = 3 - obs[0, 0]


def test_the_mode_of_a_family_is_disabled():
    family = from_gymnasium(Corridor, [3, 100], horizon=6)
    assert family.make_vec([3]).metadata["autoreset_mode"] == AutoresetMode.DISABLED
    with pytest.raises(ValueError, match="autoreset_mode="):
        family.make_vec([3], autoreset_mode="next_step")


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
        ({"tasks": np.zeros((0, 2))}, "tasks is empty"),
        ({"tasks": range(0)}, "tasks is empty"),
        ({"tasks": {}}, "tasks must be a list.*a dict of nothing"),
        ({"tasks": {"length": [3, 5]}}, "tasks must be a list.*a dict of int"),
        ({"tasks": {"a": np.zeros(2), "b": np.zeros(3)}}, "leading dimension"),
        ({"tasks": (n for n in range(3))}, "tasks must be a list.*generator"),
        ({"tasks": {3, 5}}, "tasks must be a list.*set"),
        ({"tasks": (3, 5)}, "tasks must be a list.*a tuple of int"),
        ({"tasks": 3}, "tasks must be a list.*int"),
        ({"tasks": "abc"}, "tasks must be a list.*str"),
        ({"tasks": None}, "tasks must be a list"),
        ({"tasks": np.float64(3)}, "tasks must be a list"),
        ({"horizon": 0}, "horizon=0 must be at least 1"),
        ({"horizon": -3}, "horizon=-3 must be at least 1"),
        ({"horizon": 5.0}, "horizon=5.0 must be a whole number"),
        ({"horizon": True}, "horizon=True must be a whole number"),
        ({"horizon": "5"}, "horizon='5' must be a whole number"),
        ({"horizon": np.float32(5)}, "horizon=.*must be a whole number"),
        ({"vectorization": "threads"}, "vectorization='threads' must be 'sync' or 'async'"),
        ({"vectorization": None}, "vectorization=None must be 'sync' or 'async'"),
        ({"vectorization": ["sync"]}, "vectorization="),
        ({"make_env": None}, "make_env=None must be a function"),
        ({"make_env": "CartPole-v1"}, "make_env='CartPole-v1' must be a function"),
        ({"make_env": lambda _: None}, "must return a gymnasium.Env, got NoneType for task 3"),
        (
            {"make_env": lambda _: Corridor},
            "must return a gymnasium.Env, got ABCMeta|must return a gymnasium.Env, got type",
        ),
        ({"make_env": lambda _: (Corridor(3), {})}, "must return a gymnasium.Env, got tuple"),
        (
            {"make_env": lambda _: gymnasium.make_vec("CartPole-v1", 2)},
            "must return a gymnasium.Env, got SyncVectorEnv|CartPoleVector",
        ),
        ({"make_env": lambda _: NoSpaces()}, "task 3 has no observation_space"),
        ({"set_task": "set_task"}, "set_task='set_task' must be None or a function"),
    ],
)
def test_wrong_options_are_named(options, message):
    arguments = {"make_env": Corridor, "tasks": [3], "horizon": 5, **options}
    with pytest.raises(ValueError, match=message):
        from_gymnasium(arguments.pop("make_env"), **arguments)


class NoSpaces(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)


@pytest.mark.parametrize("horizon", [5, np.int64(5), np.uint8(5), np.array(5)])
def test_a_horizon_may_be_any_whole_number(horizon):
    assert from_gymnasium(Corridor, [3], horizon=horizon).horizon == 5


@pytest.mark.parametrize(
    "tasks",
    [range(3, 9, 2), [3, 5, 7], np.array([3, 5, 7]), jnp.array([3, 5, 7]), [jnp.int32(n) for n in (3, 5, 7)]],
)
def test_every_form_of_tasks_gives_environments_numbers_of_the_host(tasks):
    family = from_gymnasium(Corridor, tasks, horizon=9)
    env = family.make_vec(tasks)
    lengths = [one.unwrapped.length for one in env.envs]
    assert lengths == [3, 5, 7]
    assert not any(isinstance(length, jax.Array) for length in lengths)
    assert metarl_envs.num_tasks(family.sample_tasks(jax.random.key(0), 4)) == 4
    assert metarl_envs.Benchmark("mine", family, tasks, tasks).num_train_tasks == 3
    env.set_tasks(metarl_envs.take_tasks(tasks, [2, 1, 0]))
    assert [one.unwrapped.length for one in env.envs] == [7, 5, 3]


def test_an_environment_that_changes_its_task_leaves_the_tasks_alone():
    def make_env(task):
        task *= 0
        return Corridor(7)

    tasks = np.array([[3.0], [5.0]])
    from_gymnasium(make_env, tasks, horizon=9).make_vec(tasks)
    np.testing.assert_array_equal(tasks, [[3.0], [5.0]])


@pytest.mark.parametrize("n", [0, -1, 2.0, None])
def test_a_wrong_number_of_sampled_tasks_is_refused(n):
    with pytest.raises(ValueError, match="n="):
        from_gymnasium(Corridor, [3], horizon=9).sample_tasks(jax.random.key(0), n)


@pytest.mark.parametrize("seed", [-1, 1.5, True, 2**32, "0", [1], [1, -2], [None, 3]])
def test_a_wrong_seed_is_refused(seed):
    env = from_gymnasium(Corridor, [3], horizon=9).make_vec([3, 5])
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=seed)


def test_seeds_of_any_kind_of_whole_number_are_right():
    env = from_gymnasium(Corridor, [3], horizon=9).make_vec([50] * 20)
    expected = env.reset(seed=7)[0]
    for seed in (np.int64(7), np.uint32(7), list(range(7, 27))):
        np.testing.assert_array_equal(env.reset(seed=seed)[0], expected)
    with pytest.raises(ValueError, match="seed=-1"):
        from_gymnasium(Corridor, [3], horizon=9).make_vec([3], seed=-1)


@pytest.mark.parametrize(
    ("actions", "message"),
    [([1, 2], "must be in"), ([1], "shape"), ([[1], [1]], "shape"), ([1.0, 1.0], "dtype"), (None, "NoneType")],
)
def test_wrong_actions_are_refused(actions, message):
    env = from_gymnasium(Corridor, [3], horizon=9).make_vec([30, 50])
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.array([1, 1]))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(actions)


def test_spaces_that_differ_name_the_task():
    class Wide(Corridor):
        def __init__(self, length):
            super().__init__(length)
            if length > 4:
                self.observation_space = gymnasium.spaces.Box(-length, length, (1,), np.float32)

    class Many(Corridor):
        def __init__(self, length):
            super().__init__(length)
            self.action_space = gymnasium.spaces.Discrete(length)

    with pytest.raises(ValueError, match="observation space of task 5 is Box"):
        from_gymnasium(Wide, [3, 5], horizon=9).make_vec([3, 5])
    env = from_gymnasium(Many, [3, 5], horizon=9).make_vec([3])
    with pytest.raises(
        ValueError, match=r"action space of task 5 is Discrete\(5\), but that of the first is Discrete\(3\)"
    ):
        env.set_tasks([5])


def test_time_limits_that_differ_are_refused_unless_a_horizon_is_given():
    def make_env(length):
        return TimeLimit(Corridor(length), 10 if length < 5 else 25)

    family = from_gymnasium(make_env, [3, 50])
    with pytest.raises(ValueError, match=r"task 50 has a time limit of 25 steps, that of the first task 10"):
        family.make_vec([3, 50])
    family.make_vec([3, 4])
    env = from_gymnasium(make_env, [3, 50], horizon=25).make_vec([4, 50], seed=0)
    env.reset()
    truncated = [env.step(np.array([0, 0]))[3] for _ in range(10)][-1]
    assert truncated.tolist() == [True, False]


class Uncopied:
    def __init__(self, length):
        self.length = length

    def __deepcopy__(self, memo):
        raise TypeError("a device")


LISTED = {
    "array": (lambda length: np.array([float(length)]), lambda task: task.__imul__(2)),
    "list": (lambda length: [length], lambda task: task.append(task.pop() * 2)),
    "dict": (lambda length: {"length": length}, lambda task: task.update(length=task.pop("length") * 2)),
}


def first_number(task):
    return int(next(iter(task.values())) if isinstance(task, dict) else task[0])


@pytest.mark.parametrize("kind", LISTED)
@pytest.mark.parametrize("where", ["make_env", "set_task"])
def test_an_environment_that_changes_a_task_of_a_list_leaves_it_alone(kind, where):
    make_task, change = LISTED[kind]

    def make_env(task):
        if where == "make_env":
            change(task)
        return Corridor(first_number(task))

    def set_task(env, task):
        change(task)
        env.length = first_number(task)

    tasks = [make_task(3), make_task(5)]
    family = from_gymnasium(make_env, tasks, horizon=9, set_task=set_task if where == "set_task" else None)
    bench = metarl_envs.Benchmark("mine", family, tasks, tasks)
    before = bench.identity()
    env = family.make_vec(bench.train_tasks)
    for _ in range(3):
        env.set_tasks(bench.train_tasks)
        assert [one.unwrapped.length for one in env.envs] == [6, 10]
    if where == "make_env":
        metarl_envs.check_family(family)
    assert list(map(first_number, tasks)) == [3, 5]
    assert bench.identity() == before


def test_what_cannot_be_copied_is_handed_on():
    tasks = [Uncopied(3), Uncopied(5)]
    seen = []
    family = from_gymnasium(lambda task: seen.append(task) or Corridor(task.length), tasks, horizon=9)
    family.make_vec(metarl_envs.Benchmark("mine", family, tasks, tasks).train_tasks)
    assert seen == [tasks[0], *tasks]


@pytest.mark.parametrize(
    "tasks",
    [np.array([[3.0], [5.0]]), {"length": np.array([3.0, 5.0])}, [np.array([3.0]), [5.0]], [{"a": [3]}, {"a": [5]}]],
)
def test_benchmark_and_family_keep_copies(tasks):
    family = from_gymnasium(lambda task: Corridor(3), tasks, horizon=9)
    bench = metarl_envs.Benchmark("mine", family, tasks, tasks)
    before, sampled = bench.identity(), metarl_envs.fingerprint(family.sample_tasks(jax.random.key(0), 9))
    for leaf in jax.tree.leaves(tasks):
        if isinstance(leaf, np.ndarray):
            leaf[:] = 9
    if isinstance(tasks, list):
        (tasks[1]["a"] if isinstance(tasks[1], dict) else tasks[1]).append(7)
        tasks.pop(0)
    assert bench.identity() == before
    assert metarl_envs.fingerprint(family.sample_tasks(jax.random.key(0), 9)) == sampled


def test_arrays_of_a_benchmark_can_only_be_read():
    tasks = {"length": np.array([3.0, 5.0])}
    bench = metarl_envs.Benchmark("mine", from_gymnasium(lambda task: Corridor(3), tasks, horizon=9), tasks, tasks)
    with pytest.raises(ValueError, match="read-only"):
        bench.train_tasks["length"][:] = 9
    bench.take_train_tasks([0])["length"][:] = 9  # a copy
    tasks["length"][:] = 9  # the caller's own
