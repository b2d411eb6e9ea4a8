"""What a step reports, found by looking."""

import copy
from typing import Any

import jax
import numpy as np
from gymnasium.experimental.functional import FuncEnv
from gymnasium.vector import VectorEnv

_NUMBERS = "biuf"

OF_GYMNASIUM = ("final_obs", "final_info")
"""Names in infos to which gymnasium gives a meaning."""


def can_be_signal(name: Any) -> bool:
    """Whether a number of this name in an info is a signal; those that begin with `_` are gymnasium's masks."""
    return isinstance(name, str) and name[:1] != "_" and name not in OF_GYMNASIUM


def traced_signals(env: FuncEnv[Any, Any, Any, Any, Any, Any, Any], task: Any) -> tuple[str, ...]:
    """Sorted names of the numbers in `FuncEnv.transition_info`; nothing is computed.

    Args:
      env: a pure JAX environment.
      task: its parameters.
    """
    action_space = copy.deepcopy(env.action_space)  # whose random numbers stay the user's
    action_space.seed(0)
    action = np.asarray(action_space.sample())

    def report(task: Any) -> dict[str, Any]:
        start_key, key = jax.random.split(jax.random.key(0))
        state = env.initial(start_key, task)
        return env.transition_info(state, action, env.transition(state, action, key, task), task)

    info = jax.eval_shape(report, task)
    return tuple(sorted(name for name, leaf in info.items() if can_be_signal(name) and _is_number(leaf, ())))


def probed_signals(env: VectorEnv[Any, Any, Any]) -> tuple[str, ...]:
    """Sorted names of the numbers that one step with random actions reports; closes the environments."""
    try:
        env.reset(seed=0)
        env.action_space.seed(0)
        infos = env.step(env.action_space.sample())[-1]
        return step_signals(infos, env.num_envs)
    finally:
        env.close()


def step_signals(infos: dict[str, Any], num_envs: int) -> tuple[str, ...]:
    """Sorted names of the numbers in the infos of a step, in autoreset mode DISABLED or SAME_STEP."""
    final = infos.get("final_info")
    return tuple(
        sorted(
            {
                name
                for values in (infos, final if isinstance(final, dict) else {})
                for name, value in values.items()
                if can_be_signal(name) and f"_{name}" in values and _is_number(value, (num_envs,))
            }
        )
    )


def _is_number(leaf: Any, shape: tuple[int, ...]) -> bool:
    dtype = getattr(leaf, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind in _NUMBERS and leaf.shape == shape
