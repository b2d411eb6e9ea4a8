"""Interaction: the same `Trajectory` from functional environments in jit and from gymnasium's vector environments.

In the shape descriptions `T` denotes time steps and `N` environments side by side. Environments start a new episode by
themselves when one ends; `first_episode` says which steps came before that.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import chex
import jax
import jax.numpy as jnp
import numpy as np

from rlcore.types import FunctionalEnv, Transition, VectorEnv

Memory = TypeVar("Memory")

Act = Callable[[Any, Any, chex.PRNGKey], tuple[chex.Array, Any]]
"""`(memory, obs [N, ...], key) -> (action [N, ...], memory)`; the key is consumed."""

Observe = Callable[[Any, Transition, chex.Array], Any]
"""`(memory, transition [N, ...], ended [N] bool) -> memory`, after every step; ended by termination or a time limit."""


class Trajectory(NamedTuple):
    """What happened.

    transition: `[T, N, ...]`
    truncated: `[T, N]` bool, a time limit ended the episode at this step; termination is `transition.discount == 0`.
    info: further signals of the step by name, `[T, N]` each.
    """

    transition: Transition
    truncated: chex.Array
    info: dict[str, chex.Array]


class EnvCarry(NamedTuple):
    """Where `N` functional environments stand. state: `[N, ...]`; obs: `[N, ...]`; time: `[N]` int32 steps so far."""

    state: chex.ArrayTree
    obs: chex.ArrayTree
    time: chex.Array


def first_episode(trajectory: Trajectory) -> chex.Array:
    """`[T, N]` bool: whether a step belongs to the first episode of its environment."""
    xp = np if isinstance(trajectory.truncated, np.ndarray) else jnp
    ended = xp.cumsum(trajectory.truncated | (trajectory.transition.discount == 0), axis=0)
    return xp.concatenate([xp.ones_like(ended[:1], bool), ended[:-1] == 0])


def never_observe(memory: Memory, transition: Transition, ended: chex.Array) -> Memory:
    """An `Observe` for agents that remember nothing."""
    del transition, ended
    return memory


def start(env: FunctionalEnv, tasks: Any, key: chex.PRNGKey) -> EnvCarry:
    """The start of an episode in each of `N` tasks; the key is consumed."""
    num_tasks = jax.tree.leaves(tasks)[0].shape[0]
    state_keys, obs_keys = jax.random.split(key, (2, num_tasks))
    state = jax.vmap(env.initial)(state_keys, tasks)
    obs = jax.vmap(env.observation)(state, obs_keys, tasks)
    return EnvCarry(state, obs, jnp.zeros(num_tasks, jnp.int32))


def rollout(
    env: FunctionalEnv,
    tasks: Any,
    carry: EnvCarry,
    act: Act,
    memory: Memory,
    key: chex.PRNGKey,
    *,
    num_steps: int,
    horizon: int,
    observe: Observe = never_observe,
) -> tuple[EnvCarry, Memory, Trajectory]:
    """Steps `N` functional environments `num_steps` times in one `lax.scan`.

    Args:
      env: environment whose `params` is the task.
      tasks: a pytree of `[N, ...]`.
      carry: from `start`, or from the previous call.
      act: the policy.
      memory: the policy's.
      key: consumed.
      num_steps: `T`.
      horizon: steps after which an episode is truncated.
      observe: told of every transition.

    Returns:
      Where the environments and the memory stand now, and the trajectory `[T, N, ...]`.
    """

    def step(loop: tuple[EnvCarry, Memory], key: chex.PRNGKey) -> tuple[tuple[EnvCarry, Memory], Trajectory]:
        carry, memory = loop
        act_key, env_key, reset_key = jax.random.split(key, 3)
        action, memory = act(memory, carry.obs, act_key)
        step_keys, obs_keys, reward_keys, terminal_keys = jax.random.split(env_key, (4, *carry.time.shape))
        state = jax.vmap(env.transition)(carry.state, action, step_keys, tasks)
        next_obs = jax.vmap(env.observation)(state, obs_keys, tasks)
        terminated = jax.vmap(env.terminal)(state, terminal_keys, tasks)
        transition = Transition(
            obs=carry.obs,
            action=action,
            reward=jax.vmap(env.reward)(carry.state, action, state, reward_keys, tasks),
            discount=1 - terminated.astype(jnp.float32),
            next_obs=next_obs,
        )
        info = jax.vmap(env.transition_info)(carry.state, action, state, tasks)
        truncated = (carry.time + 1 >= horizon) & ~terminated
        here = EnvCarry(state, next_obs, carry.time + 1)
        done = truncated | terminated
        carry = jax.tree.map(
            lambda old, new: jnp.where(done.reshape(-1, *[1] * (old.ndim - 1)), new, old),
            here,
            start(env, tasks, reset_key),
        )
        return (carry, observe(memory, transition, done)), Trajectory(transition, truncated, info)

    (carry, memory), trajectory = jax.lax.scan(step, (carry, memory), jax.random.split(key, num_steps))
    return carry, memory, trajectory


def host_rollout(
    env: VectorEnv,
    obs: Any,
    act: Act,
    memory: Memory,
    key: chex.PRNGKey,
    *,
    num_steps: int,
    observe: Observe = never_observe,
) -> tuple[Any, Memory, Trajectory]:
    """Steps a gymnasium vector environment `num_steps` times in a host loop; the counterpart of `rollout`.

    Args:
      env: with `metadata["autoreset_mode"]` SAME_STEP, so that no step is lost to a reset.
      obs: `[N, ...]` from `env.reset` or from the previous call.
      act: the policy, jitted by the caller. Actions in [-1, 1] are scaled to a bounded action space.
      memory: the policy's.
      key: consumed.
      num_steps: `T`.
      observe: told of every transition, jitted by the caller.

    Returns:
      The current observation, the memory and the trajectory `[T, N, ...]` of numpy arrays. Its actions are the
      policy's.

    Raises:
      ValueError: the environment resets in another mode.
    """
    mode = env.metadata.get("autoreset_mode")
    if getattr(mode, "name", mode) != "SAME_STEP":
        raise ValueError(f"autoreset_mode of the vector environment must be SAME_STEP, got {mode}")
    to_env = _action_scaling(env)
    steps, signals = [], []
    for step_key in jax.random.split(key, num_steps):
        action, memory = act(memory, obs, step_key)
        action = np.asarray(action)
        new_obs, reward, terminated, truncated, info = env.step(to_env(action))
        ended = np.asarray(terminated | truncated)
        transition = Transition(
            obs=obs,
            action=action,
            reward=np.asarray(reward, np.float32),
            discount=1 - np.asarray(terminated, np.float32),
            next_obs=_last_obs(new_obs, ended, info),
        )
        memory = observe(memory, transition, ended)
        steps.append((transition, np.asarray(truncated & ~terminated)))
        signals.append(_signals(info, ended))
        obs = new_obs
    transition, truncated = jax.tree.map(lambda *leaves: np.stack(leaves), *steps)
    return obs, memory, Trajectory(transition, truncated, _stack_signals(signals))


def _last_obs(obs: np.ndarray, ended: np.ndarray, info: dict[str, Any]) -> np.ndarray:
    """The observation after the step, also where `obs` is the first one of the next episode."""
    if not ended.any():
        return obs
    last = obs.copy()
    for i in np.flatnonzero(ended):
        last[i] = info["final_obs"][i]
    return last


def _signals(info: dict[str, Any], ended: np.ndarray) -> dict[str, np.ndarray]:
    """The numeric entries of a vector environment's info; where an episode ended, those of its last step."""
    final = info.get("final_info", {})
    signals = {}
    for name in {*info, *final}:
        example = np.asarray(info.get(name, final.get(name)))
        if name.startswith(("_", "final_")) or example.shape != ended.shape or example.dtype == object:
            continue
        nothing = np.zeros_like(example)
        signals[name] = np.where(ended, final.get(name, nothing), info.get(name, nothing))
    return signals


def _stack_signals(steps: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """`[T, N]` of each; 0 at steps that lack it, as where gymnasium has it from some resets only."""
    examples = {name: signal for signals in steps for name, signal in signals.items()}
    return {
        name: np.stack([signals.get(name, np.zeros_like(example)) for signals in steps])
        for name, example in examples.items()
    }


def _action_scaling(env: VectorEnv) -> Callable[[np.ndarray], np.ndarray]:
    space = env.single_action_space
    if not hasattr(space, "high"):
        return lambda action: action
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        raise ValueError(f"the action space must be bounded, got {space}")
    centre, half = (space.high + space.low) / 2, (space.high - space.low) / 2
    return lambda action: (centre + half * action).astype(space.dtype)
