"""Fixed task sets of manipulation, by name.

Tasks are drawn by NumPy's `RandomState(1337)`, whose stream NumPy has frozen: the same on every machine. The thesis
trains on 30 tasks and tests on 10 others (table 1), on the WidowX on 20 and 10; `-reference-v0` are the numbers of
tasks and the dense reward of MELD's code.
"""

import functools
from collections.abc import Callable

import numpy as np

from metarl_envs.adapters.gymnasium_ids import register_with_gymnasium
from metarl_envs.manipulation.buttons import SawyerButtons
from metarl_envs.manipulation.ethernet import WidowXEthernet
from metarl_envs.manipulation.multi_peg import SawyerMultiPeg, make_tasks
from metarl_envs.manipulation.peg import SawyerPeg
from metarl_envs.manipulation.reacher import SawyerReacher
from metarl_envs.manipulation.scene import Scene
from metarl_envs.manipulation.shelf import SawyerShelf
from metarl_envs.mujoco.pixels.family import PixelFamily, draw_benchmark
from metarl_envs.registry import register_benchmark
from metarl_envs.tasks import Benchmark

HORIZON = 40
"""Steps of an episode (thesis, appendix D.2.2)."""


def _drawn(scene: Scene, num_train: int, num_test: int) -> Callable[[str], Benchmark]:
    def make(name: str) -> Benchmark:
        return draw_benchmark(name, PixelFamily(scene, HORIZON), num_train=num_train, num_test=num_test)

    return make


def _multi_peg(name: str) -> Benchmark:
    """The three tasks, which are trained on and tested on, as in the thesis."""
    tasks = make_tasks(np.arange(3))
    return Benchmark(name, PixelFamily(SawyerMultiPeg(), HORIZON), tasks, tasks)


def _makers() -> dict[str, Callable[[str], Benchmark]]:
    return {
        "sawyer-reacher-v0": _drawn(SawyerReacher(), 30, 10),
        "sawyer-reacher-reference-v0": _drawn(SawyerReacher(shaping="reference"), 60, 10),
        "sawyer-peg-v0": _drawn(SawyerPeg(), 30, 10),
        "sawyer-peg-reference-v0": _drawn(SawyerPeg(shaping="reference"), 30, 10),
        "sawyer-multi-peg-v0": _multi_peg,
        "sawyer-shelf-v0": _drawn(SawyerShelf(), 30, 10),
        "sawyer-shelf-reference-v0": _drawn(SawyerShelf(shaping="reference"), 40, 10),
        "sawyer-button-dense-v0": _drawn(SawyerButtons(), 30, 10),
        "sawyer-button-sparse-v0": _drawn(SawyerButtons(sparse=True), 30, 10),
        "sawyer-button-dense-reference-v0": _drawn(SawyerButtons(shaping="reference"), 15, 12),
        "sawyer-button-sparse-reference-v0": _drawn(SawyerButtons(sparse=True, shaping="reference"), 15, 12),
        "widowx-ethernet-dense-v0": _drawn(WidowXEthernet(), 20, 10),
        "widowx-ethernet-sparse-v0": _drawn(WidowXEthernet(sparse=True), 20, 10),
    }


def register() -> None:
    """Registers the benchmarks of this module, and their environments with gymnasium."""
    for name, make in _makers().items():
        register_benchmark(name, functools.partial(make, name))
        words, _, version = name.rpartition("-v")
        env_name = words.title().replace("-", "").replace("Widowx", "WidowX")
        register_with_gymnasium(f"metarl_envs/{env_name}-v{version}", name, HORIZON)
