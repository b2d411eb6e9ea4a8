"""What an insufficient representation costs, and the search for counterexamples."""

import itertools

import numpy as np
import pytest
from mi_repr.tabular import (
    FiniteMDP,
    analyse,
    check_conditions,
    figure2,
    figure3,
    find_counterexample,
    loss_of_optimality,
    mini_catcher_grip,
    mini_catcher_grip_representations,
    policy_value,
    stochastic_lower_bound,
    xor,
)
from mi_repr.tabular.search.counterexamples import _irreducible


@pytest.mark.parametrize(
    ("mdp", "labels", "optimum", "best"),
    [
        (xor(), [0, 0], 10.0, 5.0),  # a coin that cannot be seen pays half of the time
        (xor(), [0, 1], 10.0, 10.0),
        (figure2(), [0, 1, 1, 2], 5.0, 5.0),
        (figure2(), [0, 1, 2, 0], 5.0, 4.75),
        (figure3(), [0, 0, 1, 2, 3, 4], 5.0, 2.5),  # every second step pays, or every fourth
    ],
)
def test_losses_by_hand(mdp, labels, optimum, best):
    result = loss_of_optimality(mdp, labels)
    assert result.exact
    assert (result.optimum, result.best, result.bound) == pytest.approx((optimum, best, best))
    assert result.loss == pytest.approx(optimum - best)
    policy = np.eye(mdp.num_actions)[result.policy[np.unique(labels, return_inverse=True)[1]]]
    assert mdp.occupancy @ policy_value(mdp, policy) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_policy_is_that_of_trying_all(seed):
    rng = np.random.default_rng(seed)
    size, num_actions = rng.integers(2, 7), rng.integers(2, 4)
    transition = rng.dirichlet(np.full(size, 0.4), (size, num_actions))
    mdp = FiniteMDP(transition, rng.normal(size=size), layout="state_action_next")
    blocks = np.unique(rng.integers(0, 3, size), return_inverse=True)[1]
    start = rng.dirichlet(np.ones(size))
    best = max(
        start @ policy_value(mdp, np.eye(num_actions)[np.array(actions)[blocks]])
        for actions in itertools.product(range(num_actions), repeat=blocks.max() + 1)
    )
    result = loss_of_optimality(mdp, blocks, start=start)
    assert result.exact
    assert result.best == pytest.approx(best, abs=1e-9)
    value, policy = stochastic_lower_bound(mdp, blocks, start=start, num_restarts=2, num_steps=60)
    assert start @ policy_value(mdp, policy[blocks]) == pytest.approx(value)
    assert value <= result.optimum + 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_weakly_sufficient_partitions_are_those_that_cost_nothing(seed):
    rng = np.random.default_rng(seed)
    mdp = FiniteMDP.deterministic(
        rng.integers(5, size=(5, 2)), rng.integers(0, 2, 5), state_distribution=np.full(5, 0.2)
    )
    analysis = analyse(mdp)
    for labels, weak in zip(analysis.labels, analysis.sufficient["pi_weak"], strict=True):
        assert (loss_of_optimality(mdp, labels).loss < 1e-9) == weak


def test_a_stochastic_policy_can_do_better():
    """One block, three states: going on from the first and back from the second cannot both be done for sure."""
    mdp = FiniteMDP.deterministic([[0, 1], [2, 1], [0, 1]], [0, 0, 1], state_distribution=[1, 0, 0])
    deterministic = loss_of_optimality(mdp, [0, 0, 0])
    value, policy = stochastic_lower_bound(mdp, [0, 0, 0])
    assert deterministic.best == pytest.approx(0)
    assert value > 1
    assert policy.shape == (1, 2)
    assert 0.1 < policy[0, 0] < 0.9


def test_a_search_that_is_cut_short_gives_an_interval():
    mdp = mini_catcher_grip()
    result = loss_of_optimality(mdp, mini_catcher_grip_representations()["no gripper"], max_nodes=3)
    assert not result.exact
    assert result.best < result.bound <= result.optimum
    assert loss_of_optimality(mdp, np.arange(54), max_nodes=1).exact


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [0, 1]}, "representation must be"),
        ({"labels": np.full((2, 2), 0.5)}, r"representation must be \[4\]"),
        ({"labels": np.full((4, 2), 0.5)}, "defined for partitions"),
        ({"start": np.ones(4)}, "start must be a distribution over the states"),
        ({"max_nodes": 0}, "max_nodes must be at least 1, got 0"),
    ],
)
def test_what_has_no_loss_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        loss_of_optimality(figure2(), **{"labels": [0, 0, 1, 1], **options})


@pytest.mark.parametrize(
    ("objective", "notion", "num_states"),
    [
        ("state", "pi_weak", 2),
        ("inv", "q", 2),
        ("inv", "pi_strict", 3),
        ("inv", "pi_weak", 3),
        ("reward", "pi_weak", 3),
        ("inv+reward", "pi_weak", 4),
        ("state+reward", "pi_weak", 4),
    ],
)
def test_the_smallest_counterexamples(objective, notion, num_states):
    found = find_counterexample(objective, notion=notion)
    assert [size.num_states for size in found.searched] == list(range(2, num_states + 1))
    assert all(size.exhaustive for size in found.searched)
    mdp, verdict = found.analysis.mdp, found.analysis.verdicts[objective]
    assert mdp.num_states == num_states
    assert getattr(verdict, notion) is False
    assert check_conditions(mdp) == ()


def test_exclusive_or_is_the_smallest_for_j_state():
    found = find_counterexample("state").analysis
    np.testing.assert_array_equal(np.sort(found.mdp.transition.argmax(axis=2)), [[0, 1], [0, 1]])
    assert found.verdicts["state"].counterexample.labels == (0, 0)


def test_j_fwd_has_none_among_all_tables_of_up_to_4_states():
    found = find_counterexample("fwd", notion="q")
    assert found.analysis is None
    assert [(size.num_states, size.num_tables) for size in found.searched] == [(2, 16), (3, 729), (4, 65_536)]
    assert all(size.exhaustive for size in found.searched)


def test_the_number_of_irreducible_tables():
    """20,958 of the 65,536 of 4 states and 2 actions."""
    digits = np.unravel_index(np.arange(4**8), (4,) * 8)
    assert _irreducible(np.stack(digits, axis=1).reshape(-1, 4, 2)).sum() == 20_958


def test_samples_are_said_to_be_samples_and_follow_the_seed():
    options = {"min_states": 5, "max_states": 5, "max_tables": 300}
    first, again = (find_counterexample("inv+reward", seed=3, **options) for _ in range(2))
    assert not first.searched[0].exhaustive
    np.testing.assert_array_equal(first.analysis.mdp.transition, again.analysis.mdp.transition)
    other = find_counterexample("inv+reward", seed=4, **options)
    assert not np.array_equal(first.analysis.mdp.transition, other.analysis.mdp.transition)


def test_other_sizes_discounts_and_actions():
    found = find_counterexample("state", num_actions=3, min_states=3, max_states=3, discount=0.5).analysis
    assert (found.mdp.num_states, found.mdp.num_actions, found.mdp.discount) == (3, 3, 0.5)
    assert find_counterexample("state", discount=0.0).analysis is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_states": 8}, "from 1 to 7"),
        ({"min_states": 5}, "from 1 to 7, in this order, got 5 and 4"),
        ({"num_actions": 0}, "num_actions and max_tables must be at least 1, got 0"),
        ({"max_tables": 0}, "num_actions and max_tables"),
        ({"notion": "v"}, "notion must be one of q, pi_strict, pi_weak, got 'v'"),
        ({"objective": "reward_action"}, "reward_action needs"),
    ],
)
def test_searches_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        find_counterexample(**{"objective": "fwd", **options})
