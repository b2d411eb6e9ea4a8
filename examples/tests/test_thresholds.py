"""How soon learners get to a return, against numbers worked out by hand."""

import csv

import numpy as np
from support.thesis.thresholds import compare, find_steps, write


def _curve(*points):
    x, y = zip(*points, strict=True)
    return np.array(x, float), np.array(y, float)


CURVES = {
    "first": [_curve((100, -90), (200, -50), (300, -70)), _curve((100, -90), (800, -60), (900, -40))],
    "second": [_curve((4000, -61), (8000, -60), (9000, -59))],
    "third": [_curve((5, -80), (6, -59)), _curve((5, -80), (6, -79))],
    "unfinished": [],
}


def test_the_first_point_that_is_as_good_counts():
    x, y = CURVES["first"][0]
    assert find_steps(x, y, -60) == 200
    assert find_steps(x, y, -50) == 200
    assert find_steps(x, y, -49.9) is None


def test_ratios_to_the_first_learner_and_their_range():
    first, second, third = compare(CURVES, [-60.0])
    assert np.isclose(first.steps, 400)  # the geometric mean of 200 and 800
    assert (first.num_reached, first.ratio, first.lowest, first.highest) == (2, 1.0, 0.25, 4.0)
    assert np.isclose(second.ratio, 20)
    assert (second.lowest, second.highest) == (10, 40)
    # One of two seeds does not get there: no mean, so no ratio.
    assert (third.num_seeds, third.num_reached, third.steps, third.ratio) == (2, 1, None, None)


def test_the_table_has_a_row_for_each_threshold_and_learner(tmp_path):
    write(tmp_path / "thresholds.csv", {"robot": compare(CURVES, [-60.0, -30.0])})
    with (tmp_path / "thresholds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["panel"], row["threshold"], row["learner"]) for row in rows[2:4]] == [
        ("robot", "-60.0", "third"),
        ("robot", "-30.0", "first"),
    ]
    assert [rows[1][name] for name in ("steps", "ratio", "lowest ratio", "highest ratio")] == [
        "8000.0",
        "20.0",
        "10.0",
        "40.0",
    ]
    assert {row["steps"] for row in rows[3:]} == {""}
