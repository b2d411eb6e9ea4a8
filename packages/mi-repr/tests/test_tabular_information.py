"""The objectives: against dit, against plain sums, partitions against stochastic representations, all at once."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mi_repr.tabular import (
    FiniteMDP,
    all_partitions,
    analyse,
    contextual_bandit,
    figure2,
    figure3_readable,
    joint_distribution,
    measure,
    to_bits,
)
from mi_repr.tabular.control.solve import compare_values
from mi_repr.tabular.model.chain import recurrent_states
from mi_repr.tabular.search import partitions
from mi_repr.tabular.search.partitions import evaluate_partitions
from mi_repr.tabular.search.tables import find_flaws, make_tables

settings.register_profile("mi-repr-tabular", deadline=None, max_examples=40)
settings.load_profile("mi-repr-tabular")

ALL = ("fwd", "state", "inv", "reward", "reward_action", "inv+reward")


def random_mdp(seed, num_states=4, num_actions=2, convention="state_action"):
    """Some transitions are deterministic; the policy depends on the state; rewards repeat."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(num_states, 0.5), size=(num_states, num_actions))
    sure = rng.random((num_states, num_actions)) < 0.5
    transition[sure] = np.eye(num_states)[rng.integers(num_states, size=sure.sum())]
    return FiniteMDP(
        transition,
        rng.integers(0, 3, (num_states, num_actions) if convention == "state_action" else num_states),
        convention,
        policy=rng.dirichlet(np.ones(num_actions), num_states),
        state_distribution=rng.dirichlet(np.ones(num_states)),
        layout="state_action_next",
    )


def plain_values(mdp, labels, k):
    """Every objective as a sum over a dictionary of outcomes, without any array arithmetic."""
    outcomes = {}
    size, num_actions = mdp.num_states, mdp.num_actions
    later = np.linalg.matrix_power(mdp.chain, k - 1)
    for s, a in itertools.product(range(size), range(num_actions)):
        after = mdp.transition[s, a] @ later
        reward = mdp.reward[s, a] if mdp.reward_convention == "state_action" else mdp.reward[s]
        for t in range(size):
            outcome = (labels[s], a, labels[t], float(reward))
            outcomes[outcome] = outcomes.get(outcome, 0) + mdp.occupancy[s] * mdp.behaviour[s, a] * after[t]

    def h(*axes):
        marginal = {}
        for outcome, p in outcomes.items():
            key = tuple(outcome[axis] for axis in axes)
            marginal[key] = marginal.get(key, 0) + p
        return -sum(p * np.log(p) for p in marginal.values() if p > 0)

    values = {
        "I(Z;S)": h(0),
        "fwd": h(2) + h(0, 1) - h(0, 1, 2),
        "state": h(2) + h(0) - h(0, 2),
        "inv": h(0, 1) - h(0) - h(0, 1, 2) + h(0, 2),
        "reward": h(3) + h(0) - h(0, 3),
        "reward_action": h(3) + h(0, 1) - h(0, 1, 3),
    }
    return {**values, "inv+reward": values["inv"] + values["reward"]}


@given(st.integers(0, 10_000), st.integers(1, 3), st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_measure_is_the_plain_sum(seed, k, labels):
    mdp = random_mdp(seed)
    measured, expected = measure(mdp, labels, ALL, k), plain_values(mdp, labels, k)
    for name, value in expected.items():
        np.testing.assert_allclose(measured[name], value, atol=1e-12, err_msg=name)


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(2, 5), st.integers(1, 3))
def test_enumeration_is_measure_of_every_partition(seed, k, num_states, num_actions):
    mdp = random_mdp(seed, num_states, num_actions)
    analysis = analyse(mdp, ALL, k=k)
    for row, labels in enumerate(analysis.labels):
        measured = measure(mdp, labels, ALL, k)
        np.testing.assert_allclose(analysis.information[row], measured["I(Z;S)"], atol=1e-12)
        for name in ALL:
            np.testing.assert_allclose(analysis.values[name][row], measured[name], atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_measure_is_dits(seed):
    import dit

    mdp, labels = random_mdp(seed, convention="arrival"), [0, 1, 1, 2]
    steps, rewards, _ = joint_distribution(mdp, 2)
    outcomes = [(labels[s], a, labels[t]) for s, a, t in np.ndindex(steps.shape)]
    distribution = dit.Distribution(*_merge(outcomes, steps.ravel()))
    paid = [(labels[s], r) for s, _, r in np.ndindex(rewards.shape)]
    of_reward = dit.Distribution(*_merge(paid, rewards.ravel()))
    bits = {name: to_bits(value) for name, value in measure(mdp, labels, ("fwd", "state", "inv", "reward"), 2).items()}
    information = dit.shannon.mutual_information
    assert bits["fwd"] == pytest.approx(information(distribution, [2], [0, 1]), abs=1e-9)
    assert bits["state"] == pytest.approx(information(distribution, [2], [0]), abs=1e-9)
    conditional = dit.multivariate.coinformation(distribution, [[1], [2]], [0])
    assert bits["inv"] == pytest.approx(conditional, abs=1e-9)
    assert bits["reward"] == pytest.approx(information(of_reward, [0], [1]), abs=1e-9)


def _merge(outcomes, p):
    total = {}
    for outcome, value in zip(outcomes, p, strict=True):
        total[outcome] = total.get(outcome, 0) + value
    kept = [outcome for outcome, value in total.items() if value > 0]
    return kept, [total[outcome] for outcome in kept]


@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_partition_is_a_stochastic_representation_of_zeros_and_ones(seed, labels):
    mdp = random_mdp(seed)
    hard, soft = measure(mdp, labels, ALL), measure(mdp, np.eye(4)[labels], ALL)
    for name, value in hard.items():
        np.testing.assert_allclose(soft[name], value, atol=1e-12)


@given(st.integers(0, 10_000))
def test_a_code_that_is_split_at_random_tells_nothing_more(seed):
    """Objectives do not change if every code becomes two by the toss of a coin."""
    mdp, rng = random_mdp(seed), np.random.default_rng(seed)
    encoder = rng.dirichlet(np.ones(3), 4)
    split = np.concatenate([0.3 * encoder, 0.7 * encoder], axis=1)
    once, twice = measure(mdp, encoder, ALL), measure(mdp, split, ALL)
    for name, value in once.items():
        np.testing.assert_allclose(twice[name], value, atol=1e-12)


def test_a_stochastic_representation_by_hand():
    """Half of the time the code is the state, else it is a third code: an erasure channel in time."""
    mdp = FiniteMDP.deterministic([[0], [1]], [0, 1], state_distribution=[0.5, 0.5])
    values = measure(mdp, [[0.5, 0, 0.5], [0, 0.5, 0.5]], ("state", "reward"))
    assert values["I(Z;S)"] == pytest.approx(0.5 * np.log(2))
    assert values["state"] == pytest.approx(0.25 * np.log(2))
    assert values["reward"] == pytest.approx(0.5 * np.log(2))


@pytest.mark.parametrize(("representation", "bits"), [([0, 0], 0.0), ([0, 1], 1.0)])
def test_the_contextual_bandit_is_seen_only_through_its_reward(representation, bits):
    values = measure(contextual_bandit(), representation, ("fwd", "reward", "reward_action", "fwd+reward_action"))
    assert values["fwd"] == pytest.approx(0, abs=1e-12)
    assert values["reward"] == pytest.approx(0, abs=1e-12)
    assert to_bits(values["reward_action"]) == pytest.approx(bits)
    assert to_bits(values["fwd+reward_action"]) == pytest.approx(bits)


def test_rewards_equal_up_to_rounding_are_one_symbol():
    mdp = FiniteMDP.deterministic([[1], [2], [0]], [0.1 + 0.2, 0.3, 1])
    assert joint_distribution(mdp).rewards.shape == (3, 1, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measure(figure2(), [0, 1, 2]), r"representation must be \[4\] integers or \[4, Z\]"),
        (lambda: measure(figure2(), np.ones((4, 2))), r"representation\[0\] must be a distribution, got \[1.0, 1.0\]"),
        (lambda: measure(figure2(), np.full((4, 2), np.nan)), r"representation\[0\] must be a distribution"),
        (lambda: measure(figure2(), [0, 0, 0, 0], ["forward"]), "objective 'forward': 'forward' must be one of fwd, "),
        (lambda: measure(figure2(), [0, 0, 0, 0], ["inv+"]), r"objective 'inv\+': '' must be one of"),
        (
            lambda: measure(figure2(), [0, 0, 0, 0], ["reward_action"]),
            "reward_action needs rewards that depend on the action",
        ),
        (lambda: measure(figure2(), [0, 0, 0, 0], k=0), "k must be a whole number, at least 1, got 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("num_states", "bell"), [(1, 1), (2, 2), (3, 5), (4, 15), (5, 52), (8, 4140)])
def test_every_partition_is_there_once(num_states, bell):
    labels = all_partitions(num_states)
    assert labels.shape == (bell, num_states)
    assert len({tuple(row) for row in labels.tolist()}) == bell
    num_blocks = labels.max(axis=1) + 1
    assert (np.diff(num_blocks.astype(int)) >= 0).all()
    for row in labels[:200]:
        seen = list(dict.fromkeys(row.tolist()))
        assert seen == list(range(len(seen)))


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_no_partition_beats_the_identity_under_a_policy_that_is_the_same_everywhere(seed, k):
    mdp = random_mdp(seed)
    same = FiniteMDP(mdp.transition, mdp.reward, "state_action", policy=np.tile(mdp.behaviour[:1], (4, 1)))
    assume(recurrent_states(same.chain) is not None)  # or the states that data come from are not decided
    for values in analyse(same, ALL, k=k).values.values():
        assert values.max() <= values[-1] + 1e-12
        assert values.min() >= -1e-12


def test_one_compilation_serves_all_batches_and_all_mdps_of_a_size():
    compiled = partitions._evaluate._cache_size()
    for seed in range(3):
        analyse(random_mdp(seed, 6), ("fwd", "state"), k=1 + seed)
    assert partitions._evaluate._cache_size() == compiled + 1


@pytest.mark.slow
def test_twelve_states():
    """All 4,213,597 partitions; a sample against measure."""
    mdp = random_mdp(0, 12)
    analysis = analyse(mdp, ALL, max_states=12)
    assert len(analysis.labels) == 4_213_597
    for row in np.random.default_rng(0).integers(len(analysis.labels), size=50):
        measured = measure(mdp, analysis.labels[row], ALL)
        np.testing.assert_allclose(
            [analysis.values[name][row] for name in ALL], [measured[name] for name in ALL], atol=1e-12
        )


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_batches_do_not_matter(batch_size):
    mdp = figure3_readable()
    flaws = find_flaws(compare_values(mdp), np.arange(6), np.ones(6, bool))
    tables = make_tables(joint_distribution(mdp), ("fwd", "inv", "reward"), flaws)
    labels = all_partitions(6)
    whole, parts = evaluate_partitions(tables, labels), evaluate_partitions(tables, labels, batch_size)
    np.testing.assert_array_equal(whole.values, parts.values)
    np.testing.assert_array_equal(whole.flaws, parts.flaws)


def test_blocks_may_be_lists_of_states():
    mdp = figure2()
    for blocks in ([[0, 3], [1], [2]], [[2], [1], [3, 0]], [{0, 3}, {1}, {2}], ((0, 3), (1,), (2,))):
        assert measure(mdp, blocks) == pytest.approx(measure(mdp, [0, 1, 2, 0]), rel=1e-12)
    assert measure(mdp, [[0, 3], [1, 2]]) == pytest.approx(measure(mdp, [0, 1, 1, 0]), rel=1e-12)
    assert measure(mdp, np.eye(4, dtype=int).tolist()) == pytest.approx(measure(mdp, [0, 1, 2, 3]), rel=1e-12)


@pytest.mark.parametrize("blocks", [[[0, 3], [1]], [[0, 3], [1], [2], [2]], [[0, 3], [1], [4]], [[0, 1, 2, 3, 4]]])
def test_blocks_that_are_no_partition_are_refused(blocks):
    with pytest.raises(ValueError, match=r"must have each of the states 0 to 3 in one block, got \[\["):
        measure(figure2(), blocks)


def test_an_objective_may_stand_alone_and_have_the_name_of_the_thesis():
    mdp = figure2()
    assert measure(mdp, [0, 1, 2, 0], "J_fwd")["J_fwd"] == measure(mdp, [0, 1, 2, 0], ["fwd"])["fwd"]
    assert measure(mdp, [0, 1, 2, 0], ["J_inv+reward"])["J_inv+reward"] > 0
    with pytest.raises(ValueError, match="objectives must be names, got 3"):
        measure(mdp, [0, 1, 2, 0], 3)
    with pytest.raises(ValueError, match="objectives must name one at least"):
        measure(mdp, [0, 1, 2, 0], [])
    with pytest.raises(ValueError, match=r"k must be a whole number, at least 1, got 1.5"):
        measure(mdp, [0, 1, 2, 0], k=1.5)
