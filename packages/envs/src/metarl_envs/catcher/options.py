"""What the user chooses about a game of catch, whatever its physics."""

import dataclasses
from typing import Any, Literal

import gymnasium
import numpy as np

from metarl_envs.catcher.state import PADDLE_COLOR

Color = tuple[int, int, int]
"""Red, green, blue in 0..255."""

_ALLOWED: dict[str, tuple[Any, ...]] = {
    "grip": (False, True),
    "distractors": ("none", "episode", "step"),
    "size": (64, 32),
    "observe": ("image", "state"),
    "gripper_style": ("lid", "prongs"),
}


@dataclasses.dataclass(frozen=True)
class CatcherOptions:
    """Options of a game of catch.

    Attributes:
      grip: whether the paddle has a gripper, which must be open to catch and which an action toggles.
      distractors: what is behind the game: "none" black, "episode" one image of circles for each episode, "step"
        another one at every step.
      size: side of the picture in pixels. 32 shows every second pixel of every second row of the 64 x 64 picture.
      observe: whether the observation is the "image" or the "state" as a vector.
      gripper_style: "lid" fills the width of the paddle when closed, with rims of two pixels when open; "prongs" is
        smaller: a block in the middle when closed, two short prongs at the ends when open.
      gripper_color: red, green, blue; by default the paddle's grey.
    """

    grip: bool = False
    distractors: Literal["none", "episode", "step"] = "none"
    size: Literal[64, 32] = 64
    observe: Literal["image", "state"] = "image"
    gripper_style: Literal["lid", "prongs"] = "lid"
    gripper_color: Color = PADDLE_COLOR

    def __post_init__(self) -> None:
        """Raises ValueError where an option has a value that is not allowed."""
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if value not in allowed:
                raise ValueError(f"{name}={value!r} is not allowed; allowed: {', '.join(map(repr, allowed))}")
        color = self.gripper_color
        if not (isinstance(color, tuple) and len(color) == 3 and all(value in range(256) for value in color)):
            raise ValueError(f"gripper_color={color!r} must be a tuple of three integers in 0..255")

    @property
    def num_actions(self) -> int:
        """3, or 6 with a gripper."""
        return 6 if self.grip else 3

    def make_observation_space(self, num_frames: int, num_values: int) -> gymnasium.spaces.Box:
        """Images of `num_frames` times three channels, or vectors of `num_values` in [-1, 1], as `observe` says."""
        if self.observe == "image":
            return gymnasium.spaces.Box(0, 255, (self.size, self.size, 3 * num_frames), np.uint8)
        return gymnasium.spaces.Box(-1.0, 1.0, (num_values,), np.float32)
