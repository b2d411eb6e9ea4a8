"""What stands beside a verdict: how far the next representation is, what the data do not show, every reward."""

import dataclasses
import decimal
import itertools

import numpy as np
import pytest
from mi_repr.tabular import (
    FiniteMDP,
    all_partitions,
    analyse,
    analyse_pairs,
    check_conditions,
    contextual_bandit,
    figure2,
    figure3,
    format_partition,
    garnet,
    joint_distribution,
    judge_all_k,
    measure,
    optimal_q,
    report,
    river_swim,
    state_dependent_policy,
)
from mi_repr.tabular.information.margins import divergence, loss_of, nearest_pair

TERMS = ("fwd", "state", "inv", "reward", "reward_action")


def random_mdp(seed, num_states=5, num_actions=3, **options):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(num_states, 0.5), (num_states, num_actions))
    reward = rng.integers(0, 2, (num_states, num_actions))
    return FiniteMDP(transition, reward, "state_action", layout="state_action_next", **options)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("k", [1, 2])
def test_what_a_partition_loses_is_the_difference_of_informations(term, k):
    mdp = random_mdp(0)
    joint, whole = joint_distribution(mdp, k), measure(mdp, range(5), [term], k)[term]
    for labels in all_partitions(5):
        lost = loss_of([(joint, (term,))], labels)
        assert lost == pytest.approx(whole - measure(mdp, labels, [term], k)[term], abs=1e-13)
        assert lost >= 0


def test_what_is_lost_has_true_digits_however_little_it_is():
    gap = 1e-9
    rows = np.array([[0.5, 0.5], [0.5 + gap, 0.5 - gap]]) * [[0.25], [0.75]]
    with decimal.localcontext() as context:
        context.prec = 60
        exact = [[decimal.Decimal(float(value)) for value in row] for row in rows]
        whole = sum(map(sum, exact))
        mixed = [sum(column) for column in zip(*exact, strict=True)]
        expected = sum(
            value * (value * whole / (sum(row) * mixed[place])).ln() for row in exact for place, value in enumerate(row)
        )
    assert divergence(rows) == pytest.approx(float(expected), rel=1e-6)
    assert float(expected) < 1e-18


@pytest.mark.parametrize(
    "terms", [("fwd",), ("state",), ("inv",), ("reward_action",), ("fwd", "reward"), ("state", "inv")]
)
def test_the_nearest_pair_is_that_of_trying_all(terms):
    for seed in range(5):
        mdp = random_mdp(seed, 6)
        parts = [(joint_distribution(mdp, k), terms) for k in (1, 2)]
        lossy = np.random.default_rng(seed).random((6, 6)) < 0.7
        losses = {}
        for i, j in itertools.combinations(range(6), 2):
            labels = np.arange(6)
            labels[j] = i
            losses[i, j] = loss_of(parts, labels)
        expected = min(value for (i, j), value in losses.items() if lossy[i, j] or lossy[j, i])
        assert nearest_pair(parts, lossy) == pytest.approx(expected, rel=1e-9)
    assert nearest_pair(parts, np.zeros((6, 6), bool)) is None


def test_the_margin_of_a_verdict_is_that_of_the_next_representation():
    for seed, objective in itertools.product(range(4), ("fwd", "state", "inv", "fwd+inv", "reward", "ac-state")):
        mdp = random_mdp(seed, 4)
        analysis = analyse(mdp, objective, k=2)
        below = np.sort(analysis.values[objective].max() - analysis.values[objective][~analysis.maximal[objective]])
        verdict = analysis.verdicts[objective]
        assert verdict.margin == pytest.approx(below[0], abs=1e-13)
        pairs = analyse_pairs(mdp, objective, k=2)
        if pairs.margin is not None:
            assert pairs.margin == pytest.approx(verdict.margin, rel=1e-9)
    assert analyse_pairs(random_mdp(0, 4), "fwd").margin is not None


def test_nearly_equal_rows_have_a_margin_that_is_no_noise():
    margins = []
    for gap in (1e-2, 1e-5, 1e-7):
        rows = [[0, 0, 0.5, 0.5], [0, 0, 0.5 + gap, 0.5 - gap], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]]
        verdict = analyse(FiniteMDP([[row] * 2 for row in rows], [0, 0, 1, 0])).verdicts["fwd"]
        margins.append(verdict.margin / gap**2)
    np.testing.assert_allclose(margins, margins[0], rtol=1e-3)  # an information is quadratic in a difference


def test_where_everything_is_maximal_there_is_no_margin():
    alike = FiniteMDP(np.full((3, 2, 3), 1 / 3), [0, 0, 0])
    verdict = analyse(alike).verdicts["fwd"]
    assert (verdict.num_maximisers, verdict.margin) == (5, None)
    assert "by structure" in report.format_verdict(verdict, alike)
    assert analyse_pairs(alike, "fwd").margin is None


def test_a_margin_by_values_where_the_policy_depends_on_the_state():
    mdp = state_dependent_policy()
    verdict = analyse(mdp, "inv").verdicts["inv"]
    values = np.sort(analyse(mdp, "inv").values["inv"])
    assert verdict.margin == pytest.approx(values[-1] - values[-2])


def test_the_margin_of_all_k_adds_what_is_lost_at_each():
    mdp = figure2()
    analyses = [analyse(mdp, "state", k=k) for k in (1, 2)]
    total = sum(analysis.values["state"] for analysis in analyses)
    both = np.logical_and.reduce([analysis.maximal["state"] for analysis in analyses])
    assert judge_all_k(analyses)["state"].margin == pytest.approx(total.max() - total[~both].max())


def make_corridor(**options):
    return FiniteMDP.deterministic(
        [[0, 1], [0, 2], [1, 3], [3, 3]], [0, 0, 0, 1], states=("a", "b", "c", "goal"), **options
    )


def test_an_absorbing_goal_gets_advice_and_no_verdict():
    mdp = make_corridor()
    for verdict in (*analyse(mdp).verdicts.values(), *(analyse_pairs(mdp, name) for name in ("fwd", "state", "inv"))):
        assert (verdict.q, verdict.pi_strict, verdict.pi_weak, verdict.every_reward) == (None,) * 4
        assert verdict.counterexample is None
        text = report.format_verdict(verdict, mdp)
        assert "no verdict: the data never show a, b, c: they stay in goal for ever. with_restarts(start) lets" in text
        assert "sufficient for" not in text
    assert "state_distribution" in check_conditions(mdp)[0].message
    mended = make_corridor(state_distribution=[0.25] * 4)
    assert analyse(mended, "fwd").verdicts["fwd"].q


def make_figure2_with_an_island(**options):
    """Figure 2, and a state that leads there and that nothing leads to."""
    table = [[1, 2], [0, 3], [0, 3], [2, 1], [0, 0]]
    return FiniteMDP.deterministic(table, [0, 0, 1, 0, 0], **options)


@pytest.mark.parametrize("judge", [lambda mdp, name: analyse(mdp, name).verdicts[name], analyse_pairs])
def test_what_the_data_never_show_is_not_judged(judge):
    mdp = make_figure2_with_an_island()
    verdict = judge(mdp, "fwd")
    assert (verdict.q, verdict.pi_weak) == (None, None)
    assert "the data never show s4; restrict_to_reachable() leaves out what is never reached" in verdict.withheld
    failing = judge(mdp, "state")  # figure 2's own counterexample is among what they do show
    assert failing.pi_weak is False
    assert failing.counterexample.states == (0, 3)
    small = mdp.restrict_to_reachable()
    assert judge(small, "fwd").q
    assert judge(small, "fwd").withheld is None
    assert judge(small, "state").pi_weak is False


def test_an_action_that_the_policy_never_takes_is_not_judged():
    policy = np.tile([0.5, 0.5], (4, 1))
    policy[1] = [1, 0]
    mdp = dataclasses.replace(figure2(), policy=policy)
    verdict = analyse(mdp, "fwd").verdicts["fwd"]
    assert verdict.q is None
    assert "the policy never takes some action in s1, such as a1 in s1" in verdict.withheld
    lacking = dataclasses.replace(figure2(), allowed=[[1, 1], [1, 0], [1, 1], [1, 1]])
    assert analyse(lacking, "fwd").verdicts["fwd"].q


def test_a_state_that_no_step_leads_to_is_judged_if_the_data_start_there():
    mdp = make_figure2_with_an_island(state_distribution=[0.2] * 5)
    assert analyse(mdp, "fwd").verdicts["fwd"].q
    assert "no step of the data leads to s4" in check_conditions(mdp)[0].message


def test_sufficient_for_every_reward_is_what_rewards_show():
    rng = np.random.default_rng(0)
    for seed in range(6):
        base = random_mdp(seed, 4, 2)
        transition = base.transition.copy()
        transition[1] = transition[2]
        rewards = rng.normal(size=(50, 4))
        analysis = analyse(FiniteMDP(transition, rewards[0]), ("fwd", "state", "inv"))
        kept = np.ones(len(analysis.labels), bool)
        for reward in rewards:
            q = optimal_q(FiniteMDP(transition, reward))
            for row, labels in enumerate(analysis.labels):
                kept[row] &= all(np.ptp(q[labels == block], axis=0).max() < 1e-9 for block in range(labels.max() + 1))
        np.testing.assert_array_equal(analysis.every_reward, kept)
        for name, verdict in analysis.verdicts.items():
            assert verdict.every_reward == kept[analysis.maximal[name]].all()
            assert analyse_pairs(analysis.mdp, name).every_reward == verdict.every_reward


def test_states_with_different_actions_are_not_alike_for_every_reward():
    table = [[1, 1, 0], [0, 0, 0], [0, 0, 2]]
    mdp = FiniteMDP.deterministic(table, [0, 0, 0], allowed=[[1, 1, 1], [1, 1, 0], [1, 1, 0]])
    analysis = analyse(mdp, "reward")
    kept = {format_partition(labels, mdp.states) for labels in analysis.labels[analysis.every_reward]}
    assert kept == {"{s0} {s1} {s2}", "{s0} {s1,s2}"}  # what they lack plays no part
    same = FiniteMDP.deterministic([[1, 0], [1, 0]], [0, 0], allowed=[[1, 0], [1, 1]])
    assert analyse_pairs(same, "reward").every_reward is False


def test_sufficient_for_one_reward_is_not_for_every_reward():
    mdp = FiniteMDP.deterministic([[2, 3], [3, 2], [0, 1], [1, 0]], [0, 0, 0, 0])
    verdict = analyse(mdp, "state").verdicts["state"]
    assert verdict.q
    assert verdict.every_reward is False
    assert "for every reward" not in report.format_verdict(verdict, mdp)
    assert "for every reward" in report.format_verdict(analyse(mdp, "fwd").verdicts["fwd"], mdp)


def test_the_multi_step_inverse_is_the_inverse_of_every_number_of_steps():
    for seed in range(5):
        mdp = random_mdp(seed, 5, 2)
        analyses = [analyse(mdp, "inv", k=k) for k in (1, 2, 3)]
        multi = analyse(mdp, ["AC-State", "inv", "ac-state+reward"], k=3)
        both = np.logical_and.reduce([each.maximal["inv"] for each in analyses])
        np.testing.assert_array_equal(multi.maximal["AC-State"], both)
        np.testing.assert_array_equal(multi.maximal["inv"], analyses[2].maximal["inv"])
        np.testing.assert_allclose(multi.values["AC-State"], sum(each.values["inv"] for each in analyses), atol=1e-12)
        labels = multi.labels[7]
        assert measure(mdp, labels, "AC-State", 3)["AC-State"] == pytest.approx(multi.values["AC-State"][7])


def test_the_latent_term_is_zero_where_blocks_are_a_deterministic_mdp():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        mdp = FiniteMDP.deterministic(rng.integers(5, size=(5, 2)), [0, 0, 0, 0, 1], state_distribution=[0.2] * 5)
        noisy = FiniteMDP(
            0.5 * mdp.transition + 0.5 * mdp.transition[:, :, ::-1], mdp.reward, state_distribution=[0.2] * 5
        )
        for each in (mdp, noisy):
            analysis = analyse(each, "latent")
            for row, labels in enumerate(analysis.labels):
                member = labels[:, None] == np.arange(labels.max() + 1)
                reached = np.einsum("sm,sat,tn->man", member, each.transition, member) > 0
                deterministic = (reached.sum(axis=2) <= 1).all()
                assert analysis.maximal["latent"][row] == deterministic
                assert (analysis.values["latent"][row] > -1e-12) == deterministic


def test_acdf_is_refused_where_merges_do_not_tell():
    with pytest.raises(ValueError, match="objective 'acdf': latent can gain from aliasing, so merges do not find"):
        analyse_pairs(figure3(), "acdf", k=2)


def test_values_that_rounding_decides_give_no_verdict():
    """J_inv is 0 for every partition, and the policy depends on the state."""
    rows = np.array([[[0.5, 0.25, 0.25]] * 2, [[0.25, 0.5, 0.25]] * 2, [[0.25, 0.25, 0.5]] * 2])
    mdp = FiniteMDP(rows, [0, 0, 1], policy=[[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
    verdict = analyse(mdp, "inv").verdicts["inv"]
    assert (verdict.q, verdict.counterexample) == (None, None)
    assert verdict.num_maximisers == 5
    assert "values of all representations are equal up to rounding" in report.format_verdict(verdict, mdp)


@pytest.mark.parametrize("objective", ["fwd", "state", "inv"])
def test_what_has_faded_after_many_steps_gives_no_verdict(objective):
    mdp = garnet(5, 3, 2)  # of random numbers, which are no fractions
    for judge in (
        lambda k: analyse(mdp, objective, k=k).verdicts[objective],
        lambda k: analyse_pairs(mdp, objective, k=k),
    ):
        assert judge(3).withheld is None
        assert judge(200).withheld.startswith("after 200 steps what follows s0 and s1 differs by no more than rounding")
        assert judge(200).q is None
    exact = river_swim(4)
    assert analyse_pairs(exact, objective, k=200).withheld is None


def test_margins_with_a_tolerance_are_those_of_values():
    for seed in range(4):
        analysis = analyse(random_mdp(seed, 4), "fwd", tolerance=0.2)
        below = analysis.values["fwd"].max() - analysis.values["fwd"][~analysis.maximal["fwd"]]
        assert analysis.verdicts["fwd"].margin == pytest.approx(below.min())
    assert analyse_pairs(random_mdp(0, 4), "fwd", tolerance=0.2).margin is None


@pytest.mark.parametrize("tolerance", [-1, np.nan, np.inf, "x", True])
def test_what_is_no_tolerance_is_refused(tolerance):
    for judge in (analyse, analyse_pairs):
        with pytest.raises(ValueError, match="tolerance must be a number of nats, at least 0, or None, got"):
            judge(figure2(), "fwd", tolerance=tolerance)


def test_every_reward_beside_a_reward_that_fails():
    mdp = contextual_bandit()
    text = report.format_verdict(analyse(mdp, "fwd").verdicts["fwd"], mdp)
    assert "NOT sufficient" in text
    assert "For rewards of the next state it is sufficient, whatever they are." in text
