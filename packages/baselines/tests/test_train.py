"""Whole training runs, small: they resume exactly, compile once, and stop on numbers that are not finite."""

import json
import logging

import jax
import numpy as np
import pytest
from metarl_baselines import recurrent_sac, rl2, varibad
from metarl_envs import Benchmark, benchmark
from rlcore.experiment import NonFiniteError, Run, RunError, from_dict, load_config

POINT = "point-sparse-wide-v0"


def _few(name=POINT):
    """Four train tasks and two test tasks of a benchmark."""
    chosen = benchmark(name)
    return Benchmark("few", chosen.family, chosen.take_train_tasks(np.arange(4)), chosen.take_test_tasks(np.arange(2)))


def _train(run_dir, package, config, num_iterations, chosen=None, seed=0):
    chosen = _few() if chosen is None else chosen
    run = package.open_run(run_dir, config, chosen, seed)
    return package.train(config, chosen, run, seed=seed, num_iterations=num_iterations)


def _metrics(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def _assert_equal(one, other):
    def check(a, b):
        if jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        np.testing.assert_array_equal(a, b)

    jax.tree.map(check, one, other)


OF_UPDATES = {
    "rl2": {"loss/policy", "loss/value", "policy/entropy", "policy/kl", "critic/value"},
    "recurrent_sac": {"loss/actor", "loss/critic", "policy/entropy", "policy/temperature", "critic/q"},
    "varibad": {"loss/critic", "loss/belief", "belief/kl", "belief/std", "belief/reward_rmse"},
}


@pytest.mark.wheel
def test_stopped_and_resumed_run_equals_an_undisturbed_one(tmp_path, algorithm):
    package, small = algorithm
    config = small(training_reward="dense_reward")
    whole = _train(tmp_path / "whole", package, config, 4)
    _train(tmp_path / "parts", package, config, 2)
    _assert_equal(_train(tmp_path / "parts", package, config, 4), whole)
    rows = _metrics(tmp_path / "whole")
    assert _metrics(tmp_path / "parts") == rows
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


def test_nothing_compiles_after_the_second_iteration_and_seeds_differ(tmp_path, caplog, monkeypatch, algorithm):
    finish, compiled = Run.finish_iteration, []

    def watch(run, iteration, state, metrics):
        finish(run, iteration, state, metrics)
        compiled.append(sum("Finished XLA compilation" in record.message for record in caplog.records))

    monkeypatch.setattr(Run, "finish_iteration", watch)
    package, small = algorithm
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        one = _train(tmp_path / "run", package, small(test_every=1), 4)
    assert compiled[0] > 0
    assert compiled[3] == compiled[2] == compiled[1]
    other = _train(tmp_path / "other", package, small(test_every=1), 1, seed=1)
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
    state = _train(tmp_path / "run", rl2, config, 2, make_lines())
    assert np.isfinite(_metrics(tmp_path / "run")[-1]["test/return"])
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
    state = _train(tmp_path / "run", package, config, 2, make_lines())
    assert np.isfinite(_metrics(tmp_path / "run")[-1]["test/return"])
    num_trials = 4 * config.num_initial_trials + 2 * (config.num_tasks_per_iteration or 4)
    assert int(state.env_steps) == int(state.rows) == num_trials * config.num_episodes * 6
    assert (np.asarray(state.data.data.discount[:, 0]) == 0).any()
    assert int(state.data.num_added.sum()) == num_trials


def test_trains_on_a_users_environment_resumes_exactly_and_is_read_back_and_played(
    tmp_path, algorithm, make_lines, line_env
):
    package, small = algorithm
    config, lines = small(), make_lines()
    whole = _train(tmp_path / "whole", package, config, 2, lines)
    _train(tmp_path / "parts", package, config, 1, make_lines())
    _assert_equal(_train(tmp_path / "parts", package, config, 2, make_lines()), whole)
    trained = package.load(tmp_path / "whole", ["num_test_episodes=3", "deterministic_test=false"], benchmark=lines)
    _assert_equal(trained.params, whole.agent.params)
    assert (trained.seed, trained.iteration, trained.env_steps) == (0, 2, int(whole.env_steps))
    assert trained.evaluate().shape == (2, 3)
    env = line_env(**lines.test_tasks[0])
    player, (obs, _) = trained.player(), env.reset(seed=0)
    for _ in range(8):
        obs, reward, terminated, truncated, _ = env.step(player.act(obs))
        player.observe(obs, reward, terminated, truncated)
        if terminated or truncated:
            obs, _ = env.reset()
    with pytest.raises(ValueError, match=r"override must be of a test option .* got 'memory_size=7'"):
        package.load(tmp_path / "whole", ["memory_size=7"], benchmark=lines)


def test_pictures_train_and_stay_bytes(tmp_path, small):
    chosen = benchmark("point-image-dense-32-v1")
    few = Benchmark("pictures", chosen.family, chosen.take_train_tasks([0, 1, 2]), chosen.take_test_tasks([0]))
    config = small(image_channels=(2, 2), num_image_features=3, num_episodes=1, ppo_num_epochs=1, test_every=1)
    state = _train(tmp_path / "run", rl2, config, 1, few)
    assert state.data.obs.dtype == np.uint8
    assert np.isfinite(_metrics(tmp_path / "run")[-1]["test/return"])


def test_locomotion_trains_where_robots_fall_and_keeps_every_step(tmp_path, algorithm):
    pytest.importorskip("mujoco")
    package, small = algorithm
    state = _train(tmp_path / "run", package, small(), 1, _few("walker-params-v0"))
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
    _train(tmp_path / "run", package, config, 1, make_lines())
    with pytest.raises(NonFiniteError, match=r"reward is nan at step 2 of episode 0 in train task 3"):
        _train(tmp_path / "run", package, config, 2, make_lines(broken_goal=0.8, break_at=3))
    _train(tmp_path / "run", package, config, 2, make_lines())
    _train(tmp_path / "whole", package, config, 2, make_lines())
    assert _metrics(tmp_path / "run") == _metrics(tmp_path / "whole")


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
