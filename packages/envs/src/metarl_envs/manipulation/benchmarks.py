"""Fixed task sets of manipulation, by name.

Tasks are drawn by NumPy's `RandomState(1337)`, whose stream NumPy has frozen: the same on every machine. The thesis
trains on 30 tasks and tests on 10 others (table 1), on the WidowX on 20 and 10; `-reference-v0` are the numbers of
tasks and the dense reward of MELD's code.
"""

import numpy as np

from metarl_envs.manipulation.buttons import SawyerButtons
from metarl_envs.manipulation.ethernet import WidowXEthernet
from metarl_envs.manipulation.multi_peg import SawyerMultiPeg, make_tasks
from metarl_envs.manipulation.peg import SawyerPeg
from metarl_envs.manipulation.reacher import SawyerReacher
from metarl_envs.manipulation.shelf import SawyerShelf
from metarl_envs.mujoco.family import drawn, fixed
from metarl_envs.registry import Recipe

BENCHMARKS: dict[str, Recipe] = {
    "sawyer-reacher-v0": drawn(SawyerReacher(), 30, 10),
    "sawyer-reacher-reference-v0": drawn(SawyerReacher(shaping="reference"), 60, 10),
    "sawyer-peg-v0": drawn(SawyerPeg(), 30, 10),
    "sawyer-peg-reference-v0": drawn(SawyerPeg(shaping="reference"), 30, 10),
    "sawyer-multi-peg-v0": fixed(SawyerMultiPeg(), make_tasks(np.arange(3))),
    "sawyer-shelf-v0": drawn(SawyerShelf(), 30, 10),
    "sawyer-shelf-reference-v0": drawn(SawyerShelf(shaping="reference"), 40, 10),
    "sawyer-button-dense-v0": drawn(SawyerButtons(), 30, 10),
    "sawyer-button-sparse-v0": drawn(SawyerButtons(sparse=True), 30, 10),
    "sawyer-button-dense-reference-v0": drawn(SawyerButtons(shaping="reference"), 15, 12),
    "sawyer-button-sparse-reference-v0": drawn(SawyerButtons(sparse=True, shaping="reference"), 15, 12),
    "widowx-ethernet-dense-v0": drawn(WidowXEthernet(), 20, 10),
    "widowx-ethernet-sparse-v0": drawn(WidowXEthernet(sparse=True), 20, 10),
}
