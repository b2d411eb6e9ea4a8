"""Gradient steps per second of PEARL: many in one dispatch, as `train` does, beside one dispatch for each.

    uv run packages/pearl-jax/benchmarks/pearl_updates.py --preset=explore --benchmark=point-sparse-v0

The ratio is what scanning over updates saves. Wall and CPU seconds, medians over repeats taken in turn.
"""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pearl_jax
from absl import app, flags
from pearl_jax.agent import ContextReplay
from rlcore.replay import add
from rlcore.updates import make_update_many

_BENCHMARK = flags.DEFINE_string("benchmark", "point-sparse-v0", "The tasks whose shapes are used.")
_PRESET = flags.DEFINE_enum("preset", "explore", list(pearl_jax.PRESETS), "The config.")
_NUM_UPDATES = flags.DEFINE_integer("num_updates", 200, "Gradient steps of a measurement.", lower_bound=1)
_NUM_REPEATS = flags.DEFINE_integer("num_repeats", 7, "Measurements of each kind.", lower_bound=1)


def _measure(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    jax.block_until_ready(run())
    return time.perf_counter() - wall, time.process_time() - cpu


def main(arguments: list[str]) -> None:
    """Prints a table."""
    del arguments
    benchmark = metarl_envs.benchmark(_BENCHMARK.value)
    learner = pearl_jax.PearlLearner(pearl_jax.preset(_PRESET.value, benchmark).config, benchmark)
    agent = learner.agent
    agent_state, data = learner.init(jax.random.key(0))
    num_tasks, num_rows = benchmark.num_train_tasks, learner.config.replay_capacity
    rows = jax.tree.map(lambda x: jnp.ones((num_tasks, num_rows, *x.shape), x.dtype), agent.example_row())
    replay = add(data.replay, jnp.arange(num_tasks), rows)
    data = ContextReplay(replay, jnp.full(num_tasks, num_rows, jnp.int32), jnp.zeros(num_tasks, jnp.int32))
    update_many = make_update_many(agent.update, agent.sample)

    def in_one_dispatch() -> object:
        nonlocal agent_state
        agent_state, metrics = update_many(agent_state, data, jax.random.key(0), _NUM_UPDATES.value)
        return metrics

    def one_by_one() -> object:
        nonlocal agent_state
        metrics = None
        for key in jax.random.split(jax.random.key(0), _NUM_UPDATES.value):
            agent_state, metrics = update_many(agent_state, data, key, 1)
        return metrics

    kinds = {"one dispatch": in_one_dispatch, "one by one": one_by_one}
    times = {name: [] for name in kinds}
    for repeat in range(_NUM_REPEATS.value + 1):
        for name, run in kinds.items():
            measured = _measure(run)
            if repeat:  # the first compiles
                times[name].append(measured)
    rates = {name: _NUM_UPDATES.value / np.median(values, axis=0) for name, values in times.items()}
    print(f"{_PRESET.value} on {_BENCHMARK.value}: gradient steps per second")
    for name, (wall, cpu) in rates.items():
        print(f"{name:>14}: {wall:8.1f} per wall second, {cpu:8.1f} per CPU second")
    wall, cpu = rates["one dispatch"] / rates["one by one"]
    print(f"{'ratio':>14}: {wall:8.2f}                 , {cpu:8.2f}")


if __name__ == "__main__":
    app.run(main)
