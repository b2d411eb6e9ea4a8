"""Writing and reading the infos of vector environments that reset in the same step."""

from typing import Any

import jax
import numpy as np


def transition_info(infos: dict[str, Any], name: str) -> np.ndarray:
    """A signal of the step just made, of every environment, whether or not its episode ended with this step.

    Where an episode ended, gymnasium moves the signals of the step to `infos["final_info"]`, because `infos` then tells
    of the reset. This puts the two together.

    Args:
      infos: from `step` of any `gymnasium.vector.VectorEnv` in autoreset mode SAME_STEP, with `N` environments.
      name: for example "dense_reward".

    Returns:
      `[N, ...]`, zero where an environment did not report the signal.

    Raises:
      ValueError: no environment reported the signal.
    """
    final_info = infos.get("final_info", {})
    if name not in final_info:
        if name not in infos:
            reported = sorted(key for key in infos.keys() | final_info.keys() if not key.startswith(("_", "final_")))
            raise ValueError(f"infos report no name={name!r}; they report: {', '.join(reported) or 'nothing'}")
        return infos[name]
    if name not in infos:
        return final_info[name]
    ended = final_info[f"_{name}"]
    values = infos[name].copy()
    values[ended] = final_info[name][ended]
    return values


def same_step_infos(signals: dict[str, np.ndarray], obs: Any, ended: np.ndarray) -> dict[str, Any]:
    """The infos of a step, laid out as gymnasium's `SyncVectorEnv` does in autoreset mode SAME_STEP.

    Args:
      signals: of the step, `[N, ...]` by name.
      obs: a pytree of `[N, ...]`, after the step and before any reset.
      ended: `[N]` bool, where the step ended an episode.
    """
    infos: dict[str, Any] = {}
    if not ended.all():
        infos |= _masked(signals, ~ended)
    if ended.any():
        final_obs = np.full(len(ended), None, dtype=object)
        leaves, structure = jax.tree.flatten(obs)
        for i in np.flatnonzero(ended).tolist():
            final_obs[i] = structure.unflatten([leaf[i, ...] for leaf in leaves])
        infos |= {"final_obs": final_obs, "_final_obs": ended}
        infos |= {"final_info": _masked(signals, ended), "_final_info": ended.copy()}
    return infos


def _masked(signals: dict[str, np.ndarray], mask: np.ndarray) -> dict[str, np.ndarray]:
    masked = {}
    for name, value in signals.items():
        masked[name] = np.zeros_like(value)
        masked[name][mask] = value[mask]
        masked[f"_{name}"] = mask.copy()
    return masked
