"""`reproduce.py` with figures of its own and tiny runs.

1 is whole, 2 has a run that fails, 3 takes longer, 4 is of PEARL.
"""

import runpy
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[0] = str(EXAMPLES)

from support.runs import share_trained  # noqa: E402
from support.thesis import FIGURES  # noqa: E402
from support.thesis.drawing import draw_panels, gather_pictures  # noqa: E402
from support.thesis.records import (  # noqa: E402
    Figure,
    Group,
    Need,
    make_training,
    make_view,
    over_episodes,
    over_steps,
)

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

_TINY_PEARL = (
    "--preset=tiny",
    "--override=num_updates=2",
    "--override=sac.hidden_sizes=8",
    "--override=encoder_sizes=8",
)


def _train_pearl(seed: int) -> Need:
    return make_training(
        "train_pearl.py", "point-sparse-wide-v0", "pearl", seed, num_iterations=2, hours=0.01, flags=_TINY_PEARL
    )


def _view(program: str, file: str) -> Group:
    return Group(file.partition(".")[0], lambda seed: make_view(program, _train_pearl(seed), file), 1)


_VIEWS = (_view("evaluate.py", "trajectories.png"), _view("record_video.py", "adaptation_sheet.png"))
_PEARL = over_steps("PEARL", [Group("PEARL", _train_pearl, 1)])

TINY = {
    "1": Figure("whole", "0.1", (draw_panels,), (over_steps("a", [_FIRST]), over_episodes("b", [_SECOND]))),
    "2": Figure("broken", "0.2", (draw_panels,), (over_steps("c", [_BROKEN, _AFTER_BROKEN, _FIRST]),)),
    "3": Figure("slow", "0.3", (draw_panels,), (over_steps("d", [_SLOW]),), lacks=("a learner: not there yet",)),
    "4": Figure("PEARL", "0.4", (draw_panels, gather_pictures), (_PEARL,), _VIEWS),
}

if __name__ == "__main__":
    FIGURES.clear()
    FIGURES.update(TINY)
    sys.argv[0] = str(EXAMPLES / "reproduce.py")
    runpy.run_path(sys.argv[0], run_name="__main__")
