"""Checks that JAX makes on request, on for all tests; quick compilation; a small agent, and lines to walk along."""

import dataclasses
import functools
import importlib
import itertools
import logging
import sys
from pathlib import Path

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium import spaces
from metarl_baselines.recurrent_sac import RecurrentSACConfig
from metarl_baselines.rl2 import RL2Config
from metarl_baselines.varibad import VariBADConfig
from metarl_envs import Benchmark, from_gymnasium
from rlcore.experiment import Run
from rlcore.policy_gradient import PPOConfig
from rlcore.sac import SACConfig

sys.path.insert(0, str(Path(__file__).parent))  # tests share modules of helpers

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation(request):
    """Compiles 2 to 8 times faster, into slower code, except where a module says `OPTIMISE = True`."""
    jax.config.update("jax_disable_most_optimizations", not getattr(request.module, "OPTIMISE", False))
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()  # a process that keeps thousands of programs runs out of memory mappings, and aborts


class LineEnv(gymnasium.Env):
    """Move along a line to a goal; a user's environment, whose episodes end early at the goal."""

    observation_space = spaces.Box(-10, 10, (1,), np.float32)
    action_space = spaces.Box(-2, 2, (1,), np.float32)

    def __init__(self, goal, break_at=None):
        self.goal, self.break_at, self.count = goal, break_at, itertools.count(1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.t = self.np_random.uniform(-0.1, 0.1, 1).astype(np.float32), 0
        return self.x.copy(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.x, self.t = np.clip(self.x + 0.2 * action, -10, 10).astype(np.float32), self.t + 1
        reward = -abs(float(self.x[0]) - self.goal)
        if self.break_at is not None and next(self.count) == self.break_at:
            reward = float("nan")
        return self.x.copy(), reward, reward > -0.1, self.t >= 6, {"halved": reward / 2}


@pytest.fixture(scope="session")
def line_env():
    return LineEnv


@pytest.fixture
def make_lines():
    """`make_lines(broken_goal, break_at)`: the environment of one goal breaks at a step of its life."""

    def make(broken_goal=None, break_at=None):
        def make_env(task):
            return LineEnv(**task, break_at=break_at if task["goal"] == broken_goal else None)

        tasks = [{"goal": goal} for goal in (-0.8, -0.05, 0.4, 0.8)]
        return Benchmark("line", from_gymnasium(make_env, tasks, horizon=6), tasks, tasks[:2])

    return make


@pytest.fixture
def small():
    """`small(**options)`: a config of a small agent of RL2; options of PPO as `ppo_`."""

    def make(**options):
        of_ppo = _take(options, "ppo_")
        ppo = PPOConfig(**{"num_epochs": 2, "num_minibatches": 2, "learning_rate": 1e-2, **of_ppo})
        sizes = {"memory_size": 5, "embedding_size": 6, "hidden_sizes": (7,), "num_tasks_per_iteration": 3}
        config = RL2Config(ppo=ppo, **sizes, num_test_episodes=2, test_every=2)
        return dataclasses.replace(config, **options)

    return make


@pytest.fixture
def small_replaying():
    """`small_replaying(name, **options)`: likewise of what replays trials, by its package; options of SAC as `sac_`."""

    def make(name, **options):
        sac = SACConfig(
            **{"hidden_sizes": (7,), "discount": 0.9, "critic_learning_rate": 1e-2, **_take(options, "sac_")}
        )
        sizes = {"memory_size": 5, "embedding_size": 3, "num_tasks_per_iteration": 3, "num_updates": 2, "batch_size": 4}
        of_varibad = {"latent_size": 2, "decoder_sizes": (6,), "num_beliefs": 3}
        sizes |= {"replay_capacity": 5, "num_test_episodes": 2, "test_every": 2}
        if name == "varibad":
            return VariBADConfig(sac=sac, **{**sizes, **of_varibad, **options})
        return RecurrentSACConfig(sac=sac, **{**sizes, **options})

    return make


@pytest.fixture
def compiled(monkeypatch, caplog):
    """How many programs were compiled by the end of each iteration of the test's runs; grows as they go."""
    finish, numbers = Run.finish_iteration, []

    def watch(run, iteration, state, metrics):
        finish(run, iteration, state, metrics)
        numbers.append(sum("Finished XLA compilation" in record.message for record in caplog.records))

    monkeypatch.setattr(Run, "finish_iteration", watch)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        yield numbers


@pytest.fixture(params=["rl2", "recurrent_sac", "varibad"])
def algorithm(request, small, small_replaying):
    """Each package, and `small(**options)` of it."""
    package = importlib.import_module(f"metarl_baselines.{request.param}")
    return package, small if request.param == "rl2" else functools.partial(small_replaying, request.param)


def _take(options, prefix):
    """Those options that begin so, without it; they are left out of the others."""
    return {name.removeprefix(prefix): options.pop(name) for name in list(options) if name.startswith(prefix)}
