"""What came of a sweep: for each point, the mean and the spread of a metric over seeds."""

import csv
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from rlcore.experiment import read_metrics

from support.curves import suggest
from support.sweep.grid import Trial, group_by_point


def summarise(trials: Sequence[Trial], metric: str) -> list[dict[str, Any]]:
    """A row for each point: its values, of how many seeds there is something, and statistics of the last `metric`.

    A value is that of the last test up to the iteration that the sweep trains to. Statistics are None where a trial is
    not finished, as the seeds that scheduling leaves are the good ones; `std` is the sample standard deviation, None of
    fewer than two seeds.

    Raises:
      ValueError: a finished run has no such metric.
    """
    rows = list[dict[str, Any]]()
    for point, group in group_by_point(trials):
        last = np.array([_read_last(trial, metric) for trial in group if trial.job.is_finished()])
        row: dict[str, Any] = {**point.values, "seeds": len(last), "of": len(group), "mean": None, "std": None}
        row |= {"min": None, "max": None}
        if len(last) == len(group):
            row |= {"mean": last.mean(), "min": last.min(), "max": last.max()}
        if len(last) == len(group) > 1:
            row["std"] = last.std(ddof=1)
        rows.append(row)
    return rows


def write_csv(rows: Sequence[dict[str, Any]], path: str | os.PathLike[str]) -> None:
    """The rows, with numbers as they are."""
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def format_table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for a reader, in columns."""
    cells = [list(rows[0]), *([_show(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in cells)


def _read_last(trial: Trial, metric: str) -> float:
    rows = read_metrics(trial.job.place)
    values = [row[metric] for row in rows if metric in row and row["iteration"] <= trial.point.num_iterations]
    if not values:
        raise ValueError(f"metric: {trial.job.place} has no {metric}{suggest((metric,), rows)}")
    return float(values[-1])


def _show(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
