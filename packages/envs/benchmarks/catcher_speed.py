"""How fast catch steps and draws: ours, a naive renderer, the same game in pygame, and gymnax's Catch, side by side.

    python benchmarks/catcher_speed.py --num_envs=1 --num_envs=256 --num_envs=4096

Steps per second under a random policy, the median over repeats, which take turns so that load falls on all. "State" is
without pictures; "pixels" draws every step at 64 x 64 into memory. "Drawing" is the renderer alone, on given states,
one dispatch per batch. gymnax, whose Catch has a board of 10 x 5, takes part where it is installed.
"""

import functools
import importlib
import importlib.util
import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from absl import app, flags
from metarl_envs.catcher import CatcherEnv, CatcherState, render
from metarl_envs.catcher.state import FRUIT_COLOR, PADDLE_COLOR

_NUM_ENVS = flags.DEFINE_multi_integer("num_envs", [1, 256, 4096], "Games side by side; give it again for more rows.")
_NUM_REPEATS = flags.DEFINE_integer("num_repeats", 7, "Repeats of which the median is taken.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 0.2, "What one repeat of one contestant takes, roughly.", lower_bound=0.0)

ENV = CatcherEnv(grip=True)
HORIZON = 27


def render_naively(state: CatcherState) -> jax.Array:
    """Compares every pixel with every rectangle in floating point: uint8 `[64, 64, 3]`."""
    y, x = (axis.astype(jnp.float32) for axis in jnp.meshgrid(jnp.arange(64), jnp.arange(64), indexing="ij"))

    def paint(image, color, left, top, width, height):
        inside = (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
        return jnp.where(inside[..., None], jnp.array(color, jnp.float32)[None, None], image)

    image = jnp.zeros((64, 64, 3), jnp.float32)
    image = paint(image, PADDLE_COLOR, state.paddle_x, 58, 13, 3)
    image = paint(image, PADDLE_COLOR, state.paddle_x, 52, jnp.where(state.gripper == 1, 2, 13), 6)
    image = paint(image, PADDLE_COLOR, state.paddle_x + 11, 52, 2, 6)
    return paint(image, FRUIT_COLOR, state.fruit_x, state.fruit_y, 4, 4).astype(jnp.uint8)


def no_picture(state: CatcherState) -> jax.Array:
    """In place of a picture where none is wanted: uint8 `[1, 1, 1]`."""
    return state.paddle_x.astype(jnp.uint8)[None, None, None]


def make_rollout(num_envs: int, draw: Callable[[CatcherState], jax.Array]) -> Callable[..., jax.Array]:
    """A compiled function from a key to a sum over episodes of `num_envs` games, 27 steps, drawn at every step."""

    def play(key: jax.Array) -> jax.Array:
        start_key, action_key = jax.random.split(key)
        start = jax.vmap(ENV.initial)(jax.random.split(start_key, num_envs))
        actions = jax.random.randint(action_key, (HORIZON, num_envs), 0, ENV.num_actions)

        def step(carry, actions):
            states, _ = carry
            next_states = jax.vmap(ENV.transition, in_axes=(0, 0, None))(states, actions, key)
            rewards = jax.vmap(ENV.reward, in_axes=(0, 0, 0, None))(states, actions, next_states, key)
            # Pictures are carried, so that the compiler must write every one of them.
            return (next_states, jax.vmap(draw)(next_states)), rewards.sum()

        (_, pictures), rewards = jax.lax.scan(step, (start, jax.vmap(draw)(start)), actions)
        return rewards.sum() + pictures[:, 0, 0, 0].sum()

    return jax.jit(play)


def make_gymnax(num_envs: int) -> Callable[..., jax.Array]:
    """A compiled function from a key to a sum over 27 steps of gymnax's Catch."""
    # By name, because a type checker looks for it in vain where it is not installed.
    env, params = importlib.import_module("gymnax").make("Catch-bsuite")

    def play(key: jax.Array) -> jax.Array:
        reset_key, action_key, *keys = jax.random.split(key, 2 + HORIZON)
        _, start = jax.vmap(env.reset, in_axes=(0, None))(jax.random.split(reset_key, num_envs), params)
        actions = jax.random.randint(action_key, (HORIZON, num_envs), 0, 3)

        def step(state, inputs):
            key, actions = inputs
            keys = jax.random.split(key, num_envs)
            obs, state, reward, *_ = jax.vmap(env.step, in_axes=(0, 0, 0, None))(keys, state, actions, params)
            return state, reward.sum() + obs.sum()

        return jax.lax.scan(step, start, (jnp.stack(keys), actions))[1].sum()

    return jax.jit(play)


def play_in_pygame(num_episodes: int, *, pixels: bool) -> int:
    """One game after the other in plain Python and pygame; with pixels, as an array after every step."""
    import pygame
    from metarl_envs.catcher.window import draw

    surface = pygame.Surface((64, 64), depth=32)
    total = 0
    for _ in range(num_episodes):
        paddle, fruit, gripper = 3 * random.randrange(18), 8 + 4 * random.randrange(12), random.randrange(2)
        for step in range(1, HORIZON + 1):
            action = random.randrange(6)
            paddle = min(max(paddle + 3 * (action % 3 - 1), 0), 51)
            gripper ^= action // 3
            if pixels:
                draw(surface, ENV, CatcherState(paddle, fruit, 2 * step, gripper, 0))  # type: ignore
                total += int(pygame.surfarray.array3d(surface)[0, 0, 0])
        total += 1 if gripper and paddle < fruit + 4 and fruit < paddle + 13 else -1
    return total


def contestants(num_envs: int) -> dict[str, tuple[int, Callable[[], Any]]]:
    """By name, the number of steps of a call and the call; drawing counts pictures."""
    key, draw = jax.random.key(0), functools.partial(render, ENV)
    starts = jax.vmap(ENV.initial)(jax.random.split(key, num_envs))
    steps = num_envs * HORIZON

    def compiled(function: Callable[..., jax.Array], argument: Any) -> Callable[[], Any]:
        return lambda: function(argument).block_until_ready()

    calls = {
        "state": (steps, compiled(make_rollout(num_envs, no_picture), key)),
        "pixels": (steps, compiled(make_rollout(num_envs, draw), key)),
        "pixels, naive": (steps, compiled(make_rollout(num_envs, render_naively), key)),
        "drawing": (num_envs, compiled(jax.jit(jax.vmap(draw)), starts)),
        "drawing, naive": (num_envs, compiled(jax.jit(jax.vmap(render_naively)), starts)),
    }
    if importlib.util.find_spec("gymnax"):
        calls["gymnax Catch"] = (steps, compiled(make_gymnax(num_envs), key))
    if importlib.util.find_spec("pygame"):
        calls["pygame state"] = (HORIZON, functools.partial(play_in_pygame, 1, pixels=False))
        calls["pygame pixels"] = (HORIZON, functools.partial(play_in_pygame, 1, pixels=True))
    return calls


def measure(num_envs: int) -> dict[str, float]:
    """Steps per second by name of the contestant."""
    calls = contestants(num_envs)
    repeats: dict[str, int] = {}
    for name, (_, call) in calls.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, int(_SECONDS.value / (time.perf_counter() - start)))
    speeds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_NUM_REPEATS.value):
        for name, (steps, call) in calls.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            speeds[name].append(repeats[name] * steps / (time.perf_counter() - start))
    return {name: statistics.median(column) for name, column in speeds.items()}


def main(argv: list[str]) -> None:
    """Prints the table."""
    del argv
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    for name in ("gymnax", "pygame"):
        if not importlib.util.find_spec(name):
            print(f"{name} is not installed, and left out")
    print(f"catcher-grip on {jax.devices()[0].platform}, steps per second, median of {_NUM_REPEATS.value}")
    speeds = {num_envs: measure(num_envs) for num_envs in _NUM_ENVS.value}
    print(f"{'games':<16}" + "".join(f"{num_envs:>14,}" for num_envs in speeds))
    for name in next(iter(speeds.values())):
        print(f"{name:<16}" + "".join(f"{row[name]:>14,.0f}" for row in speeds.values()))
    for ratio in (("pixels", "pixels, naive"), ("drawing", "drawing, naive"), ("pixels", "pygame pixels")):
        if all(name in row for row in speeds.values() for name in ratio):
            line = "".join(f"{row[ratio[0]] / row[ratio[1]]:>13.1f}x" for row in speeds.values())
            print(f"{ratio[0]} : {ratio[1]}".ljust(30) + line)


if __name__ == "__main__":
    app.run(main)
