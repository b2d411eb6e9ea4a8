"""Returns and times of PPO beside Stable-Baselines3, same options, environments and numbers of steps.

    uv sync --group bench    # and a CPU build of PyTorch: CONTRIBUTING.md, "Benchmarks against other libraries"
    uv run --group bench --extra mujoco packages/rlcore/benchmarks/ppo_returns.py --output=runs/ppo.csv
    uv run --group bench packages/rlcore/benchmarks/ppo_returns.py --env=Pendulum-v1

Two networks of 64 and 64 tanh units, four environments in one process, clip 0.2, lambda 0.95, ten epochs, minibatches
of 64 steps; what differs between the environments is in `_PROBLEMS`. Each library and seed runs in a process of its
own, in turn. What the libraries do on their own stays: Stable-Baselines3 standardises the advantages of each minibatch
and starts from orthogonal weights; rlcore standardises those of all steps together, and learns values in units of their
spread.

PyTorch has one thread; pin the program to one core (`taskset -c 0`), so that JAX has no more.

The returns are those of the last training episodes at each point of the curve, and at the end of 20 test episodes by
the policy's centre. With --output each point is a line of a CSV file; what is there already is not run again.
"""

import csv
import dataclasses
import itertools
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from absl import app, flags
from gymnasium.vector import AutoresetMode

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # whose loop of PPO this runs

LIBRARIES = ("rlcore", "sb3")


@dataclasses.dataclass(frozen=True)
class Problem:
    """An environment, and options for it. initial_std: where actions are in [-1, 1]."""

    num_steps: int
    rollout_length: int
    learning_rate: float
    discount: float
    initial_std: float


_PROBLEMS = {
    "HalfCheetah-v5": Problem(500_000, 512, 3e-4, 0.99, 1.0),
    "Pendulum-v1": Problem(200_000, 1024, 1e-3, 0.9, 0.5),
}
_NUM_ENVS, _BATCH_SIZE, _NUM_EPOCHS, _NUM_TESTS, _NUM_RECENT = 4, 64, 10, 20, 20

_ENV = flags.DEFINE_enum("env", "HalfCheetah-v5", list(_PROBLEMS), "What is learned.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "Trainings of each library.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 0, "Environment steps of a training; 0: as many as the problem has.")
_OUTPUT = flags.DEFINE_string("output", None, "A CSV file that points of the curves are added to.")
_WORKER = flags.DEFINE_string("worker", None, "Used by the program itself: library,seed.")

Report = Callable[[int, float], None]
"""Is told environment steps so far, and the mean return of the last training episodes."""
Act = Callable[[np.ndarray], np.ndarray]
"""Actions of the policy's centre, as the environment takes them."""


def _train_rlcore(env_id: str, problem: Problem, num_steps: int, seed: int, report: Report) -> Act:
    import jax
    import jax.numpy as jnp
    from on_policy import make_ppo, train
    from rlcore.policy_gradient import PPO, ActorCritic, PPOConfig
    from rlcore.rollout import find_ends, make_action_scaling

    env = gymnasium.make_vec(env_id, _NUM_ENVS, "sync", {"autoreset_mode": AutoresetMode.SAME_STEP})
    assert isinstance(env.single_action_space, gymnasium.spaces.Box)
    iteration = _NUM_ENVS * problem.rollout_length
    options = {"num_epochs": _NUM_EPOCHS, "num_minibatches": iteration // _BATCH_SIZE}
    config = PPOConfig(discount=problem.discount, learning_rate=problem.learning_rate, **options)
    ppo = PPO(config, ActorCritic((64, 64), env.single_action_space.shape[0], problem.initial_std))
    init_key, key = jax.random.split(jax.random.key(seed))
    state = ppo.init(init_key, jnp.zeros((1, *(env.single_observation_space.shape or ()))))
    num_rounds, done = num_steps // iteration, itertools.count(iteration, iteration)
    earned, recent = np.zeros(_NUM_ENVS), deque[float](maxlen=_NUM_RECENT)

    def draw_keys() -> Iterator[Any]:
        nonlocal key
        for _ in range(num_rounds):
            key, collect_key, update_key = jax.random.split(key, 3)
            yield collect_key, update_key

    def tell(trajectory: Any) -> None:
        for reward, ended in zip(trajectory.transition.reward, np.asarray(find_ends(trajectory)), strict=True):
            np.add(earned, reward, out=earned)
            recent.extend(earned[ended])
            earned[ended] = 0
        report(next(done), float(np.mean(recent)) if recent else float("nan"))

    act, learn = make_ppo(ppo)
    rollout_length = problem.rollout_length
    state = train(env, act, learn, state, draw_keys(), num_steps=rollout_length, seed=seed, report=tell)
    scale = make_action_scaling(env.single_action_space)
    centre = jax.jit(lambda obs: ppo.network.apply(state.params, obs)[0].mean)
    return lambda obs: scale(np.asarray(centre(obs)))


def _train_sb3(env_id: str, problem: Problem, num_steps: int, seed: int, report: Report) -> Act:
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Reporting(BaseCallback):
        def _on_step(self) -> bool:
            return True

        def _on_rollout_end(self) -> None:
            episodes = list(self.model.ep_info_buffer or ())[-_NUM_RECENT:]
            mean = np.mean([episode["r"] for episode in episodes]) if episodes else float("nan")
            report(self.num_timesteps, float(mean))

    torch.set_num_threads(1)
    env = make_vec_env(env_id, _NUM_ENVS, seed=seed)
    assert isinstance(env.action_space, gymnasium.spaces.Box)
    # Its Gaussian is in units of the environment's actions.
    width = float((env.action_space.high - env.action_space.low)[0]) / 2
    policy = {"net_arch": {"pi": [64, 64], "vf": [64, 64]}, "log_std_init": float(np.log(problem.initial_std * width))}
    model = PPO(
        "MlpPolicy",
        env,
        learning_rate=problem.learning_rate,
        n_steps=problem.rollout_length,
        batch_size=_BATCH_SIZE,
        n_epochs=_NUM_EPOCHS,
        gamma=problem.discount,
        policy_kwargs=policy,
        seed=seed,
        device="cpu",
    )
    iteration = _NUM_ENVS * problem.rollout_length
    model.learn(num_steps // iteration * iteration, callback=Reporting())
    return lambda obs: model.predict(obs, deterministic=True)[0]


def _test(env_id: str, act: Act) -> np.ndarray:
    """Returns of the test episodes."""
    env = gymnasium.make(env_id)
    returns: list[float] = []
    for episode in range(_NUM_TESTS):
        obs, _ = env.reset(seed=1000 + episode)
        total, over = 0.0, False
        while not over:
            obs, reward, terminated, truncated, _ = env.step(act(obs[None])[0])
            total, over = total + float(reward), terminated or truncated
        returns.append(total)
    return np.array(returns)


def _work(library: str, seed: int) -> None:
    """Trains, and prints the result as JSON."""
    problem = _PROBLEMS[_ENV.value]
    train = {"rlcore": _train_rlcore, "sb3": _train_sb3}[library]
    wall, cpu = time.perf_counter(), time.process_time()
    curve: list[tuple[int, float, float, float]] = []

    def report(steps: int, mean: float) -> None:
        curve.append((steps, mean, time.perf_counter() - wall, time.process_time() - cpu))

    act = train(_ENV.value, problem, _STEPS.value or problem.num_steps, seed, report)
    times = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"curve": curve, "times": times, "test": _test(_ENV.value, act).tolist()}))


_COLUMNS = ("env", "trained_for", "library", "seed", "env_steps", "return", "wall_seconds", "cpu_seconds")


def _rows(env_id: str, num_steps: int, library: str, seed: int, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines of the CSV file: a tenth of the curve, and the test as the point with no number of steps."""
    points = found["curve"]
    kept = points[len(points) // 10 - 1 :: max(1, len(points) // 10)] if len(points) >= 10 else points
    rows = [*kept, ("test", float(np.mean(found["test"])), *found["times"])]
    return [
        dict(zip(_COLUMNS, (env_id, num_steps, library, seed, *(_short(x) for x in row)), strict=True)) for row in rows
    ]


def _short(x: Any) -> Any:
    return round(x, 1) if isinstance(x, float) else x


def main(argv: list[str]) -> None:
    """Trains with each library and seed in turn."""
    del argv
    if _WORKER.value is not None:
        library, seed = _WORKER.value.split(",")
        _work(library, int(seed))
        return
    path, num_steps = Path(_OUTPUT.value) if _OUTPUT.value else None, _STEPS.value or _PROBLEMS[_ENV.value].num_steps
    rows: list[dict[str, Any]] = []
    if path is not None and path.exists():
        with path.open(newline="") as file:
            wanted = _ENV.value, str(num_steps)
            rows = [row for row in csv.DictReader(file) if (row["env"], row["trained_for"]) == wanted]
    done = {(row["library"], int(row["seed"])) for row in rows}
    for seed in range(_SEEDS.value):
        for library in LIBRARIES:
            if (library, seed) in done:
                continue
            command = [sys.executable, __file__, f"--worker={library},{seed}", f"--env={_ENV.value}"]
            worker = subprocess.run([*command, f"--steps={num_steps}"], check=True, stdout=subprocess.PIPE, text=True)
            new = _rows(_ENV.value, num_steps, library, seed, json.loads(worker.stdout.splitlines()[-1]))
            if path is not None:
                _append(path, new)
            rows += new
            print(new[-1], flush=True)
    for library in LIBRARIES:
        tests = [row for row in rows if row["library"] == library and row["env_steps"] == "test"]
        for name in ("return", "wall_seconds", "cpu_seconds"):
            print(library, name, " ".join(str(row[name]) for row in tests))


def _append(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    app.run(main)
