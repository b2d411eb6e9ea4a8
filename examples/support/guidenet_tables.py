"""The tables of `guidenet_results.py` in Markdown, made of its files of scores alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from guidenet.data.sources import KINDS

from support.guidenet_methods import METHODS
from support.guidenet_scores import (
    Scores,
    summarise,
    summarise_clicks,
    summarise_frames,
    summarise_look_alikes,
    summarise_photos,
    summarise_shots,
)

Rows = Sequence[Mapping[str, Any]]


def make_tables(scores: Scores) -> str:
    """All tables that there are scores for."""
    points = summarise(scores)
    tables: list[str] = []

    def add(title: str, rows: Rows, columns: Callable[[Any], str], cell: Callable[[Any], str] = _show_iu) -> None:
        if rows:
            tables.append(f"## {title}\n\n{_make_table(rows, columns, cell)}")

    for kind in KINDS:
        mine = [row for row in points if row["kind"] == kind]
        add(f"{kind}: positive IU", mine, _show_points)
        edges = [row for row in mine if "boundary_f" in row]
        add(f"{kind}: F of edges within 2 px", edges, _show_points, lambda row: f"{row['boundary_f']:.3f}")
        add(f"{kind}: mean IU", [r for r in mine if "mean_iu" in r], _show_points, lambda row: f"{row['mean_iu']:.3f}")
        video = [row for row in mine if "j" in row]
        add(f"{kind}: J, F", video, _show_points, lambda row: f"{row['j']:.3f}, {row['f']:.3f}")
        add(f"{kind}: update, ms", mine, _show_points, lambda row: f"{row['update_ms']:.2f}")
    for look_alike, words in ((True, "with"), (False, "without")):
        mine = [row for row in summarise_look_alikes(scores) if row["look_alike"] == look_alike]
        add(f"interactive, {words} a look-alike: positive IU", mine, _show_points)
    for frames in sorted({row["frames"] for row in summarise_frames(scores)}):
        mine = [row for row in summarise_frames(scores) if row["frames"] == frames]
        add(f"video, S = {frames} annotated frames: positive IU", mine, _show_points)
    clicks = [
        {**row, "goal": name.removeprefix("clicks_to_"), "clicks": value}
        for row in summarise_clicks(scores)
        for name, value in row.items()
        if name.startswith("clicks_to_")
    ]
    add("interactive: clicks", clicks, lambda row: f"to {row['goal']}% IU", lambda row: f"{row['clicks']:.1f}")
    shots = summarise_shots(scores)
    for number, words in ((None, "dense masks"), (1, "one point of each kind in an image")):
        mine = [row for row in shots if row["points"] == number]
        add(f"subcategories, {words}: positive IU", mine, lambda row: f"S = {row['shots']}")
    for photo in sorted({row["photo"] for row in summarise_photos(scores)}):
        mine = [row for row in summarise_photos(scores) if row["photo"] == photo]
        add(f"{photo}, a photo: positive IU", mine, _show_points)
        add(f"{photo}: F of edges within 2 px", mine, _show_points, lambda row: f"{row['boundary_f']:.3f}")
    return "\n\n".join(tables) + "\n"


def _make_table(rows: Rows, column: Callable[[Any], str], cell: Callable[[Any], str]) -> str:
    """A line for each method, a column for each name that `column` gives, in the order in which they come."""
    names = list(dict.fromkeys(column(row) for row in rows))
    lines = [f"| | seeds | {' | '.join(names)} |", "| --- | --- |" + " --- |" * len(names)]
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = {column(row): row for row in rows if row["method"] == method}
        cells = [cell(mine[name]) if name in mine else "" for name in names]
        seeds = next(iter(mine.values()))["seeds"]
        lines.append(f"| {METHODS[method].label} | {seeds} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _show_points(row: Any) -> str:
    return f"P = {row['points']}" if row["points"] else "dense"


def _show_iu(row: Any) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(row["positive_iu"], *row["interval"])
