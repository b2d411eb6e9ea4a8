"""Whole training runs of learners that adapt by gradient steps, small; what cannot be trained is refused."""

import numpy as np
import pytest
from baseline_cases import POINT, assert_equal, read_metrics, step_through, take_few, train
from gradient_cases import PACKAGES, make_config, make_learner
from metarl_baselines.maesn.runs import ALGORITHM as MAESN
from metarl_baselines.maml import ProMPConfig
from metarl_baselines.maml.runs import MAML_TRPO, PROMP
from metarl_baselines.traits import Traits
from metarl_envs import benchmark, benchmark_names
from rlcore.experiment import RunError, from_dict, load_config, to_dict
from rlcore.meta import SavedRun
from rlcore.policy_gradient import TRPOConfig

WHOLE = [pytest.param("maml-trpo", marks=pytest.mark.slow), "promp", "maesn"]
"""Each compiles for half a minute; ProMP is MAML's learner, MAESN takes TRPO's step."""


@pytest.mark.wheel
@pytest.mark.parametrize("name", WHOLE)
def test_stopped_and_resumed_run_equals_an_undisturbed_one_and_compiles_once(tmp_path, name, compiled):
    options = {"promp": ProMPConfig(target_inner_kl=1e-5)} if name == "promp" else {}
    config, package = make_config(name, training_reward="dense_reward", **options), PACKAGES[name]
    whole = train(tmp_path / "whole", package, config, 4)
    assert compiled[0] > 0
    assert compiled[3] == compiled[2] == compiled[1]
    train(tmp_path / "parts", package, config, 2)
    assert_equal(train(tmp_path / "parts", package, config, 4), whole)
    rows = read_metrics(tmp_path / "whole")
    assert read_metrics(tmp_path / "parts") == rows
    assert int(whole.env_steps) == int(whole.rows) == 4 * 3 * 2 * 2 * 20
    assert {"loss/policy", "policy/kl", "policy/entropy", "test/return_3", "test/return"} <= rows[-1].keys()
    if name == "promp":
        assert len({row["inner/kl_coef"] for row in rows}) > 1
    saved = load_config(tmp_path / "whole")
    assert saved["algorithm"] == name
    assert from_dict(type(config), saved["config"]) == config


@pytest.mark.parametrize("name", [*WHOLE[:2], pytest.param("maesn", marks=pytest.mark.slow)])
def test_trains_on_a_users_environment_and_is_read_back_and_played(tmp_path, name, make_lines, line_env):
    """Episodes end early; two inner steps."""
    config, lines, package = make_config(name, num_steps=2, num_tasks_per_iteration=0), make_lines(), PACKAGES[name]
    state = train(tmp_path / "run", package, config, 2, lines)
    assert int(state.rows) < int(state.env_steps) == 2 * 4 * 3 * 2 * 6
    options = ["adaptation.num_test_steps=2", "deterministic_test=true"]
    trained = package.load(tmp_path / "run", options, benchmark=lines)
    assert trained.evaluate().shape == (2, 5)
    step_through(trained.player(), line_env(**lines.test_tasks[0]), 20)
    with pytest.raises(ValueError, match=r"override must be of a test option .* got 'initial_std=7'"):
        package.load(tmp_path / "run", ["initial_std=7"], benchmark=lines)


BAD = [
    ("maml-trpo", {"hidden_sizes": (0,)}, "hidden_sizes must be positive, got 0"),
    ("maml-trpo", {"action_scale": 0.0}, "action_scale must be positive, got 0"),
    ("maml-trpo", {"initial_std": -1.0}, "initial_std must be positive, got -1"),
    ("maml-trpo", {"min_std": 0.0}, "min_std must be positive, got 0"),
    ("maesn", {"min_std": 0.6}, "min_std must be at most initial_std=0.5, got 0.6"),
    ("maml-trpo", {"exploration_coef": -1.0}, "exploration_coef must be at least 0, got -1"),
    ("promp", {"exploration_coef": 1.0}, "outer=promp needs exploration_coef=0, got 1"),
    (
        "maml-trpo",
        {"exploration_coef": 1.0, "num_steps": 0},
        "exploration_coef needs adaptation.num_steps of at least 1",
    ),
    ("maml-trpo", {"promp": ProMPConfig(target_inner_kl=0.01)}, "promp must have its defaults with outer=trpo"),
    ("promp", {"trpo": TRPOConfig(max_kl=0.5)}, "trpo must have its defaults with outer=promp, got .*max_kl=0.5"),
    (
        "promp",
        {"num_steps": 0, "promp": ProMPConfig(target_inner_kl=0.01)},
        "promp.target_inner_kl needs adaptation.num_steps of at least 1, got 0",
    ),
    ("maml-trpo", {"inner_learning_rate": 0.0}, "inner_learning_rate must be positive, got 0"),
    ("maml-trpo", {"inner_objective": "ratio"}, "inner_objective must be one of log_likelihood, likelihood_ratio"),
    ("maml-trpo", {"outer": "sgd"}, "outer must be one of trpo, promp, got 'sgd'"),
    ("promp", {"inner_objective": "log_likelihood"}, "outer=promp needs inner_objective=likelihood_ratio, got log_lik"),
    ("maml-trpo", {"num_tasks_per_iteration": -1}, "num_tasks_per_iteration must be at least 0, got -1"),
    ("maml-trpo", {"test_every": 0}, "test_every must be positive, got 0"),
    ("maml-trpo", {"num_episodes": 0}, "num_episodes must be positive, got 0"),
    ("maml-trpo", {"num_steps": -1}, "num_steps must be at least 0, got -1"),
    ("maml-trpo", {"num_test_steps": -1}, "num_test_steps must be at least 0, got -1"),
    ("maesn", {"latent_size": 0}, "latent_size must be positive, got 0"),
    ("maesn", {"kl_coef": -1.0}, "kl_coef must be at least 0, got -1"),
    ("maesn", {"initial_step_size": 0.0}, "initial_step_size must be positive, got 0"),
    ("maesn", {"hidden_sizes": (3, -1)}, "hidden_sizes must be positive, got -1"),
    ("maesn", {"trpo": {}}, "trpo must be a TRPOConfig"),
]


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_bad_option_is_refused_by_name_and_value(name, options, message):
    with pytest.raises(ValueError, match=message):
        make_config(name, **options)


def test_a_target_of_the_divergence_needs_a_weight():
    with pytest.raises(ValueError, match="target_inner_kl must be positive, got 0"):
        ProMPConfig(target_inner_kl=0.0)
    with pytest.raises(ValueError, match="inner_kl_coef must be positive, got 0"):
        ProMPConfig(target_inner_kl=0.01, inner_kl_coef=0.0)


@pytest.mark.parametrize(("name", "algorithm"), {"maml-trpo": MAML_TRPO, "promp": PROMP, "maesn": MAESN}.items())
def test_runs_are_read_that_were_begun_before_options_were_added(name, algorithm):
    config = make_config(name)
    options = to_dict(config)
    for added in ("min_std", "exploration_coef"):
        options.pop(added, None)
    options.get("promp", {}).pop("target_inner_kl", None)
    assert algorithm.read_config(SavedRun(name, {}, 0, options, {})) == config


@pytest.mark.parametrize("name", PACKAGES)
def test_what_does_not_fit_the_benchmark_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"the observation space must be a vector of floats, got Box\(0, 255"):
        make_learner(name, benchmark("point-image-dense-32-v1"))
    with pytest.raises(ValueError, match="num_tasks_per_iteration must be at most the 100 train tasks"):
        make_learner(name, benchmark(POINT), num_tasks_per_iteration=101)
    with pytest.raises(ValueError, match=r"training_reward must be one of reward, dense_reward, .*, got shaped"):
        make_learner(name, benchmark(POINT), training_reward="shaped")


def test_runs_of_maml_and_promp_are_not_taken_for_each_other(tmp_path):
    with pytest.raises(ValueError, match="outer must be promp in a run of this algorithm, got trpo"):
        PACKAGES["promp"].open_run(tmp_path / "run", make_config("maml-trpo"), benchmark(POINT), 0)
    PACKAGES["promp"].open_run(tmp_path / "run", make_config("promp"), benchmark(POINT), 0).close()
    with pytest.raises(RunError, match=r"must hold a run of maml-trpo, got .* a run of promp"):
        PACKAGES["maml-trpo"].load(tmp_path / "run")
    path = tmp_path / "run/config.json"
    path.write_text(path.read_text().replace('"seed"', '"sed"'))
    with pytest.raises(RunError, match=r"config.json of run_dir .* is damaged: it has no seed"):
        PACKAGES["promp"].load(tmp_path / "run")


VECTORS = [name for name in benchmark_names() if "image" not in name and not name.startswith("catcher-")]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_preset_fits_every_benchmark_of_vectors_and_few_tasks(name):
    for preset in PACKAGES[name].PRESETS:
        for benchmark_name in VECTORS:
            chosen = benchmark(benchmark_name)
            if len(chosen.family.observation_space.shape) != 1:
                continue
            config, num_iterations = PACKAGES[name].preset(preset, chosen)
            assert num_iterations > 0
            assert PACKAGES[name].preset(preset, take_few(chosen, 2, 1)).config.num_tasks_per_iteration == 2
            assert config.training_reward == ("dense_reward" if "dense_reward" in chosen.family.signals else "reward")
    with pytest.raises(ValueError, match="preset must be one of tiny, cpu, explore, reference, got 'huge'"):
        PACKAGES[name].preset("huge", benchmark(POINT))


def test_noise_on_robots_is_a_tenth_of_the_range_as_in_the_original():
    robot = Traits(num_tasks=40, short=False, pictures=False, training_reward="reward", episode_bytes=8)
    for name in ("cpu", "explore", "reference"):
        config = PACKAGES["promp"].PRESETS[name].make(robot).config
        assert (config.action_scale, config.initial_std) == (10.0, 1.0)


def test_reference_takes_the_steps_and_constants_of_the_originals():
    locomotion = benchmark("half-cheetah-vel-v0") if "half-cheetah-vel-v0" in VECTORS else benchmark(POINT)
    config = PACKAGES["promp"].preset("reference", locomotion).config
    assert config.num_tasks_per_iteration * config.adaptation.num_episodes == 40 * 20
    assert (config.inner_learning_rate, config.action_scale, config.promp.clip) == (0.1, 10.0, 0.3)
    assert config.trpo == TRPOConfig(max_kl=0.01, damping=0.0, num_iterations=10)
    assert PACKAGES["maesn"].preset("reference", locomotion).config.adaptation.num_episodes == 50


@pytest.mark.slow
@pytest.mark.parametrize(("name", "gain"), [("maml-trpo", 5), ("promp", 5), ("maesn", 3)])
def test_an_inner_step_learns_to_find_goals_never_seen(tmp_path, name, gain):
    chosen = benchmark(POINT)
    package = PACKAGES[name]
    train(tmp_path / "run", package, package.preset("cpu", chosen).config, 30, chosen)
    returns = package.load(tmp_path / "run").evaluate().mean(axis=0)
    print(f"return by episode of a trial: {returns.round(1)}")
    assert np.mean(returns[-1]) > returns[0] + gain
