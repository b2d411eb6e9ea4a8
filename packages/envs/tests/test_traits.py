"""What a family says of itself: its signals, whether it terminates, and the fingerprint of its tasks."""

import collections
import dataclasses
import enum
import functools
import pathlib
import subprocess
import sys
from typing import NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from metarl_envs import fingerprint, from_gymnasium


class Told(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    made = 0

    def __init__(self, info):
        self.info = info
        Told.made += 1

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {"at_reset": 1.0}

    def step(self, action):
        return np.zeros(1, np.float32), 0.0, True, False, self.info


def test_signals_of_a_users_environments_are_found_once():
    info = {"z": 1, "a": np.array([2.0]), "flag": True, "text": "x", "vector": np.zeros(3), "nested": {"n": 1.0}}
    family = from_gymnasium(Told, [info], horizon=5)
    assert family.signals == ("a", "flag", "z")
    made = Told.made
    assert family.signals == ("a", "flag", "z")
    assert Told.made == made
    assert family.terminates is True


def test_signals_may_be_stated():
    made = Told.made
    family = from_gymnasium(Told, [{}], horizon=5, signals=["success", "dense"], terminates=False)
    assert (family.signals, family.terminates) == (("dense", "success"), False)
    assert Told.made == made + 1
    for wrong, message in (({"signals": "success"}, "signals="), ({"terminates": 1}, "terminates=1")):
        with pytest.raises(ValueError, match=message):
            from_gymnasium(Told, [{}], horizon=5, **wrong)


@pytest.mark.parametrize(
    ("name", "signals", "terminates"),
    [
        ("point-dense-v0", ("dense_reward", "sparse_reward"), False),
        ("point-image-sparse-32-v1", ("dense_reward", "sparse_reward", "success"), False),
        ("catcher-v0", (), False),
        ("catcher-ple-v0", (), True),
        ("half-cheetah-vel-v0", ("control_cost", "x_velocity"), False),
        ("ant-goal-v0", ("contact_cost", "control_cost", "l1_distance"), False),
        ("walker-params-v0", ("control_cost", "x_velocity"), True),
        ("half-cheetah-vel-image-v0", ("control_cost", "success", "velocity_error", "x_velocity"), False),
        ("sawyer-reacher-v0", ("dense_reward", "distance", "sparse_reward", "success"), False),
    ],
)
def test_our_own_families_say_what_they_report(name, signals, terminates):
    if not name.startswith(("point", "catcher")):
        pytest.importorskip("mujoco")
    family = metarl_envs.benchmark(name).family
    assert family.signals == signals
    assert family.terminates is terminates


def test_whoever_says_that_nothing_terminates_is_right():
    pytest.importorskip("mujoco")
    names = [name for name in metarl_envs.benchmark_names() if "-params-" in name or "humanoid" in name]
    assert all(metarl_envs.benchmark(name).family.terminates for name in [*names, "ant-fwd-back-v0"])
    names = [name for name in metarl_envs.benchmark_names() if name.startswith(("point", "sawyer", "half", "widowx"))]
    assert not any(metarl_envs.benchmark(name).family.terminates for name in names)


class Goal(NamedTuple):
    x: object
    y: object


@dataclasses.dataclass
class Robot:
    mass: float
    parts: list


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Plain:
    def __init__(self, a, b):
        self.a, self.b = a, b


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


DIFFERENT = [
    [], {}, [1], [1.0], [True], ["1"], [b"1"], [None], [[1]], [(1,)], [1, 2], [2, 1], [12],
    ["a", "b"], ["ab"], ["ab", ""],
    np.zeros(2), np.zeros(2, np.float32), np.zeros((2, 1)), np.zeros((1, 2)), np.zeros(2, int), np.array([0.0, -0.0]),
    np.array(["a"]), [np.float64(1)], [np.float32(1)], {"a": np.zeros(2)}, {"b": np.zeros(2)}, Goal(1, 2), Goal(2, 1),
    (1, 2), [Robot(1.0, [])], [Robot(1.0, [1])], [Robot(2.0, [])], [Colour.RED], [Colour.BLUE],
    [Plain(1, 2)], [Plain(2, 1)],
    [Slotted(1)], [Slotted(2)], [{1, 2}], [{1, 3}], [pathlib.Path("a")], [pathlib.Path("b")], [Plain], [Robot],
    [1j], [2j],
    [functools.partial(max, 1)], [functools.partial(max, 2)], [functools.partial(min, 1)], [float("nan")], [10**40],
    [collections.OrderedDict(a=1)], [collections.deque([1])], [collections.deque([2])], [range(3)], [slice(1, 2)],
    [np.array([None, 1], object)], [np.array([1, None], object)], [np.datetime64("2020-01-01")],
    [np.random.RandomState],
    [{"a": {"b": 1}}], [{"a": {"b": 2}}], [{"a": 1, "b": 2}], [{"a": 2, "b": 1}], [...], ["None"],
]  # fmt: skip


def test_whatever_differs_has_another_fingerprint():
    found = [fingerprint(tasks) for tasks in DIFFERENT]
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in found)
    for i, one in enumerate(found):
        assert found.count(one) == 1, DIFFERENT[i]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
        ([{3, 1, 2}], [{2, 3, 1}]),
        ([{"x", "y"}], [{"y", "x"}]),
        (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3))),
        (np.arange(6.0)[::2], np.array([0.0, 2.0, 4.0])),
        (np.arange(3.0), np.arange(3.0).astype(">f8")),
        (np.arange(3, dtype=np.float32), jnp.arange(3, dtype=jnp.float32)),
        (range(3), [0, 1, 2]),
        ([Plain(1, [2])], [Plain(1, [2])]),
        ([float("nan")], [float("nan")]),
    ],
)
def test_what_is_the_same_has_the_same_fingerprint(one, other):
    assert fingerprint(one) == fingerprint(other)


def test_what_has_no_fingerprint_is_refused():
    loop = [1]
    loop.append(loop)
    for wrong in ([lambda: 1], loop, [(n for n in range(3))], [sys.stdout]):
        with pytest.raises(ValueError, match="tasks"):
            fingerprint(wrong)


def test_a_random_key_has_one_too():
    keys = jax.random.split(jax.random.key(0), 3)
    assert fingerprint(keys) == fingerprint(jax.random.split(jax.random.key(0), 3))
    assert fingerprint(keys) != fingerprint(jax.random.split(jax.random.key(1), 3))


PINNED = {
    "point-dense-v0": "e84b3de85d80d735",
    "half-cheetah-vel-v0": "96edfa41054656ef",
    "catcher-v0": "689a4f8be1a0b83f",
    "sawyer-reacher-v0": "4d2f460d7652607a",
}


@pytest.mark.parametrize("name", PINNED)
def test_fingerprints_are_those_of_other_machines(name):
    assert fingerprint(metarl_envs.benchmark(name).train_tasks) == PINNED[name]


@pytest.mark.wheel
def test_another_process_finds_the_same():
    code = (
        "import numpy as np, metarl_envs\n"
        "tasks = [{'name': 'a', 'kinds': {'x', 'y', 'z'}, 'goal': np.arange(3.0), 'deep': ({1: 'b'}, None, 0.1)}]\n"
        "print(metarl_envs.fingerprint(tasks))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": "", "JAX_PLATFORMS": "cpu"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_a_pure_jax_environment_may_report_what_is_named_like_a_mask():
    class Env(metarl_envs.PointEnv):
        def transition_info(self, state, action, next_state, params=None):
            usual = super().transition_info(state, action, next_state, params)
            return usual | {"_dense": 0.0 * params.radius, "dense": params.radius, "final_obs": params.radius}

    class Family(metarl_envs.PointFamily):
        def __init__(self):
            metarl_envs.FunctionalFamily.__init__(self, Env(sparse=True, random_start=False), 3)
            self.sparse, self.radius = True, 0.25

    family = Family()
    assert family.signals == ("dense", "dense_reward", "sparse_reward")
    env = family.make_vec(family.sample_tasks(jax.random.key(0), 2), seed=0)
    env.reset()
    infos = env.step(env.action_space.sample())[-1]
    np.testing.assert_array_equal(metarl_envs.transition_info(infos, "dense"), [0.25, 0.25])
