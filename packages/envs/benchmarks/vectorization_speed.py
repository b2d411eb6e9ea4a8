"""How fast environments that take 1 ms a step are in this process and in workers: `python vectorization_speed.py`."""

import argparse
import statistics
import time

import gymnasium
import numpy as np
from metarl_envs import from_gymnasium


class Slow(gymnasium.Env):
    """Computes for `seconds` of processor time in each step, as a simulator does."""

    observation_space = gymnasium.spaces.Box(-1, 1, (20,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (6,), np.float32)

    def __init__(self, seconds):
        self.seconds = seconds

    def reset(self, *, seed=None, options=None):
        """Begins an episode."""
        super().reset(seed=seed)
        return np.zeros(20, np.float32), {}

    def step(self, action):
        """Computes."""
        end = time.thread_time() + self.seconds
        while time.thread_time() < end:
            pass
        return np.zeros(20, np.float32), 0.0, False, False, {"distance": 1.0, "success": False}


def measure(vectorization, num_envs, seconds, num_steps, repeats):
    """Seconds to make the environments, and environment steps per second, the median of the repeats."""
    family = from_gymnasium(Slow, [seconds], horizon=10**9, vectorization=vectorization)
    begin = time.perf_counter()
    env = family.make_vec([seconds] * num_envs, seed=0)
    env.reset()
    made = time.perf_counter() - begin
    actions, rates = np.zeros((num_envs, 6), np.float32), []
    for _ in range(repeats):
        begin = time.perf_counter()
        for _ in range(num_steps):
            env.step(actions)
        rates.append(num_envs * num_steps / (time.perf_counter() - begin))
    env.close()
    return made, statistics.median(rates)


def main():
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_envs", type=int, default=8)
    parser.add_argument("--num_steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print(f"{'ms a step':>10} {'sync, steps/s':>14} {'async, steps/s':>15} {'ratio':>6} {'async made in':>14}")
    for milliseconds in (0.1, 0.3, 1.0, 3.0):
        _, sync = measure("sync", args.num_envs, milliseconds / 1000, args.num_steps, args.repeats)
        made, in_workers = measure("async", args.num_envs, milliseconds / 1000, args.num_steps, args.repeats)
        print(f"{milliseconds:>10} {sync:>14.0f} {in_workers:>15.0f} {in_workers / sync:>6.2f} {made:>12.1f} s")


if __name__ == "__main__":
    main()
