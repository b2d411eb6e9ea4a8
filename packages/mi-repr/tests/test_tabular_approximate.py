"""What representations within epsilon of a maximum lose, and the bisimulation metric."""

import dataclasses
import itertools

import numpy as np
import pytest
from mi_repr.tabular import (
    FiniteMDP,
    analyse,
    analyse_pairs,
    bisimulation_metric,
    coarsest_bisimulation,
    figure2,
    garnet,
    loss_of_optimality,
    loss_within,
    measure,
    optimal_q,
)


def random_mdp(seed, num_states=5, num_actions=2, noise=0.1):
    """Two of the states are nearly alike."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(num_states, 0.5), (num_states, num_actions))
    transition[1] = (1 - noise) * transition[0] + noise * transition[1]
    return FiniteMDP(transition, rng.normal(size=num_states), layout="state_action_next")


@pytest.mark.parametrize("objective", ["fwd", "state", "inv", "ac-state"])
@pytest.mark.parametrize("epsilon", [0.0, 1e-3, 0.02, 0.1, 10.0])
def test_the_gap_is_the_largest_among_all_partitions_within_epsilon(objective, epsilon):
    for seed in range(3):
        mdp = random_mdp(seed)
        analysis, q = analyse(mdp, objective, k=2 if objective == "ac-state" else 1), optimal_q(mdp)
        values = analysis.values[objective]
        inside = analysis.maximal[objective] | (values >= values.max() - epsilon)
        expected, worst_return = 0.0, 0.0
        for labels in analysis.labels[inside]:
            blocks = [q[labels == block] for block in range(labels.max() + 1)]
            expected = max(expected, *(np.ptp(block, axis=0).max() for block in blocks))
            worst_return = max(worst_return, loss_of_optimality(mdp, labels).loss)
        within = loss_within(mdp, objective, epsilon, k=2 if objective == "ac-state" else 1)
        assert within.q_gap == pytest.approx(expected, abs=1e-12)
        assert within.return_loss == pytest.approx(expected / 0.1)
        assert worst_return <= within.return_loss + 1e-12
        if within.states is not None:
            one, other = within.states
            assert np.abs(q[one] - q[other]).max() == pytest.approx(within.q_gap)


def test_states_that_the_data_never_show_are_not_judged():
    mdp = FiniteMDP.deterministic([[1, 2], [0, 3], [0, 3], [2, 1], [2, 2]], [0, 0, 1, 0, 0])
    assert loss_within(mdp, "fwd", 0).q_gap == 0
    assert loss_within(mdp, "state", 0).states == (0, 3)


def test_within_nothing_is_the_verdict():
    for objective in ("fwd", "state"):
        verdict, within = analyse_pairs(figure2(), objective), loss_within(figure2(), objective, 0)
        assert (within.q_gap == 0) == verdict.q
    assert loss_within(figure2(), "state", 0).states == (0, 3)


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_error_holds_for_stochastic_representations(seed):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(seed)
    q, weights = optimal_q(mdp), mdp.occupancy[:, None] * mdp.behaviour
    for sharpness in (0.5, 2.0, 8.0):
        codes = np.exp(sharpness * rng.normal(size=(5, 4)))
        codes /= codes.sum(axis=1, keepdims=True)
        epsilon = measure(mdp, range(5), "fwd")["fwd"] - measure(mdp, codes, "fwd")["fwd"]
        joint = weights[:, None] * codes[:, :, None]  # [S, Z, A]
        mean = np.einsum("sza,sa->za", joint, q) / joint.sum(axis=0)
        error = np.sum(joint * np.abs(q[:, None] - mean))
        bound = loss_within(mdp, "fwd", epsilon).mean_q_error
        assert error <= bound
        assert bound <= np.ptp(mdp.reward + mdp.discount * q.max(axis=1))


def test_no_mean_error_where_the_theorem_says_nothing():
    mdp = random_mdp(0)
    assert loss_within(mdp, "state", 0.1).mean_q_error is None
    assert loss_within(mdp, "fwd", 0.1, k=2).mean_q_error is None
    by_action = FiniteMDP(mdp.transition, np.zeros((5, 2)), "state_action")
    assert loss_within(by_action, "fwd", 0.1).mean_q_error is None


def test_states_with_different_actions_are_infinitely_far_in_q():
    mdp = FiniteMDP(np.full((3, 2, 3), 1 / 3), [0, 1, 2], allowed=[[1, 1], [1, 0], [1, 1]])
    within = loss_within(mdp, "state", 1.0)
    assert (within.q_gap, within.return_loss) == (np.inf, np.inf)


@pytest.mark.parametrize("epsilon", [-1e-3, np.nan, "0.1", None, True])
def test_what_is_no_epsilon_is_refused(epsilon):
    with pytest.raises(ValueError, match="epsilon must be a number of nats, at least 0, got"):
        loss_within(figure2(), "fwd", epsilon)


def brute_force_metric(mdp, num_steps=400):
    """By iterating the definition, each cost a linear program in its dual form."""
    from scipy.optimize import linprog

    size = mdp.num_states
    pairs = list(itertools.combinations(range(size), 2))
    differences = np.array([np.eye(size)[i] - np.eye(size)[j] for i, j in itertools.permutations(range(size), 2)])
    d = np.zeros((size, size))
    for _ in range(num_steps):
        bounds = np.array([d[i, j] for i, j in itertools.permutations(range(size), 2)])
        new = np.zeros_like(d)
        for i, j in pairs:
            costs = []
            for a in range(mdp.num_actions):
                change = mdp.transition[i, a] - mdp.transition[j, a]
                dual = linprog(-change, A_ub=differences, b_ub=bounds, bounds=[(None, None)] * (size - 1) + [(0, 0)])
                costs.append(abs(mdp.expected_reward[i, a] - mdp.expected_reward[j, a]) - mdp.discount * dual.fun)
            new[i, j] = new[j, i] = max(costs)
        if np.abs(new - d).max() < 1e-9:
            break
        d = new
    return d


def test_the_metric_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    mdp = FiniteMDP(rng.dirichlet(np.full(4, 0.5), (4, 2)), rng.normal(size=4), discount=0.6)
    np.testing.assert_allclose(bisimulation_metric(mdp), brute_force_metric(mdp), atol=1e-6)


@pytest.mark.parametrize("unit", [1e-200, 1e-8, 1e6])
def test_the_metric_is_in_the_unit_of_rewards(unit):
    mdp = garnet(6, 2, 3)
    scaled = dataclasses.replace(mdp, reward=mdp.reward * unit)
    np.testing.assert_allclose(bisimulation_metric(scaled) / unit, bisimulation_metric(mdp), atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_the_metric_bounds_q_and_is_zero_within_bisimulations(seed):
    mdp = random_mdp(seed, 6, 3, noise=0.0)
    metric, q = bisimulation_metric(mdp), optimal_q(mdp)
    assert (np.abs(q[:, None] - q).max(axis=2) <= metric + 1e-7).all()
    labels = coarsest_bisimulation(mdp)
    np.testing.assert_array_equal(metric < 1e-9, labels[:, None] == labels)
    np.testing.assert_array_equal(metric, metric.T)
    assert (metric[:, :, None] <= metric[:, None] + metric.T[None] + 1e-7).all()
    within = loss_within(mdp, "fwd", 0.05, metric=metric)
    assert within.distance >= within.q_gap - 1e-7


def farthest_apart(mdp):
    return np.ptp(mdp.expected_reward[mdp.choices]) / (1 - mdp.discount)


def test_states_with_different_actions_are_as_far_as_can_be():
    mdp = FiniteMDP(np.full((3, 2, 3), 1 / 3), [0, 1, 2], allowed=[[1, 1], [1, 0], [1, 1]])
    metric = bisimulation_metric(mdp)
    assert metric[0, 2] == 0
    assert metric[0, 1] == pytest.approx(farthest_apart(mdp))
    apart = FiniteMDP(np.full((2, 2, 2), 0.5), [0, 1], allowed=[[1, 1], [1, 0]])
    assert bisimulation_metric(apart)[0, 1] == bisimulation_metric(apart)[1, 0] == farthest_apart(apart)
    assert bisimulation_metric(FiniteMDP(np.ones((1, 1, 1)), [1])).tolist() == [[0]]
    alike = FiniteMDP(np.full((2, 1, 2), 0.5), [1, 1])
    np.testing.assert_array_equal(bisimulation_metric(alike), 0)
