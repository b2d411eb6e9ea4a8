"""Finite MDPs as people have them: tables of gymnasium, actions that a state lacks, states that are never reached."""

import gymnasium
import numpy as np
import pytest
from mi_repr.tabular import (
    FiniteMDP,
    analyse,
    analyse_pairs,
    check_conditions,
    coarsest_bisimulation,
    loss_of_optimality,
    measure,
    optimal_q,
    stochastic_lower_bound,
    sufficient_notions,
)

STEP = {0: [(1.0, 1, 0.0, False)], 1: [(0.5, 0, 0.0, False), (0.5, 1, 2.0, False)]}
BACK = {0: [(1.0, 0, 1.0, False)], 1: [(1.0, 1, 0.0, False)]}


def make_gym(name, **options):
    env = gymnasium.make(name, **options).unwrapped
    return FiniteMDP.from_gymnasium(env.P, start=env.initial_state_distrib)


def test_a_table_without_ends():
    mdp = FiniteMDP.from_gymnasium({0: STEP, 1: BACK}, discount=0.5)
    np.testing.assert_array_equal(mdp.transition, [[[0, 1], [0.5, 0.5]], [[1, 0], [0, 1]]])
    np.testing.assert_array_equal(mdp.expected_reward, [[0, 1], [1, 0]])
    assert mdp.discount == 0.5


def test_frozen_lake_goes_back_to_its_start_and_its_values_are_those_of_value_iteration():
    mdp = make_gym("FrozenLake-v1", map_name="4x4")
    ends = [5, 7, 11, 12, 15]
    np.testing.assert_array_equal(mdp.transition[ends][:, :, 0], 1)
    assert not mdp.expected_reward[ends].any()
    value = np.zeros(16)
    for _ in range(2000):
        value = (mdp.expected_reward + 0.9 * mdp.transition @ value).max(axis=1)
    np.testing.assert_allclose(optimal_q(mdp).max(axis=1), value, atol=1e-12)
    assert "support" not in {violation.condition for violation in check_conditions(mdp)}
    assert analyse_pairs(mdp, "fwd+reward_action").q


@pytest.mark.parametrize(("name", "kept"), [("CliffWalking-v1", 38), ("Taxi-v4", 404)])
def test_states_that_are_never_reached_are_left_out(name, kept):
    mdp = make_gym(name)
    small = mdp.restrict_to_reachable()
    assert small.num_states == kept
    assert "support" not in {violation.condition for violation in check_conditions(small)}
    q = optimal_q(mdp)[[mdp.states.index(state) for state in small.states]]
    np.testing.assert_allclose(optimal_q(small), q, rtol=1e-9)
    assert analyse_pairs(small, "fwd+reward_action").q


@pytest.mark.parametrize(
    ("table", "start", "message"),
    [
        ([STEP, BACK], None, "table must be a dictionary by state, such as env.unwrapped.P, got a list"),
        ({}, None, "table must be a dictionary by state"),
        ({0: STEP, 2: BACK}, None, r"table must have the keys 0 to 1, got \[0, 2\]"),
        ({0: STEP, 1: {0: BACK[0]}}, None, r"table\[1\] must have the keys 0 to 1, got \[0\]"),
        ({0: STEP, 1: 3}, None, r"table\[1\] must be a dictionary by action, got 3"),
        (
            {0: {**STEP, 0: [(1.0, 2, 0.0, False)]}, 1: BACK},
            None,
            r"table\[0\]\[0\] must lead to a state from 0 to 1, got 2",
        ),
        ({0: {**STEP, 0: [(1.0, 1)]}, 1: BACK}, None, r"table\[0\]\[0\] must list \(probability, next state"),
        ({0: {**STEP, 0: [(0.9, 1, 0.0, False)]}, 1: BACK}, None, r"transition\[s0, a0\] sums to 0.9"),
        ({0: {**STEP, 0: [(1.0, 1, 0.0, True)]}, 1: BACK}, [1, 0], "state 1 must always or never end an episode"),
        ({0: {0: [(1.0, 1, 0.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}, None, "start must say where episodes begin"),
        (
            {0: {0: [(1.0, 1, 0.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}},
            [1],
            r"start must have shape \[2\], got \[1\]",
        ),
    ],
)
def test_what_is_no_table_is_refused_by_place(table, start, message):
    with pytest.raises(ValueError, match=message):
        FiniteMDP.from_gymnasium(table, start=start)


def make_recycler(reward=-np.inf, allowed=None):
    """The recycling robot (Sutton and Barto, 2018, example 3.3), which does not recharge while its battery is high."""
    transition = [[[0.9, 0.1], [1, 0], [0, 1]], [[0.6, 0.4], [0, 1], [1, 0]]]
    rewards = [[2.0, 1.0, reward], [-3.0, 1.0, 0.0]]
    return FiniteMDP(
        transition,
        rewards,
        "state_action",
        states=("high", "low"),
        actions=("search", "wait", "recharge"),
        allowed=allowed,
    )


def test_actions_that_a_state_lacks_are_not_taken_and_not_optimal():
    mdp, same = make_recycler(), make_recycler(reward=5.0, allowed=[[True, True, False], [True, True, True]])
    np.testing.assert_array_equal(mdp.behaviour, [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_array_equal(optimal_q(mdp), optimal_q(same))
    assert optimal_q(mdp)[0, 2] == -np.inf
    value = np.zeros(2)
    for _ in range(500):
        value = (
            np.max(
                [
                    2.0 + 0.9 * (0.9 * value[0] + 0.1 * value[1]),
                    1.0 + 0.9 * value[0],
                ]
            ),
            np.max([-3.0 + 0.9 * (0.6 * value[0] + 0.4 * value[1]), 1.0 + 0.9 * value[1], 0.9 * value[0]]),
        )
        value = np.array(value)
    np.testing.assert_allclose(optimal_q(mdp).max(axis=1), value, rtol=1e-12)
    assert sufficient_notions(mdp, [0, 0]) == ()
    assert measure(mdp, [0, 1], "fwd")["fwd"] == pytest.approx(measure(same, [0, 1], "fwd")["fwd"])
    assert "policy_support" not in {violation.condition for violation in check_conditions(mdp)}
    assert coarsest_bisimulation(mdp).tolist() == [0, 1]


def test_a_policy_of_a_block_takes_only_what_all_its_states_have():
    mdp = make_recycler()
    loss = loss_of_optimality(mdp, [0, 0])
    assert loss.exact
    assert loss.policy.tolist() == [0]  # to search; recharging is not there for both
    assert loss.best < loss.optimum
    best, policy = stochastic_lower_bound(mdp, [0, 0], num_restarts=2, num_steps=50)
    assert policy[0, 2] == 0
    assert best <= loss.optimum
    apart = FiniteMDP(
        [[[1, 0], [0, 1]]] * 2, [[0, -np.inf], [-np.inf, 1]], "state_action", state_distribution=[0.5, 0.5]
    )
    assert loss_of_optimality(apart, [0, 0]).best == -np.inf
    with pytest.raises(ValueError, match="no action is one of all states of some block"):
        stochastic_lower_bound(apart, [0, 0])


def test_a_forbidden_action_does_not_change_the_verdicts_on_dynamics():
    free = FiniteMDP.deterministic([[1, 2], [0, 3], [0, 3], [2, 1]], [0, 0, 1, 0])
    bound = FiniteMDP(
        np.concatenate([free.transition, free.transition[:, :1]], axis=1),
        np.concatenate([free.expected_reward, np.full((4, 1), -np.inf)], axis=1),
        "state_action",
    )
    for name, verdict in analyse(free).verdicts.items():
        other = analyse(bound).verdicts[name]
        assert (verdict.num_maximisers, verdict.q, verdict.pi_weak) == (other.num_maximisers, other.q, other.pi_weak)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"allowed": [[True, False]]}, r"allowed must have shape \[2, 2\], got \[1, 2\]"),
        ({"allowed": [[True, False], [False, False]]}, "state s1 must have an action that is allowed"),
        ({"allowed": [["yes", "no"]] * 2}, "allowed must be true or false"),
        ({"allowed": [[1, 0], [1, 1]], "policy": [[0.5, 0.5]] * 2}, r"policy\[s0, a1\] must be 0: the state lacks"),
        ({"reward": [[0, -np.inf], [-np.inf, -np.inf]]}, "state s1 must have an action that is allowed"),
        ({"reward": [[0, np.inf], [0, 0]]}, r"reward\[s0, a1\] is inf"),
    ],
)
def test_what_cannot_be_allowed_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        FiniteMDP(
            **{
                "transition": np.full((2, 2, 2), 0.5),
                "reward": np.zeros((2, 2)),
                "reward_convention": "state_action",
                **fields,
            }
        )
