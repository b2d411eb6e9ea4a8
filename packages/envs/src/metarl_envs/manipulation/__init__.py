"""Robot arms from primitive shapes and what they are asked to do, seen through cameras (extra `mujoco`)."""

from metarl_envs.manipulation.buttons import ButtonTask, SawyerButtons
from metarl_envs.manipulation.ethernet import EthernetTask, WidowXEthernet
from metarl_envs.manipulation.experts import expert_action
from metarl_envs.manipulation.multi_peg import SawyerMultiPeg
from metarl_envs.manipulation.peg import PegTask, SawyerPeg
from metarl_envs.manipulation.reacher import ReachTask, SawyerReacher
from metarl_envs.manipulation.scene import Scene
from metarl_envs.manipulation.shelf import SawyerShelf, ShelfTask

__all__ = [
    "ButtonTask",
    "EthernetTask",
    "PegTask",
    "ReachTask",
    "SawyerButtons",
    "SawyerMultiPeg",
    "SawyerPeg",
    "SawyerReacher",
    "SawyerShelf",
    "Scene",
    "ShelfTask",
    "WidowXEthernet",
    "expert_action",
]
