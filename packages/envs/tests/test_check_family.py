"""A family is tried as training would, and all that is wrong is named."""

import gymnasium
import metarl_envs
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeLimit
from metarl_envs import check_family, from_gymnasium


class Good(gymnasium.Env):
    """Walks by its actions from a random start towards the task; ends where it is near."""

    observation_space = spaces.Box(-100, 100, (1,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, goal=3):
        self.goal, self.t = goal, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.x = 0, self.np_random.uniform(-1, 1)
        return self.obs(), {}

    def step(self, action):
        self.t += 1
        self.x += float(action[0])
        distance = abs(self.x - self.goal)
        return self.obs(), -distance, self.ended(), False, {"distance": distance}

    def obs(self):
        return np.array([self.x], np.float32)

    def ended(self):
        return bool(abs(self.x - self.goal) < 0.05)


def faults(family, **options):
    with pytest.raises(ValueError, match=r"^check_family: \d+ faults?:") as error:
        check_family(family, **options)
    return str(error.value)


def check(env_class, tasks=(1, 3, 5), horizon=12, **options):
    return faults(from_gymnasium(env_class, list(tasks), horizon=horizon, **options))


def test_a_good_family_passes():
    check_family(from_gymnasium(Good, [1, 3, 5], horizon=12))
    check_family(from_gymnasium(Good, [1], horizon=12), max_steps=5)
    check_family(from_gymnasium(Good, [1, 3], horizon=12), [7])
    check_family(from_gymnasium(lambda goal: TimeLimit(Good(goal), 6 + goal), [1, 3], horizon=12))
    check_family(from_gymnasium(lambda g: gymnasium.make("Pendulum-v1", g=g), [5.0, 10.0]))


def test_with_set_task_a_family_is_tried_by_it():
    def set_task(env, task):
        env.goal = task

    check_family(from_gymnasium(Good, [1, 3, 5], horizon=12, set_task=set_task))
    assert "make_vec of tasks, and set_tasks to the same, lead to different" in faults(
        from_gymnasium(Good, [1, 30, 5], horizon=12, set_task=lambda env, task: None)
    )


class SignalOfInt(Good):
    def step(self, action):
        obs, reward, terminated, truncated, _ = super().step(action)
        return obs, reward, terminated, truncated, {"dense": 0 if self.goal == 1 else reward}


class SignalOfText(Good):
    def step(self, action):
        return (*super().step(action)[:-1], {"dense": 1.0 if self.t < 3 else "far"})


class SignalComesAndGoes(Good):
    def step(self, action):
        return (*super().step(action)[:-1], {"dense": 1.0} if self.t % 2 else {})


class SignalIsNaN(Good):
    def step(self, action):
        return (*super().step(action)[:-1], {"dense": np.nan})


class Reuses(Good):
    array = np.zeros(1, np.float32)

    def obs(self):
        self.array[0] = self.x
        return self.array


class ReusesAtReset(Good):
    def __init__(self, goal):
        super().__init__(goal)
        self.array = np.zeros(1, np.float32)

    def obs(self):
        if self.t:
            self.array = np.zeros(1, np.float32)
        self.array[0] = self.x
        return self.array


class NaNObservation(Good):
    def obs(self):
        return np.array([np.nan if self.t == 3 else self.x], np.float32)


class InfiniteReward(Good):
    def step(self, action):
        obs, _, *rest = super().step(action)
        return obs, -np.inf if self.t == 2 else 0.0, *rest


class HugeReward(Good):
    def step(self, action):
        obs, _, *rest = super().step(action)
        return obs, 1e300 if self.t == 2 else 0.0, *rest


class NoReward(Good):
    def step(self, action):
        obs, _, *rest = super().step(action)
        return obs, None, *rest


class Outside(Good):
    observation_space = spaces.Box(-0.1, 0.1, (1,), np.float32)


class OfDoubles(Good):
    observation_space = spaces.Box(0, 255, (1,), np.uint8)


class OfLists(Good):
    def obs(self):
        return [self.x]


class OfShape(Good):
    def obs(self):
        return np.zeros((2,), np.float32)


class Unseeded(Good):
    def reset(self, *, seed=None, options=None):
        self.t, self.x = 0, np.random.default_rng().uniform(-1, 1)
        return self.obs(), {}


class UnseededSteps(Good):
    def step(self, action):
        return super().step(action + np.random.default_rng().uniform(-1, 1))


class KeepsOn(Good):
    """What an episode leaves behind changes the next."""

    drift = 0.0

    def step(self, action):
        self.drift += 1
        return super().step(action + 0.01 * self.drift)


class Raises(Good):
    def step(self, action):
        if self.goal == 3:
            raise KeyError("motor")
        return super().step(action)


class RaisesAtReset(Good):
    def reset(self, *, seed=None, options=None):
        if seed == 1:
            raise OSError("port in use")
        return super().reset(seed=seed)


class OldStep(Good):
    def step(self, action):
        obs, reward, terminated, _, info = super().step(action)
        return obs, reward, terminated, info


class FloatMax(Good):
    action_space = spaces.Box(-np.finfo(np.float32).max, np.finfo(np.float32).max, (1,), np.float32)


class Unbounded(Good):
    action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)


class OtherSpace(Good):
    def __init__(self, goal):
        super().__init__(goal)
        self.observation_space = spaces.Box(-100, 100 + (goal == 3), (1,), np.float32)


@pytest.mark.parametrize(
    ("env", "messages"),
    [
        (SignalOfInt, ["'dense' changes its type: int (task 1, step 1), float (task 3, step 1)"]),
        (SignalOfText, ["'dense' changes its type: float (task 1, step 1), str (task 1, step 3)"]),
        (SignalComesAndGoes, ["'dense' comes and goes"]),
        (SignalIsNaN, ["task 1, step 1: the signal 'dense' is nan"]),
        (Reuses, ["used again, and changed, by later steps"]),
        (ReusesAtReset, ["used again, and changed, by `reset`"]),
        (NaNObservation, ["task 1, step 3: the observation is nan at index [0]"]),
        (InfiniteReward, ["task 1, step 2: the reward is -inf"]),
        (HugeReward, ["task 1, step 2: the reward is 1e+300 at index [0], more than 32 bits hold"]),
        (NoReward, ["task 1, step 1: the reward must be a number, got None"]),
        (Outside, ["outside the bounds [-0.1"]),
        (OfDoubles, ["the observation has dtype float32, its space uint8"]),
        (OfLists, ["the observation is a list, must be a NumPy array of float32"]),
        (OfShape, ["the observation has shape (2,), its space (1,)"]),
        (Unseeded, ["two resets with the same seed begin with different observations"]),
        (UnseededSteps, ["the same actions after two resets with the same seed lead to different steps"]),
        (KeepsOn, ["the same actions after two resets with the same seed lead to different steps"]),
        (Raises, ["task 3: playing an episode raised KeyError: 'motor'"]),
        (RaisesAtReset, ["raised OSError: port in use"]),
        (OldStep, ["step must return 5 values, (observation, reward,", "got 4 values: `done` has become"]),
        (FloatMax, ["the action space must be bounded: from the lowest to the highest"]),
        (Unbounded, ["the action space must be bounded, got"]),
        (OtherSpace, ["observation space of task 3 is Box"]),
        (lambda goal, shared=Good(): shared, ["one environment for the tasks 1 and 3"]),  # noqa: B008
        (lambda goal, shared=Good(): TimeLimit(shared, 5), ["one environment for the tasks 1 and 3"]),  # noqa: B008
    ],
)
def test_each_fault_is_named(env, messages):
    found = check(env)
    for message in messages:
        assert message in found


def test_all_faults_are_in_one_report():
    class Many(SignalOfInt, Reuses):
        action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)

    found = check(Many)
    for message in ("must be bounded", "changes its type", "used again"):
        assert message in found
    assert found.count("\n- ") == int(found.split()[1])


def test_time_limits_that_differ_are_named():
    family = from_gymnasium(lambda goal: TimeLimit(Good(goal), 10 if goal == 1 else 25), [1, 3])
    assert "horizons differ, and horizon=None: 10 steps in task 1, 25 steps in task 3" in faults(family)


def test_wrong_arguments_are_named():
    family = from_gymnasium(Good, [1], horizon=5)
    for options, message in (({"tasks": []}, "tasks is empty"), ({"max_steps": 0}, "max_steps=0")):
        with pytest.raises(ValueError, match=message):
            check_family(family, **options)


@pytest.mark.parametrize(
    "name", ["point-sparse-v0", "catcher-v0", "catcher-ple-v0", "half-cheetah-vel-v0", "walker-params-v0"]
)
def test_our_own_families_pass(name):
    if "point" not in name and "catcher" not in name:
        pytest.importorskip("mujoco")
    bench = metarl_envs.benchmark(name)
    check_family(bench.family, metarl_envs.take_tasks(bench.train_tasks, np.arange(min(2, bench.num_train_tasks))))


class Own(metarl_envs.TaskFamily):
    """A family of a user's own making, with a fault."""

    horizon = 6
    observation_space, action_space = Good.observation_space, Good.action_space

    def __init__(self, fault):
        self.fault = fault

    def sample_tasks(self, key, n):
        return list(range(n))

    def make_vec(self, tasks, seed=None):
        horizon = 8 if self.fault == "horizon" else self.horizon
        env_class = NaNObservation if self.fault == "nan" else Unseeded if self.fault == "seed" else Good
        mode = AutoresetMode.SAME_STEP if self.fault == "mode" else AutoresetMode.DISABLED
        env = from_gymnasium(env_class, tasks, horizon=horizon).make_vec(tasks, seed, autoreset_mode=mode)
        if self.fault == "set_tasks":
            env.set_tasks = lambda tasks: env.reset()
        return env


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("horizon", "are not truncated at the horizon of 6 steps"),
        ("nan", "task number 0, step 3: the observation is nan"),
        ("seed", "after two resets with one seed lead to different"),
        ("mode", "autoreset mode must be DISABLED"),
    ],
)
def test_faults_of_families_of_another_kind_are_named(fault, message):
    assert message in faults(Own(fault))
    check_family(Own(None))


class WrongInMany(Good):
    def obs(self):
        return np.array([self.x], np.float64)

    def ended(self):
        return False


class NaNInMany(Good):
    def step(self, action):
        return np.full(1, np.nan if self.goal else np.inf, np.float32), *super().step(action)[1:]


class OfWords(Good):
    def step(self, action):
        raise KeyError(f"motor {self.goal} of {self.x}")


@pytest.mark.parametrize("env", [WrongInMany, NaNInMany, OfWords, OldStep, NoReward, Reuses, Unseeded, Outside])
@pytest.mark.parametrize("tasks", [range(8), [f"t{i}" for i in range(8)]])
def test_a_fault_in_every_step_of_every_task_is_a_line(env, tasks):
    class Numbered(env):
        def __init__(self, task):
            super().__init__(int(str(task).strip("t")))

    found = check(Numbered, tasks, horizon=100)
    assert len(found.splitlines()) <= 4, found
    assert "times more)" in found
    assert f"task {next(iter(tasks))!r}" in found


def test_other_spaces_of_every_task_are_a_line():
    class Other(Good):
        def __init__(self, goal):
            super().__init__(goal)
            self.observation_space = spaces.Box(-100 - goal, 100, (1,), np.float32)

    shared = Good()
    for make in (Other, lambda goal: shared):
        found = check(make, range(8))
        assert len(found.splitlines()) <= 3, found
        assert "(and 6 times more)" in found


def test_what_differs_in_more_than_numbers_is_told_apart():
    class Two(Good):
        def step(self, action):
            return (*super().step(action)[:-1], {"dense1": np.nan, "dense2": np.nan, 3: np.nan, "_x": np.nan})

    found = check(Two)
    assert "'dense1' is nan" in found
    assert "'dense2' is nan" in found
    assert "_x" not in found


def test_what_is_no_family_is_named():
    bench = metarl_envs.benchmark("point-sparse-v0")
    for wrong, message in (
        (None, "got None$"),
        (bench, "got Benchmark; its `family` is one$"),
        ("point-sparse-v0", "got 'point-sparse-v0'; `benchmark.name..family` is one$"),
        (Good, "got <class"),
        (Good(), "got <"),
    ):
        with pytest.raises(ValueError, match=f"^family must be a TaskFamily, {message}"):
            check_family(wrong)


def test_actions_of_no_numbers_are_named():
    class Empty(Good):
        action_space = spaces.Box(-1, 1, (0,), np.float32)

        def step(self, action):
            return super().step(np.zeros(1))

    assert "the action space must hold a number, got Box" in check(Empty)
