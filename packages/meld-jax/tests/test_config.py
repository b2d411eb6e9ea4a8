"""What configs refuse, what presets hold, and what does not fit a benchmark."""

import dataclasses

import meld_jax
import metarl_envs
import pytest
from meld_jax import MeldConfig, ModelConfig, preset
from rlcore.experiment import RunError, override

DENSE = "point-image-dense-32-v1"


@pytest.mark.parametrize("benchmark", [DENSE, DENSE.replace("dense", "sparse"), "sawyer-reacher-v0"])
def test_tiny_takes_few_steps_on_every_benchmark(benchmark):
    assert preset("tiny", benchmark)[0].num_updates == 10


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


@pytest.mark.parametrize("name", meld_jax.PRESETS)
@pytest.mark.parametrize(
    "benchmark", [DENSE, "half-cheetah-vel-image-v0", "sawyer-peg-reference-v0", "widowx-ethernet-sparse-v0"]
)
def test_presets_fit_their_benchmarks(name, benchmark):
    config, num_iterations = preset(name, benchmark)
    assert num_iterations > 0
    if benchmark == DENSE and config.model.has_convolutions:
        benchmark = "point-image-dense-v1"
    meld_jax.make_agent(config, metarl_envs.benchmark(benchmark))


def test_presets_are_what_the_paper_and_its_code_say():
    thesis, _ = preset("thesis", "sawyer-reacher-v0")
    assert thesis.model == ModelConfig(depth=32, hidden_sizes=(32, 32), z1_size=32, z2_size=256)
    assert (thesis.num_tasks_per_iteration, thesis.num_model_updates, thesis.num_transitions) == (20, 640, 512)
    assert (thesis.model_learning_rate, thesis.sac.actor_learning_rate) == (1e-4, 3e-4)
    cheetah, _ = preset("reference", "half-cheetah-vel-image-reference-v0")
    assert (cheetah.model.z1_size, cheetah.model.z2_size, cheetah.model.reward_coef) == (64, 32, 16)
    assert (cheetah.num_initial_updates, cheetah.num_model_updates, cheetah.num_policy_updates) == (6000, 40, 40)
    peg, _ = preset("reference", "sawyer-peg-reference-v0")
    assert (peg.model.z1_size, peg.sac.hidden_sizes, peg.num_policy_updates) == (128, (512, 512), 12)


def test_presets_know_which_rewards_are_trained_on_and_kept_for_a_second_stage():
    for name in meld_jax.PRESETS:
        dense, sparse = (preset(name, f"sawyer-button-{kind}-v0")[0] for kind in ("dense", "sparse"))
        assert (dense.training_reward, dense.second_stage_reward) == ("reward", "sparse_reward")
        assert (sparse.training_reward, sparse.second_stage_reward) == ("dense_reward", "reward")
        assert dense.num_episodes == sparse.num_episodes == 2
        assert preset(name, "sawyer-peg-v0")[0].num_episodes == 1


def test_a_preset_that_is_not_there():
    with pytest.raises(ValueError, match="preset must be one of tiny, cpu, thesis, reference, got 'huge'"):
        preset("huge", DENSE)


@pytest.mark.parametrize(
    ("benchmark", "assignments", "message"),
    [
        ("point-sparse-v0", [], "the observation space must be pictures of uint8"),
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
        meld_jax.make_agent(config, metarl_envs.benchmark(benchmark))


def test_a_replay_that_does_not_fit_into_memory_is_refused_with_the_numbers():
    config = dataclasses.replace(preset("tiny", DENSE)[0], replay_capacity=10**7)
    benchmark = metarl_envs.benchmark(DENSE)
    agent = meld_jax.make_agent(config, benchmark)
    with pytest.raises(RunError, match=r"30 tasks x 10000000 trials x \d+ bytes"):
        meld_jax.check_fits(agent, benchmark)
    small = meld_jax.make_agent(preset("tiny", DENSE)[0], benchmark)
    assert "replay (30 tasks x 10 trials" in meld_jax.check_fits(small, benchmark, with_expert=True)


def test_sizes_of_beliefs_and_updates():
    assert ModelConfig(z1_size=3, z2_size=5).belief_size == 16
    assert ModelConfig(z1_size=3, z2_size=5, belief="sample").belief_size == 8
    assert MeldConfig(num_model_updates=1, num_policy_updates=2, num_joint_updates=4).num_updates == 7
