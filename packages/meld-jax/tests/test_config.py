"""What configs refuse, and what does not fit a benchmark."""

import dataclasses

import metarl_envs
import pytest
from meld_jax import MeldConfig, MeldLearner, ModelConfig, preset
from rlcore.experiment import RunError, override
from rlcore.meta import describe_memory

DENSE = metarl_envs.benchmark("point-image-dense-32-v1")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("model.image_network=dense", "image_network must be one of conv, patches, got 'dense'"),
        ("model.activation=elu", "activation must be one of relu, leaky_relu"),
        ("model.memory=long", "memory must be one of plain, gated"),
        ("model.belief=mean", "belief must be one of moments, sample"),
        ("model.depth=0", "depth must be positive, got 0"),
        ("model.hidden_sizes=0", "hidden_sizes must be positive, got 0"),
        ("model.z1_size=0", "z1_size must be positive, got 0"),
        ("model.z2_size=-1", "z2_size must be positive, got -1"),
        ("model.min_std=0", "min_std must be positive, got 0"),
        ("model.reward_copies=0", "reward_copies must be positive, got 0"),
        ("model.image_std=0", "image_std must be positive, got 0"),
        ("model.reward_std=-1", "reward_std must be positive, got -1"),
        ("model.reward_coef=-1", "reward_coef must be at least 0, got -1"),
        ("model.kl_coef=-1", "kl_coef must be at least 0, got -1"),
        ("critic_reward=sparse", "critic_reward must be one of training, evidence"),
        ("num_episodes=0", "num_episodes must be positive, got 0"),
        ("replay_capacity=0", "replay_capacity must be positive, got 0"),
        ("model_batch_size=0", "model_batch_size must be positive, got 0"),
        ("policy_batch_size=0", "policy_batch_size must be positive, got 0"),
        ("policy_steps_per_batch=0", "policy_steps_per_batch must be positive, got 0"),
        ("num_decoded_frames=-1", "num_decoded_frames must be at least 0, got -1"),
        ("num_transitions=-1", "num_transitions must be at least 0, got -1"),
        ("num_initial_trials=0", "num_initial_trials must be positive, got 0"),
        ("num_initial_updates=-1", "num_initial_updates must be at least 0, got -1"),
        ("num_tasks_per_iteration=-1", "num_tasks_per_iteration must be at least 0, got -1"),
        ("num_joint_updates=0", "num_model_updates .* must be positive, got 0"),
        ("model_learning_rate=2", r"model_learning_rate must be in \(0, 1\], got 2"),
        ("max_model_grad_norm=0", "max_model_grad_norm must be positive, got 0"),
        ("averaging_rate=0", r"averaging_rate must be in \(0, 1\], got 0"),
        ("expert_share=1.5", r"expert_share must be in \[0, 1\], got 1.5"),
        ("num_test_trials=0", "num_test_trials must be positive, got 0"),
        ("test_every=0", "test_every must be positive, got 0"),
    ],
)
def test_options_out_of_range_are_named(assignment, message):
    with pytest.raises(ValueError, match=message):
        override(preset("tiny", DENSE)[0], [assignment])


def test_policy_updates_are_whole_batches_of_them():
    with pytest.raises(ValueError, match="num_policy_updates must be a multiple of policy_steps_per_batch=2, got 3"):
        override(preset("tiny", DENSE)[0], ["num_policy_updates=3", "policy_steps_per_batch=2"])


@pytest.mark.parametrize(
    ("benchmark", "assignments", "message"),
    [
        (metarl_envs.benchmark("point-sparse-v0"), [], "the observation space must be pictures of uint8"),
        (
            DENSE,
            ["num_tasks_per_iteration=31"],
            "must be at most the 30 train tasks of point-image-dense-32-v1, got 31",
        ),
        (DENSE, ["num_initial_trials=11"], "replay_capacity must hold the 11 initial trials, got 10"),
        (DENSE, ["training_reward=denser"], "training_reward must be one of reward, dense_reward"),
    ],
)
def test_what_does_not_fit_a_benchmark_is_refused_at_once(benchmark, assignments, message):
    config = override(preset("tiny", DENSE)[0], assignments)
    with pytest.raises(ValueError, match=message):
        MeldLearner(config, benchmark)


def test_a_replay_that_does_not_fit_into_memory_is_refused_with_the_numbers():
    config = dataclasses.replace(preset("tiny", DENSE)[0], replay_capacity=10**7)
    with pytest.raises(RunError, match=r"the run does not fit into memory: replay \d{4}\d*\.\d\d GB"):
        describe_memory(MeldLearner(config, DENSE), DENSE)
    assert describe_memory(MeldLearner(preset("tiny", DENSE)[0], DENSE), DENSE).startswith("memory: replay 0.04 GB")


def test_sizes_of_beliefs_and_updates():
    assert ModelConfig(z1_size=3, z2_size=5).belief_size == 16
    assert ModelConfig(z1_size=3, z2_size=5, belief="sample").belief_size == 8
    assert MeldConfig(num_model_updates=1, num_policy_updates=2, num_joint_updates=4).num_updates == 7
