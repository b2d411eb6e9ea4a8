"""Verdicts on the didactic MDPs (thesis figures 2 and 3), the conditions of the theory, and limits of size."""

import jax
import numpy as np
import pytest
from mi_repr.tabular import (
    FiniteMDP,
    analyse,
    check_conditions,
    contextual_bandit,
    figure2,
    figure3,
    figure3_readable,
    figure3_small,
    format_partition,
    judge_all_k,
    measure,
    mini_catcher_grip,
    mini_catcher_grip_representations,
    report,
    state_dependent_policy,
    sufficient_notions,
    to_bits,
    xor,
)
from mi_repr.tabular.search.analysis import check_num_states

FIGURE_3 = {"figure3": figure3, "figure3_readable": figure3_readable, "figure3_small": figure3_small}


def bits(analysis, name, labels):
    return to_bits(analysis.values[name][analysis.row(labels)])


def sufficiency(analysis, labels):
    return {notion: bool(holds[analysis.row(labels)]) for notion, holds in analysis.sufficient.items()}


@pytest.mark.parametrize(
    ("labels", "nats", "bits_of", "q", "pi_weak"),
    [
        ([0, 1, 2, 0], (1.040, 0.693, 0.693, 0), (1.5, 1, 1, 0), False, False),
        ([0, 1, 1, 0], (0.693, 0.693, 0.693, 0), (1, 1, 1, 0), False, False),
        ([0, 1, 1, 2], (1.040, 0.693, 1.040, 0.347), (1.5, 1, 1.5, 0.5), True, True),
        ([0, 1, 2, 3], (1.386, 0.693, 1.386, 0.693), (2, 1, 2, 1), True, True),
    ],
)
def test_representations_of_figure_2(labels, nats, bits_of, q, pi_weak):
    """I(Z;S), J_state, J_fwd, J_inv."""
    analysis = analyse(figure2())
    row = analysis.row(labels)
    values = np.array([analysis.information[row], *(analysis.values[name][row] for name in ("state", "fwd", "inv"))])
    np.testing.assert_allclose(values, nats, atol=5e-4)
    np.testing.assert_allclose(to_bits(values), bits_of, atol=1e-12)
    held = sufficiency(analysis, labels)
    assert (held["q"], held["pi_weak"]) == (q, pi_weak)
    assert analysis.maximal["state"][row]


def test_verdicts_on_figure_2():
    analysis = analyse(figure2())
    fwd, state = analysis.verdicts["fwd"], analysis.verdicts["state"]
    assert (fwd.num_maximisers, fwd.q, fwd.pi_strict, fwd.pi_weak, fwd.counterexample) == (1, True, True, True, None)
    assert (state.num_maximisers, state.q, state.pi_strict, state.pi_weak) == (4, False, False, False)
    example = state.counterexample
    assert (example.labels, example.fails, example.states) == ((0, 1, 2, 0), "pi_weak", (0, 3))
    assert example.actions == (("a1",), ("a0",))
    assert analysis.violations == ()
    assert len(analysis.labels) == 15


@pytest.mark.parametrize("k", [1, 2, 3])
def test_maximisers_of_figure_2_by_k(k):
    """J_state keeps its four at every k; J_fwd has them too for k above 1, so k above 1 alone is not sufficient."""
    analysis = analyse(figure2(), k=k)
    assert analysis.verdicts["state"].num_maximisers == 4
    assert analysis.verdicts["fwd"].num_maximisers == (1 if k == 1 else 4)
    assert analysis.verdicts["fwd"].pi_weak == (k == 1)
    assert [violation.condition for violation in analysis.violations] == ([] if k == 1 else ["k"])


def test_the_maximisers_at_all_k():
    mdp = figure2()
    analyses = [analyse(mdp, k=k) for k in (1, 2, 3)]
    verdicts = judge_all_k(analyses)
    assert (verdicts["fwd"].num_maximisers, verdicts["fwd"].q) == (1, True)
    assert (verdicts["state"].num_maximisers, verdicts["state"].pi_weak) == (4, False)
    with pytest.raises(ValueError, match="same MDP and objectives"):
        judge_all_k([analyses[0], analyse(xor())])


def test_the_smallest_counterexample_to_j_state():
    analysis = analyse(xor())
    np.testing.assert_allclose(analysis.values["state"], 0, atol=1e-12)
    assert bits(analysis, "fwd", [0, 1]) == pytest.approx(1)
    assert analysis.verdicts["state"].counterexample.labels == (0, 0)
    assert analysis.verdicts["fwd"].q


@pytest.mark.parametrize(
    ("name", "alias", "k", "inv", "fwd", "reward"),
    [
        ("figure3", False, 1, 0.500, 2.500, 0.811),
        ("figure3", True, 1, 0.500, 1.500, 0.811),
        *(("figure3", alias, k, 0.0, None, None) for alias in (False, True) for k in (2, 3, 4)),
        ("figure3_readable", False, 1, 1.000, 2.585, 0.918),
        ("figure3_readable", True, 1, 1.000, 1.918, 0.918),
        *(
            ("figure3_readable", alias, k, inv, None, None)
            for alias in (False, True)
            for k, inv in ((2, 0.500), (3, 0.061), (4, 0.018))
        ),
        ("figure3_small", False, 1, 0.667, 1.918, 0.650),
        ("figure3_small", True, 1, 0.667, 0.918, 0.650),
        *(
            ("figure3_small", alias, k, inv, None, None)
            for alias in (False, True)
            for k, inv in ((2, 0.208), (3, 0.033), (4, 0.009))
        ),
    ],
)
def test_values_of_figure_3(name, alias, k, inv, fwd, reward):
    """The identity, and {s0,s1} aliased, in bits."""
    mdp = FIGURE_3[name]()
    labels = np.maximum(np.arange(mdp.num_states) - alias, 0)
    values = {key: to_bits(x) for key, x in measure(mdp, labels, ("inv", "fwd", "reward", "inv+reward"), k).items()}
    assert values["inv"] == pytest.approx(inv, abs=5.1e-4)
    if k == 1:
        assert values["fwd"] == pytest.approx(fwd, abs=5e-4)
        assert values["reward"] == pytest.approx(reward, abs=5e-4)
        assert values["inv+reward"] == pytest.approx(inv + reward, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "num_inv", "num_with_reward", "last_k", "occupancy"),
    [
        ("figure3", 51, 17, 8, [1 / 4, 1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8]),
        ("figure3_readable", 16, 7, 8, [1 / 6] * 6),
        ("figure3_small", None, None, 6, [1 / 3, 1 / 3, 1 / 6, 1 / 6]),
    ],
)
def test_verdicts_on_figure_3(name, num_inv, num_with_reward, last_k, occupancy):
    mdp = FIGURE_3[name]()
    np.testing.assert_allclose(mdp.occupancy, occupancy, atol=1e-12)
    alias = np.maximum(np.arange(mdp.num_states) - 1, 0)
    for k in range(1, last_k + 1):
        analysis = analyse(mdp, ("fwd", "inv", "inv+reward"), k=k)
        assert analysis.maximal["inv"][analysis.row(alias)]
        assert analysis.maximal["inv+reward"][analysis.row(alias)]
        if k > 1:
            continue
        verdicts = analysis.verdicts
        assert sufficiency(analysis, alias) == {"q": False, "pi_strict": False, "pi_weak": False}
        assert verdicts["inv"].counterexample.labels == tuple(alias)
        assert verdicts["inv+reward"].counterexample.states == (0, 1)
        assert (verdicts["fwd"].num_maximisers, verdicts["fwd"].q) == (1, True)
        if num_inv is not None:
            assert verdicts["inv"].num_maximisers == num_inv
            assert verdicts["inv+reward"].num_maximisers == num_with_reward


@pytest.mark.parametrize(
    ("semantics", "k", "representation", "fwd", "state", "inv"),
    [
        ("toggle", 1, "identity", 5.2266, 3.0860, 2.1405),
        ("toggle", 1, "no gripper", 4.2266, 3.0860, 1.1405),
        ("toggle", 1, "no fruit", 2.5850, 0.4444, 2.1405),
        ("toggle", 3, "identity", None, 1.6506, 0.0899),
        ("toggle", 3, "no gripper", None, 1.6506, None),
        ("toggle", 3, "no fruit", None, None, 0.0899),
        ("toggle_action", 1, "identity", None, 3.5599, None),
        ("toggle_action", 1, "no gripper", None, 3.1857, None),
    ],
)
def test_values_of_the_54_states(semantics, k, representation, fwd, state, inv):
    labels = mini_catcher_grip_representations()[representation]
    values = measure(mini_catcher_grip(semantics), labels, k=k)
    for name, expected in (("fwd", fwd), ("state", state), ("inv", inv)):
        if expected is not None:
            assert to_bits(values[name]) == pytest.approx(expected, abs=5e-5), name


@pytest.mark.parametrize(
    ("semantics", "representation", "held"),
    [
        ("toggle", "identity", ["q", "pi_strict", "pi_weak"]),
        ("toggle", "no gripper", []),
        ("toggle", "no fruit", []),
        ("set", "no gripper", ["q", "pi_strict", "pi_weak"]),
    ],
)
def test_sufficiency_of_the_54_states(semantics, representation, held):
    mdp = mini_catcher_grip(semantics)
    labels = mini_catcher_grip_representations()[representation]
    assert list(sufficient_notions(mdp, labels)) == held


@pytest.mark.parametrize(
    ("last_row", "held"),
    [([0.5, 0.5, 0], ()), ([0.5, 0.4, 0.1], ("q", "pi_strict", "pi_weak"))],
)
def test_a_stochastic_representation_aliases_states_of_equal_distributions(last_row, held):
    """s0 and s3 of figure 2; s1 and s2 may share a distribution."""
    encoder = [[0.5, 0.5, 0], [0, 0, 1], [0, 0, 1], last_row]
    assert sufficient_notions(figure2(), encoder) == held


def test_one_state_is_no_problem():
    analysis = analyse(FiniteMDP(np.ones((1, 2, 1)), [1]))
    assert analysis.labels.tolist() == [[0]]
    assert all(verdict.q for verdict in analysis.verdicts.values())


def test_unknown_semantics_are_refused():
    with pytest.raises(ValueError, match="semantics must be toggle, set or toggle_action, got 'push'"):
        mini_catcher_grip("push")


def conditions(mdp, k=1):
    return {violation.condition: violation.message for violation in check_conditions(mdp, k)}


def test_a_state_dependent_policy_is_reported_and_the_identity_not_taken_for_the_best():
    mdp = state_dependent_policy()
    analysis = analyse(mdp, ["inv"])
    assert set(conditions(mdp)) == {"state_independent_policy"}
    assert bits(analysis, "inv", [0, 1, 2]) == pytest.approx(0.1617, abs=5e-5)
    assert to_bits(analysis.verdicts["inv"].maximum) == pytest.approx(0.5229, abs=5e-5)
    assert not analysis.maximal["inv"][-1]


def test_without_a_common_maximiser_the_verdict_at_all_k_is_vacuous():
    mdp = state_dependent_policy()
    analyses = [analyse(mdp, ["inv"], k=k) for k in (1, 2, 3)]
    assert analyses[0].verdicts["inv"].counterexample.labels == (0, 0, 1)
    verdict = judge_all_k(analyses)["inv"]
    assert verdict.num_maximisers == 0
    assert (verdict.q, verdict.pi_strict, verdict.pi_weak) == (False, False, False)
    assert report.format_verdict(verdict, mdp) == (
        "inv: no representation maximises it at every k, so nothing is guaranteed."
    )
    with pytest.raises(ValueError, match="judge_all_k needs one analysis at least"):
        judge_all_k([])


def test_rewards_of_actions_are_outside_the_theorem():
    analysis = analyse(contextual_bandit(), ("fwd", "fwd+reward_action"))
    assert not analysis.verdicts["fwd"].pi_weak
    assert analysis.verdicts["fwd+reward_action"].q
    assert "fwd+reward_action" in conditions(contextual_bandit())["reward"]


def test_rewards_of_the_state_left_give_the_policy_but_not_q():
    """s1 and s2 of figure 2 pay differently when left, and act alike."""
    mdp = FiniteMDP(figure2().transition, figure2().reward, "state")
    analysis = analyse(mdp)
    assert sufficiency(analysis, [0, 1, 1, 2]) == {"q": False, "pi_strict": True, "pi_weak": True}
    assert "optimal actions, but not Q*" in conditions(mdp)["reward"]
    assert not analysis.verdicts["state"].pi_weak


def test_states_that_are_left_for_good_are_reported():
    mdp = FiniteMDP.deterministic([[1, 1], [2, 1], [1, 2]], [0, 0, 1])
    found = conditions(mdp)
    assert "never show s0" in found["support"]
    assert "leaves s0 for good" in found["irreducible"]
    analysis = analyse(mdp)
    assert analysis.verdicts["fwd"].num_maximisers > 1  # s0 may be aliased with anything


def test_several_closed_classes_are_reported_where_the_state_distribution_is_given():
    mdp = FiniteMDP.deterministic([[0], [1]], [0, 1], state_distribution=[0.5, 0.5])
    assert "several closed classes" in conditions(mdp)["irreducible"]
    with pytest.raises(ValueError, match="state_distribution must say"):
        analyse(FiniteMDP.deterministic([[0], [1]], [0, 1]))


def test_a_distribution_that_is_not_stationary_is_reported():
    mdp = FiniteMDP(figure2().transition, figure2().reward, state_distribution=[0.4, 0.2, 0.2, 0.2])
    assert set(conditions(mdp)) == {"steady_state"}


def test_actions_never_taken_are_reported():
    mdp = FiniteMDP(figure2().transition, figure2().reward, policy=[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [1, 0]])
    assert "some action in s3" in conditions(mdp)["policy_support"]


def test_long_lists_of_states_are_cut():
    mdp = FiniteMDP.deterministic([[9]] * 10, np.zeros(10))
    assert "s0, s1, s2, s3, s4, s5 and 3 more" in conditions(mdp)["support"]


@pytest.mark.parametrize(
    ("num_states", "max_states", "message"),
    [
        (12, 11, r"12 states have too many .*max_states=11.*analyse_pairs.*coarsest_maximiser.*or max_states=12"),
        (13, 12, r"13 states have too many"),
        (5, 13, "max_states must be at most 12, got 13"),
    ],
)
def test_too_many_states_are_refused(num_states, max_states, message):
    with pytest.raises(ValueError, match=message):
        check_num_states(num_states, max_states)


def test_twelve_states_are_named_at_the_cap():
    with pytest.raises(ValueError, match="12 states"):
        analyse(FiniteMDP(np.full((12, 1, 12), 1 / 12), np.zeros(12)))


def test_seven_states_on_request_only():
    mdp = FiniteMDP(np.full((7, 1, 7), 1 / 7), np.zeros(7))
    with pytest.raises(ValueError, match="7 states"):
        analyse(mdp, max_states=6)
    assert len(analyse(mdp, max_states=7).labels) == 877


def test_rows_are_found_whatever_blocks_are_called():
    analysis = analyse(figure2())
    assert analysis.row([7, 3, 3, 7]) == analysis.row([0, 1, 1, 0])
    assert analysis.row([0, 1, 2, 3]) == 14
    assert analysis.row([[0, 3], [1, 2]]) == analysis.row([0, 1, 1, 0])
    with pytest.raises(ValueError, match=r"representation must be \[4\] integers or .*, got int64 \[3\]"):
        analysis.row([0, 1, 2])
    with pytest.raises(ValueError, match="labels must be a partition, got a stochastic representation"):
        analysis.row(np.full((4, 2), 0.5))


def test_a_loose_tolerance_takes_more_for_maximal():
    strict, loose = analyse(figure2()), analyse(figure2(), tolerance=0.4)
    assert strict.verdicts["fwd"].num_maximisers == 1
    assert loose.verdicts["fwd"].num_maximisers == 2


def test_three_states_may_share_no_action_though_any_two_do():
    """Each pair has a common optimal action, all three have none: the counterexample names three."""
    paid = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    mdp = FiniteMDP(np.full((3, 3, 3), 1 / 3), paid, "state_action")
    example = analyse(mdp, ["fwd"]).verdicts["fwd"].counterexample
    assert (example.labels, example.fails, example.states) == ((0, 0, 0), "pi_weak", (0, 1, 2))


def test_float64_inside_leaves_the_program_around_it_alone():
    analysis = analyse(figure2())
    assert analysis.values["fwd"].dtype == np.float64
    assert abs(analysis.values["fwd"][-1] - 2 * np.log(2)) < 1e-14
    assert jax.numpy.ones(1).dtype == np.float32


def test_the_table_and_the_verdict_in_words():
    analysis = analyse(figure2())
    rows = report.representative_rows(analysis, limit=15)
    table = report.format_table(analysis, rows).splitlines()
    assert len(table) == 16
    values = ["r15", "2.0000", "2.0000*", "1.0000*", "1.0000*", "Q*"]
    assert table[-1].split() == [*values, "{s0}", "{s1}", "{s2}", "{s3}"]
    text = report.format_verdict(analysis.verdicts["state"], analysis.mdp)
    assert "state: maximum 1.0000 bits (4 representations), NOT sufficient" in text
    assert "{s0,s3} {s1} {s2}" in text
    assert "s0: a1; s3: a0" in text
    assert report.format_verdict(analysis.verdicts["fwd"], analysis.mdp) == (
        "fwd: maximum 2.0000 bits (1 representations), sufficient for Q*. The next lies 0.5000 bits below. "
        "That holds for every reward of the next state."
    )


def test_few_rows_stand_for_many():
    analysis = analyse(figure3())
    rows = report.representative_rows(analysis, limit=10)
    assert len(rows) == 10
    assert (np.diff(analysis.information[rows]) >= 0).all()
    shown = {format_partition(analysis.labels[row], analysis.mdp.states) for row in rows}
    assert {"{s0,s1} {s2} {s3} {s4} {s5}", "{s0} {s1} {s2} {s3} {s4} {s5}"} <= shown
