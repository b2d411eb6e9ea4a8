"""The linear probe: what is linear in the features is read back, noise is not."""

import numpy as np
import pytest
from mi_repr.deep import linear_probe

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(400, 3))
TESTED = np.arange(400) % 4 == 0


def test_errors_go_from_exact_to_chance():
    targets = np.stack([2 * FEATURES[:, 0] - FEATURES[:, 2] + 5, RNG.normal(size=400), FEATURES[:, 0] ** 2], axis=1)
    exact, noise, square = linear_probe(FEATURES, targets, TESTED)
    assert exact < 0.01
    assert noise == pytest.approx(1, abs=0.05)
    assert square == pytest.approx(1, abs=0.1)


def test_penalty_draws_predictions_to_the_mean():
    targets = FEATURES[:, :1]
    assert linear_probe(FEATURES, targets, TESTED, ridge=1.0)[0] == pytest.approx(0.5, abs=0.02)


def test_what_does_not_vary_cannot_be_judged():
    assert linear_probe(FEATURES, np.ones((400, 1)), TESTED)[0] == np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (FEATURES, FEATURES[:, 0], TESTED),
            r"must be \[B, F\], \[B, P\] and \[B\], got \[\[400, 3\], \[400\], \[400\]\]",
        ),
        ((FEATURES, FEATURES, TESTED[:-1]), r"\[399\]"),
        ((FEATURES, FEATURES, TESTED | True), "tested must have rows on both sides, got 400 of 400 tested"),
    ],
)
def test_shapes_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        linear_probe(*arguments)


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(ValueError, match="tested must be bool, got int64"):
        linear_probe(FEATURES, FEATURES, TESTED.astype(int))
