"""Finite MDPs as people have them: tables of gymnasium, actions that a state lacks, states that are never reached."""

import dataclasses

import gymnasium
import numpy as np
import pytest
import quantecon
import scipy.sparse
from mi_repr.tabular import (
    FiniteMDP,
    analyse,
    analyse_pairs,
    check_conditions,
    coarsest_bisimulation,
    loss_of_optimality,
    measure,
    optimal_q,
    recycling_robot,
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


def make_recycler(**options):
    """With a reward for recharging where it cannot."""
    robot = recycling_robot()
    return dataclasses.replace(robot, reward=np.where(robot.choices, robot.reward, 5.0), **options)


def test_actions_that_a_state_lacks_are_not_taken_and_not_optimal():
    mdp, same = recycling_robot(), make_recycler(allowed=[[True, True, False], [True, True, True]])
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
    mdp = recycling_robot()
    loss = loss_of_optimality(mdp, [0, 0])
    assert loss.exact
    assert loss.policy.tolist() == [0]  # to search; recharging is not there for both
    assert loss.best < loss.optimum
    best, policy = stochastic_lower_bound(mdp, [0, 0], num_restarts=2, num_steps=50)
    assert policy[0, 2] == 0
    assert best <= loss.optimum
    apart = FiniteMDP(
        [[[1, 0], [0, 1]]] * 2,
        [[0, -np.inf], [-np.inf, 1]],
        "state_action",
        state_distribution=[0.5, 0.5],
        layout="state_action_next",
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


def test_a_state_that_begins_and_ends_episodes_is_refused():
    table = {
        0: {0: [(1.0, 1, 0.0, False)], 1: [(1.0, 0, 1.0, True)]},
        1: {0: [(1.0, 0, 5.0, True)], 1: [(1.0, 0, 0.0, True)]},
    }
    with pytest.raises(ValueError, match="state 0 must not both begin and end episodes"):
        FiniteMDP.from_gymnasium(table, start=[1, 0])
    with pytest.raises(ValueError, match=r"table\[0\]\[0\] must pay a finite reward, got -inf; allowed says which"):
        FiniteMDP.from_gymnasium({0: {0: [(1.0, 0, -np.inf, False)]}})


def make_lake(**options):
    env = gymnasium.make("FrozenLake-v1").unwrapped
    return FiniteMDP.from_gymnasium(env.P, start=env.initial_state_distrib, **options)


def test_outcomes_that_pay_by_chance_keep_their_chances():
    lake = make_lake()
    assert lake.reward_convention == "random"
    np.testing.assert_array_equal(lake.reward_values, [0, 1])
    np.testing.assert_allclose(lake.reward_distribution[14, 2], [2 / 3, 1 / 3])
    assert measure(lake, np.arange(16), "reward")["reward"] > 0
    taxi = make_gym("Taxi-v4")
    assert (taxi.reward_convention, taxi.reward.shape) == ("state_action", (500, 6))


def test_a_table_that_pays_on_arrival_can_say_so():
    lake = make_lake(reward_convention="arrival")
    np.testing.assert_array_equal(lake.reward, np.arange(16) == 15)
    np.testing.assert_allclose(optimal_q(lake), optimal_q(make_lake()), rtol=1e-12)
    assert "reward" not in {violation.condition for violation in check_conditions(lake)}
    cliff = gymnasium.make("CliffWalking-v1").unwrapped
    with pytest.raises(ValueError, match=r"arriving at 36 pays -1 by table\[24\]\[2\] and -100 by table\[25\]\[2\]"):
        FiniteMDP.from_gymnasium(cliff.P, start=cliff.initial_state_distrib, reward_convention="arrival")
    with pytest.raises(ValueError, match="reward_convention must be random or arrival here, got 'state'"):
        make_lake(reward_convention="state")


def random_parts(seed, num_states, num_actions):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(num_states), (num_states, num_actions))
    return transition, rng.normal(size=(num_states, num_actions, num_states))


@pytest.mark.parametrize("num_actions", [2, 4, 5])
def test_both_layouts_are_one_mdp(num_actions):
    transition, reward = random_parts(0, 4, num_actions)
    layouts = ("state_action_next", "action_state_next") if num_actions == 4 else (None, None)
    one = FiniteMDP(transition, reward, "transition", layout=layouts[0])
    other = FiniteMDP(transition.swapaxes(0, 1), reward.swapaxes(0, 1), "transition", layout=layouts[1])
    for name in ("transition", "reward", "expected_reward", "reward_distribution"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    matrices = [scipy.sparse.csr_matrix(each) for each in transition.swapaxes(0, 1)]
    sparse = FiniteMDP(matrices, reward[:, 0, 0], layout=layouts[1])
    np.testing.assert_array_equal(sparse.transition, one.transition)
    np.testing.assert_allclose(one.expected_reward, np.einsum("sat,sat->sa", one.transition, reward))
    assert dataclasses.replace(one, discount=0.5).discount == 0.5


def test_as_many_actions_as_states_are_never_taken_for_another_layout():
    transition, _ = random_parts(1, 3, 3)
    with pytest.raises(ValueError, match="layout must say whether that is"):
        FiniteMDP(transition, [0, 0, 1])
    with pytest.raises(ValueError, match="layout must say whether that is"):
        FiniteMDP([scipy.sparse.coo_array(each) for each in transition], [0, 0, 1])


def test_rewards_by_chance_tell_of_states_what_their_mean_does_not():
    transition = np.full((2, 1, 2), 0.5)
    gamble = FiniteMDP(transition, [[[0.5, 0, 0.5]], [[0, 1, 0]]], "random", reward_values=[-1, 0, 1])
    np.testing.assert_array_equal(gamble.expected_reward, [[0], [0]])
    values = measure(gamble, [0, 1], ["reward", "reward_action"])
    assert values["reward"] == pytest.approx(np.log(2))
    assert values["reward_action"] == pytest.approx(np.log(2))
    assert analyse(gamble, "reward").verdicts["reward"].num_maximisers == 1
    mean = FiniteMDP(transition, gamble.expected_reward, "state_action")
    assert measure(mean, [0, 1], "reward")["reward"] == 0
    assert analyse(mean, "reward").verdicts["reward"].num_maximisers == 2
    same = FiniteMDP(
        transition, gamble.reward[:, :, [0, 1, 2, 1]] * [1, 1, 1, 0], "random", reward_values=[-1, 0, 1, 0]
    )
    assert measure(same, [0, 1], "reward")["reward"] == pytest.approx(np.log(2))


def test_rewards_of_a_transition_count_only_where_it_happens():
    transition = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])
    mdp = FiniteMDP(transition, [[[1.0, 3.0]], [[7.0, 1.0]]], "transition", state_distribution=[0.5, 0.5])
    np.testing.assert_array_equal(mdp.expected_reward, [[2], [1]])
    np.testing.assert_array_equal(mdp.reward_distribution, [[[0.5, 0.5]], [[1, 0]]])
    small = FiniteMDP(
        [[[0, 1, 0]], [[1, 0, 0]], [[1, 0, 0]]], np.arange(9).reshape(3, 1, 3), "transition"
    ).restrict_to_reachable()
    np.testing.assert_array_equal(small.reward, [[[0, 1]], [[3, 4]]])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reward": np.zeros((3, 2, 2))}, r"convention 'transition' must have shape \[3, 2, 3\], got \[3, 2, 2\]"),
        ({"reward": np.full((3, 2, 3), np.nan)}, r"reward\[s0, a0, s0\] is nan, must be finite"),
        ({"reward_convention": "random", "reward": np.ones((3, 2, 1))}, "reward_values must be there"),
        (
            {"reward_convention": "random", "reward": np.ones((3, 2, 2)), "reward_values": [0, 1]},
            r"reward\[s0, a0\] sums to 2, must be 1",
        ),
        ({"reward_convention": "random", "reward_values": [[0]]}, r"reward_values must have shape \[R\], got \[1, 1\]"),
        ({"reward_convention": "random", "reward_values": [np.inf]}, r"reward_values\[0\] is inf, must be finite"),
    ],
)
def test_what_is_no_reward_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        FiniteMDP(
            **{
                "transition": np.full((3, 2, 3), 1 / 3),
                "reward": np.zeros((3, 2, 3)),
                "reward_convention": "transition",
                **fields,
            }
        )


def test_an_action_that_pays_minus_infinity_in_any_convention_is_lacked():
    transition, reward = random_parts(2, 3, 2)
    reward[1, 0] = -np.inf
    mdp = FiniteMDP(transition, reward, "transition")
    assert mdp.choices.tolist() == [[True, True], [False, True], [True, True]]
    assert optimal_q(mdp)[1, 0] == -np.inf
    chances = FiniteMDP(transition, np.full((3, 2, 2), 0.5), "random", reward_values=[0, 1], allowed=mdp.choices)
    assert optimal_q(chances)[1, 0] == -np.inf


def test_quantecons_problems_of_both_forms():
    transition, _ = random_parts(3, 4, 3)
    reward = np.random.default_rng(3).normal(size=(4, 3))
    reward[2, 1] = -np.inf
    whole = quantecon.markov.DiscreteDP(reward, transition, 0.95)
    states, actions = np.nonzero(np.isfinite(reward))
    pairs = quantecon.markov.DiscreteDP(
        reward[states, actions], scipy.sparse.csr_matrix(transition[states, actions]), 0.95, states, actions
    )
    for problem in (whole, pairs):
        mdp = FiniteMDP.from_quantecon(problem, states=("a", "b", "c", "d"))
        assert mdp.discount == 0.95
        np.testing.assert_allclose(optimal_q(mdp).max(axis=1), whole.solve(method="pi").v, rtol=1e-10)
        np.testing.assert_array_equal(mdp.choices, np.isfinite(reward))
    with pytest.raises(ValueError, match="problem must be a DiscreteDP with R, Q and beta, got dict"):
        FiniteMDP.from_quantecon({})


def make_corridor(**options):
    """Three cells and an absorbing goal, as one writes it down."""
    return FiniteMDP.deterministic([[0, 1], [0, 2], [1, 3], [3, 3]], [0, 0, 0, 1], **options)


def test_an_absorbing_goal_leads_back_to_the_start():
    mdp = make_corridor().with_restarts(0)
    np.testing.assert_array_equal(mdp.transition[3], [[1, 0, 0, 0]] * 2)
    assert check_conditions(mdp) == ()
    assert analyse(mdp, "fwd").verdicts["fwd"].q
    spread = make_corridor().with_restarts([0.5, 0.5, 0, 0], terminal=[3])
    np.testing.assert_array_equal(spread.transition[3], [[0.5, 0.5, 0, 0]] * 2)
    paid = FiniteMDP(make_corridor().transition, np.ones((4, 2, 4)), "transition").with_restarts(0)
    assert not paid.expected_reward[3].any()


@pytest.mark.parametrize(
    ("start", "terminal", "message"),
    [
        (4, None, "start must be a state from 0 to 3, got 4"),
        ([1, 0], None, r"start must have shape \[4\], got \[2\]"),
        ([1, 1, 0, 0], None, "start must be a distribution over the states"),
        (0, [4], "terminal must be from 0 to 3, got 4"),
        (0, [], "terminal must be numbers of states, got "),
        (0, [0.5], "terminal must be numbers of states, got "),
    ],
)
def test_what_is_no_restart_is_refused(start, terminal, message):
    with pytest.raises(ValueError, match=message):
        make_corridor().with_restarts(start, terminal)
    with pytest.raises(ValueError, match="terminal must name the states that end an episode: no state holds by itself"):
        make_corridor().with_restarts(0).with_restarts(0)
