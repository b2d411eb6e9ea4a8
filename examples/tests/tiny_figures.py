"""`reproduce.py` with figures of its own and tiny runs: 1 is whole, 2 has a run that fails, 3 takes longer."""

import runpy
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[0] = str(EXAMPLES)

from support.thesis import FIGURES  # noqa: E402
from support.thesis.drawing import draw_panels  # noqa: E402
from support.thesis.records import Figure, Group, Need, over_episodes, over_steps, share_trained  # noqa: E402

NUM_ITERATIONS = 4


def make(name: str, flags: Sequence[str], read: str, seed: int) -> Need:
    """A run of the tiny training; `read` is what must be there before."""
    place = f"{name}-{seed}"
    own = (f"--seed={seed}", f"--num_iterations={NUM_ITERATIONS}", f"--run_dir={{runs}}/{place}")
    after = (make(read, (), "", seed),) if read else ()
    measure = partial(share_trained, num_iterations=NUM_ITERATIONS)
    return Need(place, place, "tests/tiny_training.py", (*flags, *own), measure, 0.5, "", after)


def _group(name: str, *flags: str, read: str = "", num_seeds: int = 2) -> Group:
    return Group(name, partial(make, name, flags, read), num_seeds)


_FIRST, _SECOND = _group("first"), _group("second", read="input", num_seeds=1)
_BROKEN = _group("broken", "--fail_at=3", num_seeds=1)
_AFTER_BROKEN = _group("after", read="broken", num_seeds=1)
_SLOW = _group("slow", "--seconds=0.5")

TINY = {
    "1": Figure("whole", "0.1", (draw_panels,), (over_steps("a", [_FIRST]), over_episodes("b", [_SECOND]))),
    "2": Figure("broken", "0.2", (draw_panels,), (over_steps("c", [_BROKEN, _AFTER_BROKEN, _FIRST]),)),
    "3": Figure("slow", "0.3", (draw_panels,), (over_steps("d", [_SLOW]),), lacks=("a learner: not there yet",)),
}

if __name__ == "__main__":
    FIGURES.clear()
    FIGURES.update(TINY)
    sys.argv[0] = str(EXAMPLES / "reproduce.py")
    runpy.run_path(sys.argv[0], run_name="__main__")
