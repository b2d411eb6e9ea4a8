"""Draws learning curves over seeds, with bootstrap intervals, from run directories.

    uv run examples/plot.py --runs='PEARL=runs/point-sparse-v0-explore-*' --y=test/return_11 --output=curve.png

Each --runs is LABEL=PATTERN; the runs that a pattern matches are the seeds of one curve.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import itertools
import math

import matplotlib.pyplot as plt
from absl import flags
from rlcore.experiment import main, output_path, user_errors
from support.curves import count_seeds, draw_curve, load_curves
from support.figures import save_figure

_RUNS = flags.DEFINE_multi_string("runs", None, "LABEL=PATTERN of run directories.", required=True)
_X = flags.DEFINE_string("x", "env_steps", "Metric of the horizontal axis: env_steps, updates, iteration.")
_LOG_X = flags.DEFINE_bool("log_x", False, "Whether the horizontal axis is logarithmic.")
_Y = flags.DEFINE_string("y", "test/return", "Metric of the vertical axis.")
_HLINE = flags.DEFINE_multi_string("hline", [], "LABEL=VALUE of a level to mark, such as a published number.")
_POINT = flags.DEFINE_multi_string(
    "point", [], "LABEL=X,Y of a point to mark, such as a published number; those of one label share a marker."
)
_TITLE = flags.DEFINE_string("title", "", "Title of the picture.")
_OUTPUT = flags.DEFINE_string("output", "curve.png", "Where the picture goes.")
_CONFIDENCE = flags.DEFINE_float(
    "confidence", 0.95, "Of the bootstrap interval of the mean over seeds.", lower_bound=0.01, upper_bound=0.999
)


def _split(option: str, text: str) -> tuple[str, str]:
    label, equals, value = text.partition("=")
    if not equals or not value:
        raise ValueError(f"{option} must look like LABEL=VALUE, got {text!r}")
    return label, value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # would be nowhere in the picture
        raise ValueError(text)
    return value


def _split_level(text: str) -> tuple[str, float]:
    label, value = _split("hline", text)
    try:
        return label, _number(value)
    except ValueError:
        raise ValueError(f"hline must look like LABEL=NUMBER, got {text!r}") from None


def _split_point(text: str) -> tuple[str, float, float]:
    label, position = _split("point", text)
    try:
        x, y = map(_number, position.split(","))
    except ValueError:
        raise ValueError(f"point must look like LABEL=X,Y, got {text!r}") from None
    return label, x, y


def plot() -> None:
    """Draws the curves."""
    figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
    with user_errors():
        suffixes = [f".{name}" for name in figure.canvas.get_supported_filetypes()]
        output = output_path("output", _OUTPUT.value, suffixes)
        for text in _RUNS.value:
            label, pattern = _split("runs", text)
            x, y = load_curves(pattern, _X.value, _Y.value)
            draw_curve(axes, x, y, _CONFIDENCE.value, label=f"{label} ({count_seeds(y)})")
        for text in _HLINE.value:
            label, value = _split_level(text)
            axes.axhline(value, color="0.4", linestyle="--", linewidth=1)
            axes.annotate(label, (0.01, value), xycoords=("axes fraction", "data"), va="bottom", fontsize=8)
        points: dict[str, list[tuple[float, float]]] = {}
        for label, x, y in map(_split_point, _POINT.value):
            points.setdefault(label, []).append((x, y))
        for marker, (label, positions) in zip(itertools.cycle("ov^sD*"), points.items(), strict=False):
            axes.plot(*zip(*positions, strict=True), marker, color="black", markersize=5, label=label)
    axes.set(xlabel=_X.value, ylabel=_Y.value, title=_TITLE.value)
    if _LOG_X.value:
        axes.set_xscale("log")
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, output, dpi=130)
    print(output)


if __name__ == "__main__":
    main(plot)
