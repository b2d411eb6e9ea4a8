"""Figures go to files and need no display."""

import os

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

matplotlib.use("Agg")


def save_figure(figure: Figure, path: str | os.PathLike[str], dpi: int = 120) -> None:
    """Writes a figure and closes it."""
    figure.savefig(path, dpi=dpi)
    plt.close(figure)
