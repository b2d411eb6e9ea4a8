"""Whole training runs, small: they resume exactly, compile once, learn, and stop on numbers that are not finite."""

import dataclasses
import itertools
import json
import logging

import flax.linen as nn
import gymnasium
import jax
import numpy as np
import pearl_jax
import pytest
from gymnasium import spaces
from metarl_envs import Benchmark, benchmark, from_gymnasium
from pearl_jax.learner import make_rows
from pearl_jax.runs import ALGORITHM
from rlcore.experiment import NonFiniteError, Run, RunError, override, to_dict
from rlcore.meta import SavedRun, TrialPlayer, Visit
from rlcore.networks import ConvEncoder
from rlcore.rollout import Trajectory
from rlcore.types import Transition

WIDE = "point-sparse-wide-v0"
SMALL = override(
    pearl_jax.preset("tiny", benchmark(WIDE)).config,
    [
        "sac.hidden_sizes=8",
        "encoder_sizes=8",
        "num_updates=5",
        "num_tasks_per_iteration=4",
        "num_initial_episodes=1",
        "num_extra_episodes=1",
        "replay_capacity=240",
        "num_test_episodes=2",
        "test_every=2",
        "ease_until_iteration=3",
    ],
)


def _train(run_dir, config, num_iterations, tasks=WIDE, seed=0):
    chosen = benchmark(tasks) if isinstance(tasks, str) else tasks
    run = pearl_jax.open_run(run_dir, config, chosen, seed)
    return pearl_jax.train(config, chosen, run, seed=seed, num_iterations=num_iterations)


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
def test_stopped_and_resumed_run_equals_an_undisturbed_one(tmp_path):
    whole = _train(tmp_path / "whole", SMALL, 4)
    _train(tmp_path / "parts", SMALL, 2)
    _assert_equal(_train(tmp_path / "parts", SMALL, 4), whole)
    assert _metrics(tmp_path / "parts") == _metrics(tmp_path / "whole")
    assert [row["iteration"] for row in _metrics(tmp_path / "whole")] == [1, 2, 3, 4]
    assert [row["train/difficulty"] for row in _metrics(tmp_path / "whole")] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    env_steps = 100 * 20 + 4 * 4 * (2 + 3 + 1) * 20
    assert int(whole.env_steps) == env_steps


def test_locomotion_resumes_exactly_and_keeps_every_step_where_robots_fall(tmp_path):
    pytest.importorskip("mujoco")
    walkers = benchmark("walker-params-v0")
    few = Benchmark("walkers", walkers.family, walkers.take_train_tasks([0, 1, 2, 3]), walkers.take_test_tasks([0, 1]))
    config = dataclasses.replace(SMALL, num_tasks_per_iteration=3, replay_capacity=2000, training_reward="reward")
    whole = _train(tmp_path / "whole", config, 2, tasks=few)
    _train(tmp_path / "parts", config, 1, tasks=few)
    _assert_equal(_train(tmp_path / "parts", config, 2, tasks=few), whole)
    assert _metrics(tmp_path / "parts") == _metrics(tmp_path / "whole")
    stored = whole.data.replay
    assert int(stored.num_added.sum()) == int(whole.rows) == int(whole.env_steps)
    fell = np.asarray(stored.data.discount == 0) & (np.arange(stored.capacity) < np.asarray(stored.size)[:, None])
    assert fell.any()


@pytest.mark.parametrize("name", ["hopper-params-v0", "walker-params-v0", "ant-fwd-back-v0", "humanoid-dir-v0"])
def test_nothing_that_is_simulated_is_thrown_away_where_robots_fall(name):
    """With random networks, which fall within a few steps: rows kept and steps simulated are the same number."""
    pytest.importorskip("mujoco")
    chosen = benchmark(name)
    config = dataclasses.replace(SMALL, num_tasks_per_iteration=2, replay_capacity=1200, training_reward="reward")
    learner = pearl_jax.PearlLearner(config, chosen)
    agent, data = learner.init(jax.random.key(0))
    ids = np.arange(2)
    with TrialPlayer(chosen.family) as player:
        tasks = chosen.take_train_tasks(ids)
        policy = learner.collection.policy
        visit = player.play(policy, learner.params(agent), tasks, jax.random.key(1), num_steps=300)
    data, rows = learner.store(data, ids, visit, first=False)
    assert visit.num_steps == rows == int(data.replay.num_added.sum()) == 2 * 300
    ends = visit.trajectory.transition.discount == 0
    assert (ends.sum(axis=0) > 0).all()
    stored = data.replay.data
    np.testing.assert_array_equal(np.asarray(stored.step)[:2, :300], visit.step_in_episode().T)
    np.testing.assert_array_equal(np.asarray(stored.next_obs)[0, :300], visit.trajectory.transition.next_obs[:, 0])


def test_seeds_differ(tmp_path):
    one, other = (_train(tmp_path / str(seed), SMALL, 1, seed=seed) for seed in (0, 1))
    assert float(one.agent.learner.params.actor["params"]["MLP_0"]["Dense_0"]["kernel"][0, 0]) != float(
        other.agent.learner.params.actor["params"]["MLP_0"]["Dense_0"]["kernel"][0, 0]
    )


def test_nothing_compiles_after_the_second_iteration(tmp_path, caplog, monkeypatch):
    finish, compiled = Run.finish_iteration, []

    def watch(run, iteration, state, metrics):
        finish(run, iteration, state, metrics)
        compiled.append(sum("Finished XLA compilation" in record.message for record in caplog.records))

    monkeypatch.setattr(Run, "finish_iteration", watch)
    config = dataclasses.replace(SMALL, test_every=1)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        _train(tmp_path / "run", config, 4)
    assert compiled[0] > 0
    assert compiled[3] == compiled[2] == compiled[1]


class LineEnv(gymnasium.Env):
    """Move along a line to a goal; a user's environment, with an early end."""

    observation_space = spaces.Box(-10, 10, (1,), np.float32)
    action_space = spaces.Box(-2, 2, (1,), np.float32)

    def __init__(self, goal, break_at=None):
        self.goal, self.break_at, self.count = goal, break_at, itertools.count(1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.t = np.zeros(1, np.float32), 0
        return self.x.copy(), {}

    def step(self, action):
        self.x, self.t = np.clip(self.x + 0.1 * action, -10, 10).astype(np.float32), self.t + 1
        reward = -abs(float(self.x[0]) - self.goal)
        if self.break_at is not None and next(self.count) == self.break_at:
            reward = float("nan")
        return self.x.copy(), reward, reward > -0.05, self.t >= 6, {}


def _line_benchmark(broken_goal=None, break_at=None):
    """Lines; the environment of one goal breaks at a step of its life, which is no part of the task."""

    def make_env(task):
        return LineEnv(**task, break_at=break_at if task["goal"] == broken_goal else None)

    tasks = [{"goal": goal} for goal in (-1.0, -0.5, 0.5, 1.0)]
    return Benchmark("line", from_gymnasium(make_env, tasks, horizon=6), tasks, tasks[:2])


HOST = dataclasses.replace(SMALL, training_reward="reward", ease_until_iteration=0, num_test_episodes=2)


def test_trains_on_a_users_environment_and_resumes_exactly(tmp_path):
    whole = _train(tmp_path / "whole", HOST, 2, _line_benchmark())
    _train(tmp_path / "parts", HOST, 1, _line_benchmark())
    _assert_equal(_train(tmp_path / "parts", HOST, 2, _line_benchmark()), whole)
    assert np.isfinite(_metrics(tmp_path / "whole")[-1]["test/return"])


@pytest.mark.parametrize(
    "options",
    [
        {"encoder": "recurrent", "context_size": 12},
        {"encoder": "deterministic", "num_hypotheses": 0, "max_context_episodes": 3, "deterministic_test": False},
        {"num_posterior_episodes": 0, "num_extra_episodes": 0, "max_context_episodes": 3},
        {"context_sampler": "off_policy", "correlated_batch": True, "batch_size": 6},
    ],
    ids=str,
)
def test_options_train_where_episodes_end_early(tmp_path, options):
    state = _train(tmp_path / "run", dataclasses.replace(HOST, **options), 2, _line_benchmark())
    assert int(state.data.replay.num_added.sum()) == int(state.env_steps)
    assert np.isfinite(_metrics(tmp_path / "run")[-1]["test/return"])


def test_context_of_early_ending_episodes_holds_only_rows_that_were_written(tmp_path):
    """Written rows have a negative reward; a row of zeros was never written."""
    config = dataclasses.replace(HOST, max_context_episodes=6, meta_batch_size=32, num_initial_episodes=1)
    tasks = _line_benchmark()
    state = _train(tmp_path / "run", config, 1, tasks)
    agent = pearl_jax.PearlLearner(config, tasks).agent
    batch = agent.sample(state.data, jax.random.key(5))
    assert (np.asarray(batch.context.context_reward) != 0).all()
    steps, valid = (
        np.asarray(leaf).reshape(32, 6, tasks.family.horizon) for leaf in (batch.context.step, batch.context_valid)
    )
    assert (steps[valid] == np.broadcast_to(np.arange(tasks.family.horizon), valid.shape)[valid]).all()
    short = state.data._replace(num_recent=np.full(4, 3, np.int32))  # fewer rows than an episode
    batch = agent.sample(short, jax.random.key(5))
    per_episode = np.asarray(batch.context_valid).reshape(32, 6, tasks.family.horizon).sum(axis=2)
    assert per_episode.max() <= 3


def test_not_a_number_in_a_test_task_is_named_too(tmp_path):
    tasks = _line_benchmark(broken_goal=0.7, break_at=2)
    broken = dataclasses.replace(tasks, test_tasks=[tasks.test_tasks[0], {"goal": 0.7}])
    with pytest.raises(NonFiniteError, match=r"reward is nan at step 1 of episode 0 in test task 1"):
        _train(tmp_path / "run", dataclasses.replace(HOST, test_every=1), 1, broken)


def test_not_a_number_from_an_environment_stops_with_step_and_task_and_keeps_the_checkpoint(tmp_path):
    _train(tmp_path / "run", HOST, 1, _line_benchmark())
    with pytest.raises(NonFiniteError, match=r"reward is nan at step 2 of episode 0 in train task 3"):
        _train(tmp_path / "run", HOST, 2, _line_benchmark(broken_goal=1.0, break_at=3))
    _train(tmp_path / "run", HOST, 2, _line_benchmark())
    _train(tmp_path / "whole", HOST, 2, _line_benchmark())
    assert _metrics(tmp_path / "run") == _metrics(tmp_path / "whole")


def test_rows_are_in_the_order_of_time_each_with_its_place_in_its_episode():
    """Two episodes of two steps and of one."""
    reward = np.arange(3, dtype=np.float32)[:, None]
    vector = np.zeros((3, 1, 2), np.float32)
    transition = Transition(vector, vector, reward, np.ones_like(reward), vector)
    visit = Visit(Trajectory(transition, np.zeros((3, 1), bool), {}), np.asarray([[0], [0], [1]], np.int32))
    rows = make_rows(visit, 10 * reward)
    np.testing.assert_array_equal(rows.context_reward, [[0, 1, 2]])
    np.testing.assert_array_equal(rows.reward, [[0, 10, 20]])
    np.testing.assert_array_equal(rows.step, [[0, 1, 0]])


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"benchmark": "point-sparse-v0"}, {"config": {"kl_coef": 0.5}}], ids=str
)
def test_only_the_same_run_goes_on_in_its_directory(tmp_path, other):
    pearl_jax.open_run(tmp_path / "run", SMALL, benchmark(WIDE), 0).close()
    config = dataclasses.replace(SMALL, **other.get("config", {}))
    chosen = benchmark(other.get("benchmark", WIDE))
    with pytest.raises(RunError, match=r"(seed|benchmark.name|config.kl_coef): .* \(run\) != .* \(now\)"):
        pearl_jax.open_run(tmp_path / "run", config, chosen, other.get("seed", 0))
    pearl_jax.open_run(tmp_path / "run", SMALL, benchmark(WIDE), 0).close()


def test_other_tasks_of_the_same_name_are_another_run(tmp_path):
    tasks = _line_benchmark()
    pearl_jax.open_run(tmp_path / "run", HOST, tasks, 0).close()
    others = dataclasses.replace(tasks, train_tasks=[{"goal": 0.1}, *tasks.train_tasks[1:]])
    with pytest.raises(RunError, match=r"benchmark.train_tasks: .* \(run\) != .* \(now\)"):
        pearl_jax.open_run(tmp_path / "run", HOST, others, 0)


def test_a_directory_that_knows_less_of_its_benchmark_goes_on_and_is_read(tmp_path):
    tasks = _line_benchmark()
    pearl_jax.open_run(tmp_path / "run", HOST, tasks, 0).close()
    longer = _line_benchmark()
    longer.family.horizon += 1
    with pytest.raises(RunError, match=r"benchmark.horizon: 6 \(run\) != 7 \(now\)"):
        pearl_jax.open_run(tmp_path / "run", HOST, longer, 0)
    config = json.loads((tmp_path / "run/config.json").read_text())
    for name in ("horizon", "observation_space", "action_space"):
        del config["benchmark"][name]
    (tmp_path / "run/config.json").write_text(json.dumps(config))
    _train(tmp_path / "run", HOST, 1, tasks)
    assert pearl_jax.load(tmp_path / "run", benchmark=tasks).iteration == 1


def test_training_in_a_run_that_was_opened_as_another_one_is_refused_and_gives_the_directory_free(tmp_path):
    run = pearl_jax.open_run(tmp_path / "run", SMALL, benchmark(WIDE), 0)
    with pytest.raises(RunError, match=r"seed: 0 \(run\) != 1 \(now\)"):
        pearl_jax.train(SMALL, benchmark(WIDE), run, seed=1, num_iterations=1)
    _train(tmp_path / "run", SMALL, 1)
    with pytest.raises(RunError, match=r"pearl_jax.open_run"):
        pearl_jax.train(SMALL, benchmark(WIDE), Run.open(tmp_path / "plain", to_dict(SMALL)), seed=0, num_iterations=1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"config": pearl_jax.preset("tiny", benchmark(WIDE))}, "config must be a PearlConfig, got a Plan; its field"),
        ({"config": {}}, "config must be a PearlConfig, got a dict"),
        ({"benchmark": WIDE}, f"benchmark must be a metarl_envs.Benchmark, got '{WIDE}'"),
        ({"benchmark": benchmark(WIDE).family}, "benchmark must be a metarl_envs.Benchmark"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2\^32\), got -1"),
        ({"seed": 0.0}, "seed must be a whole number"),
        ({"seed": True}, "seed must be a whole number"),
        ({"config": dataclasses.replace(SMALL, replay_capacity=10)}, "replay_capacity must hold"),
        ({"obs_network": 5}, "obs_network must be a flax module, got 5"),
        ({"checkpoint_every": 1.5}, "checkpoint_every must be an integer, got 1.5"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_a_directory_is_made(tmp_path, changed, message):
    arguments = {"config": SMALL, "benchmark": benchmark(WIDE), "seed": 0, **changed}
    with pytest.raises(ValueError, match=message):
        pearl_jax.open_run(tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_a_directory_of_the_first_version_is_read_and_not_gone_on_with(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"benchmark": WIDE, "seed": 0, "pearl": to_dict(SMALL)}))
    with pytest.raises(RunError, match=r"is of version 0.1.0: pearl_jax.load reads it, but training goes on in a new"):
        pearl_jax.open_run(tmp_path, SMALL, benchmark(WIDE), 0)


def test_runs_are_read_that_were_begun_before_options_were_added():
    options = to_dict(SMALL)
    del options["encoder_losses"], options["reconstruction_coef"], options["num_hypotheses"]
    before = dataclasses.replace(SMALL, num_hypotheses=0)
    assert ALGORITHM.read_config(SavedRun("pearl", {}, 0, options, {})) == before


def test_a_run_is_read_back_with_the_network_that_it_was_trained_with_and_test_options_only(tmp_path):
    network = ConvEncoder((2, 2), 3)
    chosen = benchmark("point-image-dense-32-v1")
    config = dataclasses.replace(SMALL, training_reward="reward")
    pearl_jax.open_run(tmp_path / "run", config, chosen, 0, obs_network=network).close()
    for other in ({}, {"obs_network": ConvEncoder((2, 2), 4)}):
        with pytest.raises(RunError, match="was trained with obs_network"):
            pearl_jax.load(tmp_path / "run", **other)
    with pytest.raises(ValueError, match=r"override must be of a test option .* got 'latent_size=7'"):
        pearl_jax.load(tmp_path / "run", ["latent_size=7"], obs_network=network)
    with pytest.raises(ValueError, match="obs_network must be told from others by what it prints"):
        pearl_jax.open_run(tmp_path / "lambda", config, chosen, 0, obs_network=nn.Dense(3, kernel_init=lambda *_: 0))


def test_a_run_is_read_back_evaluated_and_played_step_by_step(tmp_path):
    tasks = _line_benchmark()
    state = _train(tmp_path / "run", HOST, 1, tasks)
    trained = pearl_jax.load(tmp_path / "run", ["num_test_episodes=3"], benchmark=tasks)
    _assert_equal(trained.params, state.agent.average)
    assert (trained.seed, trained.iteration, trained.env_steps) == (0, 1, int(state.env_steps))
    returns = trained.evaluate()
    assert returns.shape == (2, 3)
    env = LineEnv(**tasks.test_tasks[0])
    player, (obs, _) = trained.player(), env.reset(seed=0)
    for _ in range(8):
        action = player.act(obs)
        assert env.action_space.contains(action)
        obs, reward, terminated, truncated, _ = env.step(action)
        player.observe(obs, reward, terminated, truncated)
        if terminated or truncated:
            obs, _ = env.reset()
    with pytest.raises(RunError, match=r"of a benchmark with train_tasks"):
        pearl_jax.load(tmp_path / "run", benchmark=dataclasses.replace(tasks, train_tasks=tasks.test_tasks))
