"""Whole training runs, small: they resume exactly, compile once, build on a first stage, stop on what is not finite."""

import dataclasses
import json
import logging

import gymnasium
import jax
import meld_jax
import numpy as np
import optax
import pytest
from gymnasium import spaces
from meld_builders import SMALL
from metarl_envs import Benchmark, benchmark, from_gymnasium
from rlcore.convolution import has_slow_convolutions
from rlcore.experiment import NonFiniteError, Run, override

DENSE, SPARSE = "point-image-dense-32-v1", "point-image-sparse-32-v1"
# One set of options as far as they are compiled, so that what one test compiled the others find in the cache.
QUICK = override(
    SMALL,
    ["num_joint_updates=3", "num_initial_updates=4", "test_every=2", "num_test_trials=2", "averaging_rate=0.1"],
)
BLINKING = override(QUICK, ["second_stage_reward=reward"])


def _train(run_dir, config, num_iterations, tasks=DENSE, seed=0, first_stage=None):
    chosen = benchmark(tasks) if isinstance(tasks, str) else tasks
    run = meld_jax.open_run(run_dir, config, chosen, seed, first_stage=first_stage)
    return meld_jax.train(config, chosen, run, seed=seed, num_iterations=num_iterations, first_stage=first_stage)


def _metrics(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def _assert_equal(one, other):
    def check(a, b):
        if jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        np.testing.assert_array_equal(a, b)

    jax.tree.map(check, one, other)


def test_stopped_and_resumed_run_equals_an_undisturbed_one(tmp_path):
    whole = _train(tmp_path / "whole", QUICK, 3)
    _train(tmp_path / "parts", QUICK, 2)
    _assert_equal(_train(tmp_path / "parts", QUICK, 3), whole)
    assert _metrics(tmp_path / "parts") == _metrics(tmp_path / "whole")
    assert [row["iteration"] for row in _metrics(tmp_path / "whole")] == [1, 2, 3]
    assert int(whole.env_steps) == (30 + 3 * 2) * 2 * 20
    np.testing.assert_array_equal(whole.data.replay.num_added.sum(), 30 + 3 * 2)
    second = _metrics(tmp_path / "whole")[1]
    assert {"test/return_1", "test/success_2", "test/found_1", "model/reward_rmse"} <= set(second)


def test_a_second_stage_sees_sparse_rewards_and_keeps_the_trials_and_the_model_of_the_first(tmp_path):
    done = _train(tmp_path / "one", QUICK, 1)
    first = meld_jax.load_first_stage(tmp_path / "one", QUICK, benchmark(SPARSE))
    _assert_equal(first.model, done.agent.model)
    _assert_equal(first.replay, done.data.replay)
    config = dataclasses.replace(
        QUICK, training_reward="dense_reward", second_stage_reward="reward", expert_share=0.5, num_initial_updates=0
    )
    straight = _train(tmp_path / "two", config, 1, SPARSE, first_stage=first)
    expert = straight.data.expert.data
    np.testing.assert_array_equal(expert.reward, first.replay.data.second_reward)
    np.testing.assert_array_equal(expert.image, first.replay.data.image)
    sparse = np.asarray(straight.data.replay.data.reward)
    assert set(np.unique(sparse)) <= {0.0, 1.0}
    assert (np.asarray(straight.data.replay.data.training_reward) < 0).any()
    trained = meld_jax.load(tmp_path / "two")
    _assert_equal(trained.params, straight.agent.average)
    assert trained.evaluate().shape == (10, 2)


def test_nothing_compiles_after_the_second_iteration(tmp_path, caplog, monkeypatch):
    finish, compiled = Run.finish_iteration, []

    def watch(run, iteration, state, metrics):
        finish(run, iteration, state, metrics)
        compiled.append(sum("Finished XLA compilation" in record.message for record in caplog.records))

    monkeypatch.setattr(Run, "finish_iteration", watch)
    config = dataclasses.replace(QUICK, test_every=1)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        _train(tmp_path / "run", config, 4)
    assert compiled[0] > 0
    assert compiled[3] == compiled[2] == compiled[1]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="elsewhere convolutions are XLA's")
def test_no_convolution_of_an_update_is_slow_inside_of_loops():
    learner = meld_jax.MeldLearner(override(QUICK, ["model.image_network=conv"]), benchmark(DENSE))
    state, data = jax.eval_shape(learner.init, jax.random.key(0))
    trials = jax.eval_shape(lambda data, key: learner.agent.sample(data, key, 2), data, jax.random.key(0))
    traced = jax.make_jaxpr(learner.agent.update_joint)(state, trials, jax.random.key(0))
    assert "conv_general_dilated" in str(traced)
    assert not has_slow_convolutions(traced.jaxpr)


@pytest.mark.slow
def test_steps_of_each_kind_are_taken_with_convolutions(tmp_path):
    config = override(
        QUICK,
        [
            "model.image_network=conv",
            "num_model_updates=2",
            "num_policy_updates=4",
            "policy_steps_per_batch=2",
            "num_joint_updates=1",
        ],
    )
    state = _train(tmp_path / "run", config, 1)
    assert int(optax.tree.get(state.agent.model_optimiser, "count")) == config.num_initial_updates + 2 + 1
    assert int(optax.tree.get(state.agent.learner.optimiser, "count")) == 4 + 1
    rows = _metrics(tmp_path / "run")
    assert np.isfinite(rows[0]["loss/model"])
    assert np.isfinite(rows[0]["loss/critic"])


class BlinkEnv(gymnasium.Env):
    """A user's environment: brightness is moved to a goal, and episodes end there."""

    observation_space = spaces.Box(0, 255, (8, 8, 3), np.uint8)
    action_space = spaces.Box(-2, 2, (1,), np.float32)

    def __init__(self, goal, broken=False):
        self.goal, self.broken = goal, broken

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.t = 0.5, 0
        return self._picture(), {}

    def step(self, action):
        self.x, self.t = float(np.clip(self.x + 0.1 * action[0], 0, 1)), self.t + 1
        reward = float("nan") if self.broken and self.t == 2 else -abs(self.x - self.goal)
        return self._picture(), reward, reward > -0.1, self.t >= 4, {}

    def _picture(self):
        return np.full((8, 8, 3), round(255 * np.nan_to_num(self.x)), np.uint8)


def _blink(broken=False):
    """The environment of the last train task may break, which is no part of the task."""

    def make_env(task):
        return BlinkEnv(**task, broken=broken and task["goal"] == 0.8)

    tasks = [{"goal": 0.2}, {"goal": 0.8}]
    return Benchmark("blink", from_gymnasium(make_env, tasks, horizon=4), tasks, [{"goal": 0.3}])


def test_trains_on_a_users_environment_where_episodes_end_early(tmp_path):
    state = _train(tmp_path / "run", BLINKING, 2, _blink())
    stored = state.data.replay.data
    assert int(state.rows) == int(state.env_steps) == (np.asarray(stored.valid) & ~np.asarray(stored.first)).sum()
    ended = np.asarray(stored.discount == 0) & np.asarray(stored.valid) & ~np.asarray(stored.first)
    assert ended.any()
    assert np.isfinite(_metrics(tmp_path / "run")[-1]["test/return"])


def test_not_a_number_from_an_environment_stops_with_step_and_task_and_keeps_the_checkpoint(tmp_path):
    _train(tmp_path / "run", BLINKING, 1, _blink())
    with pytest.raises(NonFiniteError, match=r"reward is nan at step 1 of episode \d in train task 1"):
        _train(tmp_path / "run", BLINKING, 2, _blink(broken=True))
    _train(tmp_path / "run", BLINKING, 2, _blink())
    _train(tmp_path / "whole", BLINKING, 2, _blink())
    assert _metrics(tmp_path / "run") == _metrics(tmp_path / "whole")
