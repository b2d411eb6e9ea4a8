"""Drawing the point, its trail and its goal with NumPy.

In the shape descriptions, `S` denotes the side of the image.
"""

import numpy as np

SIDE = 128
"""Pixels along a side."""

VIEW = 1.5
"""m from the centre of the image to its edge; what is beyond is not seen."""

Trail = tuple[np.ndarray, ...]
"""Positions `[2]` in m that were drawn so far, the last one now."""

_BACKGROUND = (255, 255, 255)
_GOAL = (170, 215, 170)
_GOAL_CENTRE = (40, 140, 60)
_TRAIL = (150, 170, 220)
_POINT = (30, 60, 160)


def draw(goal: np.ndarray, radius: float, trail: Trail) -> np.ndarray:
    """Draws the goal's disc, the trail and the point.

    Args:
      goal: `[2]` m.
      radius: m.
      trail: at least one position.

    Returns:
      uint8 `[S, S, 3]`, x to the right and y up.
    """
    axis = (np.arange(SIDE) + 0.5) * (2 * VIEW / SIDE) - VIEW
    x, y = np.meshgrid(axis, -axis)
    image = np.full((SIDE, SIDE, 3), _BACKGROUND, np.uint8)
    discs = [(goal, radius, _GOAL), (goal, 0.03, _GOAL_CENTRE)]
    discs += [(position, 0.025, _TRAIL) for position in trail]
    discs += [(trail[-1], 0.06, _POINT)]
    for (centre_x, centre_y), disc_radius, colour in discs:
        image[(x - centre_x) ** 2 + (y - centre_y) ** 2 <= disc_radius**2] = colour
    return image
