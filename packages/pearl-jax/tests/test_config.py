import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from metarl_envs import Benchmark, benchmark, from_gymnasium
from pearl_jax import PearlConfig, PearlLearner
from rlcore.experiment import RunError
from rlcore.meta import describe_memory


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
        ("num_hypotheses", -1, "num_hypotheses must be at least 0, got -1"),
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
        {"encoder": "deterministic", "num_hypotheses": 8},
        {"encoder": "recurrent", "max_context_episodes": 3},
        {"context_sampler": "same_batch", "max_context_episodes": 3},
    ],
)
def test_contradicting_options_are_refused(options):
    with pytest.raises(ValueError, match=r"must be|needs"):
        PearlConfig(**options)


def test_rows_that_a_run_collects_are_all_of_them_where_every_task_is_always_visited():
    config = PearlConfig(num_tasks_per_iteration=0, num_initial_episodes=2, num_prior_episodes=1, num_extra_episodes=2)
    assert config.num_rows(num_tasks=7, num_iterations=10, horizon=20) == (2 + 10 * 3) * 20


def test_rows_that_a_run_collects_suffice_for_nearly_every_task():
    config = PearlConfig(num_tasks_per_iteration=10, num_initial_episodes=1, num_prior_episodes=1, num_extra_episodes=0)
    rows = config.num_rows(num_tasks=100, num_iterations=150, horizon=1) - 1  # less the initial episode
    visits = np.random.default_rng(0).random((150, 100)).argsort(axis=1) < 10
    assert visits.sum(axis=0).mean() < rows < 2 * visits.sum(axis=0).mean()
    assert (visits.sum(axis=0) > rows).mean() <= 0.02


def test_a_run_that_does_not_fit_into_memory_is_refused_with_the_numbers():
    chosen = benchmark("point-sparse-v0")
    with pytest.raises(RunError, match=r"the run does not fit into memory: replay \d{5}\.\d\d GB"):
        describe_memory(PearlLearner(PearlConfig(replay_capacity=10**10), chosen), chosen)
    assert describe_memory(PearlLearner(PearlConfig(), chosen), chosen).startswith("memory: replay 0.08 GB")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tasks_per_iteration": 101}, "num_tasks_per_iteration must be at most the 100 train tasks"),
        ({"replay_capacity": 50}, "replay_capacity must hold the .* steps of a visit, got 50"),
    ],
)
def test_config_that_does_not_fit_the_benchmark_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PearlLearner(PearlConfig(**options), benchmark("point-sparse-v0"))


@pytest.mark.parametrize("host", [False, True])
def test_training_reward_that_nobody_reports_is_refused(host):
    chosen = benchmark("point-sparse-v0")
    if host:
        family = from_gymnasium(lambda task: gymnasium.make("metarl_envs/PointSparse-v0"), [0], horizon=20)
        chosen = Benchmark("hosted", family, [0], [0])
    config = PearlConfig(training_reward="shaped_reward", num_tasks_per_iteration=0)
    with pytest.raises(ValueError, match=r"training_reward must be one of reward, dense_reward, .*, got shaped_reward"):
        PearlLearner(config, chosen)


class _Still(gymnasium.Env):
    def __init__(self, observation_space, action_space):
        self.observation_space, self.action_space = observation_space, action_space


VECTOR = spaces.Box(-1, 1, (2,), np.float32)


@pytest.mark.parametrize(
    ("observation_space", "action_space", "message"),
    [
        (spaces.Discrete(3), VECTOR, r"the observation space must be a vector of floats, got Discrete\(3\)"),
        (spaces.Box(0, 255, (8, 8), np.uint8), VECTOR, r"the observation space must be a vector of floats"),
        (VECTOR, spaces.MultiBinary(3), r"the action space must be a vector of floats, got MultiBinary\(3\)"),
        (VECTOR, spaces.Box(-np.inf, np.inf, (2,), np.float32), r"the action space must be bounded"),
    ],
)
def test_spaces_that_pearl_cannot_play_are_refused(observation_space, action_space, message):
    family = from_gymnasium(lambda task: _Still(observation_space, action_space), [0], horizon=5)
    with pytest.raises(ValueError, match=message):
        PearlLearner(PearlConfig(num_tasks_per_iteration=1), Benchmark("still", family, [0], [0]))


def test_functional_family_must_take_actions_as_the_policy_gives_them():
    class Stretched:
        action_space = spaces.Box(-2, 2, (2,), np.float32)

        def __getattr__(self, name):
            return getattr(benchmark("point-sparse-v0").family, name)

    tasks = benchmark("point-sparse-v0").test_tasks
    with pytest.raises(ValueError, match=r"a functional family's actions must be in \[-1, 1\]"):
        PearlLearner(PearlConfig(), Benchmark("stretched", Stretched(), tasks, tasks))
