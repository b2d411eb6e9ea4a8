"""What tests of several learners do alike: benchmarks, whole training runs, trials played and remembered."""

import json

import jax
import numpy as np
from gymnasium import spaces
from metarl_envs import Benchmark, TaskFamily, benchmark
from rlcore.meta import TrialPlayer
from rlcore.meta.trials import begin_trial_and_act, observe_and_act
from rlcore.rollout import find_ends

POINT = "point-sparse-wide-v0"
VECTOR = spaces.Box(-np.inf, np.inf, (5,), np.float32)


class OwnFamily(TaskFamily):
    """What nobody has to play to choose options."""

    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, horizon, observation_space, signals):
        self.horizon, self.observation_space, self.signals = horizon, observation_space, signals

    def sample_tasks(self, key, n):
        raise NotImplementedError

    def make_vec(self, tasks, seed=None):
        raise NotImplementedError


def make_own(name="mine", *, num_tasks=30, horizon=200, space=VECTOR, signals=("speed",)):
    """A user's benchmark that cannot be played."""
    return Benchmark(name, OwnFamily(horizon, space, signals), np.zeros(num_tasks), np.zeros(3))


def take_few(chosen, num_train=4, num_test=2):
    """The first tasks of a benchmark."""
    tasks = chosen.take_train_tasks(np.arange(num_train)), chosen.take_test_tasks(np.arange(num_test))
    return Benchmark("few", chosen.family, *tasks)


def train(run_dir, package, config, num_iterations, chosen=None, seed=0):
    """The state after a run, or after the rest of one; on a few tasks of navigation unless told otherwise."""
    chosen = take_few(benchmark(POINT)) if chosen is None else chosen
    run = package.open_run(run_dir, config, chosen, seed)
    return package.train(config, chosen, run, seed=seed, num_iterations=num_iterations)


def read_metrics(run_dir):
    """All rows, without times."""
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def assert_equal(one, other):
    """To the bit, keys too."""
    one, other = (
        jax.tree.map(lambda leaf: jax.random.key_data(leaf) if _is_key(leaf) else np.asarray(leaf), tree)
        for tree in (one, other)
    )
    jax.tree.map(np.testing.assert_array_equal, one, other)


def _is_key(leaf):
    return jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def step_through(player, env, num_steps):
    """A trained agent plays an environment that it is given step by step."""
    obs, _ = env.reset(seed=0)
    for _ in range(num_steps):
        obs, reward, terminated, truncated, _ = env.step(player.act(obs))
        player.observe(obs, reward, terminated, truncated)
        if terminated or truncated:
            obs, _ = env.reset()


def play(policy, params, chosen, num_steps, *, ids=(0, 1, 2), seed=1):
    """A trial in three train tasks."""
    with TrialPlayer(chosen.family) as player:
        tasks = chosen.take_train_tasks(np.asarray(ids))
        return player.play(policy, params, tasks, jax.random.key(seed), num_steps=num_steps)


def remember(policy, params, visit):
    """Memories after each step of a visit `[S, M]`, of a policy that is told what was done in it."""
    transition, ends = visit.trajectory.transition, np.asarray(find_ends(visit.trajectory))
    _, memory = begin_trial_and_act(policy, params, transition.obs[0], jax.random.key(0), ends.shape[1])
    memories = [jax.tree.map(np.array, memory)]
    for t in range(1, len(ends)):
        step = jax.tree.map(lambda leaf, t=t: leaf[t - 1], transition)
        _, memory = observe_and_act(policy, params, memory, step, ends[t - 1], transition.obs[t], jax.random.key(t))
        memories.append(jax.tree.map(np.array, memory))  # a copy: the memory is donated
    return memories


def enliven(params):
    """Last layers begin near 0: larger ones tell more."""
    keys = iter(jax.random.split(jax.random.key(9), len(jax.tree.leaves(params))))
    return jax.tree.map(lambda leaf: leaf + 0.3 * jax.random.normal(next(keys), leaf.shape), params)
