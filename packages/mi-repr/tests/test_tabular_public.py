"""MDPs of textbooks and papers have the values that these print."""

import dataclasses

import numpy as np
import pytest
from mi_repr.tabular import (
    analyse_pairs,
    check_conditions,
    combination_lock,
    garnet,
    gridworld,
    optimal_q,
    recycling_robot,
    river_swim,
    windy_gridworld,
)


def test_the_gridworld_has_the_books_optimal_values():
    values = optimal_q(gridworld()).max(axis=1).reshape(5, 5)
    np.testing.assert_allclose(values[0], [22.0, 24.4, 22.0, 19.4, 17.5], atol=0.05)
    np.testing.assert_allclose(values[:, 0], [22.0, 19.8, 17.8, 16.0, 14.4], atol=0.05)


def test_the_windy_gridworld_takes_fifteen_steps():
    mdp = windy_gridworld()
    patient = dataclasses.replace(mdp, discount=0.999999)
    cost = -optimal_q(patient).max(axis=1)  # 15 for every 16 steps, the restart is free
    assert (1 - patient.discount) * cost[mdp.states.index("r3c0")] == pytest.approx(15 / 16, rel=1e-3)
    unreached = {violation.condition for violation in check_conditions(mdp)}
    assert "support" in unreached
    assert check_conditions(mdp.restrict_to_reachable())[0].condition == "reward"


def test_the_robot_does_not_recharge_while_high():
    robot = recycling_robot()
    assert robot.choices.tolist() == [[True, True, False], [True, True, True]]
    assert optimal_q(robot)[0, 2] == -np.inf


@pytest.mark.parametrize("mdp", [river_swim(), combination_lock(4, 3), garnet(6, 3, 2), gridworld()])
def test_data_of_all_show_every_state(mdp):
    assert {violation.condition for violation in check_conditions(mdp)} <= {"reward"}
    assert analyse_pairs(mdp, "fwd").q


def test_a_garnet_branches_as_told_and_is_that_of_its_seed():
    one, other = garnet(10, 3, 4, seed=1), garnet(10, 3, 4, seed=2)
    assert ((one.transition > 0).sum(axis=2) == 4).all()
    assert (one.transition != other.transition).any()
    np.testing.assert_array_equal(one.transition, garnet(10, 3, 4, seed=1).transition)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: river_swim(0), "num_states must be a whole number, at least 1, got 0"),
        (lambda: garnet(2, 2, 5), "branching must be at most num_states=2, got 5"),
        (lambda: combination_lock(1.5), "num_levels must be a whole number, at least 1, got 1.5"),
    ],
)
def test_sizes_that_are_none_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
