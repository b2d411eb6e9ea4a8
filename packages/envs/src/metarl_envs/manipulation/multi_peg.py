"""Multi-task peg insertion: the thesis's experiment on a real Sawyer, as a simulation (appendix D.6)."""

import dataclasses

import numpy as np

from metarl_envs.manipulation.peg import PegTask, SawyerPeg
from metarl_envs.manipulation.rewards import pose_reward, turn_angle
from metarl_envs.manipulation.scene import TOOL_DOWN, Fields

BOXES = ((0.48, -0.12), (0.6, 0.0), (0.48, 0.12))
"""m; where the three boxes stand in every task."""


@dataclasses.dataclass(frozen=True)
class SawyerMultiPeg(SawyerPeg):
    """Three boxes that stay where they are: a task is which of them is the goal.

    The dense reward is `pose_reward` of the peg's tip to the bottom of the goal, upright and turned as at the start;
    `turn` is that angle in rad. `shaping` is not used. All else is as in `SawyerPeg`.
    """

    num_boxes = len(BOXES)
    more_signals = ("depth", "turn")

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> PegTask:
        """Goals at random."""
        return make_tasks(rng.randint(len(BOXES), size=n))

    def judge(self, fields: Fields, tasks: PegTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        signals = super().judge(fields, tasks)[1]
        turn = turn_angle(self.site_axes(fields, "tip"), np.broadcast_to(TOOL_DOWN, (len(tasks.goal), 3, 3)))
        signals |= {"turn": turn, "dense_reward": pose_reward(signals["distance"], turn)}
        return signals["sparse_reward" if self.sparse else "dense_reward"], signals


def make_tasks(goals: np.ndarray) -> PegTask:
    """The tasks of `goals: [N]`."""
    boxes = np.broadcast_to(np.array(BOXES, np.float32), (len(goals), len(BOXES), 2))
    return PegTask(boxes.copy(), np.asarray(goals, np.int32))
