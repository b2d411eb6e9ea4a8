"""Presets of an algorithm: a plan for a benchmark by the name of the preset."""

from types import SimpleNamespace

import pytest
from rlcore.meta import Plan, Preset, Presets

PRESETS = Presets(
    lambda benchmark: len(benchmark.train_tasks),
    {
        "small": Preset(lambda num_tasks: Plan({"tasks": num_tasks}, 3), "a smoke test"),
        "large": Preset(lambda num_tasks: Plan({"tasks": 2 * num_tasks}, 30), "everything"),
    },
)


def test_traits_of_the_benchmark_decide():
    benchmark = SimpleNamespace(train_tasks=[0, 1, 2])
    assert PRESETS.plan("small", benchmark) == ({"tasks": 3}, 3)
    assert PRESETS.plan("large", benchmark) == ({"tasks": 6}, 30)


def test_they_are_listed_in_their_order():
    assert [(name, preset.purpose) for name, preset in PRESETS.items()] == [
        ("small", "a smoke test"),
        ("large", "everything"),
    ]
    assert "medium" not in PRESETS
    assert len(PRESETS) == 2


def test_what_is_no_preset_or_benchmark_is_refused():
    with pytest.raises(ValueError, match="preset must be one of small, large, got 'medium'"):
        PRESETS.plan("medium", SimpleNamespace(train_tasks=[]))
    with pytest.raises(ValueError, match=r"benchmark must be .*, got 3$"):
        PRESETS.plan("small", 3)
    with pytest.raises(ValueError, match=r"got 'point'; metarl_envs.benchmark\('point'\) is one, if registered"):
        PRESETS.plan("small", "point")
