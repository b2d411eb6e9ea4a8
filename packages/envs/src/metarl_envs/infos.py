"""Reading the infos of vector environments that reset in the same step."""

from typing import Any

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
