"""Button-press: the Sawyer pushes one button of a panel (thesis, section 5.3.3)."""

import dataclasses
from typing import NamedTuple

import numpy as np

from metarl_envs.manipulation import sawyer
from metarl_envs.manipulation.mjcf import GROUND, camera, numbers
from metarl_envs.manipulation.scene import Fields, SawyerScene

NUM_BUTTONS, SPACING = 3, 0.14
"""Buttons in a row along y, and m between them."""

NEAREST, FARTHEST = 0.72, 0.78
"""m from the arm's base to the panel."""

TRAVEL, PRESSED = 0.02, 0.012
"""m that a button goes down, and at which it counts as pushed."""

_PANEL_TOP, _BUTTON_HALF_HEIGHT = 0.08, 0.02
_HAND = (
    '<geom type="cylinder" size="0.03 0.04" pos="0 0 0.05" mass="0.5" rgba="0.2 0.2 0.22 1"/>'
    '<geom class="solid" contype="3" conaffinity="3" type="box" size="0.012 0.012 0.045" pos="0 0 0.125" mass="0.1"'
    ' rgba="0.2 0.75 0.3 1"/><site name="tip" pos="0 0 0.17"/>' + camera("wrist", (0.1, 0.0, 0.0), (0.0, 0.0, 0.25), 75)
)


class ButtonTask(NamedTuple):
    """Where the panel is, and which button to push. panel: float32 scalar, m along x. button: int32 scalar, 0 to 2."""

    panel: np.ndarray
    button: np.ndarray


def _button(i: int) -> str:
    return (
        f'<body name="button{i}" pos="0 {(i - 1) * SPACING} {_PANEL_TOP}" gravcomp="1">'
        f'<joint type="slide" axis="0 0 1" range="{-TRAVEL} 0" stiffness="150" damping="8"/>'
        '<geom class="solid" contype="2" conaffinity="2" type="cylinder" mass="0.05" rgba="0.8 0.2 0.15 1"'
        f' size="0.028 {_BUTTON_HALF_HEIGHT}"/></body>'
    )


@dataclasses.dataclass(frozen=True)
class SawyerButtons(SawyerScene):
    """Three buttons on springs, in a row on a panel that lies on the table.

    `distance` is that of the tip from the middle of the right button's top as it is when pushed down. `success` and the
    sparse reward: the right button is down by 12 of its 20 mm; the thesis gives no number.
    """

    def xml(self) -> str:
        """See `Scene`."""
        buttons = "".join(_button(i) for i in range(NUM_BUTTONS))
        half = _PANEL_TOP / 2
        panel = f'<geom class="solid" type="box" pos="0 0 {half}" size="0.05 0.21 {half}" rgba="0.85 0.85 0.8 1"/>'
        start = numbers([*sawyer.HOME, *[0.0] * NUM_BUTTONS])
        return (
            f"<worldbody>{GROUND}{camera('scene', (1.4, -0.5, 0.75), (0.68, 0.0, 0.12), 42)}{sawyer.arm(_HAND)}"
            f'<body name="panel" mocap="true">{panel}{buttons}</body>'
            '<body name="goal" mocap="true"><geom class="goal" type="cylinder" size="0.012 0.004"/></body></worldbody>'
            f"<actuator>{sawyer.actuators()}</actuator>"
            f'<keyframe><key qpos="{start}" ctrl="{numbers(sawyer.HOME)}"/></keyframe>'
        )

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> ButtonTask:
        """Places of the panel, uniform; buttons take turns."""
        panel = rng.uniform(NEAREST, FARTHEST, n).astype(np.float32)
        return ButtonTask(panel, (np.arange(n) % NUM_BUTTONS).astype(np.int32))

    def goal_place(self, tasks: ButtonTask) -> np.ndarray:
        """The middle of the right button's top, pushed down, `[N, 3]` m."""
        height = np.full(len(tasks.panel), _PANEL_TOP + _BUTTON_HALF_HEIGHT - TRAVEL)
        return np.stack([tasks.panel, (tasks.button - 1) * SPACING, height], axis=-1)

    def arrange(self, fields: Fields, tasks: ButtonTask) -> None:
        """Moves the panel, and the goal's mark onto the right button."""
        places = fields["mocap_pos"].reshape(-1, 2, 3)
        places[:, 0] = 0.0
        places[:, 0, 0] = tasks.panel
        places[:, 1] = self.goal_place(tasks) + np.array([0, 0, TRAVEL])

    def guide(self, fields: Fields, tasks: ButtonTask) -> np.ndarray:
        """Over the right button first, then down."""
        tip, goal = self.site(fields, "tip"), self.goal_place(tasks)
        aside = np.linalg.norm(tip[:, :2] - goal[:, :2], axis=-1)
        return goal + (aside > 0.015)[:, None] * (0, 0, TRAVEL + 0.04) - (0, 0, 0.01)

    def judge(self, fields: Fields, tasks: ButtonTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        distance = np.linalg.norm(self.site(fields, "tip") - self.goal_place(tasks), axis=-1)
        heights = fields["qpos"][:, sawyer.NUM_JOINTS :]
        pressed = heights[np.arange(len(heights)), tasks.button] < -PRESSED
        return self.rate(distance, pressed, pressed)
