"""Figures of guided segmentation, thesis section 4.4."""

import shlex
from functools import partial
from typing import NamedTuple

from support.thesis.drawing import draw_scores
from support.thesis.records import Figure, Group, Need, share_files

try:
    from support.guidenet_methods import METHODS, make_commands
except ModuleNotFoundError as error:  # it is an extra
    if error.name != "guidenet":
        raise
    METHODS = {}

_PHOTOS = "photos of PASCAL VOC and DAVIS: the images are composites of drawings and photos; --data reads the photos"
_MISSING = "everything: the extra guidenet is not installed (uv run --extra guidenet examples/reproduce.py)"


class _Cost(NamedTuple):
    """hours: of training and of scoring. num_seeds: of the method. flags: of scoring."""

    training: float
    scoring: float
    num_seeds: int = 3
    flags: tuple[str, ...] = ()


_COSTS = {
    "decoder": _Cost(0.9, 0.4),
    "late": _Cost(0.3, 0.2),
    "late-semantic": _Cost(0.2, 0.1),
    "late-interactive": _Cost(0.2, 0.1),
    "late-local": _Cost(0.2, 0.1),
    "early-global": _Cost(3, 0.3),
    "early-local": _Cost(3, 0.3),
    "masking": _Cost(3, 0.5),
    "oracle": _Cost(0.3, 0.2),
    "none": _Cost(0.15, 0.1),
    "none-semantic": _Cost(0.15, 0.1),
    "fine-tuned": _Cost(0.15, 1, 1, ("--num_tasks=60",)),
    "first-frame": _Cost(0.15, 3, 1),
    "prototype": _Cost(0, 0.1, 1),
}


def _network(method: str, seed: int) -> Need:
    (command,) = make_commands([method], [seed], "{runs}/guidenet")
    _, _, program, *flags = shlex.split(command)
    place, measure = f"guidenet/{method}-seed{seed}", partial(share_files, files=("model.npz",))
    return Need(place, place, program.removeprefix("examples/"), tuple(flags), measure, _COSTS[method].training)


def _scores(method: str, part: str, kinds: tuple[str, ...], seed: int) -> Need:
    """Scores of a method, which are all in one place: one process writes there at a time."""
    name, record, cost = f"{method}-seed{seed}", METHODS[method], _COSTS[method]
    flags = (f"--methods={method}", f"--parts={part}", "--runs={runs}/guidenet", "--output={runs}/guidenet-results")
    after = () if record.untrained else (_network(record.network or method, seed),)
    files = tuple(f"{part}-{name}-{kind}.npz" for kind in kinds)
    return Need(
        f"guidenet-results/{part}-{name}",
        "guidenet-results/scores",
        "guidenet_results.py",
        flags + cost.flags,
        partial(share_files, files=files),
        cost.scoring,
        "guidenet/scores",
        after,
        files,
    )


def _groups(part: str, methods: tuple[str, ...], kinds: tuple[str, ...]) -> tuple[Group, ...]:
    groups = []
    for name in methods if METHODS else ():
        scored = tuple(kind for kind in kinds if kind in METHODS[name].kinds)
        label = f"{METHODS[name].label} ({part}: {', '.join(scored)})"
        most = 1 if METHODS[name].untrained else None
        groups.append(Group(label, partial(_scores, name, part, scored), _COSTS[name].num_seeds, most))
    return tuple(groups)


_OF_IMAGES = (
    *("decoder", "late-interactive", "late-local", "early-local", "late-semantic", "early-global", "masking", "oracle"),
    *("none", "none-semantic", "fine-tuned", "prototype"),
)
_OF_VIDEO = ("decoder", "late", "early-global", "masking", "none", "first-frame", "prototype")

FIGURES = {
    "10": Figure(
        "Segmenting objects and held-out classes against annotated points",
        "4.4.1",
        (draw_scores,),
        others=_groups("points", _OF_IMAGES, ("interactive", "semantic")),
        lacks=(_PHOTOS,) if METHODS else (_MISSING,),
    ),
    "11": Figure(
        "Segmenting video: accuracy against time, and against annotated frames and points",
        "4.4.1",
        (draw_scores,),
        others=_groups("points", _OF_VIDEO, ("video",)) + _groups("frames", _OF_VIDEO[:5], ("video",)),
        lacks=(_PHOTOS,) if METHODS else (_MISSING,),
    ),
}
