"""Without enumeration: the closed form, merges, groups of equal rows and bisimulation, all against enumeration."""

import time

import numpy as np
import pytest
from mi_repr.tabular import (
    FiniteMDP,
    analyse,
    analyse_pairs,
    coarsest_bisimulation,
    coarsest_maximiser,
    contextual_bandit,
    figure2,
    figure3,
    joint_distribution,
    measure,
    mini_catcher_grip,
    mini_catcher_grip_representations,
    optimal_q,
    search_maximisers,
    state_dependent_policy,
)
from mi_repr.tabular.information.conditions import check_conditions
from mi_repr.tabular.model.groups import group_rows
from mi_repr.tabular.search.merges import merge_losses


def random_table(rng, num_states, num_actions=2):
    while True:
        mdp = FiniteMDP.deterministic(
            rng.integers(num_states, size=(num_states, num_actions)), rng.integers(0, 2, num_states)
        )
        try:
            if not check_conditions(mdp):
                return mdp
        except ValueError:
            continue


def with_twins(rng, num_states, num_actions=2):
    """States of a smaller MDP in several copies that are reached at fixed odds: only copies may be aliased."""
    size = num_states - 2
    small = FiniteMDP(
        rng.dirichlet(np.ones(size), (size, num_actions)), rng.normal(size=size), layout="state_action_next"
    )
    origin = np.concatenate([np.arange(size), rng.integers(size, size=2)])
    odds = rng.random(num_states)
    odds /= np.bincount(origin, odds)[origin]
    transition = small.transition[np.ix_(origin, range(num_actions), origin)] * odds
    return FiniteMDP(transition, small.reward[origin], layout="state_action_next"), origin


def is_refinement(fine, coarse):
    return all(len(np.unique(coarse[fine == block])) == 1 for block in np.unique(fine))


def test_closed_form_and_merges_find_what_enumeration_finds_on_hundreds_of_mdps():
    rng = np.random.default_rng(0)
    num_aliasing = 0
    for trial in range(200):
        mdp = random_table(rng, 2 + trial % 4) if trial % 4 else with_twins(rng, 5)[0]
        k = 1 + trial % 3
        analysis = analyse(mdp, ("fwd", "state", "inv", "inv+reward"), k=k)
        for name in ("fwd", "state"):
            coarsest = coarsest_maximiser(mdp, name, k=k)
            expected = np.array([is_refinement(labels, coarsest) for labels in analysis.labels])
            np.testing.assert_array_equal(analysis.maximal[name], expected)
            num_aliasing += expected.sum() > 1
        for name in analysis.values:
            found = search_maximisers(mdp, name, k=k)
            assert found.complete
            maximal = {tuple(row) for row in analysis.labels[analysis.maximal[name]].tolist()}
            assert {tuple(row) for row in found.labels.tolist()} == maximal
            pairs, verdict = analyse_pairs(mdp, name, k=k), analysis.verdicts[name]
            assert (pairs.q, pairs.pi_strict, pairs.pi_weak) == (verdict.q, verdict.pi_strict, verdict.pi_weak)
            assert pairs.maximum == pytest.approx(verdict.maximum, abs=1e-9)
    assert num_aliasing > 100


def test_a_maximiser_of_j_fwd_at_k_1_is_always_sufficient():
    rng = np.random.default_rng(1)
    num_aliasing = 0
    for trial in range(100):
        mdp = with_twins(rng, 3 + trial % 4)[0] if trial % 2 else random_table(rng, 2 + trial % 5)
        verdict = analyse(mdp, ["fwd"]).verdicts["fwd"]
        assert verdict.q
        num_aliasing += verdict.num_maximisers > 1
    assert num_aliasing > 40


def test_twins_are_found_by_the_closed_form_and_by_bisimulation():
    rng = np.random.default_rng(2)
    mdp, origin = with_twins(rng, 40, 3)
    for labels in (coarsest_maximiser(mdp, "fwd"), coarsest_bisimulation(mdp)):
        assert is_refinement(labels, origin)
        assert is_refinement(origin, labels)


def test_the_closed_form_of_a_thousand_states_takes_seconds():
    rng = np.random.default_rng(3)
    base = rng.permutation(500)
    table = np.stack([base, np.roll(base, 1)], axis=1)
    table = np.concatenate([2 * table, 2 * table + 1]).reshape(2, 500, 2).swapaxes(0, 1).reshape(1000, 2)
    transition = np.zeros((1000, 2, 1000))
    np.put_along_axis(transition, (table // 2 * 2)[..., None], 0.5, axis=2)
    np.put_along_axis(transition, (table // 2 * 2 + 1)[..., None], 0.5, axis=2)
    mdp = FiniteMDP(transition, np.zeros(1000), state_distribution=np.full(1000, 1e-3))
    start = time.perf_counter()
    labels = coarsest_maximiser(mdp, "fwd")
    assert time.perf_counter() - start < 20
    np.testing.assert_array_equal(labels, np.arange(1000) // 2)


@pytest.mark.parametrize(
    ("semantics", "objective", "q", "pi_weak"),
    [
        ("toggle", "fwd", True, True),
        ("toggle", "state", False, False),
        ("toggle", "inv", False, False),
        ("toggle", "inv+reward", False, False),
        ("set", "state", True, True),
        ("toggle_action", "state", True, True),
    ],
)
def test_verdicts_on_the_54_states(semantics, objective, q, pi_weak):
    verdict = analyse_pairs(mini_catcher_grip(semantics), objective)
    assert (verdict.q, verdict.pi_weak, verdict.num_maximisers) == (q, pi_weak, None)


def test_the_coarsest_maximiser_of_j_state_drops_the_gripper_only():
    mdp = mini_catcher_grip()
    np.testing.assert_array_equal(coarsest_maximiser(mdp, "state"), mini_catcher_grip_representations()["no gripper"])
    np.testing.assert_array_equal(coarsest_maximiser(mdp, "fwd"), np.arange(54))


@pytest.mark.parametrize("terms", [("fwd",), ("state",), ("inv",), ("reward",), ("reward_action",), ("inv", "reward")])
def test_losses_of_merges_are_differences_of_values(terms):
    rng = np.random.default_rng(4)
    mdp = FiniteMDP(rng.dirichlet(np.ones(4), (4, 3)), rng.integers(0, 2, (4, 3)), "state_action")
    name = "+".join(terms)
    losses = merge_losses([(joint_distribution(mdp, 2), terms)])
    for i, j in zip(*np.triu_indices(4, 1), strict=True):
        labels = np.arange(4)
        labels[j] = i
        expected = measure(mdp, np.arange(4), [name], 2)[name] - measure(mdp, labels, [name], 2)[name]
        assert losses[i, j] == pytest.approx(expected, abs=1e-12)
        assert losses[j, i] == pytest.approx(expected, abs=1e-12)


def test_a_search_that_meets_its_limit_says_so():
    found = search_maximisers(figure3(), "inv", limit=10)
    assert (len(found.labels), found.complete) == (10, False)
    np.testing.assert_array_equal(found.labels[0], np.arange(6))
    assert search_maximisers(figure3(), "inv", limit=51).complete
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        search_maximisers(figure3(), "inv", limit=0)


def test_merges_refuse_an_objective_that_can_gain_from_aliasing():
    for search in (analyse_pairs, search_maximisers):
        with pytest.raises(ValueError, match=r"objective 'inv\+reward': the policy depends on the state"):
            search(state_dependent_policy(), "inv+reward")
        search(state_dependent_policy(), "fwd")


def test_pairs_leave_open_what_takes_three_states():
    paid = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    mdp = FiniteMDP(np.full((3, 3, 3), 1 / 3), paid, "state_action")
    verdict = analyse_pairs(mdp, "fwd")
    assert (verdict.pi_strict, verdict.pi_weak, verdict.counterexample.fails) == (False, None, "pi_strict")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: coarsest_maximiser(figure2(), "inv"), "objective must be fwd or state, got 'inv'"),
        (
            lambda: coarsest_maximiser(FiniteMDP.deterministic([[1, 1], [2, 1], [1, 2]], [0, 0, 1]), "state"),
            "needs every state at t with every action, but s0 has probability 0",
        ),
        (
            lambda: coarsest_maximiser(
                FiniteMDP.deterministic([[1], [1]], [0, 1], state_distribution=[0.5, 0.5]), "state"
            ),
            r"needs every state at t\+k, but s0",
        ),
        (
            lambda: coarsest_maximiser(
                FiniteMDP(figure2().transition, [0, 0, 1, 0], policy=[[1, 0], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]),
                "fwd",
            ),
            "with every action, but s0",
        ),
    ],
)
def test_the_closed_form_refuses_what_it_does_not_hold_for(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_closed_form_holds_under_a_policy_that_depends_on_the_state():
    rng = np.random.default_rng(5)
    for _ in range(20):
        twins, _ = with_twins(rng, 5)
        mdp = FiniteMDP(twins.transition, twins.reward, policy=rng.dirichlet(np.ones(2), 5))
        for name in ("fwd", "state"):
            analysis, coarsest = analyse(mdp, [name]), coarsest_maximiser(mdp, name)
            expected = np.array([is_refinement(labels, coarsest) for labels in analysis.labels])
            np.testing.assert_array_equal(analysis.maximal[name], expected)


def test_groups_are_rows_equal_up_to_a_share_of_each_entry():
    rows = np.array(
        [[0.0, 1], [1e-30, 1], [1e-30, 1 + 5e-13], [2e-30, 1], [-0.5, 0.5], [-0.5, 0.5], [1e-30, 1 + 1e-11]]
    )
    np.testing.assert_array_equal(group_rows(rows), [0, 1, 1, 2, 3, 3, 4])
    np.testing.assert_array_equal(group_rows(rows, 1e-9), [0, 1, 1, 2, 3, 3, 1])


def test_rows_of_equal_sums_are_told_apart():
    weights = np.random.default_rng(0).random(2) + 0.5  # as in group_rows: rows made to have equal weighted sums
    rows = np.array([[1 / weights[0], 0], [0, 1 / weights[1]], [1 / weights[0], 0]])
    np.testing.assert_array_equal(group_rows(rows), [0, 1, 0])


@pytest.mark.parametrize(
    ("mdp", "expected"),
    [
        (figure2(), [0, 1, 1, 2]),
        (figure3(), [0, 1, 2, 2, 3, 3]),
        (contextual_bandit(), [0, 1]),
        (FiniteMDP(np.full((3, 2, 3), 1 / 3), [0, 0, 1]), [0, 0, 0]),
        (FiniteMDP(np.full((3, 2, 3), 1 / 3), [0, 0, 1], "state"), [0, 0, 1]),
    ],
)
def test_the_coarsest_bisimulation_by_hand(mdp, expected):
    np.testing.assert_array_equal(coarsest_bisimulation(mdp), expected)


def test_a_bisimulation_has_equal_values_in_a_block_and_no_merge_keeps_it_one():
    rng = np.random.default_rng(6)
    for _ in range(20):
        mdp = random_table(rng, 6)
        labels, q = coarsest_bisimulation(mdp), optimal_q(mdp)
        for block in np.unique(labels):
            assert np.ptp(q[labels == block], axis=0).max() < 1e-9
        to_block = np.stack([mdp.transition[:, :, labels == b].sum(axis=2) for b in np.unique(labels)], axis=2)
        for block in np.unique(labels):
            assert np.ptp(to_block[labels == block], axis=0).max() == 0
