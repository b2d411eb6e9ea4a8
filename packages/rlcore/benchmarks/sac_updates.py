"""Gradient steps per second of SAC beside SBX and Stable-Baselines3, on a HalfCheetah-sized problem.

    uv sync --group bench    # and a CPU build of PyTorch: CONTRIBUTING.md, "Benchmarks against other libraries"
    uv run --group bench packages/rlcore/benchmarks/sac_updates.py

17 observations, 6 actions, random data in a full replay, learned temperature, twin critics, targets moved at every
step. Each library runs its own training function in a process of its own; processes take turns, medians are printed.
SBX and Stable-Baselines3 are measured in two ways: `many`, where one call makes all gradient steps, and `each`, one
call for each gradient step, which is their default (`gradient_steps=1`). Compilation is left out everywhere.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import app, flags

_REPEATS = flags.DEFINE_integer("repeats", 3, "Processes of each kind.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "Where the medians go as JSON.")
_WORKER = flags.DEFINE_string("worker", None, "Used by the program itself: library,way,width,batch,steps.")

_SHAPES = {"256x256, batch 256": (256, 256, 200), "64x64, batch 64": (64, 64, 1000)}
_KINDS = (("rlcore", "many"), ("sbx", "many"), ("sbx", "each"), ("sb3", "many"), ("sb3", "each"))
_NUM_ROWS, _OBS_SIZE, _ACTION_SIZE = 10_000, 17, 6


def _data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    obs, next_obs = rng.normal(size=(2, _NUM_ROWS, _OBS_SIZE)).astype(np.float32)
    action = rng.uniform(-1, 1, (_NUM_ROWS, _ACTION_SIZE)).astype(np.float32)
    return obs, action, rng.normal(size=_NUM_ROWS).astype(np.float32), next_obs


def _make_rlcore(width: int, batch_size: int, num_steps: int) -> Callable[[], None]:
    import jax
    import jax.numpy as jnp
    from rlcore.replay import add, init_replay, sample
    from rlcore.sac import SAC, ContinuousHead, SACConfig
    from rlcore.types import Transition
    from rlcore.updates import make_update_many

    obs, action, reward, next_obs = map(jnp.asarray, _data())
    rows = Transition(obs, action, reward, jnp.ones_like(reward), next_obs)
    only = jnp.zeros(1, jnp.int32)
    replay = init_replay(jax.tree.map(lambda x: x[0], rows), _NUM_ROWS)
    replay = add(replay, only, jax.tree.map(lambda x: x[None], rows))
    config = SACConfig(hidden_sizes=(width, width))
    sac = SAC(config, ContinuousHead(config, _ACTION_SIZE))
    update_many = make_update_many(sac.update, lambda replay, key: sample(replay, key, only, batch_size))
    state = sac.init(jax.random.key(0), jax.tree.map(lambda x: x[None, :2], rows))
    key = jax.random.key(1)

    def run() -> None:
        nonlocal state, key
        key, update_key = jax.random.split(key)
        state, metrics = update_many(state, replay, update_key, num_steps)
        jax.block_until_ready((state, metrics))

    return run


def _make_baseline(library: str, way: str, width: int, batch_size: int, num_steps: int) -> Callable[[], None]:
    import gymnasium
    import sbx
    import stable_baselines3
    from gymnasium import spaces
    from stable_baselines3.common.logger import Logger

    class Nothing(gymnasium.Env):
        observation_space = spaces.Box(-10, 10, (_OBS_SIZE,), np.float32)
        action_space = spaces.Box(-1, 1, (_ACTION_SIZE,), np.float32)

        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            return np.zeros(_OBS_SIZE, np.float32), {}

        def step(self, action: Any) -> Any:
            return np.zeros(_OBS_SIZE, np.float32), 0.0, False, False, {}

    make = {"sbx": sbx.SAC, "sb3": stable_baselines3.SAC}[library]
    options = {"policy_kwargs": {"net_arch": [width, width]}, "batch_size": batch_size, "buffer_size": _NUM_ROWS}
    model: Any = make("MlpPolicy", Nothing(), seed=0, device="cpu", **options)
    model.set_logger(Logger(None, []))
    for obs, action, reward, next_obs in zip(*_data(), strict=True):
        model.replay_buffer.add(obs[None], next_obs[None], action[None], reward[None], np.zeros(1), [{}])
    per_call = num_steps if way == "many" else 1

    def run() -> None:
        for _ in range(num_steps // per_call):
            model.train(gradient_steps=per_call, batch_size=batch_size)

    return run


def _work(library: str, way: str, width: int, batch_size: int, num_steps: int) -> None:
    """Prints the rates of this process, per wall and per CPU second."""
    if library == "rlcore":
        run = _make_rlcore(width, batch_size, num_steps)
    else:
        run = _make_baseline(library, way, width, batch_size, num_steps)
    run()
    rates = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        rates.append((num_steps / (time.perf_counter() - wall), num_steps / (time.process_time() - cpu)))
    print(json.dumps(np.median(rates, axis=0).tolist()))


def _run_worker(library: str, way: str, shape: tuple[int, int, int]) -> list[float]:
    flag = f"--worker={library},{way}," + ",".join(map(str, shape))
    result = subprocess.run([sys.executable, __file__, flag], capture_output=True, text=True, check=True)
    return json.loads(result.stdout.strip().splitlines()[-1])


def main(arguments: list[str]) -> None:
    """Runs all kinds in turn and prints a table for each shape."""
    del arguments
    if _WORKER.value:
        library, way, *shape = _WORKER.value.split(",")
        _work(library, way, *map(int, shape))
        return
    medians: dict[str, dict[str, list[float]]] = {}
    for title, shape in _SHAPES.items():
        rates = {kind: [] for kind in _KINDS}
        for _ in range(_REPEATS.value):
            for kind in _KINDS:
                rates[kind].append(_run_worker(*kind, shape))
        medians[title] = {" ".join(kind): np.median(values, axis=0).tolist() for kind, values in rates.items()}
        ours = medians[title]["rlcore many"]
        print(f"\n{title}: gradient steps    per wall s    per CPU s    rlcore is times as fast (wall, CPU)")
        for name, (wall, cpu) in medians[title].items():
            print(f"{name:>34} {wall:13.1f} {cpu:12.1f} {ours[0] / wall:18.2f} {ours[1] / cpu:8.2f}")
    if _OUTPUT.value:
        with open(_OUTPUT.value, "w") as file:
            json.dump(medians, file, indent=2)


if __name__ == "__main__":
    app.run(main)
