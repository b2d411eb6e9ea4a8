"""Bad options, and benchmarks that RL2 cannot play, are refused by name before anything is computed."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from metarl_baselines.rl2 import RL2Config, RL2Learner
from metarl_envs import Benchmark, benchmark, from_gymnasium
from rlcore.experiment import RunError, override
from rlcore.meta import describe_memory

POINT = "point-sparse-v0"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("memory_size", 0, "memory_size must be positive, got 0"),
        ("embedding_size", -1, "embedding_size must be positive, got -1"),
        ("hidden_sizes", (64, 0), "hidden_sizes must be positive, got 0"),
        ("image_channels", (0,), "image_channels must be positive, got 0"),
        ("num_image_features", 0, "num_image_features must be positive"),
        ("initial_std", 0.0, "initial_std must be positive, got 0.0"),
        ("credit", "step", "credit must be one of trial, episode, got 'step'"),
        ("border_in_memory", 1, "border_in_memory must be true or false, got 1"),
        ("bptt_steps", -1, "bptt_steps must be at least 0, got -1"),
        ("num_tasks_per_iteration", -1, "num_tasks_per_iteration must be at least 0, got -1"),
        ("num_trials_per_task", 0, "num_trials_per_task must be positive, got 0"),
        ("num_episodes", 0, "num_episodes must be positive, got 0"),
        ("ease_from_iteration", -1, "ease_from_iteration must be at least 0, got -1"),
        ("num_test_episodes", 0, "num_test_episodes must be positive"),
        ("test_every", 0, "test_every must be positive"),
        ("ppo", {}, "ppo must be a PPOConfig"),
        ("baseline", "mean", "baseline must be one of network, linear, got 'mean'"),
        ("baseline", "linear", "baseline=linear needs ppo.value_coef=0 and ppo.value_scale_rate=0, got 0.5 and 0.05"),
    ],
)
def test_bad_option_is_refused_by_name_and_value(option, value, message):
    with pytest.raises(ValueError, match=message):
        RL2Config(**{option: value})


LINEAR = ["baseline=linear", "ppo.value_coef=0", "ppo.value_scale_rate=0"]


def test_a_linear_baseline_of_pictures_is_refused():
    with pytest.raises(
        ValueError, match="baseline=linear needs observations that are vectors, got pictures of point-im"
    ):
        RL2Learner(override(RL2Config(), LINEAR), benchmark("point-image-dense-32-v1"))


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        (
            "num_tasks_per_iteration=101",
            "num_tasks_per_iteration must be at most the 100 train tasks of point-sparse-v0",
        ),
        ("ppo.num_minibatches=41", "ppo.num_minibatches must be at most the 40 trials of an iteration, got 41"),
        ("training_reward=shaped", "training_reward must be one of reward, dense_reward, .*, got shaped"),
    ],
)
def test_config_that_does_not_fit_the_benchmark_is_refused(assignment, message):
    with pytest.raises(ValueError, match=message):
        RL2Learner(override(RL2Config(), [assignment]), benchmark(POINT))


class _Still(gymnasium.Env):
    def __init__(self, observation_space, action_space):
        self.observation_space, self.action_space = observation_space, action_space


VECTOR = spaces.Box(-1, 1, (2,), np.float32)


@pytest.mark.parametrize(
    ("observation_space", "action_space", "message"),
    [
        (spaces.Discrete(3), VECTOR, r"the observation space must be a vector of floats, got Discrete\(3\)"),
        (spaces.Box(0, 255, (8, 8), np.uint8), VECTOR, r"the observation space must be a vector of floats"),
        (VECTOR, spaces.Discrete(3), r"the action space must be a vector of floats, got Discrete\(3\)"),
        (VECTOR, spaces.Box(-np.inf, np.inf, (2,), np.float32), r"the action space must be bounded"),
    ],
)
def test_spaces_that_rl2_cannot_play_are_refused(observation_space, action_space, message):
    family = from_gymnasium(lambda task: _Still(observation_space, action_space), [0], horizon=5)
    with pytest.raises(ValueError, match=message):
        RL2Learner(RL2Config(num_tasks_per_iteration=1), Benchmark("still", family, [0], [0]))


def test_a_run_that_does_not_fit_into_memory_is_refused_with_what_would_help():
    config = RL2Config(num_episodes=10**9)
    with pytest.raises(RunError, match=r"the run does not fit into memory: .*lower num_tasks_per_iteration"):
        describe_memory(RL2Learner(config, benchmark(POINT)), benchmark(POINT))
