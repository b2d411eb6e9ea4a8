"""How many clicks a mask takes: a simulated user who corrects the largest error (RITM's protocol, Sofiiuk et al. 2021).

In the shape descriptions `H, W` denote pixels.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from guidenet.checks import check_at_least
from guidenet.data.files import Labels
from guidenet.metrics.masks import count, iu

Mask = npt.NDArray[np.bool_]

MAX_CLICKS = 20
"""A mask that is not good enough after these counts as this many."""


class Click(NamedTuple):
    """One annotated pixel: row and column from the upper left corner, and whether it is of the object."""

    y: int
    x: int
    positive: bool


@dataclasses.dataclass(frozen=True)
class Clicking:
    """What the simulated user did.

    clicks: one after another.
    ius: after each of them.
    """

    clicks: tuple[Click, ...]
    ius: tuple[float, ...]

    def num_clicks(self, goal: float, max_clicks: int = MAX_CLICKS) -> int:
        """How many it took until the IU was at least `goal`; `max_clicks` where it never was."""
        reached = [i + 1 for i, value in enumerate(self.ius[:max_clicks]) if value >= goal]
        return reached[0] if reached else max_clicks


def next_click(prediction: Mask, target: Labels, clicks: Sequence[Click] = ()) -> Click | None:
    """The pixel deepest inside an error, farthest from pixels that are right or outside; None where none is wrong.

    Args:
      prediction: `[H, W]`.
      target: `[H, W]`: 1, 0, -1 not scored.
      clicks: those made before, whose pixels are not clicked again.
    """
    count(prediction, target)  # for its checks
    best: tuple[float, Click] | None = None
    for positive in (True, False):
        wrong = (target == int(positive)) & (prediction != positive)
        # A border of pixels that are right: the middle of an error is away from the edge of the image too.
        distance = np.asarray(scipy.ndimage.distance_transform_edt(np.pad(wrong, 1)))[1:-1, 1:-1]
        for click in clicks:
            distance[click.y, click.x] = 0
        y, x = map(int, np.unravel_index(int(distance.argmax()), distance.shape))
        if distance[y, x] > 0 and (best is None or distance[y, x] > best[0]):
            best = float(distance[y, x]), Click(y, x, positive)
    return None if best is None else best[1]


def simulate_clicks(
    segment: Callable[[Sequence[Click]], Mask], target: Labels, goal: float = 0.9, max_clicks: int = MAX_CLICKS
) -> Clicking:
    """Clicks until the IU is at least `goal`, the first time as if nothing were segmented.

    Args:
      segment: the mask `[H, W]` of all clicks so far.
      target: `[H, W]`: 1, 0, -1 not scored.
      goal: an IU.
      max_clicks: at most these.

    Raises:
      ValueError: the target has no positive pixel, or `max_clicks` is below 1.
    """
    check_at_least("max_clicks", max_clicks, 1)
    if not (target == 1).any():
        raise ValueError("target must have a positive pixel to be clicked on, got none")
    clicks: list[Click] = []
    ius: list[float] = []
    prediction = np.zeros(target.shape, bool)
    while len(clicks) < max_clicks and (not ius or ius[-1] < goal):
        click = next_click(prediction, target, clicks)
        if click is None:
            break
        clicks.append(click)
        prediction = segment(tuple(clicks))
        ius.append(float(iu(count(prediction, target))))
    return Clicking(tuple(clicks), tuple(ius))
