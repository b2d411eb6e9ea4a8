"""Tasks that differ, in whatever, are never played in one environment."""

import collections
import dataclasses
import functools
import subprocess
import sys
import types
from typing import NamedTuple

import gymnasium
import numpy as np
import pytest
from metarl_envs import fingerprint, from_gymnasium
from metarl_envs.adapters.task_names import is_same

CODE = """
import dataclasses, enum
from typing import NamedTuple
NUMBER = {number}
def gravity(): return NUMBER
class Gravity:
    def __call__(self): return NUMBER
class Pair(NamedTuple):
    x: float = 0.0
    def __call__(self): return NUMBER
@dataclasses.dataclass(frozen=True)
class Robot:
    x: float = 0.0
    def __call__(self): return NUMBER
class Kind(enum.Enum):
    A = 1
    def __call__(self): return NUMBER
class Numbers(list):
    def __call__(self): return NUMBER
"""


@pytest.fixture
def modules(monkeypatch):
    """Two modules that have the same names, and say 1 and 2."""
    made = []
    for name, number in (("light", 1), ("heavy", 2)):
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(CODE.format(number=number), module.__dict__)
        made.append(module)
    return made


class Told(gymnasium.Env):
    """The reward is the number it was made with."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, number):
        self.number = number

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), self.number, False, False, {}


def rewards(env):
    env.reset(seed=0)
    return env.step(np.zeros((env.num_envs, 1)))[1].tolist()


def assert_told_apart(first, second, read=lambda task: task()):
    family = from_gymnasium(lambda task: Told(float(read(task))), [first, second], horizon=3)
    env = family.make_vec([first, second])
    assert rewards(env) == [1, 2]
    for tasks, expected in (([second, first], [2, 1]), ([first, first], [1, 1]), ([second, second], [2, 2])):
        env.set_tasks(tasks)
        assert rewards(env) == expected
    env.close()


MAKERS = {
    "function": lambda m: m.gravity,
    "class": lambda m: types.SimpleNamespace(kind=m.Gravity),
    "object": lambda m: m.Gravity(),
    "named tuple": lambda m: m.Pair(),
    "dataclass": lambda m: m.Robot(),
    "enum": lambda m: m.Kind.A,
    "list": lambda m: m.Numbers([1]),
    "partial": lambda m: functools.partial(m.gravity),
    "inner": lambda m: types.SimpleNamespace(kind=lambda: m.gravity),
}


@pytest.mark.parametrize("name", MAKERS)
def test_what_has_one_name_in_two_modules_is_told_apart(modules, name):
    first, second = map(MAKERS[name], modules)
    read = (lambda task: task.kind()()) if name in ("class", "inner") else lambda task: task()
    assert_told_apart(first, second, read)
    if name != "inner":
        assert fingerprint([first]) != fingerprint([second])


def make_named(number):
    def fn():
        return number

    fn.__qualname__ = "make_named"  # which names another function
    return fn


@dataclasses.dataclass
class Record:
    x: float = 1.0

    @functools.cached_property
    def double(self):
        return 2 * self.x


class Numbers(list):
    pass


class Names(dict):
    pass


class Goal(NamedTuple):
    x: float


class NamedGoal(Goal):
    pass


class Few(set):
    pass


class Hidden:
    """Pickle is told nothing of it."""

    def __reduce__(self):
        return Hidden, ()


class Equal:
    """Says that it equals all others."""

    def __eq__(self, other):
        return True

    __hash__ = None


class Units(np.ndarray):
    pass


def with_number(make):
    tasks = make(), make()
    for i, task in enumerate(tasks):
        task.number = i + 1
    return tasks


@pytest.mark.parametrize(
    "make",
    [
        Record,
        Numbers,
        Names,
        Few,
        Hidden,
        Equal,
        lambda: NamedGoal(1.0),
        lambda: collections.deque.__new__(type("Queue", (collections.deque,), {})),
        lambda: functools.partial(max, 1),
        lambda: np.zeros(2).view(Units),
    ],
)
def test_attributes_tell_tasks_apart(make):
    assert_told_apart(*with_number(make), read=lambda task: task.number)


def test_masks_tell_tasks_apart():
    tasks = [np.ma.array([2.0, 1.0], mask=mask) for mask in ([1, 0], [0, 1])]
    assert_told_apart(*tasks, read=lambda task: task.sum())
    with pytest.raises(ValueError, match=r"a MaskedArray has no fingerprint.*make it a plain NumPy array"):
        fingerprint(tasks)
    with pytest.raises(ValueError, match="a Units has no fingerprint"):
        fingerprint([np.zeros(2).view(Units)])
    with pytest.raises(ValueError, match=r"a .*Few has no fingerprint: make it a set"):
        fingerprint([Few()])


def test_functions_whose_names_say_another_are_told_apart():
    assert_told_apart(make_named(1), make_named(2))
    with pytest.raises(ValueError, match="its name does not say what it is"):
        fingerprint([make_named(1)])


def test_what_is_computed_from_fields_is_no_difference():
    first, second = Record(), Record()
    assert first.double == 2
    assert fingerprint([first]) == fingerprint([second])


def test_a_script_and_its_module_agree(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import metarl_envs\nclass Task: pass\ndef task(): pass\n"
        "print(metarl_envs.fingerprint([Task, Task(), task]))\n",
        encoding="utf-8",
    )
    found = set()
    for arguments in (["mine.py"], ["-m", "mine"], ["-c", "import mine"]):
        result = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120
        )
        found.add(result.stdout)
    assert len(found) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"a": [1, (2.0, float("nan"))], "b": np.arange(3)},
        lambda: Goal(np.zeros(2)),
        lambda: Record(np.zeros(2)),
        lambda: types.SimpleNamespace(x=1),
        lambda: Numbers([1, 2]),
        lambda: np.float32(1),
        lambda: np.array([None, [1]], object),
    ],
)
def test_what_says_the_same_is_one_task(make):
    assert is_same(make(), make())
    made = []
    env = from_gymnasium(lambda task: made.append(task) or Told(1.0), [make()], horizon=3).make_vec([make()])
    env.set_tasks([make()])
    assert len(made) == 2  # the first was looked at
