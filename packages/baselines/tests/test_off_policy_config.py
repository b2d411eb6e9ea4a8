"""Bad options of what replays trials, and benchmarks that it cannot play, are refused by name; presets fit."""

import pytest
from baseline_cases import make_own
from metarl_baselines import recurrent_sac, varibad
from metarl_envs import benchmark, benchmark_names, is_picture
from rlcore.experiment import RunError, override
from rlcore.meta import describe_memory

POINT = "point-sparse-v0"
CONFIGS = {recurrent_sac: recurrent_sac.RecurrentSACConfig, varibad: varibad.VariBADConfig}
PACKAGES = pytest.mark.parametrize("package", CONFIGS, ids=lambda package: package.__name__)


@PACKAGES
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("sac", {}, "sac must be a SACConfig"),
        ("memory_size", 0, "memory_size must be positive, got 0"),
        ("embedding_size", -1, "embedding_size must be positive, got -1"),
        ("bootstrap_at_end", 1, "bootstrap_at_end must be true or false, got 1"),
        ("border_in_memory", 1, "border_in_memory must be true or false, got 1"),
        ("batch_size", 0, "batch_size must be positive, got 0"),
        ("replay_capacity", 0, "replay_capacity must be positive, got 0"),
        ("num_initial_trials", 0, "num_initial_trials must be positive, got 0"),
        ("num_initial_trials", 101, "replay_capacity must hold the 101 initial trials, got 100"),
        ("num_tasks_per_iteration", -1, "num_tasks_per_iteration must be at least 0, got -1"),
        ("num_episodes", 0, "num_episodes must be positive, got 0"),
        ("num_updates", 0, "num_updates must be positive, got 0"),
        ("num_test_episodes", 0, "num_test_episodes must be positive"),
        ("test_every", 0, "test_every must be positive"),
    ],
)
def test_bad_option_is_refused_by_name_and_value(package, option, value, message):
    with pytest.raises(ValueError, match=message):
        CONFIGS[package](**{option: value})


@pytest.mark.parametrize(
    ("package", "assignments", "message"),
    [
        (recurrent_sac, ["memory=none"], "memory must be one of separate, shared, got 'none'"),
        (recurrent_sac, ["sac.value_network=true"], "memory=separate needs sac.value_network=false, got true"),
        (varibad, ["latent_size=0"], "latent_size must be positive, got 0"),
        (varibad, ["decoder_sizes=4,0"], "decoder_sizes must be positive, got 0"),
        (varibad, ["num_beliefs=-1"], "num_beliefs must be at least 0, got -1"),
        (varibad, ["kl_coef=-1"], "kl_coef must be at least 0, got -1"),
        (varibad, ["state_coef=-1"], "state_coef must be at least 0, got -1"),
        (varibad, ["rl_gradient=2"], "rl_gradient must be true or false, got '2'"),
    ],
)
def test_bad_option_of_one_of_them_is_refused_by_name_and_value(package, assignments, message):
    with pytest.raises(ValueError, match=message):
        override(CONFIGS[package](), assignments)


@PACKAGES
@pytest.mark.parametrize(
    ("assignment", "name", "message"),
    [
        ("num_tasks_per_iteration=101", POINT, "num_tasks_per_iteration must be at most the 100 train tasks"),
        ("training_reward=shaped", POINT, "training_reward must be one of reward, dense_reward, .*, got shaped"),
        ("num_episodes=2", "point-image-dense-32-v1", "the observation space must be a vector of floats, got Box"),
        ("num_episodes=2", "catcher-v0", "the action space must be a vector of floats, got Discrete"),
    ],
)
def test_what_does_not_fit_a_benchmark_is_refused(package, assignment, name, message):
    with pytest.raises(ValueError, match=message):
        package.make_learner(override(CONFIGS[package](), [assignment]), benchmark(name))


@PACKAGES
def test_a_run_that_does_not_fit_into_memory_is_refused_with_what_would_help(package):
    config = override(CONFIGS[package](), ["replay_capacity=100000000"])
    with pytest.raises(RunError, match=r"the run does not fit into memory: .*lower replay_capacity"):
        describe_memory(package.make_learner(config, benchmark(POINT)), benchmark(POINT))


@PACKAGES
@pytest.mark.parametrize("name", recurrent_sac.PRESETS)
def test_presets_fit_every_benchmark_of_vectors_and_ones_own_by_traits(package, name):
    for registered in benchmark_names():
        chosen = benchmark(registered)
        if not registered.startswith("catcher-") and not is_picture(chosen.family.observation_space):
            package.make_learner(package.preset(name, chosen).config, chosen)
    for num_tasks in (1, 2, 39, 100_000):
        for horizon, signals in ((1, ()), (50, ("dense_reward",)), (51, ())):
            own, other = (
                make_own(called, num_tasks=num_tasks, horizon=horizon, signals=signals)
                for called in ("mine", "half-cheetah-mine")
            )
            plan = package.preset(name, own)
            assert package.preset(name, other) == plan
            assert plan.num_iterations > 0
            assert plan.config.training_reward == ("dense_reward" if signals else "reward")
            package.make_learner(plan.config, own)


@PACKAGES
def test_reference_takes_five_million_steps_of_locomotion(package):
    config, num_iterations = package.preset("reference", benchmark("half-cheetah-vel-v0"))
    assert num_iterations * config.num_tasks_per_iteration * config.num_episodes * 200 == 5_000_000


@PACKAGES
def test_what_is_no_preset_is_refused(package):
    with pytest.raises(ValueError, match="preset must be one of tiny, cpu, explore, reference, got 'huge'"):
        package.preset("huge", benchmark(POINT))
