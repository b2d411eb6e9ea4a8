"""What presets are for registered benchmarks and for a user's own: traits decide, then exact names, never prefixes."""

import jax
import numpy as np
import pytest
from gymnasium import spaces
from meld_jax import PRESETS, MeldConfig, MeldLearner, ModelConfig, preset
from meld_jax.images import check_picture
from meld_jax.presets.traits import read_traits
from metarl_envs import Benchmark, TaskFamily, benchmark, benchmark_names
from rlcore.experiment import num_bytes

PICTURES = [
    name
    for name in benchmark_names()
    if not name.startswith("catcher-") and len(benchmark(name).family.observation_space.shape) == 3
]
FUNCTIONAL = [name for name in PICTURES if benchmark(name).family.functional is not None]
NAMES = (
    "mine",
    "point-image-dense-mine",
    "half-cheetah-vel-mine",
    "sawyer-peg-7",
    "widowx-ethernet-sparse",
    "x-sparse",
)
BOTH = ("dense_reward", "sparse_reward")
MOST_BYTES = {"tiny": 5e9, "cpu": 5e9, "thesis": 16e9, "reference": 16e9}


class OwnFamily(TaskFamily):
    """What nobody has to play to choose options."""

    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, horizon, shape, signals, terminates):
        self.horizon, self.signals, self.terminates = horizon, signals, terminates
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)

    def sample_tasks(self, key, n):
        raise NotImplementedError

    def make_vec(self, tasks, seed=None):
        raise NotImplementedError


def make_own(name="mine", *, num_tasks=30, horizon=20, shape=(32, 32, 3), signals=(), terminates=False):
    family = OwnFamily(horizon, shape, signals, terminates)
    return Benchmark(name, family, np.zeros(num_tasks), np.zeros(3))


def check_fits(config, chosen, most_bytes):
    traits = read_traits(chosen)
    check_picture(config.model, chosen.name, traits.picture)
    assert config.num_tasks_per_iteration <= chosen.num_train_tasks
    assert config.replay_capacity >= config.num_initial_trials
    size = config.replay_capacity * traits.frame_bytes * traits.num_frames * traits.num_tasks
    assert config.replay_capacity == config.num_initial_trials or size <= most_bytes


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("benchmark_name", PICTURES)
def test_every_preset_fits_every_registered_benchmark(name, benchmark_name):
    config, num_iterations = preset(name, benchmark(benchmark_name))
    assert num_iterations > 0
    check_fits(config, benchmark(benchmark_name), MOST_BYTES[name])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("benchmark_name", FUNCTIONAL)
def test_learners_are_made_of_every_preset_and_their_trials_have_the_bytes_that_were_planned(name, benchmark_name):
    chosen = benchmark(benchmark_name)
    learner = MeldLearner(preset(name, chosen).config, chosen)
    traits = read_traits(chosen)
    assert num_bytes(jax.eval_shape(learner.agent.example_trial)) == traits.frame_bytes * traits.num_frames


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("num_tasks", [1, 3, 100_000])
@pytest.mark.parametrize("horizon", [1, 7, 1000])
@pytest.mark.parametrize("shape", [(32, 32, 3), (84, 84, 9), (36, 72, 3)])
def test_options_of_own_benchmarks_fit_whatever_they_are_called(name, num_tasks, horizon, shape):
    for signals in ((), BOTH):
        for terminates in (False, True):
            own, *others = (
                make_own(
                    called,
                    num_tasks=num_tasks,
                    horizon=horizon,
                    shape=shape,
                    signals=signals,
                    terminates=terminates,
                )
                for called in NAMES
            )
            plan = preset(name, own)
            assert all(preset(name, other) == plan for other in others)
            assert plan.num_iterations > 0
            check_fits(plan.config, own, MOST_BYTES[name])


def test_convolutions_give_way_to_patches_where_a_picture_has_no_sides_for_them():
    for name in ("thesis", "reference"):
        assert preset(name, make_own(shape=(64, 128, 3))).config.model.image_network == "conv"
        assert preset(name, make_own(shape=(84, 84, 3))).config.model.image_network == "patches"
        assert (
            preset(name, make_own(shape=(50, 50, 3))).config.model.image_network == "conv"
        )  # the learner says why not


def test_presets_of_vectors_are_made_for_the_learner_to_refuse():
    nested = make_own()
    nested.family.observation_space = spaces.Dict({"x": spaces.Box(0, 1, (2,), np.float32)})
    for chosen in (benchmark("point-sparse-v0"), nested):
        for name in PRESETS:
            with pytest.raises(ValueError, match="the observation space must be pictures of uint8"):
                MeldLearner(preset(name, chosen).config, chosen)


def test_horizons_choose_the_discount_and_how_many_pictures_are_explained():
    discounts = {n: preset("cpu", make_own(horizon=n)).config.sac.discount for n in (20, 25, 26, 50, 51)}
    assert discounts == {20: 0.9, 25: 0.9, 26: 0.95, 50: 0.95, 51: 0.99}
    assert preset("cpu", make_own(signals=BOTH)).config.sac.discount == 0.95
    assert preset("cpu", make_own(horizon=99)).config.num_decoded_frames == 0
    assert preset("cpu", make_own(horizon=100)).config.num_decoded_frames == 24


def test_thesis_and_reference_are_what_the_paper_and_its_code_say():
    thesis, _ = preset("thesis", benchmark("sawyer-reacher-v0"))
    assert thesis.model == ModelConfig(depth=32, hidden_sizes=(32, 32), z1_size=32, z2_size=256)
    assert (thesis.num_tasks_per_iteration, thesis.num_model_updates, thesis.num_transitions) == (20, 640, 512)
    assert (thesis.model_learning_rate, thesis.sac.actor_learning_rate) == (1e-4, 3e-4)
    cheetah, _ = preset("reference", benchmark("half-cheetah-vel-image-reference-v0"))
    assert (cheetah.model.z1_size, cheetah.model.z2_size, cheetah.model.reward_coef) == (64, 32, 16)
    assert (cheetah.num_initial_updates, cheetah.num_model_updates, cheetah.num_policy_updates) == (6000, 40, 40)
    peg, _ = preset("reference", benchmark("sawyer-peg-reference-v0"))
    assert (peg.model.z1_size, peg.sac.hidden_sizes, peg.num_policy_updates) == (128, (512, 512), 12)
    own, _ = preset("reference", make_own("sawyer-peg"))
    assert (own.model.z1_size, own.sac.hidden_sizes, own.num_policy_updates) == (64, (256, 256), 20)


@pytest.mark.parametrize("name", PRESETS)
def test_two_rewards_are_trained_on_and_kept_for_a_second_stage(name):
    def rewards(chosen):
        config = preset(name, chosen).config
        return config.num_episodes, config.training_reward, config.second_stage_reward

    for game in ("sawyer-button", "widowx-ethernet", "point-image"):
        assert rewards(benchmark(f"{game}-dense-v0")) == (2, "reward", "sparse_reward")
        assert rewards(benchmark(f"{game}-sparse-v0")) == (2, "dense_reward", "reward")
    assert rewards(benchmark("sawyer-peg-v0")) == (1, "reward", "reward")
    assert rewards(make_own(signals=BOTH)) == (2, "dense_reward", "sparse_reward")
    assert rewards(make_own(signals=("dense_reward",))) == (1, "dense_reward", "reward")
    assert rewards(make_own(signals=("sparse_reward", "success"))) == (1, "reward", "reward")


def test_searches_take_more_iterations():
    for name, num_iterations in {
        "point-image-dense-32-v1": 100,
        "point-image-sparse-32-v1": 300,
        "sawyer-button-sparse-reference-v0": 300,
        "sawyer-shelf-v0": 100,
        "half-cheetah-vel-image-v0": 600,
    }.items():
        assert preset("cpu", benchmark(name)).num_iterations == num_iterations
    assert preset("cpu", make_own(signals=BOTH)).num_iterations == 300
    assert preset("cpu", make_own()).num_iterations == 100


def test_tiny_takes_few_steps_on_every_benchmark():
    for name in ("point-image-dense-32-v1", "point-image-sparse-32-v1", "half-cheetah-vel-image-v0"):
        assert preset("tiny", benchmark(name)).config.num_updates == 10


def test_what_is_no_preset_or_no_benchmark_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match="preset must be one of tiny, cpu, thesis, reference, got 'huge'"):
        preset("huge", make_own())
    with pytest.raises(ValueError, match=r"must be a metarl_envs\.Benchmark, got 'mine'; metarl_envs\.benchmark"):
        preset("cpu", "mine")


def test_presets_say_what_they_are_for():
    for name, (_, purpose) in PRESETS.items():
        assert isinstance(preset(name, make_own()).config, MeldConfig)
        assert purpose
