"""Rewards of manipulation.

In the shape descriptions, `N` denotes the environments side by side.
"""

from collections.abc import Callable

import numpy as np


def thesis_reward(distance: np.ndarray) -> np.ndarray:
    """Computes r = -(d^2 + log(d + 1e-5)), d in m (thesis, equation 35): steep near the goal.

    Args:
      distance: `[N]` m.

    Returns:
      `[N]`
    """
    return -(distance**2 + np.log(distance + 1e-5))


def reference_reward(distance: np.ndarray) -> np.ndarray:
    """Computes r = -(D^2 + log10(D^2 + 1e-5)) - 1.625, D = 5 d, d in m, as in MELD's code: zero at 3 cm, at most 3.4.

    Args:
      distance: `[N]` m.

    Returns:
      `[N]`
    """
    square = (5 * distance) ** 2
    return -(square + np.log10(square + 1e-5)) - 1.625


REWARDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"thesis": thesis_reward, "reference": reference_reward}
"""By name."""


def pose_reward(distance: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Computes r = -(10 d + |turn|), the distances in position and in rotation (thesis, section 5.3.3 and D.6).

    The thesis gives no units: here 10 cm weigh as much as a radian.

    Args:
      distance: `[N]` m.
      turn: `[N]` rad.

    Returns:
      `[N]`
    """
    return -(10 * distance + np.abs(turn))


def turn_angle(axes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The angle `[N]` rad of the rotation between two frames, their axes as the columns of `[N, 3, 3]`."""
    trace = (axes * wanted).sum(axis=(1, 2))
    return np.arccos(np.clip((trace - 1) / 2, -1, 1))
