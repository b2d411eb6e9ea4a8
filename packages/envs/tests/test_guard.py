"""What a user's environment hands out: copied, of the right type, and its errors with the task they happened in."""

import collections
import dataclasses
import decimal
import enum
import fractions

import gymnasium
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from metarl_envs import from_gymnasium, transition_info
from metarl_envs.adapters.guard import as_number, copy_info, copy_observation
from metarl_envs.traits import step_signals

BOX = gymnasium.spaces.Box(-1e6, 1e6, (2,), np.float32)


class Told(gymnasium.Env):
    """Reports what its task, a function of the step, says."""

    observation_space = gymnasium.spaces.Box(-1e6, 1e6, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, tell):
        self.tell = tell

    def reset(self, *, seed=None, options=None):
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.t += 1
        return np.full(1, self.t, np.float32), 0.0, False, False, self.tell(self.t)


def play(*tells, mode=AutoresetMode.DISABLED, num_steps=1):
    env = from_gymnasium(Told, list(tells), horizon=3).make_vec(list(tells), autoreset_mode=mode)
    env.reset(seed=0)
    return [env.step(np.zeros((len(tells), 1)))[-1] for _ in range(num_steps)]


class Level(enum.IntEnum):
    HIGH = 7


NUMBERS = [
    (0, 0.0),
    (-0.4, -0.4),
    (True, 1.0),
    (False, 0.0),
    (np.bool_(True), 1.0),
    (np.int64(-3), -3.0),
    (np.uint8(200), 200.0),
    (np.float16(0.5), 0.5),
    (np.float32(0.25), 0.25),
    (np.array(2), 2.0),
    (np.array([2.5]), 2.5),
    (np.array([[True]]), 1.0),
    (jnp.float32(1.5), 1.5),
    (jnp.array([3]), 3.0),
    (jnp.bfloat16(0.5), 0.5),
    (jnp.array(True), 1.0),
    (fractions.Fraction(1, 4), 0.25),
    (decimal.Decimal("0.5"), 0.5),
    (Level.HIGH, 7.0),
    (2**62, float(2**62)),
    (float("inf"), float("inf")),
]
NO_NUMBERS = [
    "3", np.str_("3"), b"3", None, 1j, np.complex64(1), [1.0], (1.0,), {1}, np.zeros(2), np.zeros(0), 10**400,
    np.array("3"), np.array([None]), np.datetime64("2020-01-01"), np.timedelta64(3, "s"), int,
]  # fmt: skip


@pytest.mark.parametrize(("value", "number"), NUMBERS)
def test_every_numeric_scalar_becomes_a_float(value, number):
    assert as_number(value) == number
    assert type(as_number(value)) is float
    for tells in ((value, 0.125), (0.125, value), (0, value), (value, "text")):
        first, second = (lambda _, one=one: {"x": one} for one in tells)
        (infos,) = play(first, second)
        assert infos["_x"].all()
        if "text" in tells:
            assert infos["x"].tolist() == [number, "text"]
        else:
            assert infos["x"].dtype == np.float64
            assert infos["x"].tolist() == [as_number(one) for one in tells]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_anything_else_is_no_signal_but_not_lost(value):
    assert as_number(value) is None
    (infos,) = play(lambda _: {"x": value}, lambda _: {"y": 1.0})
    assert "x" in infos
    found = infos["x"][0]
    np.testing.assert_equal(found, value)
    assert infos["y"][1] == 1.0
    assert np.isnan(infos["y"][0])


@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.SAME_STEP])
def test_signals_keep_their_values_over_tasks_and_steps(mode):
    values = [[0, -0.4, np.float32(-0.75)], [True, np.array([0.25]), 3], [np.int8(1), None, 0.5]]
    tells = [lambda t, i=i: {"dense": values[t - 1][i]} for i in range(3)]
    for row, infos in zip(values, play(*tells, mode=mode, num_steps=3), strict=True):
        expected = [np.nan if value is None else as_number(value) for value in row]
        np.testing.assert_allclose(transition_info(infos, "dense"), expected)


@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.SAME_STEP])
def test_an_absent_signal_is_nan_and_not_0(mode):
    tells = [lambda t: {"dense": -1} if t == 2 else {}, lambda t: {"dense": 1} if t != 2 else {"other": 3}]
    found = [transition_info(infos, "dense") for infos in play(*tells, mode=mode, num_steps=3)]
    np.testing.assert_array_equal(found, [[np.nan, 1], [-1, np.nan], [np.nan, 1]])


def test_infos_of_any_mixture_are_kept():
    values = ["text", 1, {"a": 1, "b": {"c": 2}}, np.arange(3), np.arange(3) / 2, np.zeros((2, 2)), None, [1, "a"]]
    for shift in range(len(values)):
        order = values[shift:] + values[:shift]
        (infos,) = play(*(lambda _, one=one: {"x": one} for one in order))
        for found, value in zip(infos["x"], order, strict=True):
            np.testing.assert_equal(found, value)


def test_arrays_and_dicts_are_gathered_as_gymnasium_does():
    tells = [lambda _, i=i: {"v": np.arange(3) * (0.5 if i else 1), "d": {"l": i, "who": "me"}} for i in range(2)]
    (infos,) = play(*tells)
    np.testing.assert_array_equal(infos["v"], [[0, 1, 2], [0, 0.5, 1]])
    np.testing.assert_array_equal(infos["d"]["l"], [0, 1])
    assert infos["d"]["who"].tolist() == ["me", "me"]


class Reusing(gymnasium.Env):
    """Hands out its own arrays, and changes what it is given."""

    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, kind):
        self.kind = kind
        self.x, self.reward = np.zeros(2, np.float32), np.zeros(())
        self.info = {"x": self.x, "n": {"deep": [self.x]}, "count": self.reward}
        spaces = {"box": BOX, "dict": gymnasium.spaces.Dict(a=BOX), "tuple": gymnasium.spaces.Tuple((BOX, BOX))}
        self.observation_space = spaces[kind]

    def reset(self, *, seed=None, options=None):
        self.x[:], self.reward[()] = 0, 0
        return self._obs(), self.info

    def step(self, action):
        action *= 100
        self.x += 1
        self.reward += 1
        return self._obs(), self.reward, np.bool_(False), np.array(False), self.info

    def _obs(self):
        return {"box": self.x, "dict": {"a": self.x}, "tuple": (self.x, self.x)}[self.kind]


def first_leaf(obs):
    while isinstance(obs, dict | tuple):
        obs = next(iter(obs.values())) if isinstance(obs, dict) else obs[0]
    return obs


@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("kind", ["box", "dict", "tuple"])
def test_arrays_that_an_environment_uses_again_are_no_trap(kind, mode):
    env = from_gymnasium(Reusing, [kind], horizon=4).make_vec([kind], autoreset_mode=mode)
    obs, _ = env.reset(seed=0)
    actions = np.full((1, 2), 0.5, np.float32)
    results = [env.step(actions) for _ in range(4)]
    last = results[-1][0] if mode == AutoresetMode.DISABLED else results[-1][-1]["final_obs"][0]
    env.reset(seed=0)
    assert first_leaf(obs).max() == 0
    assert [first_leaf(result[0]).max() for result in results[:3]] == [1, 2, 3]
    assert first_leaf(last).max() == 4
    assert [result[1].tolist() for result in results] == [[1], [2], [3], [4]]
    for t, result in enumerate(results[:3], 1):
        assert result[-1]["x"].tolist() == [[t, t]]
        assert result[-1]["n"]["deep"][0][0].tolist() == [t, t]
        assert transition_info(result[-1], "count").tolist() == [t]
    assert (actions == 0.5).all()


@dataclasses.dataclass
class Note:
    seen: list


def test_info_is_copied_whatever_it_holds():
    seen = [1]
    info = {"a": seen, "b": (seen,), "c": Note(seen), "d": collections.deque(seen), "e": {"f": seen}, 3: seen}
    copied = copy_info(info)
    seen.append(2)
    info["d"].append(2)
    assert copied == {"a": [1], "b": ([1],), "c": Note([1]), "d": collections.deque([1]), "e": {"f": [1]}, 3: [1]}


@pytest.mark.parametrize("make", ["same", "wrapped", "inside", "in_list", "wrapped_unlike"])
def test_one_environment_for_two_tasks_is_refused(make):
    class Holder(Told):
        def __init__(self, inner):
            super().__init__(None)
            self.inner = inner

    shared = Told(lambda _: {})
    wrap = {
        "same": lambda _: shared,
        "wrapped": lambda _: gymnasium.wrappers.TimeLimit(shared, 5),
        "inside": lambda _: Holder(shared),
        "in_list": lambda _: Holder([shared]),
        "wrapped_unlike": lambda task: gymnasium.wrappers.TimeLimit(shared, 5) if task else shared,
    }[make]
    family = from_gymnasium(wrap, [0, 1], horizon=3)
    with pytest.raises(
        ValueError, match="make_env must make a new environment for each task: those of the tasks 0 and 1"
    ):
        family.make_vec([0, 1])
    one = family.make_vec([0])
    with pytest.raises(ValueError, match="are the same object"):
        one.set_tasks([1])
    with pytest.raises(ValueError, match="in another vector environment that is not closed"):
        family.make_vec([0])
    one.close()
    family.make_vec([0]).close()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (np.zeros(2), "must return .observation, reward.*got ndarray"),
        ((np.zeros(2), 0.0, False, {}), "must return .*got 4 values"),
        ((np.zeros(3), 0.0, False, False, {}), r"shape \(3,\), its space \(2,\)"),
        ((None, 0.0, False, False, {}), "shape|dtype"),
        ((np.array(["a", "b"]), 0.0, False, False, {}), "dtype"),
        (({"a": 1}, 0.0, False, False, {}), "shape"),
        ((np.zeros(2), None, False, False, {}), "the reward must be a number, got None"),
        ((np.zeros(2), np.zeros(2), False, False, {}), "the reward must be a number"),
        ((np.zeros(2), "1", False, False, {}), "the reward must be a number"),
        ((np.zeros(2), 0.0, False, False, None), "the info must be a dict, got NoneType"),
        ((np.zeros(2), 0.0, np.zeros(2), False, {}), "terminated must be True or False"),
        ((np.zeros(2), 0.0, None, False, {}), "terminated must be True or False, got None"),
        ((np.zeros(2), 0.0, False, "no", {}), "truncated must be True or False, got 'no'"),
        ((np.zeros(2), 0.0, False, 2, {}), "truncated must be True or False, got 2"),
    ],
)
def test_what_a_step_returns_wrongly_is_named_with_the_task(returned, message):
    class Wrong(Told):
        observation_space = BOX

        def reset(self, *, seed=None, options=None):
            return np.zeros(2, np.float32), {}

        def step(self, action):
            return returned

    env = from_gymnasium(Wrong, ["left"], horizon=3).make_vec(["left"])
    env.reset()
    with pytest.raises(ValueError, match=message) as error:
        env.step(np.zeros((1, 1)))
    assert error.value.__notes__ == ["raised in `step` of the environment of task 'left'"]


class MotorError(RuntimeError):
    def __init__(self, code, where):
        super().__init__(f"motor {code} {where}")


@pytest.mark.parametrize("method", ["make_env", "reset", "step"])
def test_errors_keep_their_type_and_traceback_and_name_the_task(method):
    class Failing(Told):
        def __init__(self, task):
            super().__init__(task)
            self.fail("make_env")

        def fail(self, where):
            if method == where and self.tell == "b":
                raise MotorError(3, where)

        def reset(self, *, seed=None, options=None):
            self.fail("reset")
            return np.zeros(1, np.float32), {}

        def step(self, action):
            self.fail("step")
            return np.zeros(1, np.float32), 0.0, False, False, {}

    def play():
        env = from_gymnasium(Failing, ["a", "b"], horizon=3).make_vec(["a", "b"])
        env.reset()
        env.step(np.zeros((2, 1)))

    with pytest.raises(MotorError, match=f"motor 3 {method}") as error:
        play()
    assert f"`{method}`" in error.value.__notes__[0]
    assert "task 'b'" in error.value.__notes__[0]
    assert error.traceback[-1].name == "fail"


@pytest.mark.parametrize("actions", [np.full((1, 1), 0.5), [[0.5]], jnp.full((1, 1), 0.5), np.ones((1, 1), int)])
def test_actions_arrive_in_the_dtype_of_the_space(actions):
    class Strict(Told):
        def step(self, action):
            assert (type(action), action.dtype, action.shape) == (np.ndarray, np.float32, (1,))
            return super().step(action)

    env = from_gymnasium(Strict, [lambda _: {}], horizon=3).make_vec([lambda _: {}])
    env.reset()
    env.step(actions)


def test_observations_of_every_space_are_copied_and_checked():
    space = gymnasium.spaces.Dict(a=BOX, n=gymnasium.spaces.Discrete(3), t=gymnasium.spaces.Text(5))
    obs = {"a": jnp.zeros(2), "n": np.int64(1), "t": "hi"}
    copied = copy_observation(space, obs)
    assert (copied["n"], copied["t"]) == (1, "hi")
    pixels = gymnasium.spaces.Box(0, 255, (2,), np.uint8)
    copy_observation(pixels, np.array([0, 255]))  # whole numbers that fit
    for wrong, message in (
        ({"a": jnp.zeros(2)}, "has the parts"),
        (obs | {"b": 1}, "has the parts"),
        (3, "has the parts int"),
        (obs | {"a": [[1, 2]]}, "shape"),
    ):
        with pytest.raises(ValueError, match=message):
            copy_observation(space, wrong)
    for wrong in (np.array([0.5, 1.0]), np.array([-1, 0]), np.array([0, 256])):
        with pytest.raises(ValueError, match="dtype"):
            copy_observation(pixels, wrong)


ODD = [
    {1: 2.0},
    {None: 1.0, (1, 2): 2.0, b"x": 3.0},
    {"final_info": 1.0},
    {"final_info": {"dense": 7.0}},
    {"final_obs": 1.0},
    {"_final_info": 1.0, "_final_obs": 1.0},
    {"_dense": 0.0},
    {"_dense": None},
    {"_dense": "x"},
    {"_dense": {"a": 1}},
    {"__dense": 0.0, "_dense": 0.0},
    {"_other": 1.0},
    {"": 1.0},
    {"nested": {1: 2.0, "1": 3.0, "_1": 0.0}},
]


@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("odd", ODD)
def test_names_that_mean_something_to_gymnasium_or_are_none_do_no_harm(odd, mode):
    for one, other in (
        ({"dense": 1.0} | odd, {"dense": 2.0} | odd),
        (odd | {"dense": 1.0}, odd | {"dense": 2.0}),
        (odd | {"dense": 1.0}, {"dense": 2.0}),
        ({"dense": 1.0}, odd | {"dense": 2.0}),
    ):
        tells = [lambda t, info=info: info for info in (one, other)]
        for infos in play(*tells, mode=mode, num_steps=3):
            np.testing.assert_array_equal(transition_info(infos, "dense"), [1, 2])
            assert "dense" in step_signals(infos, 2)
            assert set(step_signals(infos, 2)) <= {"dense", ""}
    tells = [lambda _: odd, lambda _: {"dense": 2.0}]
    for infos in play(*tells, mode=mode, num_steps=3) + play(*tells[::-1], mode=mode, num_steps=3):
        assert sorted(transition_info(infos, "dense").tolist(), key=np.isnan)[0] == 2
        assert np.isnan(transition_info(infos, "dense")).sum() == 1
        with pytest.raises(ValueError, match=r"name='x'; they report: .*dense"):
            transition_info(infos, "x")
    family = from_gymnasium(Told, [lambda _: odd | {"dense": 1.0}], horizon=3)
    assert set(family.signals) <= {"dense", ""}


def test_what_is_named_like_a_mask_stays_where_it_is_none():
    (infos,) = play(lambda _: {"_other": 1.0, "x": 1.0}, lambda _: {"_other": 3.0})
    assert infos["_other"].tolist() == [1, 3]
