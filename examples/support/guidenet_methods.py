"""The methods that `guidenet_results.py` compares, a record each."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from guidenet import load_model, pretrained, pretrained_with_ridge, with_ridge
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
    untrained: whether it needs no network.
    tuning: of that network on each support; None is guidance.
    ridge: whether a ridge regression on the annotations is added.
    preset: that it is trained with; see `make_commands`.
    overrides: options of that.
    oracle: whether it is trained on the test classes too.
    kinds: of tasks that it is trained and scored on.
    points: P that it is scored at, fewer where each takes minutes.
    clicks: whether it is scored by clicks; not where a click costs too much, or tells nothing.
    shots: the numbers of densely annotated images that it is scored with; empty is not at all.
    sparse_shots: whether it is scored with one point in each image too.
    """

    label: str
    colour: str
    network: str | None = None
    untrained: bool = False
    tuning: FineTuning | None = None
    ridge: bool = False
    preset: str = "late"
    overrides: tuple[str, ...] = ()
    oracle: bool = False
    kinds: tuple[str, ...] = ("semantic", "interactive", "video")
    points: tuple[int | None, ...] = POINTS
    clicks: bool = True
    shots: tuple[int, ...] = ()
    sparse_shots: bool = True


_THESIS_METRIC = ("network.head.kind=concat", "network.head.hidden_size=256", "network.head.products=false")
"""Which all fusions but late need."""

_TO_THE_END = ("num_iterations=300", "stop_after=8", "optimiser.decay=none", "batch_size=8")
"""Of encoders of the support, which learn slowly: until validation gets no better."""

METHODS: Mapping[str, Compared] = {
    "decoder": Compared("late-global guidance and a decoder", "m", preset="cpu", kinds=KINDS, shots=SHOTS),
    "late": Compared("late-global guidance", "C0", shots=SHOTS),
    "late-concat": Compared("late-global, the thesis's metric", "C9", overrides=_THESIS_METRIC),
    "late-local": Compared(
        "late-local guidance",
        "C4",
        overrides=("num_iterations=6", "network.pooling=local", *_THESIS_METRIC),
        kinds=("interactive",),
    ),
    "late-semantic": Compared(
        "late-global, trained on classes alone",
        "b",
        overrides=("num_iterations=12",),
        kinds=("semantic",),
        shots=SHOTS,
    ),
    "late-interactive": Compared(
        "late-global, trained on objects alone",
        "C6",
        overrides=("num_iterations=10",),
        kinds=("interactive",),
        shots=SHOTS,
    ),
    "early-global": Compared(
        "early fusion, global",
        "C1",
        overrides=("network.fusion=early", *_THESIS_METRIC, *_TO_THE_END),
        kinds=("semantic", "video"),
    ),
    "early-local": Compared(
        "early fusion, local (DIOS)",
        "C3",
        overrides=("network.fusion=early", "network.pooling=local", *_THESIS_METRIC, *_TO_THE_END),
        kinds=("interactive",),
    ),
    "masking": Compared("masking (OSLSM)", "C5", overrides=("network.fusion=masking", *_THESIS_METRIC, *_TO_THE_END)),
    "oracle": Compared("late-global, no class held out", "C7", oracle=True),
    "none": Compared(
        "foreground-background",
        "C2",
        overrides=("num_iterations=10", "network.fusion=none", *_THESIS_METRIC),
        clicks=False,
        shots=SHOTS,
    ),
    "none-semantic": Compared(
        "foreground-background, trained on classes alone",
        "olive",
        overrides=("num_iterations=10", "network.fusion=none", *_THESIS_METRIC),
        kinds=("semantic",),
        clicks=False,
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
    "prototype": Compared("nearest prototype, untrained", "0.5", untrained=True, kinds=KINDS, shots=SHOTS),
    "late-ridge": Compared("late-global with ridge regression", "C7", network="late", ridge=True, shots=SHOTS),
    "decoder-ridge": Compared(
        "guidance, a decoder and ridge regression", "teal", network="decoder", ridge=True, kinds=KINDS, shots=SHOTS
    ),
    "prototype-ridge": Compared(
        "nearest prototype with ridge regression, untrained", "0.2", untrained=True, ridge=True, shots=SHOTS
    ),
}
"""By name."""


def get_method(name: str) -> str:
    """Of `<method>-seed<number>`."""
    return name.rpartition("-seed")[0]


def make_commands(methods: Sequence[str], seeds: Sequence[int], runs: str) -> list[str]:
    """The commands that train the networks of some methods, or of all.

    Args:
      methods: by name; empty is all. Those without networks of their own need none.
      seeds: of each.
      runs: the folder of networks.
    """
    commands: list[str] = []
    for method in methods or METHODS:
        record = METHODS[method]
        if record.network or record.untrained:
            continue
        flags = [
            f"--preset={record.preset}",
            f"--kinds={','.join(record.kinds)}",
            *(f"--override={option}" for option in record.overrides),
        ]
        flags += ["--oracle"] if record.oracle else []
        for seed in seeds:
            run_dir = shlex.quote(f"{runs}/{method}-seed{seed}")
            parts = ["uv run examples/train_guidenet.py", f"--seed={seed}", f"--run_dir={run_dir}", *flags]
            commands.append(" ".join(parts))
    return commands


def find_networks(folder: Path, methods: Sequence[str]) -> dict[str, Path | None]:
    """Networks of some methods, or of all, by `<method>-seed<number>`."""
    trained = {path.parent.name: path for path in sorted(folder.glob("*-seed*/model.npz"))}
    found: dict[str, Path | None] = {f"{method}-seed0": None for method, record in METHODS.items() if record.untrained}
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
    record = METHODS[get_method(name)]
    tuning = record.tuning
    if path is None:
        network, params = pretrained_with_ridge() if record.ridge else pretrained()
    else:
        network, params = load_model(path)
        network = with_ridge(network) if record.ridge else network
    if tuning is None:
        return Guided(network, params)
    return FineTuned(network, params, num_steps, tuning.learning_rate, tuning.part, tuning.batch_size)
