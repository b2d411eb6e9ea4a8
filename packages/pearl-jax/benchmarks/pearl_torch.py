"""Gradient steps per second of PEARL beside the same update in eager PyTorch, at the shapes of the reference code.

    uv sync --group bench    # and a CPU build of PyTorch: CONTRIBUTING.md, "Benchmarks against other libraries"
    uv run --group bench packages/pearl-jax/benchmarks/pearl_torch.py

Half-Cheetah-Vel: 16 tasks of 256 transitions, 100 for the encoder, actor and critics of 3x300 units, encoder of 3x200,
a state-value network, random data in a full replay. `torch` is the reference's algorithm with one optimiser for each
network, and leaves out gradients that nobody uses; `torch, all gradients` computes them, as the reference does: those
of the critics in the actor's loss. Each kind runs in a process of its own, on as many cores as it has threads;
processes take turns, medians are printed. Compilation is left out. Idle PyTorch threads wait busily, so beside other
work its CPU seconds for two threads say little.
"""

import importlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import app, flags

_REPEATS = flags.DEFINE_integer("repeats", 3, "Processes of each kind.", lower_bound=1)
_NUM_UPDATES = flags.DEFINE_integer("num_updates", 10, "Gradient steps of a measurement.", lower_bound=1)
_THREADS = flags.DEFINE_multi_integer("threads", [1, 2], "Threads and cores; give it again for more.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "Where the medians go as JSON.")
_WORKER = flags.DEFINE_string("worker", None, "Used by the program itself: kind:threads.")

_KINDS = ("jax", "torch", "torch, all gradients")
_NUM_MEASUREMENTS = 3
_NUM_TASKS, _NUM_ROWS = 100, 5000
_OBS, _ACTION, _LATENT = 20, 6, 5
_META_BATCH, _BATCH, _CONTEXT = 16, 256, 100
_LEARNING_RATE, _TAU, _DISCOUNT, _REWARD_SCALE, _KL_COEF, _REGULARISER = 3e-4, 0.005, 0.99, 5.0, 0.1, 1e-3


def _data() -> dict[str, np.ndarray]:
    """Rows of every task: `[N, R, ...]`."""
    rng, rows = np.random.default_rng(0), (_NUM_TASKS, _NUM_ROWS)
    obs, next_obs = rng.standard_normal((2, *rows, _OBS), np.float32)
    action = rng.uniform(-1, 1, (*rows, _ACTION)).astype(np.float32)
    return {"obs": obs, "action": action, "reward": rng.standard_normal(rows, np.float32), "next_obs": next_obs}


def _make_jax() -> Callable[[int], None]:
    import dataclasses

    import jax
    import jax.numpy as jnp
    import metarl_envs
    import pearl_jax
    from pearl_jax.agent import ContextReplay
    from pearl_jax.representation import Row
    from rlcore.replay import add
    from rlcore.updates import make_update_many

    benchmark = metarl_envs.benchmark("half-cheetah-vel-v0")
    config = pearl_jax.preset("reference", benchmark).config
    config = dataclasses.replace(config, context_size=_CONTEXT, replay_capacity=_NUM_ROWS)
    learner = pearl_jax.PearlLearner(config, benchmark)
    agent = learner.agent
    agent_state, data = learner.init(jax.random.key(0))
    arrays = {name: jnp.asarray(value) for name, value in _data().items()}
    reward = arrays["reward"]
    step = jnp.zeros(reward.shape, jnp.int32)
    rows = Row(discount=jnp.ones_like(reward), context_reward=reward, step=step, **arrays)
    replay = add(data.replay, jnp.arange(_NUM_TASKS), rows)
    data = ContextReplay(replay, jnp.full(_NUM_TASKS, _NUM_ROWS, jnp.int32), jnp.zeros(_NUM_TASKS, jnp.int32))
    update_many = make_update_many(agent.update, agent.sample)
    key = jax.random.key(1)

    def run(num_updates: int) -> None:
        nonlocal agent_state, key
        key, update_key = jax.random.split(key)
        agent_state, metrics = update_many(agent_state, data, update_key, num_updates)
        jax.block_until_ready((agent_state, metrics))

    return run


def _make_torch(num_threads: int, all_gradients: bool) -> Callable[[int], None]:
    """The reference's update, in its order: encoder and critics, value, target of the value, actor."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(num_threads)
    torch.manual_seed(0)

    def mlp(num_inputs: int, width: int, num_outputs: int) -> Any:
        sizes = (num_inputs, width, width, width)
        layers = [(torch.nn.Linear(n, m), torch.nn.ReLU()) for n, m in itertools.pairwise(sizes)]
        return torch.nn.Sequential(*(part for layer in layers for part in layer), torch.nn.Linear(width, num_outputs))

    encoder = mlp(_OBS + _ACTION + 1, 200, 2 * _LATENT)
    critics = [mlp(_OBS + _ACTION + _LATENT, 300, 1) for _ in range(2)]
    value, target_value = mlp(_OBS + _LATENT, 300, 1), mlp(_OBS + _LATENT, 300, 1)
    target_value.load_state_dict(value.state_dict())
    actor = mlp(_OBS + _LATENT, 300, 2 * _ACTION)
    adams = {net: torch.optim.Adam(net.parameters(), lr=_LEARNING_RATE) for net in (encoder, *critics, value, actor)}
    data = {name: torch.from_numpy(value) for name, value in _data().items()}

    def draw(tasks: Any, num_rows: int) -> list[Any]:
        rows = torch.randint(_NUM_ROWS, (_META_BATCH, num_rows))
        return [leaf[tasks[:, None], rows] for leaf in data.values()]

    def infer(context: Any) -> tuple[Any, Any]:
        """z `[M, 1, Dz]` from the product of the context's Gaussians, and the sum of the KL to N(0, I)."""
        mean, width = encoder(context).chunk(2, -1)
        precision = 1 / torch.nn.functional.softplus(width).clamp(min=1e-7)
        variance = 1 / precision.sum(1, keepdim=True)
        mean = variance * (precision * mean).sum(1, keepdim=True)
        z = mean + variance.sqrt() * torch.randn_like(mean)
        return z, 0.5 * (variance + mean**2 - 1 - variance.log()).sum()

    def q_values(obs: Any, action: Any) -> list[Any]:
        inputs = torch.cat([obs, action], -1)
        return [critic(inputs)[..., 0] for critic in critics]

    def act(obs: Any) -> tuple[Any, Any, Any]:
        """Actions, their log-probabilities, and the regulariser."""
        mean, log_std = actor(obs).chunk(2, -1)
        log_std = log_std.clamp(-20, 2)
        noise = torch.randn_like(mean)
        raw = mean + noise * log_std.exp()
        action = raw.tanh()
        log_prob = (-0.5 * noise**2 - log_std - 0.9189385 - (1 - action**2 + 1e-6).log()).sum(-1)
        return action, log_prob, _REGULARISER * ((mean**2).mean() + (log_std**2).mean())

    def step(loss: Any, *nets: Any) -> None:
        for net in nets:
            adams[net].zero_grad()
        if all_gradients:
            loss.backward()
        else:
            loss.backward(inputs=[p for net in nets for p in net.parameters()])
        for net in nets:
            adams[net].step()

    def update() -> None:
        tasks = torch.randint(_NUM_TASKS, (_META_BATCH,))
        obs, action, reward, next_obs = draw(tasks, _BATCH)
        context_obs, context_action, context_reward, _ = draw(tasks, _CONTEXT)
        z, kl = infer(torch.cat([context_obs, context_action, context_reward[..., None]], -1))
        z = z.expand(-1, _BATCH, -1)
        states = torch.cat([obs, z.detach()], -1)
        with torch.no_grad():
            next_value = target_value(torch.cat([next_obs, z], -1))[..., 0]
            bellman = _REWARD_SCALE * reward + _DISCOUNT * next_value
        q_loss = sum(((q - bellman) ** 2).mean() for q in q_values(torch.cat([obs, z], -1), action))
        step(q_loss + _KL_COEF * kl, encoder, *critics)

        new_action, log_prob, regulariser = act(states)
        smallest = torch.minimum(*q_values(states, new_action))
        soft_value = (smallest - log_prob).detach()
        step(((value(states)[..., 0] - soft_value) ** 2).mean(), value)
        with torch.no_grad():
            for slow, fast in zip(target_value.parameters(), value.parameters(), strict=True):
                slow.lerp_(fast, _TAU)
        step((log_prob - smallest).mean() + regulariser, actor)

    def run(num_updates: int) -> None:
        for _ in range(num_updates):
            update()

    return run


def _work(kind: str, num_threads: int) -> None:
    """Prints the rates of this process, per wall and per CPU second."""
    run = _make_jax() if kind == "jax" else _make_torch(num_threads, kind != "torch")
    num_updates = _NUM_UPDATES.value
    run(num_updates)
    rates = []
    for _ in range(_NUM_MEASUREMENTS):
        wall, cpu = time.perf_counter(), time.process_time()
        run(num_updates)
        rates.append((num_updates / (time.perf_counter() - wall), num_updates / (time.process_time() - cpu)))
    print(json.dumps(np.median(rates, axis=0).tolist()))


def _run_worker(kind: str, num_threads: int) -> list[float]:
    flags_ = [f"--worker={kind}:{num_threads}", f"--num_updates={_NUM_UPDATES.value}"]
    command = [sys.executable, __file__, *flags_]
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(result.stdout.strip().splitlines()[-1])


def main(arguments: list[str]) -> None:
    """Runs all kinds in turn and prints a table for each number of threads."""
    del arguments
    cores = sorted(os.sched_getaffinity(0))
    if _WORKER.value:
        kind, num_threads = _WORKER.value.split(":")
        os.sched_setaffinity(0, cores[: int(num_threads)])  # before any import that counts cores
        _work(kind, int(num_threads))
        return
    medians: dict[str, dict[str, list[float]]] = {}
    for num_threads in _THREADS.value:
        if num_threads > len(cores):
            print(f"--threads={num_threads} is left out: there are {len(cores)} cores")
            continue
        rates = {kind: [] for kind in _KINDS}
        for _ in range(_REPEATS.value):
            for kind in _KINDS:
                rates[kind].append(_run_worker(kind, num_threads))
        medians[str(num_threads)] = {kind: np.median(values, axis=0).tolist() for kind, values in rates.items()}
        ours = medians[str(num_threads)]["jax"]
        print(f"\n{num_threads} threads: gradient steps   per wall s    per CPU s    jax is times as fast (wall, CPU)")
        for kind, (wall, cpu) in medians[str(num_threads)].items():
            print(f"{kind:>34} {wall:13.2f} {cpu:12.2f} {ours[0] / wall:18.2f} {ours[1] / cpu:8.2f}")
    if _OUTPUT.value:
        with open(_OUTPUT.value, "w") as file:
            json.dump(medians, file, indent=2)


if __name__ == "__main__":
    app.run(main)
