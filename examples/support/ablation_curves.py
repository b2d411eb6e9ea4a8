"""Learning curves of variants of an algorithm, a panel for each question that they answer."""

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from support.curves import bootstrap_interval, load_curves

_CONFIDENCE = 0.95


def draw_variants(
    output_dir: Path, labels: Mapping[str, str], figures: Mapping[str, Sequence[str]], y: str = "test/return"
) -> None:
    """Draws `ablations.png` of the variants that have runs, with bootstrap intervals over all their seeds.

    Args:
      output_dir: of the runs, VARIANT-SEED each, and of the picture.
      labels: of the variants that may be drawn, by name.
      figures: the names of each panel, by its title.
      y: the metric to draw.

    Raises:
      ValueError: no variant has a run, or a run was not tested yet.
    """
    patterns = {name: f"{glob.escape(str(output_dir))}/{name}-[0-9]*" for name in labels}
    found = [name for name, pattern in patterns.items() if glob.glob(pattern)]
    figures = {title: [name for name in names if name in found] for title, names in figures.items()}
    figures = {title: names for title, names in figures.items() if names}
    if not figures:
        raise ValueError(f"output_dir: {output_dir} has no runs of {', '.join(labels)}")
    figure, grid = plt.subplots(1, len(figures), figsize=(5.5 * len(figures), 4), layout="constrained", squeeze=False)
    for axes, (title, names) in zip(grid[0], figures.items(), strict=True):
        for name in names:
            x, values = load_curves(patterns[name], "env_steps", y)
            colour = f"C{list(labels).index(name) % 10}"
            seeds = f"{len(values)} seed{'s' if len(values) > 1 else ''}"
            axes.plot(x, values.mean(axis=0), ".-", color=colour, label=f"{labels[name]} ({seeds})")
            axes.fill_between(x, *bootstrap_interval(values, _CONFIDENCE), color=colour, alpha=0.2, linewidth=0)
        axes.set(xlabel="env_steps", ylabel=y, title=title)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(output_dir / "ablations.png", dpi=130)
    plt.close(figure)
    print(output_dir / "ablations.png")
