"""Gradient steps per second on MELD's latent state model beside the same model in eager PyTorch.

    uv sync --group bench    # and a CPU build of PyTorch: CONTRIBUTING.md, "Benchmarks against other libraries"
    uv run --group bench packages/meld-jax/benchmarks/meld_updates.py

A step draws trials from a replay of noise, infers the posterior over their frames, and takes a step of Adam on the
clipped gradient of the bound. Before anything is measured both implementations must agree, with the same parameters,
trials and noise, on the loss and on the gradient. They take turns in one process; medians are printed.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import meld_jax
import metarl_envs
import numpy as np
import torch
from absl import app, flags
from meld_jax.agent import AgentState, MeldAgent, MeldData
from meld_jax.config import MeldConfig, ModelConfig
from meld_jax.filtering import Trial
from meld_jax.frames import count_frames
from meld_torch import TorchLearner, mirror
from rlcore.replay import Replay
from rlcore.updates import make_update_many

_BLOCKS = flags.DEFINE_integer("blocks", 5, "Measurements of each kind.", lower_bound=1)
_SCALE = flags.DEFINE_integer("scale", 1, "As many times the usual gradient steps in a measurement.", lower_bound=1)
_CASES = flags.DEFINE_multi_enum("case", ["cpu", "conv"], ["cpu", "conv"], "What to measure; give it again for more.")
_THREADS = flags.DEFINE_integer("torch_threads", None, "PyTorch's threads; without it as many as it takes itself.")
_CHECK = flags.DEFINE_bool("check", False, "Compare the two implementations, and measure nothing.")
_OUTPUT = flags.DEFINE_string("output", None, "Where the medians go as JSON.")

_NUM_TASKS, _NUM_TRIALS = 4, 8
_LOSS_TOLERANCE, _GRADIENT_TOLERANCE = 1e-4, 1e-3


class Case(NamedTuple):
    """A config, the shapes of what it learns from, and the gradient steps of a measurement."""

    title: str
    config: MeldConfig
    image_shape: tuple[int, int, int]
    action_size: int
    horizon: int
    num_updates: int


def _make_case(name: str) -> Case:
    if name == "cpu":
        config = meld_jax.preset("cpu", metarl_envs.benchmark("point-image-sparse-32-v1")).config
        return Case("preset cpu, patches, 32 x 32", config, (32, 32, 3), 2, 20, 40)
    model = ModelConfig(image_network="conv", depth=16)
    config = meld_jax.preset("thesis", metarl_envs.benchmark("sawyer-reacher-v0")).config
    config = dataclasses.replace(config, model=model, model_batch_size=4)
    return Case("thesis's model of depth 16, conv, 64 x 64", config, (64, 64, 3), 7, 40, 5)


def _make_trials(case: Case, num_frames: int) -> Trial:
    """Noise `[N, R, L, ...]`; a quarter of the trials have episodes that end three steps early."""
    rng, rows = np.random.default_rng(0), (_NUM_TASKS, _NUM_TRIALS, num_frames)
    length = case.horizon + 1
    frame = np.arange(num_frames) % length
    first = np.broadcast_to(frame == 0, rows)
    short = rng.random((*rows[:2], 1)) < 0.25
    valid = ~(short & (frame > length - 4))
    image = rng.integers(0, 256, (*rows, *case.image_shape), np.uint8)
    action = (rng.uniform(-1, 1, (*rows, case.action_size)) * ~first[..., None]).astype(np.float32)
    reward, training_reward = rng.standard_normal((2, *rows), np.float32) * ~first
    discount = np.ones(rows, np.float32)
    return Trial(image, action, reward, training_reward, reward, discount, first, valid)


def _check(case: Case, agent: MeldAgent, learner: TorchLearner, state: AgentState, trials: Trial) -> None:
    """Raises SystemExit unless loss and gradient of the two agree."""
    batch = jax.tree.map(lambda leaf: leaf[0, : case.config.model_batch_size], trials)
    key = jax.random.key(2)
    ours = jax.jit(jax.value_and_grad(agent.model_loss, has_aux=True))
    (loss, _), grads = ours(state.model, jax.tree.map(jnp.asarray, batch), key)
    noise = torch.from_numpy(np.array(agent.belief.draw_noise(key, batch)))
    learner.model.load(state.model)
    batch = {name: leaf[0, : case.config.model_batch_size] for name, leaf in learner.replay.items()}
    torch_loss = learner.model.loss(batch, noise)
    torch_loss.backward()
    pairs = [(parameter.grad.numpy(), value) for parameter, value in learner.model.pair(grads)]
    if len(pairs) != len(list(learner.model.parameters())) or len(pairs) != len(jax.tree.leaves(grads)):
        raise SystemExit(f"{case.title}: the two have different parameters")
    loss_error = abs(float(loss) - torch_loss.item()) / abs(float(loss))
    # Of each parameter for itself, so that a large one hides no other.
    gradient_error = max(float(np.linalg.norm(a - b) / (np.linalg.norm(b) + 1e-6)) for a, b in pairs)
    print(f"{case.title}: loss {float(loss):.4f} and {torch_loss.item():.4f}; relative difference {loss_error:.1e}, of")
    print(f"  gradients at most {gradient_error:.1e} in {len(pairs)} parameters", flush=True)
    if loss_error > _LOSS_TOLERANCE or gradient_error > _GRADIENT_TOLERANCE:
        raise SystemExit(f"{case.title}: the two differ by more than {_LOSS_TOLERANCE} or {_GRADIENT_TOLERANCE}")


def _make_jax(agent: MeldAgent, state: AgentState, trials: Trial) -> Callable[[int], None]:
    """As `meld_jax.train` makes its updates of the model."""
    data = MeldData(Replay(jax.tree.map(jnp.asarray, trials), jnp.full(_NUM_TASKS, _NUM_TRIALS, jnp.int32)), None)
    num_trials = agent.config.model_batch_size
    update_many = make_update_many(agent.update_model, lambda data, key: agent.sample(data, key, num_trials))
    key = jax.random.key(1)

    def run(num_updates: int) -> None:
        nonlocal state, key
        key, update_key = jax.random.split(key)
        state, metrics = update_many(state, data, update_key, num_updates)
        jax.block_until_ready((state, metrics))

    return run


def _make_torch(learner: TorchLearner) -> Callable[[int], None]:
    def run(num_updates: int) -> None:
        for _ in range(num_updates):
            learner.update()

    return run


def _measure(run: Callable[[int], None], num_updates: int) -> tuple[float, float]:
    """Updates per wall and per CPU second."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(num_updates)
    return num_updates / (time.perf_counter() - wall), num_updates / (time.process_time() - cpu)


def _prepare(case: Case) -> dict[str, Callable[[int], None]]:
    """Compares the two implementations, and compiles: nothing is left to do but to measure."""
    frames = count_frames(case.config.num_episodes, case.horizon, terminates=False)
    agent = MeldAgent(case.config, case.image_shape, case.action_size, frames)
    trials = _make_trials(case, frames)
    replay = {name: np.ascontiguousarray(leaf) for name, leaf in trials._asdict().items()}
    if case.config.model.has_convolutions:
        replay["image"] = mirror(replay["image"])
    learner = TorchLearner(case.config, case.image_shape, case.action_size, replay)
    state = jax.jit(agent.init)(jax.random.key(0))
    _check(case, agent, learner, state, trials)
    if _CHECK.value:
        return {}
    kinds = {"meld-jax": _make_jax(agent, state, trials), "PyTorch, eager": _make_torch(learner)}
    for run in kinds.values():
        run(case.num_updates * _SCALE.value)
    return kinds


def _measure_case(case: Case, kinds: dict[str, Callable[[int], None]]) -> dict[str, list[float]]:
    rates = {name: [] for name in kinds}
    for _ in range(_BLOCKS.value):
        for name, run in kinds.items():
            rates[name].append(_measure(run, case.num_updates * _SCALE.value))
    medians = {name: np.median(values, axis=0).tolist() for name, values in rates.items()}
    frames = case.config.num_episodes * (case.horizon + 1)
    print(f"\n{case.title}, {case.config.model_batch_size} trials of {frames} frames: gradient steps")
    print("                   per wall s    per CPU s    meld-jax is times as fast (wall, CPU)")
    for name, (wall, cpu) in medians.items():
        ours = medians["meld-jax"]
        print(f"{name:>16} {wall:12.2f} {cpu:12.2f} {ours[0] / wall:18.2f} {ours[1] / cpu:8.2f}")
    ratios = [a[0] / b[0] for a, b in zip(*rates.values(), strict=True)]
    print(f"  wall, turn by turn: {', '.join(f'{ratio:.2f}' for ratio in ratios)}", flush=True)
    return medians


def main(arguments: list[str]) -> None:
    """Checks and measures each case and prints a table."""
    del arguments
    torch.manual_seed(0)
    if _THREADS.value:
        torch.set_num_threads(_THREADS.value)
    print(f"PyTorch {torch.__version__} with {torch.get_num_threads()} threads, jax {jax.__version__}")
    cases = {name: _make_case(name) for name in _CASES.value}
    kinds = {name: _prepare(case) for name, case in cases.items()}
    if _CHECK.value:
        return
    print("Measuring.", flush=True)
    medians = {name: _measure_case(case, kinds[name]) for name, case in cases.items()}
    if _OUTPUT.value:
        with open(_OUTPUT.value, "w") as file:
            json.dump(medians, file, indent=2)


if __name__ == "__main__":
    app.run(main)
