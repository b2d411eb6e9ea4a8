"""Writing and reading the infos of vector environments."""

from typing import Any

import jax
import numpy as np

from metarl_envs.traits import can_be_signal


def transition_info(infos: dict[str, Any], name: str) -> np.ndarray:
    """A signal of the step just made, of every environment, whether or not its episode ended with this step.

    In autoreset mode SAME_STEP gymnasium moves the signals of a step that ends an episode to `infos["final_info"]`,
    because `infos` then tells of the reset. This puts the two together.

    Args:
      infos: from `step` of any `gymnasium.vector.VectorEnv` in autoreset mode SAME_STEP or DISABLED, with `N`
        environments.
      name: for example "dense_reward".

    Returns:
      `[N, ...]`, NaN where an environment did not report a signal that is a number.

    Raises:
      ValueError: no environment reported the signal.
    """
    found = infos.get("final_info")
    final_info = found if isinstance(found, dict) else {}
    if name not in infos and name not in final_info:
        reported = sorted(filter(can_be_signal, infos.keys() | final_info.keys()))
        raise ValueError(f"infos report no name={name!r}; they report: {', '.join(reported) or 'nothing'}")
    if name not in final_info:
        return _absent_as_nan(infos[name], infos.get(f"_{name}"))
    ended, values = final_info.get(f"_{name}"), final_info[name]
    if name not in infos:
        return _absent_as_nan(values, ended)
    going_on = infos[f"_{name}"] & ~infos["_final_info"]  # where an episode ended, infos tell of the reset
    values = np.array(values, np.result_type(values, infos[name]))
    values[going_on] = infos[name][going_on]
    return _absent_as_nan(values, ended | going_on)


def _absent_as_nan(values: np.ndarray, reported: np.ndarray | None) -> np.ndarray:
    if reported is None or reported.all() or values.dtype.kind not in "biuf":
        return values
    values = values.astype(np.result_type(values, np.float32))
    values[~reported] = np.nan
    return values


def step_infos(signals: dict[str, np.ndarray]) -> dict[str, Any]:
    """The infos of a step that resets nothing: signals `[N, ...]` by name, reported everywhere."""
    infos: dict[str, Any] = {}
    for name, value in signals.items():
        infos[name] = value
    # After the values, so that none is taken for a mask.
    return infos | {f"_{name}": np.ones(len(value), bool) for name, value in signals.items() if can_be_signal(name)}


def same_step_infos(signals: dict[str, np.ndarray], obs: Any, ended: np.ndarray) -> dict[str, Any]:
    """The infos of a step, laid out as gymnasium's `SyncVectorEnv` does in autoreset mode SAME_STEP.

    Args:
      signals: of the step, `[N, ...]` by name.
      obs: a pytree of `[N, ...]`, after the step and before any reset.
      ended: `[N]` bool, where the step ended an episode.
    """
    if not ended.any():
        return step_infos({name: value.copy() for name, value in signals.items()})
    infos: dict[str, Any] = {}
    if not ended.all():
        infos |= _masked(signals, ~ended)
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
    return masked | {f"_{name}": mask.copy() for name in signals if can_be_signal(name)}
