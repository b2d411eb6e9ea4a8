"""Whole training runs, small: they resume exactly, compile once, and stop on numbers that are not finite."""

import jax
import numpy as np
import pytest
from baseline_cases import POINT, assert_equal, read_metrics, step_through, take_few, train
from metarl_baselines import recurrent_sac, rl2, varibad
from metarl_envs import benchmark
from rlcore.experiment import NonFiniteError, RunError, from_dict, load_config

OF_UPDATES = {
    "rl2": {"loss/policy", "loss/value", "policy/entropy", "policy/kl", "critic/value"},
    "recurrent_sac": {"loss/actor", "loss/critic", "policy/entropy", "policy/temperature", "critic/q"},
    "varibad": {"loss/critic", "loss/belief", "belief/kl", "belief/std", "belief/reward_rmse"},
}


@pytest.mark.wheel
def test_stopped_and_resumed_run_equals_an_undisturbed_one(tmp_path, algorithm):
    package, small = algorithm
    config = small(training_reward="dense_reward")
    whole = train(tmp_path / "whole", package, config, 4)
    train(tmp_path / "parts", package, config, 2)
    assert_equal(train(tmp_path / "parts", package, config, 4), whole)
    rows = read_metrics(tmp_path / "whole")
    assert read_metrics(tmp_path / "parts") == rows
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4]
    name = package.__name__.rpartition(".")[2]
    num_initial = 0 if name == "rl2" else 4  # a trial of each train task
    assert int(whole.env_steps) == int(whole.rows) == (num_initial + 4 * 3) * 2 * 20
    assert rows[-1]["updates"] == 4 * (4 if name == "rl2" else 2)
    assert {*OF_UPDATES[name], "test/return_2"} <= rows[-1].keys()
    saved = load_config(tmp_path / "whole")
    assert saved["algorithm"] == name.replace("_", "-")
    assert "metarl-baselines" in saved["versions"]
    assert from_dict(type(config), saved["config"]) == config


def test_nothing_compiles_after_the_second_iteration_and_seeds_differ(tmp_path, compiled, algorithm):
    package, small = algorithm
    one = train(tmp_path / "run", package, small(test_every=1), 4)
    assert compiled[0] > 0
    assert compiled[3] == compiled[2] == compiled[1]
    other = train(tmp_path / "other", package, small(test_every=1), 1, seed=1)
    kernels = [max(jax.tree.leaves(state.agent.params), key=np.size) for state in (one, other)]
    assert not np.allclose(*kernels)


@pytest.mark.parametrize(
    "options",
    [
        {"credit": "episode", "border_in_memory": False, "bptt_steps": 4, "baseline": "linear"}
        | {"ppo_value_coef": 0.0, "ppo_value_scale_rate": 0.0, "ppo_gae_lambda": 1.0},
        {"bootstrap_at_end": False, "training_reward": "halved", "deterministic_test": False, "initial_std": 0.2},
        {"num_tasks_per_iteration": 0, "num_episodes": 3, "ppo_num_minibatches": 1, "ppo_entropy_coef": 0.01},
    ],
    ids=str,
)
def test_options_of_rl2_train_where_episodes_end_early(tmp_path, options, small, make_lines):
    config = small(**options)
    state = train(tmp_path / "run", rl2, config, 2, make_lines())
    assert np.isfinite(read_metrics(tmp_path / "run")[-1]["test/return"])
    assert int(state.env_steps) == 2 * (config.num_tasks_per_iteration or 4) * config.num_episodes * 6
    assert (np.asarray(state.data.discount) == 0).any()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("recurrent_sac", {"memory": "shared", "sac_value_network": True, "bootstrap_at_end": False}),
        ("recurrent_sac", {"border_in_memory": False, "sac_num_critics": 1, "sac_temperature": 0.1, "num_episodes": 3}),
        ("varibad", {"rl_gradient": True, "state_coef": 0.5, "num_beliefs": 0, "num_tasks_per_iteration": 0}),
        (
            "varibad",
            {"training_reward": "halved", "deterministic_test": False, "num_initial_trials": 2, "kl_coef": 0.0},
        ),
    ],
    ids=str,
)
def test_options_of_what_replays_trials_train_where_episodes_end_early(
    tmp_path, name, options, small_replaying, make_lines
):
    config, package = small_replaying(name, **options), {"recurrent_sac": recurrent_sac, "varibad": varibad}[name]
    state = train(tmp_path / "run", package, config, 2, make_lines())
    assert np.isfinite(read_metrics(tmp_path / "run")[-1]["test/return"])
    num_trials = 4 * config.num_initial_trials + 2 * (config.num_tasks_per_iteration or 4)
    assert int(state.env_steps) == int(state.rows) == num_trials * config.num_episodes * 6
    assert (np.asarray(state.data.data.discount[:, 0]) == 0).any()
    assert int(state.data.num_added.sum()) == num_trials


def test_trains_on_a_users_environment_resumes_exactly_and_is_read_back_and_played(
    tmp_path, algorithm, make_lines, line_env
):
    package, small = algorithm
    config, lines = small(), make_lines()
    whole = train(tmp_path / "whole", package, config, 2, lines)
    train(tmp_path / "parts", package, config, 1, make_lines())
    assert_equal(train(tmp_path / "parts", package, config, 2, make_lines()), whole)
    trained = package.load(tmp_path / "whole", ["num_test_episodes=3", "deterministic_test=false"], benchmark=lines)
    assert_equal(trained.params, whole.agent.params)
    assert (trained.seed, trained.iteration, trained.env_steps) == (0, 2, int(whole.env_steps))
    assert trained.evaluate().shape == (2, 3)
    step_through(trained.player(), line_env(**lines.test_tasks[0]), 8)
    with pytest.raises(ValueError, match=r"override must be of a test option .* got 'memory_size=7'"):
        package.load(tmp_path / "whole", ["memory_size=7"], benchmark=lines)


def test_pictures_train_and_stay_bytes(tmp_path, small):
    chosen = benchmark("point-image-dense-32-v1")
    few = take_few(chosen, num_train=3, num_test=1)
    config = small(image_channels=(2, 2), num_image_features=3, num_episodes=1, ppo_num_epochs=1, test_every=1)
    state = train(tmp_path / "run", rl2, config, 1, few)
    assert state.data.obs.dtype == np.uint8
    assert np.isfinite(read_metrics(tmp_path / "run")[-1]["test/return"])


def test_locomotion_trains_where_robots_fall_and_keeps_every_step(tmp_path, algorithm):
    pytest.importorskip("mujoco")
    package, small = algorithm
    state = train(tmp_path / "run", package, small(), 1, take_few(benchmark("walker-params-v0")))
    num_initial = 0 if package is rl2 else 4
    assert int(state.rows) == int(state.env_steps) == (num_initial + 3) * 2 * 200
    trials = state.data if package is rl2 else jax.tree.map(lambda leaf: leaf[:, 0], state.data.data)
    fell = np.asarray(trials.discount) == 0
    assert fell.any()
    assert np.asarray(trials.ended)[fell].all()


def test_not_a_number_from_an_environment_stops_with_step_and_task_and_keeps_the_checkpoint(
    tmp_path, algorithm, make_lines
):
    package, small = algorithm
    config = small(num_tasks_per_iteration=0)
    train(tmp_path / "run", package, config, 1, make_lines())
    with pytest.raises(NonFiniteError, match=r"reward is nan at step 2 of episode 0 in train task 3"):
        train(tmp_path / "run", package, config, 2, make_lines(broken_goal=0.8, break_at=3))
    train(tmp_path / "run", package, config, 2, make_lines())
    train(tmp_path / "whole", package, config, 2, make_lines())
    assert read_metrics(tmp_path / "run") == read_metrics(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"config": {}}, "config must be a .*Config, got a dict"),
        ({"benchmark": POINT}, f"benchmark must be a metarl_envs.Benchmark, got '{POINT}'"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2\^32\), got -1"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_a_directory_is_made(tmp_path, changed, message, algorithm):
    package, small = algorithm
    arguments = {"config": small(), "benchmark": benchmark(POINT), "seed": 0, **changed}
    with pytest.raises(ValueError, match=message):
        package.open_run(tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_only_the_same_run_goes_on_in_its_directory(tmp_path, small):
    rl2.open_run(tmp_path / "run", small(), benchmark(POINT), 0).close()
    with pytest.raises(RunError, match=r"config.credit: \"trial\" \(run\) != \"episode\" \(now\)"):
        rl2.open_run(tmp_path / "run", small(credit="episode"), benchmark(POINT), 0)
