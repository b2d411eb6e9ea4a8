"""Text that fits: its size in points, names cut to a width, keys in columns."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

LINE = 1.4  # from line to line, over the size of the font
_MARGIN = 1.04  # a renderer rounds widths to its pixels
_GAP = 14.0  # points between columns
_HANDLE = 5.0  # of a legend's line or marker with the space around it, over the size of the font


def measure(text: str, size: float) -> tuple[float, float]:
    """Width and height of a text of one or more lines, in points."""
    lines = text.split("\n")
    widths = [text_to_path.get_text_width_height_descent(line, FontProperties(size=size), False)[0] for line in lines]
    return _MARGIN * max(widths), size * (1 + LINE * (len(lines) - 1))


def cut(text: str, width: float, size: float) -> str:
    """The text, or as much of its beginning as fits a width in points."""
    if measure(text, size)[0] <= width:
        return text
    fits, fits_not = 0, len(text)
    while fits_not - fits > 1:
        middle = (fits + fits_not) // 2
        if measure(text[:middle] + "...", size)[0] <= width:
            fits = middle
        else:
            fits_not = middle
    return text[:fits] + "..."


def wrap(text: str, num_lines: int) -> str:
    """The words of a text in so many lines, or fewer, the longest as short as can be."""
    options = {"break_long_words": False, "break_on_hyphens": False}
    for width in range(max(map(len, text.split()), default=1), len(text)):
        lines = textwrap.wrap(text, width, **options)
        if len(lines) <= num_lines:
            return "\n".join(lines)
    return text


def arrange(entries: Sequence[str], width: float, size: float, most_lines: int) -> list[list[str]] | None:
    """Entries in as many columns as fit a width in points.

    Those too long for it are cut, and in two columns more, if there are many lines. None if these are too many too.
    """
    for least in (1, 2):
        kept = [cut(entry, (width - (least - 1) * _GAP) / least, size) for entry in entries]
        widest = max(measure(entry, size)[0] for entry in kept)
        num_columns = max(least, int((width + _GAP) // (widest + _GAP)))
        height = -(-len(kept) // num_columns)
        if height <= most_lines:
            return [kept[start : start + height] for start in range(0, len(kept), height)]
    return None


def count_columns(labels: Sequence[str], width: float, size: float) -> int:
    """The most columns of a legend with these labels that fit a width in points."""
    for number in range(len(labels), 1, -1):
        columns = np.array_split(labels, number)
        if sum(_HANDLE * size + max(measure(label, size)[0] for label in column) for column in columns) <= width:
            return number
    return 1


def write_columns(axes: Axes, title: str, columns: Sequence[Sequence[str]], size: float) -> None:
    """Writes a key below its title into axes that hold nothing else."""
    axes.axis("off")
    left = 0.0
    for number, column in enumerate(columns):
        for line, entry in enumerate([title if number == 0 else "", *column], 1):
            axes.annotate(
                entry,
                (0, 1),
                xycoords="axes fraction",
                xytext=(left, -line * LINE * size),
                textcoords="offset points",
                fontsize=size,
                fontweight="bold" if line == 1 else "normal",
                parse_math=False,
            )
        left += max(measure(entry, size)[0] for entry in column) + _GAP
