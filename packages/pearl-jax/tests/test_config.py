import dataclasses

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from metarl_envs import Benchmark, benchmark, benchmark_names, from_gymnasium
from pearl_jax import PRESETS, PearlConfig, check_fits, make_agent, preset
from rlcore.experiment import RunError, num_bytes


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("latent_size", 0, "latent_size must be positive, got 0"),
        ("encoder", "transformer", "encoder must be one of gaussian, deterministic, recurrent, got 'transformer'"),
        ("factor", "width", "factor must be one of"),
        ("kl_reduction", "max", "kl_reduction must be one of"),
        ("context_sampler", "newest", "context_sampler must be one of"),
        ("encoder_sizes", (64, 0), "encoder_sizes must be positive, got 0"),
        ("kl_coef", -0.1, "kl_coef must be at least 0, got -0.1"),
        ("blank_kl_coef", -0.1, "blank_kl_coef must be at least 0, got -0.1"),
        ("meta_batch_size", -1, "meta_batch_size must be positive, got -1"),
        ("batch_size", 0, "batch_size must be positive"),
        ("context_size", 0, "context_size must be positive"),
        ("max_context_episodes", -1, "max_context_episodes must be at least 0"),
        ("replay_capacity", 0, "replay_capacity must be positive"),
        ("num_initial_episodes", 0, "num_initial_episodes must be positive"),
        ("num_tasks_per_iteration", -1, "num_tasks_per_iteration must be at least 0"),
        ("num_prior_episodes", -1, "num_prior_episodes must be at least 0"),
        ("num_extra_episodes", -1, "num_extra_episodes must be at least 0"),
        ("num_updates", 0, "num_updates must be positive"),
        ("ease_from_iteration", -1, "ease_from_iteration must be at least 0"),
        ("averaging_rate", 1.5, r"averaging_rate must be in \(0, 1\], got 1.5"),
        ("num_test_episodes", 0, "num_test_episodes must be positive"),
        ("test_every", 0, "test_every must be positive"),
    ],
)
def test_bad_option_is_refused_by_name_and_value(option, value, message):
    with pytest.raises(ValueError, match=message):
        PearlConfig(**{option: value})


@pytest.mark.parametrize(
    "options",
    [
        {"num_prior_episodes": 0, "num_posterior_episodes": 0},
        {"ease_from_iteration": 5, "ease_until_iteration": 4},
        {"encoder": "recurrent", "encoder_sizes": ()},
        {"encoder": "recurrent", "blank_kl_coef": 0.1},
        {"encoder": "recurrent", "max_context_episodes": 3},
        {"context_sampler": "same_batch", "max_context_episodes": 3},
    ],
)
def test_contradicting_options_are_refused(options):
    with pytest.raises(ValueError, match=r"must be|needs"):
        PearlConfig(**options)


def test_difficulty_rises_linearly_between_its_iterations():
    config = PearlConfig(ease_from_iteration=10, ease_until_iteration=20)
    assert [config.difficulty(i) for i in (1, 10, 15, 20, 99)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert PearlConfig().difficulty(1) == 1.0


VECTORS = [
    name
    for name in benchmark_names()
    if not name.startswith(("catcher-", "sawyer-", "widowx-")) and "image" not in name
]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("benchmark_name", VECTORS)
def test_every_preset_fits_every_benchmark_with_vectors_to_observe(name, benchmark_name):
    if name == "explore" and not benchmark_name.startswith("point-sparse"):
        pytest.skip("explore is for sparse navigation")
    config, num_iterations = preset(name, benchmark_name)
    assert num_iterations > 0
    assert make_agent(config, benchmark(benchmark_name)).config == config


def test_images_are_refused_in_a_line():
    config, _ = preset("cpu", "catcher-v0")
    with pytest.raises(ValueError, match="benchmark catcher-v0: the observation space must be a vector of floats"):
        make_agent(config, benchmark("catcher-v0"))


def test_thesis_and_reference_differ_where_the_documents_do():
    thesis, reference = (dataclasses.asdict(preset(n, "point-sparse-v0")[0]) for n in ("thesis", "reference"))
    assert {k for k in thesis if thesis[k] != reference[k]} == {
        "kl_reduction",
        "next_obs_in_context",
        "num_tasks_per_iteration",
        "num_prior_episodes",
        "num_posterior_episodes",
        "num_test_prior_episodes",
    }


def test_rows_that_a_run_collects_are_all_of_them_where_every_task_is_always_visited():
    config = PearlConfig(num_tasks_per_iteration=0, num_initial_episodes=2, num_prior_episodes=1, num_extra_episodes=2)
    assert config.num_rows(num_tasks=7, num_iterations=10, horizon=20) == (2 + 10 * 3) * 20


def test_replays_of_presets_stay_below_16_gigabytes():
    config, _ = preset("thesis", "humanoid-dir-v0")
    row = num_bytes(make_agent(config, benchmark("humanoid-dir-v0")).example_row())
    assert 15.9e9 < row * 100 * config.replay_capacity <= 16e9


def test_rows_that_a_run_collects_suffice_for_nearly_every_task():
    config = PearlConfig(num_tasks_per_iteration=10, num_initial_episodes=1, num_prior_episodes=1, num_extra_episodes=0)
    rows = config.num_rows(num_tasks=100, num_iterations=150, horizon=1) - 1  # less the initial episode
    visits = np.random.default_rng(0).random((150, 100)).argsort(axis=1) < 10
    assert visits.sum(axis=0).mean() < rows < 2 * visits.sum(axis=0).mean()
    assert (visits.sum(axis=0) > rows).mean() <= 0.02


def test_presets_of_locomotion_hold_what_they_collect_and_end_with_their_schedules():
    for name in ("half-cheetah-vel-v0", "half-cheetah-dir-v0"):
        config, num_iterations = preset("cpu", name)
        assert config.sac.decay_until_update == config.num_updates * num_iterations
        num_train_tasks = benchmark(name).num_train_tasks
        assert config.replay_capacity == config.num_rows(
            num_train_tasks, num_iterations, benchmark(name).family.horizon
        )
    assert preset("cpu", "walker-params-v0")[0].next_obs_in_context
    assert not preset("reference", "half-cheetah-vel-v0")[0].next_obs_in_context
    assert preset("cpu", "mine")[0].replay_capacity == PearlConfig().replay_capacity


def test_a_run_that_does_not_fit_into_memory_is_refused_with_the_numbers():
    chosen = benchmark("point-sparse-v0")
    agent = make_agent(PearlConfig(replay_capacity=10**10), chosen)
    with pytest.raises(RunError, match=r"replay \(100 tasks x 10000000000 transitions x 36 bytes\) 36000.00 GB"):
        check_fits(agent, chosen)
    fitting = make_agent(PearlConfig(), chosen)
    assert check_fits(fitting, chosen).startswith("memory: replay (100 tasks x 20000 transitions x 36 bytes) 0.07 GB")


def test_unknown_preset_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match=r"preset must be one of tiny, cpu, .*, got huge"):
        preset("huge", "point-sparse-v0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tasks_per_iteration": 101}, "num_tasks_per_iteration must be at most the 100 train tasks"),
        ({"replay_capacity": 50}, "replay_capacity must hold the .* steps of a visit, got 50"),
    ],
)
def test_config_that_does_not_fit_the_benchmark_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_agent(PearlConfig(**options), benchmark("point-sparse-v0"))


@pytest.mark.parametrize("host", [False, True])
def test_training_reward_that_nobody_reports_is_refused(host):
    chosen = benchmark("point-sparse-v0")
    if host:
        family = from_gymnasium(lambda task: gymnasium.make("metarl_envs/PointSparse-v0"), [0], horizon=20)
        chosen = Benchmark("hosted", family, [0], [0])
    config = PearlConfig(training_reward="shaped_reward", num_tasks_per_iteration=0)
    with pytest.raises(ValueError, match=r"training_reward must be one of reward, dense_reward, .*, got shaped_reward"):
        make_agent(config, chosen)


class _Still(gymnasium.Env):
    def __init__(self, observation_space, action_space):
        self.observation_space, self.action_space = observation_space, action_space


VECTOR = spaces.Box(-1, 1, (2,), np.float32)


@pytest.mark.parametrize(
    ("observation_space", "action_space", "message"),
    [
        (spaces.Discrete(3), VECTOR, r"the observation space must be a vector of floats, got Discrete\(3\)"),
        (spaces.Box(0, 255, (8, 8, 3), np.uint8), VECTOR, r"the observation space must be a vector of floats"),
        (VECTOR, spaces.Discrete(3), r"the action space must be a vector of floats, got Discrete\(3\)"),
        (VECTOR, spaces.Box(-np.inf, np.inf, (2,), np.float32), r"the action space must be bounded"),
    ],
)
def test_spaces_that_pearl_cannot_play_are_refused(observation_space, action_space, message):
    family = from_gymnasium(lambda task: _Still(observation_space, action_space), [0], horizon=5)
    with pytest.raises(ValueError, match=message):
        make_agent(PearlConfig(num_tasks_per_iteration=1), Benchmark("still", family, [0], [0]))


def test_functional_family_must_take_actions_as_the_policy_gives_them():
    class Stretched:
        action_space = spaces.Box(-2, 2, (2,), np.float32)

        def __getattr__(self, name):
            return getattr(benchmark("point-sparse-v0").family, name)

    tasks = benchmark("point-sparse-v0").test_tasks
    with pytest.raises(ValueError, match=r"a functional family's actions must be in \[-1, 1\]"):
        make_agent(PearlConfig(), Benchmark("stretched", Stretched(), tasks, tasks))


def test_explore_ends_its_schedules_with_its_iterations():
    config, num_iterations = preset("explore", "point-sparse-v0")
    assert config.sac.decay_until_update == config.num_updates * num_iterations
    assert config.ease_until_iteration < num_iterations
