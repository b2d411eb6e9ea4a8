"""What presets are for registered benchmarks and for a user's own: traits decide, names never."""

import numpy as np
import pytest
from baseline_cases import VECTOR, make_own
from gymnasium import spaces
from metarl_baselines.rl2 import PRESETS, RL2Learner, preset
from metarl_envs import benchmark, benchmark_names

PLAYABLE = [name for name in benchmark_names() if not name.startswith("catcher-")]
PICTURE = spaces.Box(0, 255, (20, 24, 3), np.uint8)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("benchmark_name", PLAYABLE)
def test_every_preset_fits_every_registered_benchmark(name, benchmark_name):
    config, num_iterations = preset(name, benchmark(benchmark_name))
    assert num_iterations > 0
    RL2Learner(config, benchmark(benchmark_name))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("num_tasks", [1, 2, 39, 100_000])
@pytest.mark.parametrize("horizon", [1, 50, 51])
@pytest.mark.parametrize("space", [VECTOR, PICTURE])
def test_options_of_own_benchmarks_fit_whatever_they_are_called(name, num_tasks, horizon, space):
    for signals in ((), ("dense_reward",)):
        own, other = (
            make_own(called, num_tasks=num_tasks, horizon=horizon, space=space, signals=signals)
            for called in ("mine", "half-cheetah-dir-mine")
        )
        plan = preset(name, own)
        assert preset(name, other) == plan
        assert plan.config.training_reward == ("dense_reward" if signals else "reward")
        RL2Learner(plan.config, own)


def test_few_tasks_are_played_several_times_in_an_iteration():
    for name, least in (("cpu", 20), ("reference", 100)):
        config = preset(name, make_own(num_tasks=2)).config
        assert config.num_tasks_per_iteration * config.num_trials_per_task >= least


def test_reference_has_the_weaknesses_of_the_code_and_the_others_do_not():
    for name in PRESETS:
        config = preset(name, make_own()).config
        weak = (config.credit == "episode", not config.border_in_memory)
        assert weak == ((True, True) if name == "reference" else (False, False))


def test_reference_takes_as_many_steps_as_the_thesiss_curves():
    config, num_iterations = preset("reference", make_own(num_tasks=100))
    assert num_iterations * config.num_tasks_per_iteration * config.num_episodes * 200 == 100_000_000


@pytest.mark.parametrize(("name", "chosen"), [("huge", "x"), ("tiny", "point-sparse-v0")])
def test_what_is_no_preset_or_benchmark_is_refused(name, chosen):
    with pytest.raises(
        ValueError, match=r"preset must be one of tiny, cpu, explore, reference|benchmark must be a metarl_envs"
    ):
        preset(name, chosen)
