"""Whole experiments at toy size: every representation, resuming, results; config options."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from metarl_envs.catcher import CatcherEnv, state_index, train_task
from mi_repr.deep import EncoderConfig, PretrainConfig
from mi_repr.deep.catcher import (
    GAMES,
    PRESETS,
    REPRESENTATIONS,
    CatcherPretrainConfig,
    ControlConfig,
    Experiment,
    ExperimentConfig,
    ProbeConfig,
    exact_information,
    preset,
)
from mi_repr.deep.catcher.control import play
from mi_repr.deep.catcher.exact import optimal_q
from mi_repr.deep.catcher.experiment import PURPOSES
from mi_repr.deep.catcher.regression import regress
from rlcore.experiment import RunError, read_metrics


def _experiment(tmp_path, representation="fwd", game="catcher-grip", **parts):
    config = dataclasses.replace(preset("tiny", representation, f"{game}-v0"), **parts)
    return Experiment(metarl_envs.benchmark(f"{game}-v0"), config, 0, tmp_path / "run")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """An experiment with everything, and its results."""
    directory = tmp_path_factory.mktemp("finished")
    experiment = _experiment(directory)
    experiment.check()
    return directory, experiment.run()


def test_results_have_all_parts_and_are_written(finished):
    directory, results = finished
    assert json.loads((directory / "run" / "results.json").read_text()) == results
    assert set(results) == {
        "benchmark",
        "seed",
        "representation",
        "config",
        "information",
        "probe",
        "regression",
        "agent",
    }
    assert set(results["information"]) == {"information", "twin_accuracy", "exact"}
    assert results["information"]["exact"] == pytest.approx(np.log(12 * 27 * 18 * 2))
    agent = results["agent"]
    assert agent["test/return"] == pytest.approx(2 * agent["test/catch_rate"] - 1, abs=1e-6)


def test_running_again_trains_nothing_and_finds_the_same(finished):
    directory, results = finished
    lengths = [len(read_metrics(directory / "run" / part)) for part in ("encoder", "agent")]
    assert _experiment(directory).run() == results
    assert [len(read_metrics(directory / "run" / part)) for part in ("encoder", "agent")] == lengths == [2, 2]


@pytest.mark.wheel
def test_true_state_is_read_back(tmp_path):
    results = _experiment(tmp_path, "true-state").run(with_agent=False)
    assert results["probe"]["linear/gripper"] == 1
    assert results["probe"]["linear/fruit_x"] < 0.01
    assert list((tmp_path / "run").iterdir()) == [tmp_path / "run" / "results.json"]


def test_end_to_end_has_an_agent_alone(tmp_path):
    results = _experiment(tmp_path, "end-to-end", "catcher").run()
    assert set(results) == {"benchmark", "seed", "representation", "config", "agent"}


@pytest.mark.slow
def test_distractors_are_tested_on_images_never_seen_too(tmp_path):
    results = _experiment(tmp_path, "inv", game="catcher-grip-distractors").run()
    assert set(results["agent"]) == {"test/return", "test/catch_rate", "unseen/return", "unseen/catch_rate"}
    assert set(results["information"]) == {"information", "exact"}
    assert results["information"]["exact"] == exact_information(CatcherEnv(grip=True))["inv"]


@pytest.mark.slow
def test_learned_q_star_of_an_untrained_encoder(tmp_path):
    experiment = _experiment(tmp_path, "untrained", "catcher")
    exact = experiment.run(with_agent=False)["regression"]
    results = experiment.run(with_agent=False, learned_q_star=True)
    assert results["learned_regression"]["q_error"] > 0
    assert results["regression"] == exact != results["learned_regression"]
    assert not (tmp_path / "run" / "encoder").exists()
    assert (tmp_path / "run" / "true-state-agent" / "metrics.jsonl").exists()


def test_other_config_in_the_same_directory_is_refused_before_anything_is_computed(tmp_path):
    _experiment(tmp_path).check()
    other = _experiment(
        tmp_path, pretrain=dataclasses.replace(preset("tiny", "fwd", "catcher-grip-v0").pretrain, num_windows=5)
    )
    with pytest.raises(RunError, match=r"num_windows: 4 \(run\) != 5 \(now\)"):
        other.check()


def test_results_of_another_config_or_seed_stay_as_they_are(tmp_path):
    experiment = _experiment(tmp_path, "true-state")
    experiment.run(with_agent=False)
    written = (tmp_path / "run" / "results.json").read_bytes()
    probe = dataclasses.replace(experiment.config.probe, ridge=0.5)
    for other, message in (
        (_experiment(tmp_path, "true-state", probe=probe), r"config.probe.ridge: 0.001 \(run\) != 0.5 \(now\)"),
        (dataclasses.replace(experiment, seed=1), r"seed: 0 \(run\) != 1 \(now\)"),
    ):
        for attempt in (other.results, other.run, lambda other=other: other.check(with_agent=False)):
            with pytest.raises(RunError, match=message):
                attempt()
    assert (tmp_path / "run" / "results.json").read_bytes() == written


def test_results_without_an_agent_leave_the_agents_in_place(finished):
    directory, results = finished
    assert _experiment(directory).run(with_agent=False) == results
    assert _experiment(directory).results() == results


@pytest.mark.parametrize(
    ("representation", "options", "parts"),
    [
        ("fwd", {}, {"encoder", "agent"}),
        ("untrained", {}, {"agent"}),
        ("inv", {"with_agent": False}, {"encoder"}),
        ("true-state", {"with_agent": False}, set()),
        ("state", {"learned_q_star": True}, {"encoder", "true-state-agent", "agent"}),
        ("end-to-end", {"learned_q_star": True}, {"agent"}),
    ],
)
def test_check_opens_the_runs_of_the_parts_that_will_run(tmp_path, representation, options, parts):
    _experiment(tmp_path, representation).check(**options)
    assert {path.name for path in (tmp_path / "run").glob("*")} == parts


def test_games_have_benchmarks(tmp_path):
    for game in GAMES:
        assert _experiment(tmp_path, "fwd", game).env.distractors == ("episode" if "distractors" in game else "none")


def test_benchmark_must_be_a_game(tmp_path):
    with pytest.raises(ValueError, match="must be a catcher game with simple physics, got 'point-sparse-v0'"):
        Experiment(metarl_envs.benchmark("point-sparse-v0"), preset("tiny", "fwd", "point-sparse-v0"), 0, tmp_path)


@pytest.mark.slow
def test_two_steps_ahead_and_the_thesis_heads(tmp_path):
    tiny = preset("tiny", "state", "catcher-v0")
    encoder = dataclasses.replace(tiny.encoder, kind="conv", scorer="concat_bilinear")
    pretrain = dataclasses.replace(tiny.pretrain, num_steps_ahead=2, num_warmup_updates=0)
    results = _experiment(tmp_path, "state", "catcher", encoder=encoder, pretrain=pretrain).run(with_agent=False)
    assert results["information"] == {}  # the candidates of two steps ahead are not equally likely
    assert results["probe"]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("representation", REPRESENTATIONS)
@pytest.mark.parametrize("game", ["catcher", "catcher-grip-distractors"])
def test_presets_fit_the_games(name, representation, game):
    config = preset(name, representation, f"{game}-v0")
    assert config.representation == representation
    assert config.control.num_iterations * config.control.steps_per_iteration == config.control.num_steps
    assert config.pretrain.num_iterations >= 1


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (
            preset,
            {"name": "huge", "representation": "fwd", "benchmark": "catcher-v0"},
            "preset must be one of tiny, cpu, thesis, got 'huge'",
        ),
        (ExperimentConfig, {"representation": "forward"}, "representation must be one of fwd"),
        (EncoderConfig, {"kind": "resnet"}, "kind must be one of patch, conv, got 'resnet'"),
        (EncoderConfig, {"channels": (8, 8)}, "channels must name five layers"),
        (EncoderConfig, {"channels": (8, 8, 8, 8, 0)}, "channels must be at least 1, got 0"),
        (EncoderConfig, {"feature_size": 0}, "feature_size must be at least 1"),
        (EncoderConfig, {"scorer": "mlp"}, "scorer must be one of"),
        (EncoderConfig, {"rank": 0}, "rank must be at least 1"),
        (EncoderConfig, {"shared_coef": -1.0}, "shared_coef must be at least 0"),
        (EncoderConfig, {"inverse_hidden_sizes": (0,)}, "inverse_hidden_sizes must be at least 1"),
        (EncoderConfig, {"reconstruction": "huber"}, "reconstruction must be one of squared, bernoulli, got 'huber'"),
        (EncoderConfig, {"decoder_channels": (8,)}, "decoder_channels must name two grids, got"),
        (EncoderConfig, {"decoder_channels": (8, 0)}, "decoder_channels must be at least 1, got 0"),
        (EncoderConfig, {"projection_size": 0}, "projection_size must be at least 1, got 0"),
        (EncoderConfig, {"transition_hidden_sizes": (0,)}, "transition_hidden_sizes must be at least 1, got 0"),
        (PretrainConfig, {"max_steps_ahead": 0}, "max_steps_ahead must be at least 1, got 0"),
        (PretrainConfig, {"average_rate": 0.0}, "average_rate must be in"),
        (ExperimentConfig, {"representation": "fwd-thesis"}, "scorer must be 'concat_bilinear' with 'fwd-thesis'"),
        (
            ExperimentConfig,
            {"representation": "multi-inv", "pretrain": CatcherPretrainConfig(window_size=3)},
            "window_size must be above max_steps_ahead=3 with 'multi-inv', got 3",
        ),
        (CatcherPretrainConfig, {"num_transitions": 53}, "num_transitions must be at least 54, got 53"),
        (CatcherPretrainConfig, {"window_size": 29}, "at most 28, the frames of an episode, got 29"),
        (PretrainConfig, {"updates_per_iteration": 7}, "updates_per_iteration must divide num_updates=1500, got 7"),
        (PretrainConfig, {"num_steps_ahead": 4}, "window_size must be above num_steps_ahead=4, got 4"),
        (PretrainConfig, {"num_groups": 5}, "num_groups must divide num_windows=64, got 5"),
        (
            PretrainConfig,
            {"num_windows": 2, "window_size": 2, "num_groups": 2},
            "num_groups must leave each two of 2 pairs, got 2",
        ),
        (PretrainConfig, {"learning_rate": 0.0}, "learning_rate must be in"),
        (PretrainConfig, {"bottleneck": "none"}, "bottleneck must be one of ramp, tuned"),
        (PretrainConfig, {"bottleneck": "ramp", "final_beta": 1e-9}, "final_beta must be at least"),
        (PretrainConfig, {"initial_beta": 2.0}, "initial_beta must be at most 1.0 with bottleneck='tuned', got 2.0"),
        (PretrainConfig, {"warmup_same_step_share": 1.5}, "warmup_same_step_share must be in"),
        (ControlConfig, {"num_steps": 1000}, "num_steps must be a multiple of 864, got 1000"),
        (ControlConfig, {"replay_capacity": 100}, "replay_capacity must hold num_initial_steps"),
        (ControlConfig, {"regression_learning_rate": 2.0}, "regression_learning_rate must be in"),
        (ControlConfig, {"num_test_episodes": 0}, "num_test_episodes must be at least 1"),
        (ProbeConfig, {"num_states": 99}, "num_states must be at least 100, got 99"),
        (ProbeConfig, {"test_share": 1.0}, "test_share must be below 1"),
        (ProbeConfig, {"ridge": 0.0}, "ridge must be positive"),
    ],
)
def test_bad_options_are_named(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_playing_q_star_catches_everything():
    env = CatcherEnv()
    optimal = jnp.asarray(optimal_q(env, 0.99).argmax(axis=1))
    played = play(
        env, train_task(), 27, lambda state, key: optimal[state_index(env, state)], jax.random.key(1), num_episodes=50
    )
    assert played["return"] == 1
    assert played["catch_rate"] == 1


def test_regression_measures_its_errors_against_the_best_constants():
    q = np.random.default_rng(0).normal(size=(200, 3)) * np.array([1.0, 2.0, 3.0])
    config = dataclasses.replace(ControlConfig(), num_regression_updates=300, regression_learning_rate=1e-2)
    _, known = regress(config, (32,), jnp.asarray(q, jnp.float32), q, jax.random.key(0))
    _, unknown = regress(config, (32,), jnp.zeros((200, 2)), q, jax.random.key(0))
    assert known["q_error"] < 0.3
    assert known["advantage_error"] < 0.3
    assert unknown["q_error"] == pytest.approx(1, abs=0.05)
    assert unknown["advantage_error"] == pytest.approx(1, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("representation", ["multi-inv", "reconstruction", "bootstrap", "fwd-thesis", "inv-thesis"])
def test_every_objective_gives_features_to_probe(tmp_path, representation):
    results = _experiment(tmp_path, representation).run(with_agent=False)
    assert results["probe"]
    known = {"fwd-thesis": {"information", "twin_accuracy", "exact"}, "inv-thesis": {"information", "exact"}}
    assert set(results["information"]) == known.get(
        representation, {"information"} if representation == "multi-inv" else set()
    )


def test_the_thesis_heads_leave_all_else_as_in_the_preset():
    cpu, literal = (preset("cpu", name, "catcher-grip-v0") for name in ("fwd", "fwd-thesis"))
    assert literal.encoder.scorer == "concat_bilinear"
    assert literal.pretrain.num_warmup_updates == 0
    as_before = dataclasses.replace(
        literal,
        representation="fwd",
        encoder=dataclasses.replace(literal.encoder, scorer=cpu.encoder.scorer),
        pretrain=dataclasses.replace(literal.pretrain, num_warmup_updates=cpu.pretrain.num_warmup_updates),
    )
    assert as_before == cpu
    assert preset("tiny", "inv-thesis", "catcher-v0").encoder.inverse_hidden_sizes == ()


NEW_OPTIONS = {
    "encoder": ("reconstruction", "decoder_channels", "projection_size", "transition_hidden_sizes"),
    "pretrain": ("max_steps_ahead", "average_rate"),
}


def _without_new_options(config):
    for part, names in NEW_OPTIONS.items():
        for name in names:
            del config[part][name]


def test_results_and_runs_that_lack_later_options_are_those_of_their_defaults(tmp_path):
    experiment = _experiment(tmp_path, "true-state")
    written = experiment.run(with_agent=False)
    path = tmp_path / "run" / "results.json"
    saved = json.loads(path.read_text())
    _without_new_options(saved["config"])
    path.write_text(json.dumps(saved))
    assert experiment.results()["probe"] == written["probe"]
    experiment.check()
    config = tmp_path / "run" / "agent" / "config.json"
    saved = json.loads(config.read_text())
    _without_new_options(saved["experiment"])
    config.write_text(json.dumps(saved))
    experiment.check()
    other = _experiment(
        tmp_path, "true-state", encoder=dataclasses.replace(experiment.config.encoder, projection_size=7)
    )
    with pytest.raises(RunError, match=r"projection_size: 128 \(run\) != 7 \(now\)"):
        other.results()
    path.unlink()
    with pytest.raises(RunError, match=r"projection_size: not set \(run\) != 7 \(now\)"):
        other.check()


def test_no_two_purposes_share_a_key(tmp_path):
    made = Experiment(metarl_envs.benchmark("catcher-v0"), preset("tiny", "fwd", "catcher-v0"), 3, tmp_path)
    keys = {tuple(jax.random.key_data(made.key(purpose)).tolist()) for purpose in PURPOSES}
    assert len(keys) == len(PURPOSES)
    # As ever: runs that are there go on with their keys.
    first_letters = int.from_bytes(b"enco", "little")
    assert made.key("encoder") == jax.random.fold_in(jax.random.key(3), first_letters)
    with pytest.raises(ValueError, match=r"purpose must be one of agent, .*, got 'encore'"):
        made.key("encore")
