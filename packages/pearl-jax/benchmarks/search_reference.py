"""Searches that PEARL in sparse navigation is held against: what aiming at one place in each episode has.

    uv run packages/pearl-jax/benchmarks/search_reference.py --benchmark=point-sparse-v0

The searcher knows the family: goals are uniform on a half circle. In each episode it draws a goal, goes there in a
straight line as fast as it can, and stays. `forgets` draws it from all of them, episode after episode, as from a belief
that cannot say where the goal is not. `rules out` draws it from those whose reward it would not have met where it has
been: posterior sampling with the exact posterior. Who has found the goal goes straight to it from the next episode on.
"""

import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
from absl import app, flags
from metarl_envs.point import PointEnv, PointFamily

_BENCHMARK = flags.DEFINE_enum("benchmark", "point-sparse-v0", ["point-sparse-v0", "point-sparse-wide-v0"], "Tasks.")
_NUM_TRIALS = flags.DEFINE_integer("num_trials", 200, "In each test task.", lower_bound=1)
_NUM_GOALS = flags.DEFINE_integer("num_goals", 1000, "That may be, evenly on the half circle.", lower_bound=100)
_SEED = flags.DEFINE_integer("seed", 0, "Of the goals that are drawn.", lower_bound=0)
_NUM_EPISODES = 21
_ADAPTED_TO = (0, 1, 2, 3, 5, 10, 15, 20)


def find_paths(goals: np.ndarray, horizon: int) -> np.ndarray:
    """Positions after each step on the way to goals `[G, 2]` from the origin, in m, `[G, T, 2]`."""
    wanted = jnp.asarray(goals)
    env = PointEnv(sparse=True, random_start=False)
    state, paths = jnp.zeros_like(wanted), []
    for _ in range(horizon):
        direction = wanted - state
        # The longest action in this direction, or the one that ends at the goal.
        action = direction / jnp.maximum(0.1, jnp.abs(direction).max(axis=1, keepdims=True))
        state = env.transition(state, action, jax.random.key(0))
        paths.append(state)
    return np.stack(paths, axis=1)


def find_rewards(paths: np.ndarray, goals: np.ndarray, radius: float) -> np.ndarray:
    """Rewards of each step of paths `[G, T, 2]` with each of `N` goals `[N, 2]`, in m, `[G, N, T]`."""
    distance = np.linalg.norm(paths[:, None] - goals[None, :, None], axis=-1)
    return np.where(distance <= radius, 1 - distance, 0)


def search(returns: np.ndarray, ruled_out: np.ndarray, best: float, rng: np.random.Generator) -> np.ndarray:
    """Returns of the episodes of a trial, `[K]`.

    Args:
      returns: `[G]` of the episode of each aim, 0 where it does not meet the goal.
      ruled_out: `[G, G]` bool, which goals every aim rules out if it meets none.
      best: return of going straight to the goal.
      rng: draws the aims.
    """
    possible, result = np.ones(len(returns), bool), np.full(_NUM_EPISODES, best)
    for episode in range(_NUM_EPISODES):
        aim = rng.choice(np.nonzero(possible)[0])
        result[episode] = returns[aim]
        if returns[aim]:
            break
        possible &= ~ruled_out[aim]
    return result


def main(arguments: list[str]) -> None:
    """Prints a table."""
    del arguments
    benchmark = metarl_envs.benchmark(_BENCHMARK.value)
    assert isinstance(benchmark.family, PointFamily)
    tasks, horizon = benchmark.take_test_tasks(np.arange(benchmark.num_test_tasks)), benchmark.family.horizon
    goals, radius = np.asarray(tasks.goal), float(tasks.radius[0])
    angles = np.linspace(0, np.pi, _NUM_GOALS.value)
    aims = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    paths = find_paths(aims, horizon)
    ruled_out = np.any(find_rewards(paths, aims, radius), axis=2)
    returns = find_rewards(paths, goals, radius).sum(axis=2)
    best = find_rewards(find_paths(goals, horizon), goals, radius).sum(axis=2).diagonal()
    rng = np.random.default_rng(_SEED.value)
    print(f"{_BENCHMARK.value}: who knows the goal has {best.mean():.1f}; after some episodes:")
    print(f"{'':10}" + "".join(f"{count:7}" for count in _ADAPTED_TO))
    for name, matrix in (("forgets", np.zeros(ruled_out.shape, bool)), ("rules out", ruled_out)):
        trials = [
            search(returns[:, task], matrix, best[task], rng)
            for task in range(len(best))
            for _ in range(_NUM_TRIALS.value)
        ]
        mean = np.mean(trials, axis=0)
        print(f"{name:10}" + "".join(f"{mean[count]:7.1f}" for count in _ADAPTED_TO))


if __name__ == "__main__":
    app.run(main)
