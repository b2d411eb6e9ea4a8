"""Interaction: the same `Trajectory` from functional environments in jit and from gymnasium's vector environments.

In the shape descriptions `T` denotes time steps and `N` environments side by side. Where an episode ends another one
begins, and nothing of either is left out: `number_episodes` says which step belongs to which.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import chex
import jax
import jax.numpy as jnp
import numpy as np

from rlcore.types import FuncEnv, Transition, VectorEnv

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


def find_ends(trajectory: Trajectory) -> chex.Array:
    """`[T, N]` bool: whether an episode ended with a step, by termination or by a time limit."""
    return trajectory.truncated | (trajectory.transition.discount == 0)


def number_episodes(trajectory: Trajectory) -> chex.Array:
    """`[T, N]` int32: the number of the episode that each step belongs to, counted from 0 in each environment."""
    ends = find_ends(trajectory)
    xp = np if isinstance(ends, np.ndarray) else jnp
    ended = xp.cumsum(ends, axis=0, dtype=xp.int32)
    return xp.concatenate([xp.zeros_like(ended[:1]), ended[:-1]])


def never_observe(memory: Memory, transition: Transition, ended: chex.Array) -> Memory:
    """An `Observe` for agents that remember nothing."""
    del transition, ended
    return memory


def start(env: FuncEnv, tasks: Any, key: chex.PRNGKey) -> EnvCarry:
    """The start of an episode in each of `N` tasks; the key is consumed."""
    num_tasks = jax.tree.leaves(tasks)[0].shape[0]
    state_keys, obs_keys = jax.random.split(key, (2, num_tasks))
    state = jax.vmap(env.initial)(state_keys, tasks)
    obs = jax.vmap(env.observation)(state, obs_keys, tasks)
    return EnvCarry(state, obs, jnp.zeros(num_tasks, jnp.int32))


def rollout(
    env: FuncEnv,
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
      act: the policy. The environment is given actions of floats clipped to [-1, 1]; the trajectory has the policy's.
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
        given = jnp.clip(action, -1, 1) if jnp.issubdtype(action.dtype, jnp.floating) else action
        state = jax.vmap(env.transition)(carry.state, given, step_keys, tasks)
        next_obs = jax.vmap(env.observation)(state, obs_keys, tasks)
        terminated = jax.vmap(env.terminal)(state, terminal_keys, tasks)
        transition = Transition(
            obs=carry.obs,
            action=action,
            reward=jax.vmap(env.reward)(carry.state, given, state, reward_keys, tasks),
            discount=1 - terminated.astype(jnp.float32),
            next_obs=next_obs,
        )
        info = jax.vmap(env.transition_info)(carry.state, given, state, tasks)
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
    until: Callable[[np.ndarray], bool] | None = None,
    goes_on: bool = True,
) -> tuple[Any, Memory, Trajectory]:
    """Steps a gymnasium vector environment `num_steps` times in a host loop; the counterpart of `rollout`.

    What the environment hands out is copied, so it may use its arrays again.

    Args:
      env: with `metadata["autoreset_mode"]` DISABLED, in which this begins episodes by `reset_mask`, or SAME_STEP; so
        that no step is lost to a reset.
      obs: `[N, ...]` from `env.reset` or from the previous call.
      act: the policy, jitted by the caller. Actions are clipped to [-1, 1] and scaled to a bounded action space.
      memory: the policy's.
      key: consumed.
      num_steps: `T`.
      observe: told of every transition, jitted by the caller.
      until: told after every step where episodes ended, `[N]` bool; the rollout stops early once it is true.
      goes_on: whether the caller goes on from the observation returned; else no episode is begun, and no picture of its
        start drawn, behind the last step.

    Returns:
      The current observation, the memory and the trajectory `[T, N, ...]` of numpy arrays. Its actions are the
      policy's.

    Raises:
      ValueError: the environment resets in another mode.
    """
    same_step = _resets_in_same_step(env)
    to_env = make_action_scaling(env.single_action_space)
    obs = _copy(obs)
    steps, signals = [], []
    for step_key in list(jax.random.split(key, num_steps)):  # at once: between steps of a simulator caches are cold
        action, memory = act(memory, obs, step_key)
        action = np.asarray(action)
        new_obs, reward, terminated, truncated, info = env.step(to_env(action))
        new_obs, ended = _copy(new_obs), np.asarray(terminated | truncated)
        next_obs = _last_obs(new_obs, ended, info) if same_step else new_obs
        transition = Transition(
            obs=obs,
            action=action,
            reward=np.array(reward, np.float32),
            discount=1 - np.asarray(terminated, np.float32),
            next_obs=next_obs,
        )
        memory = observe(memory, transition, ended)
        steps.append((transition, np.asarray(truncated & ~terminated)))
        signals.append(_signals(info, ended))
        is_last = len(steps) == num_steps or (until is not None and until(ended))
        if not same_step and ended.any() and (goes_on or not is_last):
            new_obs = _copy(env.reset(options={"reset_mask": ended})[0])
        obs = new_obs
        if is_last:
            break
    transition, truncated = jax.tree.map(lambda *leaves: np.stack(leaves), *steps)
    return obs, memory, Trajectory(transition, truncated, _stack_signals(signals))


def _resets_in_same_step(env: VectorEnv) -> bool:
    mode = env.metadata.get("autoreset_mode")
    name = getattr(mode, "name", mode)
    if name not in ("DISABLED", "SAME_STEP"):
        raise ValueError(f"autoreset_mode of the vector environment must be DISABLED or SAME_STEP, got {mode}")
    return name == "SAME_STEP"


def _copy(obs: Any) -> Any:
    return obs.copy() if isinstance(obs, np.ndarray) else jax.tree.map(np.array, obs)


def _last_obs(obs: Any, ended: np.ndarray, info: dict[str, Any]) -> Any:
    """The observations after the step, also where `obs` has the first one of the next episode."""
    if not ended.any():
        return obs
    last = _copy(obs)
    for i in np.flatnonzero(ended):
        for leaf, final in zip(jax.tree.leaves(last), jax.tree.leaves(info["final_obs"][i]), strict=True):
            leaf[i] = final
    return last


def _signals(info: dict[str, Any], ended: np.ndarray) -> dict[str, np.ndarray]:
    """The numeric entries `[N]` of a vector environment's info, NaN where an environment did not report one.

    Where an episode ended and another one began in the same step, they are those of the last step, in `final_info`.
    """
    final = info.get("final_info")
    if not final:
        return {
            name: _told(value, info.get(f"_{name}"))
            for name, value in info.items()
            if _is_signal(name, value, ended.shape)
        }
    parts = [(info, ~ended), (final, ended)]
    signals: dict[str, np.ndarray] = {}
    reported: dict[str, np.ndarray] = {}
    for part, here in parts:
        for name, value in part.items():
            if not _is_signal(name, value, ended.shape):
                continue
            tells = here & np.asarray(part.get(f"_{name}", here), bool)
            signals[name] = np.where(tells, value, signals.get(name, value))
            reported[name] = tells | reported.get(name, False)
    return {
        name: np.where(reported[name], value, np.nan) if not reported[name].all() else value
        for name, value in signals.items()
    }


def _told(value: Any, reported: Any) -> np.ndarray:
    """A copy of a signal `[N]`, NaN where it was not reported; None stands for everywhere."""
    value = np.array(value)
    if reported is None or np.asarray(reported, bool).all():
        return value
    return np.where(reported, value, np.nan)


def _is_signal(name: str, value: Any, shape: tuple[int, ...]) -> bool:
    if not isinstance(name, str) or name.startswith("_") or name in ("final_obs", "final_info"):
        return False
    if not hasattr(value, "dtype"):
        return False
    value = np.asarray(value)
    return value.shape == shape and value.dtype.kind in "biufc"


def _stack_signals(steps: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """`[T, N]` of each; NaN at steps that lack it, as where gymnasium has it from some resets only."""
    examples = {name: signal for signals in steps for name, signal in signals.items()}
    return {
        name: np.stack([signals.get(name, np.full(example.shape, np.nan)) for signals in steps])
        for name, example in examples.items()
    }


def make_action_scaling(space: Any) -> Callable[[np.ndarray], np.ndarray]:
    """From a policy's actions, clipped to [-1, 1], to those of a bounded gymnasium space.

    Choices, which a policy counts from 0, are counted from where the space begins.

    One that is not a number becomes the centre: an environment may not survive it, and what a policy said is told by
    the trajectory.

    Raises:
      ValueError: the space is not bounded.
    """
    if not hasattr(space, "high"):
        start = getattr(space, "start", 0)
        return lambda action: action + start if np.any(start) else action
    low, high = np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        raise ValueError(f"the action space must be bounded, got {space}")
    centre, half = (high + low) / 2, (high - low) / 2

    def scale(action: np.ndarray) -> np.ndarray:
        given = np.minimum(np.maximum(action, -1), 1)
        return (centre + half * np.where(np.isnan(given), 0, given)).astype(space.dtype)

    return scale
