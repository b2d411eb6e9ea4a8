"""Whole training runs, small: they resume exactly, compile once, and stop on numbers that are not finite."""

import json
import logging

import jax
import numpy as np
import pytest
from metarl_baselines import rl2
from metarl_envs import Benchmark, benchmark
from rlcore.experiment import NonFiniteError, Run, RunError, from_dict, load_config

POINT = "point-sparse-wide-v0"


def _train(run_dir, config, num_iterations, chosen=POINT, seed=0):
    chosen = benchmark(chosen) if isinstance(chosen, str) else chosen
    run = rl2.open_run(run_dir, config, chosen, seed)
    return rl2.train(config, chosen, run, seed=seed, num_iterations=num_iterations)


def _metrics(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def _assert_equal(one, other):
    def check(a, b):
        if jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        np.testing.assert_array_equal(a, b)

    jax.tree.map(check, one, other)


@pytest.mark.wheel
def test_stopped_and_resumed_run_equals_an_undisturbed_one(tmp_path, small):
    config = small(num_trials_per_task=2, training_reward="dense_reward")
    whole = _train(tmp_path / "whole", config, 4)
    _train(tmp_path / "parts", config, 2)
    _assert_equal(_train(tmp_path / "parts", config, 4), whole)
    rows = _metrics(tmp_path / "whole")
    assert _metrics(tmp_path / "parts") == rows
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4]
    assert int(whole.env_steps) == int(whole.rows) == 4 * 3 * 2 * 2 * 20
    assert rows[-1]["updates"] == 4 * 2 * 2
    assert {"loss/policy", "loss/value", "policy/entropy", "policy/kl", "critic/value", "test/return_2"} <= rows[
        -1
    ].keys()
    saved = load_config(tmp_path / "whole")
    assert saved["algorithm"] == "rl2"
    assert "metarl-baselines" in saved["versions"]
    assert from_dict(rl2.RL2Config, saved["config"]) == config


def test_nothing_compiles_after_the_second_iteration_and_seeds_differ(tmp_path, caplog, monkeypatch, small):
    finish, compiled = Run.finish_iteration, []

    def watch(run, iteration, state, metrics):
        finish(run, iteration, state, metrics)
        compiled.append(sum("Finished XLA compilation" in record.message for record in caplog.records))

    monkeypatch.setattr(Run, "finish_iteration", watch)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        one = _train(tmp_path / "run", small(test_every=1), 4)
    assert compiled[0] > 0
    assert compiled[3] == compiled[2] == compiled[1]
    other = _train(tmp_path / "other", small(test_every=1), 1, seed=1)
    kernels = [state.agent.params["params"]["gru"]["kernel"] for state in (one, other)]
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
def test_options_train_where_episodes_end_early(tmp_path, options, small, make_lines):
    config = small(**options)
    state = _train(tmp_path / "run", config, 2, make_lines())
    assert np.isfinite(_metrics(tmp_path / "run")[-1]["test/return"])
    assert int(state.env_steps) == 2 * (config.num_tasks_per_iteration or 4) * config.num_episodes * 6
    assert (np.asarray(state.data.discount) == 0).any()


def test_trains_on_a_users_environment_resumes_exactly_and_is_read_back_and_played(
    tmp_path, small, make_lines, line_env
):
    config, lines = small(), make_lines()
    whole = _train(tmp_path / "whole", config, 2, lines)
    _train(tmp_path / "parts", config, 1, make_lines())
    _assert_equal(_train(tmp_path / "parts", config, 2, make_lines()), whole)
    trained = rl2.load(tmp_path / "whole", ["num_test_episodes=3", "deterministic_test=false"], benchmark=lines)
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
        rl2.load(tmp_path / "whole", ["memory_size=7"], benchmark=lines)


def test_pictures_train_and_stay_bytes(tmp_path, small):
    chosen = benchmark("point-image-dense-32-v1")
    few = Benchmark("pictures", chosen.family, chosen.take_train_tasks([0, 1, 2]), chosen.take_test_tasks([0]))
    config = small(image_channels=(2, 2), num_image_features=3, num_episodes=1, ppo_num_epochs=1, test_every=1)
    state = _train(tmp_path / "run", config, 1, few)
    assert state.data.obs.dtype == np.uint8
    assert np.isfinite(_metrics(tmp_path / "run")[-1]["test/return"])


def test_locomotion_trains_where_robots_fall_and_keeps_every_step(tmp_path, small):
    pytest.importorskip("mujoco")
    walkers = benchmark("walker-params-v0")
    few = Benchmark("walkers", walkers.family, walkers.take_train_tasks([0, 1, 2]), walkers.take_test_tasks([0]))
    state = _train(tmp_path / "run", small(), 1, few)
    assert int(state.rows) == int(state.env_steps) == 3 * 2 * 200
    fell = np.asarray(state.data.discount) == 0
    assert fell.any()
    assert np.asarray(state.data.ended)[fell].all()


def test_not_a_number_from_an_environment_stops_with_step_and_task_and_keeps_the_checkpoint(
    tmp_path, small, make_lines
):
    config = small(num_tasks_per_iteration=0)
    _train(tmp_path / "run", config, 1, make_lines())
    with pytest.raises(NonFiniteError, match=r"reward is nan at step 2 of episode 0 in train task 3"):
        _train(tmp_path / "run", config, 2, make_lines(broken_goal=0.8, break_at=3))
    _train(tmp_path / "run", config, 2, make_lines())
    _train(tmp_path / "whole", config, 2, make_lines())
    assert _metrics(tmp_path / "run") == _metrics(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"config": {}}, "config must be a RL2Config, got a dict"),
        ({"benchmark": POINT}, f"benchmark must be a metarl_envs.Benchmark, got '{POINT}'"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2\^32\), got -1"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_a_directory_is_made(tmp_path, changed, message, small):
    arguments = {"config": small(), "benchmark": benchmark(POINT), "seed": 0, **changed}
    with pytest.raises(ValueError, match=message):
        rl2.open_run(tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_only_the_same_run_goes_on_in_its_directory(tmp_path, small):
    rl2.open_run(tmp_path / "run", small(), benchmark(POINT), 0).close()
    with pytest.raises(RunError, match=r"config.credit: \"trial\" \(run\) != \"episode\" \(now\)"):
        rl2.open_run(tmp_path / "run", small(credit="episode"), benchmark(POINT), 0)
