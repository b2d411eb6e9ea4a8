"""What algorithms ask of spaces: refused with a hint what would help."""

import types

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from metarl_envs import Benchmark, check_actions, check_vector_space, from_gymnasium, is_picture, read_actions

VECTOR = spaces.Box(-1, 1, (2,), np.float32)
LARGEST = np.finfo(np.float32).max


def make_benchmark(actions, functional=None):
    family = types.SimpleNamespace(
        action_space=actions,
        observation_space=VECTOR,
        functional=functional,
        horizon=3,
        sample_tasks=None,
        make_vec=None,
    )
    return Benchmark("mine", family, [0], [0])


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-np.inf, np.inf),
        (-1, np.inf),
        (-LARGEST, LARGEST),
        (-LARGEST, 1e32),
        (-0.6 * LARGEST, 0.6 * LARGEST),
        (1, 1),
    ],
)
def test_bounds_that_nothing_can_be_scaled_to_are_refused(low, high):
    with pytest.raises(ValueError, match=r"benchmark mine: the action space must (be bounded|have lower bounds)"):
        check_actions(make_benchmark(spaces.Box(np.float32(low), np.float32(high), (2,), np.float32)))


def test_bounds_of_doubles_that_are_beyond_floats_are_refused():
    with pytest.raises(ValueError, match="more than a float32 can hold"):
        check_actions(make_benchmark(spaces.Box(-1e39, 1e39, (2,), np.float64)))
    low = np.array([-1, -LARGEST], np.float32)
    with pytest.raises(ValueError, match="must be bounded"):
        check_actions(make_benchmark(spaces.Box(low, -low, (2,), np.float32)))


@pytest.mark.parametrize(("low", "high"), [(-2, 2), (0, 10), (-1e30, 1e30), (-0.4 * LARGEST, 0.4 * LARGEST)])
def test_bounds_that_are_numbers_are_fine(low, high):
    assert check_actions(make_benchmark(spaces.Box(np.float32(low), np.float32(high), (3,), np.float32))) == 3


@pytest.mark.parametrize(
    ("space", "hints"),
    [
        (spaces.Discrete(4), ["got Discrete(4); ", "TransformAction", "4 numbers"]),
        (spaces.MultiDiscrete([2, 3]), ["TransformAction"]),
        (spaces.MultiBinary(3), ["TransformAction"]),
        (spaces.Box(-1, 1, (2, 3), np.float32), ["TransformAction", "reshape"]),
        (spaces.Dict(a=VECTOR), ["TransformAction"]),
    ],
)
def test_actions_of_another_kind_are_refused_with_a_hint(space, hints):
    with pytest.raises(ValueError, match="the action space must be a vector of floats") as error:
        check_actions(make_benchmark(space))
    for hint in hints:
        assert hint in str(error.value)


def test_choices_are_told_from_vectors():
    assert read_actions(make_benchmark(spaces.Discrete(4, start=2))) == (4, True)
    assert read_actions(make_benchmark(VECTOR)) == (2, False)
    with pytest.raises(ValueError, match="a functional family's choices must begin with 0, got Discrete"):
        read_actions(make_benchmark(spaces.Discrete(4, start=2), functional=object()))


OBSERVATIONS = [
    (spaces.Dict(a=VECTOR), ["FlattenObservation"]),
    (spaces.Tuple((VECTOR, VECTOR)), ["FlattenObservation"]),
    (spaces.Discrete(4), ["FlattenObservation", "one-hot", "TransformObservation"]),
    (spaces.MultiDiscrete([2, 3]), ["FlattenObservation", "TransformObservation"]),
    (spaces.MultiBinary(3), ["TransformObservation", "astype"]),
    (spaces.Box(0, 9, (3,), np.int64), ["TransformObservation", "astype"]),
    (spaces.Box(-1, 1, (2, 3), np.float32), ["FlattenObservation"]),
    (spaces.Box(0, 255, (7, 7, 3), np.uint8), ["FlattenObservation", "astype"]),
    (spaces.Text(3), ["TransformObservation"]),
]


@pytest.mark.parametrize(("space", "hints"), OBSERVATIONS)
def test_observations_of_another_kind_are_refused_with_a_hint(space, hints):
    with pytest.raises(ValueError, match="benchmark mine: the observation space must be a vector of floats") as error:
        check_vector_space(make_benchmark(VECTOR), "observation", space)
    for hint in hints:
        assert hint in str(error.value)


def test_what_the_hints_say_works():
    def make_env(gravity):
        env = gymnasium.make("CartPole-v1")
        env.unwrapped.gravity = gravity
        return gymnasium.wrappers.TransformAction(env, np.argmax, spaces.Box(-1, 1, (2,), np.float32))

    family = from_gymnasium(make_env, [5.0, 10.0])
    bench = Benchmark("mine", family, [5.0, 10.0], [8.0])
    assert check_actions(bench) == 2
    check_vector_space(bench, "observation", family.observation_space)
    env = family.make_vec([5.0, 10.0], seed=0)
    env.reset()
    env.step(env.action_space.sample())


@pytest.mark.parametrize("kind", ["observation", "action"])
def test_vectors_of_no_numbers_are_refused(kind):
    empty = spaces.Box(-1, 1, (0,), np.float32)
    with pytest.raises(ValueError, match=f"benchmark mine: the {kind} space must hold a number, got Box"):
        check_vector_space(make_benchmark(VECTOR), kind, empty)
    with pytest.raises(ValueError, match="the action space must hold a number"):
        check_actions(make_benchmark(empty))


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.Box(0, 255, (8, 8, 3), np.uint8), True),
        (spaces.Box(0, 255, (8, 8), np.uint8), False),
        (spaces.Box(0, 1, (8, 8, 3), np.float32), False),
        (VECTOR, False),
        (spaces.Discrete(3), False),
    ],
)
def test_pictures_are_three_dimensions_of_bytes(space, expected):
    assert is_picture(space) is expected
