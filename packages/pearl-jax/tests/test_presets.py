"""What presets are for registered benchmarks and for a user's own: traits decide, then exact names, never prefixes."""

import dataclasses

import jax
import numpy as np
import pytest
from gymnasium import spaces
from metarl_envs import Benchmark, TaskFamily, benchmark, benchmark_names, take_tasks
from pearl_jax import PRESETS, PearlConfig, PearlLearner, preset
from pearl_jax.presets.traits import read_traits
from rlcore.experiment import num_bytes

PLAYABLE = [name for name in benchmark_names() if not name.startswith("catcher-")]
VECTORS = [name for name in PLAYABLE if len(benchmark(name).family.observation_space.shape) == 1]
LOCOMOTION = [name for name in VECTORS if not name.startswith("point-")]
NAMES = ("mine", "point-of-sale", "point-sparse-mine", "half-cheetah-dir-mine", "ant-fwd-back-v7", "x-params", "v0")
VECTOR = spaces.Box(-np.inf, np.inf, (5,), np.float32)
PICTURE = spaces.Box(0, 255, (20, 24, 3), np.uint8)
MOST_BYTES = {"tiny": 8e9, "cpu": 8e9, "explore": 8e9, "thesis": 16e9, "reference": 16e9}


class OwnFamily(TaskFamily):
    """What nobody has to play to choose options."""

    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, horizon, observation_space, signals=()):
        self.horizon, self.observation_space, self.signals = horizon, observation_space, signals

    def sample_tasks(self, key, n):
        raise NotImplementedError

    def make_vec(self, tasks, seed=None):
        raise NotImplementedError


def make_own(name="mine", *, num_tasks=30, horizon=200, space=VECTOR, signals=("speed",)):
    family = OwnFamily(horizon, space, signals)
    return Benchmark(name, family, np.zeros(num_tasks), np.zeros(3))


def check_replay(config, own, most_bytes):
    """It holds a visit and the first collection; more than that only within so many bytes."""
    visit = config.num_context_episodes + config.num_extra_episodes
    least = max(visit, config.num_initial_episodes) * own.family.horizon
    row = num_bytes(jax.eval_shape(PearlLearner(config, own).agent.example_row))
    assert row == read_traits(own).row_bytes
    assert config.replay_capacity >= least
    assert config.replay_capacity == least or config.replay_capacity * own.num_train_tasks * row <= most_bytes


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("benchmark_name", PLAYABLE)
def test_every_preset_fits_every_registered_benchmark(name, benchmark_name):
    config, num_iterations = preset(name, benchmark(benchmark_name))
    assert num_iterations > 0
    check_replay(config, benchmark(benchmark_name), MOST_BYTES[name])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("num_tasks", [1, 2, 4, 5, 39, 100_000])
@pytest.mark.parametrize("horizon", [1, 7, 50, 51, 1000])
@pytest.mark.parametrize("space", [VECTOR, PICTURE])
def test_options_of_own_benchmarks_fit_whatever_they_are_called(name, num_tasks, horizon, space):
    for signals in ((), ("dense_reward",), ("dense_reward", "sparse_reward")):
        own, *others = (
            make_own(called, num_tasks=num_tasks, horizon=horizon, space=space, signals=signals) for called in NAMES
        )
        plan = preset(name, own)
        assert all(preset(name, other) == plan for other in others)
        assert plan.num_iterations > 0
        assert plan.config.num_tasks_per_iteration <= num_tasks
        assert plan.config.training_reward == ("dense_reward" if signals else "reward")
        assert plan.config.next_obs_in_context
        check_replay(plan.config, own, MOST_BYTES[name])


def test_few_tasks_and_short_episodes_and_pictures_have_options_of_their_own():
    many, few = (preset("cpu", make_own(num_tasks=n)) for n in (5, 4))
    assert (many.num_iterations, few.num_iterations) == (200, 80)
    assert (many.config.num_tasks_per_iteration, few.config.num_tasks_per_iteration) == (5, 4)
    assert (many.config.sac.discount, few.config.kl_coef) == (0.99, 0.05)
    short, long = (preset("cpu", make_own(horizon=n)).config for n in (50, 51))
    assert (short.sac.discount, long.sac.discount) == (0.9, 0.99)
    pictures = preset("cpu", make_own(space=PICTURE, horizon=50))
    assert (pictures.num_iterations, pictures.config.latent_size, pictures.config.max_context_episodes) == (200, 3, 2)
    assert preset("cpu", make_own(space=PICTURE, horizon=1000)).config.max_context_episodes == 0


def test_a_signal_beside_the_reward_tests_a_search_unless_the_reward_is_known_to_be_the_dense_one():
    sparse = preset("tiny", make_own(horizon=20, signals=("dense_reward", "sparse_reward"))).config
    known = preset("tiny", benchmark("point-dense-v0")).config
    assert (sparse.training_reward, sparse.num_test_episodes) == ("dense_reward", 11)
    assert (known.training_reward, known.num_test_episodes) == ("reward", 3)
    assert preset("reference", benchmark("point-dense-v0")).config.num_posterior_episodes == 0


def test_next_observations_are_seen_where_dynamics_differ_or_nobody_knows():
    for name in ("cpu", "reference"):
        assert preset(name, benchmark("walker-params-v0")).config.next_obs_in_context
        assert preset(name, benchmark("hopper-params-reference-v0")).config.next_obs_in_context
        assert not preset(name, benchmark("half-cheetah-vel-v0")).config.next_obs_in_context
    for name in PRESETS:
        assert not preset(name, benchmark("point-sparse-v0")).config.next_obs_in_context or name == "thesis"


@pytest.mark.parametrize("own", [make_own(), make_own(num_tasks=3, horizon=90), make_own(space=PICTURE, horizon=10)])
def test_replays_hold_what_a_run_collects_and_no_more(own):
    for name in ("cpu", "thesis", "reference"):
        config, num_iterations = preset(name, own)
        assert config.replay_capacity == config.num_rows(own.num_train_tasks, num_iterations, own.family.horizon)


def test_replays_stop_at_so_many_bytes():
    for name, most in (("cpu", 5e9), ("reference", 16e9)):
        own = make_own(space=PICTURE, num_tasks=1000, horizon=200)
        config, num_iterations = preset(name, own)
        size = config.replay_capacity * read_traits(own).row_bytes * 1000
        assert 0.99 * most < size <= most
        assert config.replay_capacity < config.num_rows(1000, num_iterations, 200)


def count_steps(plan, chosen):
    config, num_tasks = plan.config, chosen.num_train_tasks
    visit = config.num_context_episodes + config.num_extra_episodes
    visited = config.num_tasks_per_iteration or num_tasks
    first = num_tasks * config.num_initial_episodes
    return (first + plan.num_iterations * visited * visit) * chosen.family.horizon


@pytest.mark.parametrize("name", LOCOMOTION)
def test_thesis_takes_the_environment_steps_of_the_figures(name):
    chosen = benchmark(name)
    axis = 10_000_000 if name in ("ant-goal-v0", "ant-goal-reference-v0") else 1_000_000
    plan = preset("thesis", chosen)
    assert 0.99 * axis < count_steps(plan, chosen) <= axis
    assert (plan.config.num_updates, plan.config.num_prior_episodes, plan.config.num_extra_episodes) == (1000, 1, 0)


def test_thesis_of_navigation_takes_the_steps_of_the_code():
    for name in ("point-sparse-v0", "point-dense-v0", "point-sparse-reference-v0"):
        thesis, reference = (preset(which, benchmark(name)) for which in ("thesis", "reference"))
        assert count_steps(thesis, benchmark(name)) == count_steps(reference, benchmark(name))


def test_thesis_and_reference_differ_where_the_documents_do():
    def differences(name):
        thesis, reference = (dataclasses.asdict(preset(n, benchmark(name)).config) for n in ("thesis", "reference"))
        return {option for option in thesis if thesis[option] != reference[option]}

    always = {
        "kl_reduction",
        "next_obs_in_context",
        "num_prior_episodes",
        "num_posterior_episodes",
        "num_test_prior_episodes",
    }
    assert differences("point-sparse-v0") == always
    assert differences("half-cheetah-vel-v0") == always | {"num_extra_episodes", "num_updates", "replay_capacity"}


def test_reference_has_the_options_of_each_family_by_its_exact_name():
    goal, own = (preset("reference", chosen).config for chosen in (benchmark("ant-goal-v0"), make_own("ant-goal")))
    assert (goal.meta_batch_size, goal.context_size, goal.kl_coef, goal.num_updates) == (10, 256, 1.0, 4000)
    assert (own.meta_batch_size, own.context_size, own.kl_coef, own.num_updates) == (16, 64, 0.1, 2000)


def test_schedules_end_with_the_iterations():
    for name, chosen in (
        ("cpu", "half-cheetah-vel-v0"),
        ("cpu", "half-cheetah-dir-v0"),
        ("explore", "point-sparse-v0"),
    ):
        config, num_iterations = preset(name, benchmark(chosen))
        assert config.sac.decay_until_update == config.num_updates * num_iterations
        assert config.ease_until_iteration < num_iterations


@pytest.mark.parametrize("name", ["point-dense-v0", "point-image-dense-32-v1"])
def test_the_dense_reward_is_the_reward_where_that_is_dense(name):
    chosen = benchmark(name)
    env = chosen.family.make_vec(take_tasks(chosen.train_tasks, [0, 1]), seed=0)
    env.reset(seed=0)
    _, reward, _, _, infos = env.step(np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(infos["dense_reward"], reward)
    env.close()


def test_what_is_no_preset_or_no_benchmark_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match=r"preset must be one of tiny, cpu, .*, got 'huge'"):
        preset("huge", make_own())
    with pytest.raises(
        ValueError, match=r"must be a metarl_envs\.Benchmark, got 'point-sparse-v0'; metarl_envs\.bench"
    ):
        preset("cpu", "point-sparse-v0")
    with pytest.raises(ValueError, match=r"must be a metarl_envs\.Benchmark, got None"):
        preset("cpu", None)


@pytest.mark.parametrize("space", [spaces.Discrete(3), spaces.Dict({"x": VECTOR}), spaces.Box(0, 1, (2, 3))])
def test_observations_that_pearl_cannot_read_are_left_for_the_learner_to_refuse(space):
    for name in PRESETS:
        with pytest.raises(ValueError, match=r"the observation space must be"):
            PearlLearner(preset(name, make_own(space=space)).config, make_own(space=space))


def test_presets_say_what_they_are_for():
    for name, (_, purpose) in PRESETS.items():
        assert purpose
        assert isinstance(preset(name, make_own()).config, PearlConfig)
