"""The methods that `guidenet_results.py` compares, a record each."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from guidenet import load_model, pretrained
from guidenet.data.sources import KINDS
from guidenet.evaluation import FineTuned, Guided

POINTS = (1, 2, 5, 10, 25, None)
SHOTS = (1, 2, 5, 10, 20, 50, 100, 200)
FRAMES = (1, 2, 4, 8)
FRAME_POINTS = (1, 5, 25, None)


@dataclasses.dataclass(frozen=True)
class FineTuning:
    """How an unguided network is optimised on a support; see `FineTuned`."""

    part: str
    learning_rate: float
    batch_size: int = 0


@dataclasses.dataclass(frozen=True)
class Compared:
    """A method.

    label, colour: in pictures and tables.
    network: the method whose networks it uses; None is its own, in `<name>-seed<number>`.
    tuning: of that network on each support; None is guidance.
    kinds: of tasks that it is scored on: those that it was trained on.
    points: P that it is scored at, fewer where each takes minutes.
    clicks: whether it is scored by clicks; not where a click costs too much, or tells nothing.
    shots: the numbers of densely annotated images that it is scored with; empty is not at all.
    sparse_shots: whether it is scored with one point in each image too.
    """

    label: str
    colour: str
    network: str | None = None
    tuning: FineTuning | None = None
    kinds: tuple[str, ...] = KINDS
    points: tuple[int | None, ...] = POINTS
    clicks: bool = True
    shots: tuple[int, ...] = ()
    sparse_shots: bool = True


METHODS: Mapping[str, Compared] = {
    "late": Compared("late-global guidance", "C0", shots=SHOTS),
    "late-concat": Compared("late-global, the thesis's metric", "C9"),
    "late-local": Compared("late-local guidance", "C4", kinds=("interactive",)),
    "late-semantic": Compared("late-global, trained on classes alone", "b", kinds=("semantic",), shots=SHOTS),
    "late-interactive": Compared("late-global, trained on objects alone", "C6", kinds=("interactive",), shots=SHOTS),
    "early-global": Compared("early fusion, global", "C1", kinds=("semantic", "video")),
    "early-local": Compared("early fusion, local (DIOS)", "C3", kinds=("interactive",)),
    "masking": Compared("masking (OSLSM)", "C5"),
    "oracle": Compared("late-global, no class held out", "C7"),
    "none": Compared("foreground-background", "C2", clicks=False, shots=SHOTS),
    "none-semantic": Compared(
        "foreground-background, trained on classes alone", "olive", kinds=("semantic",), clicks=False
    ),
    "fine-tuned": Compared(
        "fine-tuning on the support",
        "C8",
        network="none",
        tuning=FineTuning("head", 1e-3, batch_size=8),
        clicks=False,
        shots=(1, 20, 100),
        sparse_shots=False,
    ),
    "first-frame": Compared(
        "fine-tuning the whole network (OSVOS)",
        "k",
        network="none",
        tuning=FineTuning("network", 1e-4),
        kinds=("video",),
        points=(5, None),
        clicks=False,
    ),
    "prototype": Compared("nearest prototype, untrained", "0.5", shots=SHOTS),
}
"""By name."""

UNTRAINED = "prototype-seed0"
"""The only one that needs no file."""


def get_method(name: str) -> str:
    """Of `<method>-seed<number>`."""
    return name.rpartition("-seed")[0]


def find_networks(folder: Path, methods: Sequence[str]) -> dict[str, Path | None]:
    """Networks of some methods, or of all, by `<method>-seed<number>`."""
    trained = {path.parent.name: path for path in sorted(folder.glob("*-seed*/model.npz"))}
    found: dict[str, Path | None] = {UNTRAINED: None}
    for method, record in METHODS.items():
        for name, path in trained.items():
            if get_method(name) == (record.network or method):
                found[f"{method}-seed{name.rpartition('-seed')[2]}"] = path
    chosen = methods or list(METHODS)
    return {name: path for name, path in found.items() if get_method(name) in chosen}


def make_method(name: str, path: Path | None, num_steps: int) -> Guided | FineTuned:
    """What `<method>-seed<number>` is, with the network of a file.

    Args:
      name: of it.
      path: of its network; None is untrained.
      num_steps: of fine-tuning.
    """
    network, params = pretrained() if path is None else load_model(path)
    tuning = METHODS[get_method(name)].tuning
    if tuning is None:
        return Guided(network, params)
    return FineTuned(network, params, num_steps, tuning.learning_rate, tuning.part, tuning.batch_size)
