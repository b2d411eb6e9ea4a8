"""When train tasks are how hard."""

import dataclasses
from types import SimpleNamespace

import pytest
from rlcore.meta import Plan, check_curriculum, ease, find_difficulty


def make(first, last):
    return SimpleNamespace(ease_from_iteration=first, ease_until_iteration=last)


def test_difficulty_rises_linearly_between_its_iterations():
    assert [find_difficulty(make(10, 20), i) for i in (1, 10, 15, 20, 99)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert [find_difficulty(make(5, 5), i) for i in (5, 6)] == [0.0, 1.0]


def test_tasks_are_left_alone_by_default():
    assert find_difficulty(make(0, 0), 1) == 1.0


def test_a_plan_is_eased_from_a_tenth_of_a_training_to_more_than_half_of_it():
    @dataclasses.dataclass(frozen=True)
    class Config:
        ease_from_iteration: int = 0
        ease_until_iteration: int = 0

    assert ease(Plan(Config(), 7), 300) == Plan(Config(30, 165), 300)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (-1, 3, "ease_from_iteration must be at least 0, got -1"),
        (5, 4, "ease_until_iteration must be at least 5, got 4"),
    ],
)
def test_iterations_in_the_wrong_order_are_refused(first, last, message):
    with pytest.raises(ValueError, match=message):
        check_curriculum(make(first, last))
