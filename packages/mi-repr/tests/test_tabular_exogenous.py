"""Ex-BMDPs: which inverse models find the endogenous state, on the examples of Levine et al. (2024)."""

import numpy as np
import pytest
from mi_repr.tabular import (
    ENDOGENOUS,
    LIBRARY,
    FiniteMDP,
    all_partitions,
    analyse,
    format_endogenous,
    judge_endogenous,
    levine_periodic,
    search_maximisers,
    with_noise,
)


def judge(name, k):
    analysis = analyse(LIBRARY[name](), ["inv", "ac-state", "acdf"], k=k)
    return judge_endogenous(analysis, ENDOGENOUS[name])


@pytest.mark.parametrize(
    ("name", "k", "recovering"),
    [
        ("levine_control", 1, {"acdf"}),
        ("levine_control", 2, {"ac-state", "acdf"}),
        ("levine_periodic", 1, set()),
        ("levine_periodic", 2, {"acdf"}),
        ("levine_periodic", 9, {"acdf"}),
        ("levine_single_loop", 1, {"acdf"}),
        ("levine_single_loop", 6, {"acdf"}),
        ("levine_single_loop", 8, {"ac-state", "acdf"}),
        ("levine_double_loop", 10, set()),
        ("levine_double_loop", 20, {"ac-state", "acdf"}),
    ],
)
def test_which_objectives_recover_the_endogenous_state(name, k, recovering):
    verdicts = judge(name, k)
    assert {each for each, verdict in verdicts.items() if verdict.recovers and each != "inv"} == recovering
    if k == 1:
        assert verdicts["inv"].num_maximisers == verdicts["ac-state"].num_maximisers
        assert not verdicts["inv"].holds


def test_the_periodic_example_in_words():
    mdp, verdicts = levine_periodic(), judge("levine_periodic", 2)
    assert verdicts["ac-state"].num_maximisers == 2744
    text = format_endogenous(verdicts["ac-state"], mdp)
    assert text.startswith("ac-state, k = 2: NOT the endogenous state: a maximiser mixes ")
    assert "The smallest is {" in text
    assert format_endogenous(verdicts["acdf"], mdp) == ("acdf, k = 2: the smallest maximiser is the endogenous state.")


def test_a_maximiser_that_keeps_noise_holds_the_endogenous_state_and_is_not_the_smallest():
    mdp = with_noise(FiniteMDP.deterministic([[1, 0], [0, 1]], [0, 1]), [[0.9, 0.1], [0.2, 0.8]])
    verdict = judge_endogenous(analyse(mdp, "fwd"), [0, 0, 1, 1])["fwd"]
    assert (verdict.holds, verdict.recovers, verdict.mixed) == (True, False, None)
    assert "kept, and noise with it" in format_endogenous(verdict, mdp)


def test_the_verdict_is_that_of_looking_at_every_maximiser():
    mdp = LIBRARY["levine_single_loop"]()
    truth = ENDOGENOUS["levine_single_loop"]
    found = search_maximisers(mdp, "ac-state", k=6).labels
    verdict = judge("levine_single_loop", 6)["ac-state"]
    assert verdict.num_maximisers == len(found)
    assert verdict.holds == all(len(np.unique(truth[row == b])) == 1 for row in found for b in range(row.max() + 1))
    assert max(verdict.smallest) == found.max(axis=1).min()
    one, other = verdict.mixed
    assert truth[one] != truth[other]


def test_acdf_is_that_of_its_definition_on_every_partition():
    """The multi-step inverse less the entropy of the next block, where no partition has all of it."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        mdp = FiniteMDP(rng.dirichlet(np.ones(4), (4, 2)), np.zeros(4))
        analysis = analyse(mdp, "acdf", k=2)
        expected = []
        for labels in all_partitions(4):
            member = np.eye(4)[labels]
            total = 0.0
            for k in (1, 2):
                later = mdp.transition @ np.linalg.matrix_power(mdp.chain, k - 1)
                joint = np.einsum("s,a,sat,sm,tn->man", mdp.occupancy, [0.5, 0.5], later, member, member)
                of_cell = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
                total += np.log(2) + np.sum(joint * np.log(np.maximum(of_cell, 1e-300)))
                if k == 1:
                    of_action = joint / np.maximum(joint.sum(axis=2, keepdims=True), 1e-300)
                    total += np.sum(joint * np.log(np.maximum(of_action, 1e-300)))
            expected.append(total)
        np.testing.assert_allclose(analysis.values["acdf"], expected, atol=1e-12)
        assert analysis.maximal["acdf"][np.argmax(expected)]


def test_endogenous_states_that_the_data_never_show_are_not_judged():
    mdp = FiniteMDP.deterministic([[1, 2], [2, 0], [0, 1], [0, 1]], [0, 0, 1, 0])
    with pytest.raises(ValueError, match="endogenous states cannot be judged: the data never show s3"):
        judge_endogenous(analyse(mdp, "inv"), [0, 1, 2, 3])


def test_noise_keeps_the_distribution_of_the_states():
    mdp = FiniteMDP.deterministic([[1, 0], [0, 1]], [0, 1], state_distribution=[1, 0])
    noisy = with_noise(mdp, [[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(noisy.occupancy, [1 / 3, 2 / 3, 0, 0])


@pytest.mark.parametrize(
    ("noise", "message"),
    [([[0.5, 0.6], [0.5, 0.5]], "noise must be a chain"), ([0.5, 0.5], r"noise must be a chain, .* got shape \[2\]")],
)
def test_what_is_no_noise_is_refused(noise, message):
    with pytest.raises(ValueError, match=message):
        with_noise(FiniteMDP.deterministic([[0]], [0]), noise)


def test_noise_goes_with_rewards_of_states_and_actions():
    mdp = FiniteMDP(np.full((2, 3, 2), 0.5), np.arange(6).reshape(2, 3), "state_action", policy=np.full((2, 3), 1 / 3))
    noisy = with_noise(mdp, np.full((2, 2), 0.5))
    np.testing.assert_array_equal(noisy.expected_reward[1], mdp.expected_reward[0])
    with pytest.raises(ValueError, match="rewards must be of states or of states and actions, got 'transition'"):
        with_noise(FiniteMDP(mdp.transition, np.zeros((2, 3, 2)), "transition"), np.full((2, 2), 0.5))
