"""Equal optimal values are told from nearly equal ones."""

from fractions import Fraction

import numpy as np
import pytest
from mi_repr.tabular import FiniteMDP, analyse_pairs, figure2, optimal_actions, optimal_q, sufficient_notions
from mi_repr.tabular.control import precise as precise_module
from mi_repr.tabular.control.precise import compare_precisely
from mi_repr.tabular.control.solve import compare_values
from mi_repr.tabular.information.rationals import to_fractions


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (1 / 3, Fraction(1, 3)),
        (0.1 + 0.2, Fraction(3, 10)),
        (-5 / 7, Fraction(-5, 7)),
        (1e-12, Fraction(1, 10**12)),
        (0.999999999999, 1 - Fraction(1, 10**12)),
        (0.0, Fraction(0)),
        (123456.0, Fraction(123456)),
    ],
)
def test_a_fraction_is_found_again(value, meant):
    fractions, index = to_fractions(np.array([[value, 0.0]]))
    assert [fractions[each] for each in index[0]] == [meant, 0]


def test_random_numbers_are_no_fractions():
    rng = np.random.default_rng(0)
    assert sum(to_fractions(rng.random(3)) is not None for _ in range(200)) == 0
    assert to_fractions(np.array([1 / 3, 1e-12])) is None  # one way of reading for all


def two_paths(gap, scale=1.0):
    """From s0 two ways to nearly the same reward; from s3 the same two, and they pay the same."""
    reward = np.array([0.0, 1.0, 1.0 + gap, 0.0]) * scale
    return FiniteMDP.deterministic([[1, 2], [0, 0], [3, 3], [1, 1]], reward)


@pytest.mark.parametrize("gap", [1e-3, 1e-9, 1e-12, -1e-12, 1e-14])
@pytest.mark.parametrize("scale", [1.0, 8.0, 2.0**-40])
def test_a_difference_of_rewards_counts_however_small(gap, scale):
    compared = compare_values(two_paths(gap, scale))
    assert compared.optimal[0].tolist() == [gap < 0, gap > 0]
    assert "pi_strict" not in sufficient_notions(two_paths(gap, scale), [0, 1, 2, 0])


def test_what_is_equal_is_equal():
    mdp = two_paths(0.0)
    compared = compare_values(mdp)
    assert compared.optimal[0].tolist() == [True, True]
    assert compared.classes[1, 0] == compared.classes[1, 1]
    again = FiniteMDP.deterministic([[1, 2], [0, 0], [0, 0]], [0, 1 / 3, 1 / 3], discount=0.99)
    assert compare_values(again).optimal.all()
    assert set(sufficient_notions(again, [0, 1, 1])) == {"q", "pi_strict", "pi_weak"}


def test_numbers_that_are_no_fractions_are_equal_up_to_their_rounding():
    rng = np.random.default_rng(0)
    base = rng.dirichlet(np.ones(4), (4, 2))
    base[1] = base[0] * (1 + 1e-16)
    reward = rng.normal(size=4)
    compared = compare_values(FiniteMDP(base, reward))
    assert (compared.classes[0] == compared.classes[1]).all()
    base[1, 0, :2] += [1e-11, -1e-11]
    compared = compare_values(FiniteMDP(base, reward))
    assert compared.classes[0, 0] != compared.classes[1, 0]


@pytest.mark.parametrize("seed", range(10))
def test_the_order_is_that_of_float64_where_values_are_well_apart(seed):
    rng = np.random.default_rng(seed)
    mdp = FiniteMDP(rng.dirichlet(np.ones(6), (6, 3)), rng.normal(size=6), discount=0.97)
    q, compared = optimal_q(mdp), compare_values(mdp)
    np.testing.assert_array_equal(compared.optimal, optimal_actions(q))
    for action in range(3):
        np.testing.assert_array_equal(np.argsort(compared.classes[:, action]), np.argsort(q[:, action]))


@pytest.mark.parametrize(
    ("convention", "shape"),
    [("state", (4,)), ("state_action", (4, 2)), ("transition", (4, 2, 4)), ("random", (4, 2, 2))],
)
def test_rewards_of_every_kind_are_compared(convention, shape):
    rng = np.random.default_rng(1)
    options = {"reward_values": [0.25, 0.5]} if convention == "random" else {}
    reward = rng.dirichlet(np.ones(2), (4, 2)) if convention == "random" else rng.normal(size=shape)
    mdp = FiniteMDP(rng.dirichlet(np.ones(4), (4, 2)), reward, convention, **options)
    q = optimal_q(mdp)
    precise = compare_precisely(mdp, q)
    assert precise is not None
    np.testing.assert_array_equal(precise[1], optimal_actions(q))
    np.testing.assert_array_equal(np.argsort(precise[0][:, 0]), np.argsort(q[:, 0]))


def test_lacked_actions_are_equal_to_each_other_only():
    mdp = FiniteMDP(np.full((3, 2, 3), 1 / 3), [0, 0, 0], allowed=[[1, 1], [1, 0], [1, 0]])
    classes, optimal = compare_values(mdp)
    assert classes[1, 1] == classes[2, 1] != classes[0, 1]
    assert optimal.tolist() == [[True, True], [True, False], [True, False]]


def test_a_large_mdp_is_compared_in_float64(monkeypatch):
    expected = compare_values(figure2())
    verdict = analyse_pairs(figure2(), "state")
    monkeypatch.setattr(precise_module, "_MOST_TRANSITIONS", 1)
    compared = compare_values(figure2())
    np.testing.assert_array_equal(compared.optimal, expected.optimal)
    same = [classes[:, None] == classes for classes in (compared.classes[:, 0], expected.classes[:, 0])]
    np.testing.assert_array_equal(*same)
    assert analyse_pairs(figure2(), "state").counterexample == verdict.counterexample
    lacking = FiniteMDP(np.full((3, 2, 3), 1 / 3), [0, 0, 0], allowed=[[1, 1], [1, 0], [1, 0]])
    assert compare_values(lacking).classes[1, 1] == compare_values(lacking).classes[2, 1]
