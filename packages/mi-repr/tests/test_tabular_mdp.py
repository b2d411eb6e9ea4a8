"""Finite MDPs: what is refused and how, files, stationary distributions, optimal values."""

import json

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from mi_repr.tabular import FiniteMDP, figure2, load_mdp, optimal_actions, optimal_q
from mi_repr.tabular.control.loss import policy_value
from mi_repr.tabular.model.chain import recurrent_states, stationary_distribution

settings.register_profile("mi-repr-tabular", deadline=None, max_examples=40)
settings.load_profile("mi-repr-tabular")

STAY_OR_GO = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])


def random_mdp(seed, num_states=5, num_actions=3, convention="arrival"):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(num_states, 0.3), size=(num_states, num_actions))
    shape = (num_states, num_actions) if convention == "state_action" else num_states
    return FiniteMDP(transition, rng.normal(size=shape), convention, discount=float(rng.uniform(0.3, 0.97)))


def changed(where, value):
    transition = STAY_OR_GO.copy()
    transition[where] = value
    return transition


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"transition": changed((0, 1), [0, 0.9])}, r"transition\[s0, a1\] sums to 0.9, must be 1"),
        ({"transition": changed((1, 0), [-0.1, 1.1])}, r"transition\[s1, a0, s0\] is -0.1, must not be negative"),
        ({"transition": changed((1, 0), [np.nan, 1])}, r"transition\[s1, a0, s0\] is nan, must be finite"),
        (
            {"transition": STAY_OR_GO[:, :, :1]},
            r"transition must have shape \[S, A, S\] or \[A, S, S\], got \[2, 2, 1\]",
        ),
        ({"transition": STAY_OR_GO[0]}, r"transition must have shape \[S, A, S\] or \[A, S, S\], got \[2, 2\]"),
        ({"transition": [[[1.0]], [[1.0, 0.0]]]}, "transition must be real numbers in rows of equal length"),
        ({"reward": [0, np.inf]}, r"reward\[s1\] is inf, must be finite"),
        ({"reward": [0, 1, 2]}, r"reward by the convention 'arrival' must have shape \[2\], got \[3\]"),
        ({"reward_convention": "state_action"}, r"convention 'state_action' must have shape \[2, 2\], got \[2\]"),
        ({"reward_convention": "leaving"}, "reward_convention must be one of arrival, .* got 'leaving'"),
        ({"policy": [[0.5, 0.6], [1, 0]]}, r"policy\[s0\] sums to 1.1, must be 1"),
        ({"policy": [0.5, 0.5]}, r"policy must have shape \[2, 2\], got \[2\]"),
        ({"state_distribution": [0.5, 0.4]}, "state_distribution sums to 0.9, must be 1"),
        ({"state_distribution": [1.5, -0.5]}, r"state_distribution\[s1\] is -0.5"),
        ({"discount": 1.0}, "discount must be a number, at least 0 and below 1, got 1.0"),
        ({"discount": "0.9"}, "discount must be a number, at least 0 and below 1, got '0.9'"),
        ({"discount": np.array([0.9, 0.5])}, "discount must be a number"),
        ({"discount": True}, "discount must be a number, .* got True"),
        ({"transition": STAY_OR_GO + 0j}, "transition must be real numbers"),
        ({"transition": scipy.sparse.eye(2).tocsr()}, r"transition must have shape .*, got \[2, 2\]"),
        ({"transition": changed((0, 1), [0.5, 0.5]), "layout": None}, r"shape \[2, 2, 2\]: layout must say whether"),
        ({"layout": "SAS"}, "layout must be one of state_action_next, action_state_next, got 'SAS'"),
        ({"transition": np.full((2, 3, 2), 0.5), "layout": "action_state_next"}, "the layout 'action_state_next', got"),
        ({"reward_values": [0, 1]}, "reward_values must be there with reward_convention='random', and only then"),
        ({"reward_convention": "random"}, "reward_values must be there .* got None with 'random'"),
        ({"reward": ["low", "high"]}, "reward by the convention 'arrival' must be real numbers"),
        ({"reward": [{"a": 1}, 0]}, "reward by the convention 'arrival' must be real numbers"),
        ({"transition": changed((0, 1), [0.5, 0.50002])}, r"transition\[s0, a1\] sums to 1.00002, must be 1"),
        ({"states": ("on", "on")}, "states must be 2 different names"),
        ({"actions": ("go",)}, "actions must be 2 different names"),
        ({"actions": "go"}, "actions must be 2 different names, got 'go'"),
        ({"states": [1, "1"]}, "states must be 2 different names"),
        ({"states": [["a"], ["a"]]}, "states must be 2 different names"),
        ({"allowed": [[True], [True, False]]}, "allowed must be true or false in rows of equal length"),
        ({"reward": [0, 1e305]}, r"reward\[s1\] is 1e\+305, must be at most 1e\+300 in size"),
        ({"states": 5}, "states must be 2 different names, got 5"),
        ({"reward_convention": ["arrival"]}, r"reward_convention must be one of arrival, .* got \['arrival'\]"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(fields, message):
    with pytest.raises(ValueError, match=message):
        FiniteMDP(**{"transition": STAY_OR_GO, "reward": [0, 1], "layout": "state_action_next", **fields})


def test_probabilities_written_to_five_places_are_scaled():
    mdp = FiniteMDP([[[0.33333, 0.33333, 0.33333]] * 2] * 3, [0, 0, 1])
    np.testing.assert_allclose(mdp.transition, 1 / 3, rtol=1e-15)


def test_no_names_are_the_usual_ones():
    assert FiniteMDP(STAY_OR_GO, [0, 1], states=None, actions=None).states == ("s0", "s1")


def test_given_names_appear_in_messages():
    with pytest.raises(ValueError, match=r"transition\[off, go\] sums to 2"):
        FiniteMDP(
            changed((0, 1), [1, 1]),
            [0, 1],
            states=("off", "on"),
            actions=("stay", "go"),
            layout="state_action_next",
        )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0, 2]], r"next_state\[0, 1\] must be from 0 to 0, got 2"),
        ([[0.0]], "must be integers"),
        ([0], "must be integers"),
    ],
)
def test_wrong_tables_of_next_states_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        FiniteMDP.deterministic(table, [0])


def test_fields_are_copies_that_cannot_be_written():
    transition = STAY_OR_GO.copy()
    mdp = FiniteMDP(transition, [0, 1])
    transition[:] = 0
    np.testing.assert_array_equal(mdp.transition, STAY_OR_GO)
    with pytest.raises(ValueError, match="read-only"):
        mdp.transition[0, 0, 0] = 0


def test_rows_that_nearly_sum_to_one_are_scaled():
    mdp = FiniteMDP(np.full((3, 1, 3), 0.3333333), [0, 0, 1])
    np.testing.assert_allclose(mdp.transition.sum(-1), 1, atol=1e-15)


def test_the_state_distribution_of_a_chain_with_two_ends_must_be_given():
    fields = {"transition": np.eye(2)[:, None], "reward": [0, 1]}
    with pytest.raises(ValueError, match="several stationary distributions; state_distribution must say"):
        _ = FiniteMDP(**fields).occupancy
    np.testing.assert_array_equal(FiniteMDP(**fields, state_distribution=[0.25, 0.75]).occupancy, [0.25, 0.75])


@given(st.integers(2, 7), st.integers(0, 10_000))
def test_stationary_distributions_are_quantecons(num_states, seed):
    from quantecon import MarkovChain

    rng = np.random.default_rng(seed)
    chain = rng.dirichlet(np.full(num_states, 0.5), num_states) * (rng.random((num_states, num_states)) < 0.5)
    chain[np.arange(num_states), rng.permutation(num_states)] += 0.1
    chain /= chain.sum(axis=1, keepdims=True)
    expected = MarkovChain(chain)
    recurrent = recurrent_states(chain)
    if expected.num_recurrent_classes > 1:
        assert recurrent is None
        with pytest.raises(ValueError, match="several closed classes"):
            stationary_distribution(chain)
    else:
        assert set(np.flatnonzero(recurrent)) == set(expected.recurrent_classes_indices[0])
        np.testing.assert_allclose(stationary_distribution(chain), expected.stationary_distributions[0], atol=1e-12)


def test_a_periodic_chain_has_a_stationary_distribution():
    mdp = figure2()
    assert np.abs(np.linalg.matrix_power(mdp.chain, 1001) - np.linalg.matrix_power(mdp.chain, 1000)).max() > 0.4
    np.testing.assert_allclose(mdp.occupancy, 0.25, atol=1e-15)


@pytest.mark.parametrize("convention", ["arrival", "state", "state_action"])
@pytest.mark.parametrize("seed", range(5))
def test_optimal_values_are_quantecons(convention, seed):
    from quantecon.markov import DiscreteDP

    mdp = random_mdp(seed, convention=convention)
    problem = DiscreteDP(np.array(mdp.expected_reward), np.array(mdp.transition), mdp.discount)
    result = problem.solve(method="value_iteration", epsilon=1e-11, max_iter=100_000)
    q = optimal_q(mdp)
    np.testing.assert_allclose(q.max(axis=1), result.v, atol=1e-9)
    np.testing.assert_array_equal(q.argmax(axis=1), result.sigma)
    greedy = np.eye(mdp.num_actions)[q.argmax(axis=1)]
    np.testing.assert_allclose(policy_value(mdp, greedy), q.max(axis=1), atol=1e-10)


def test_expected_reward_by_convention():
    reward = np.array([1.0, 3.0])
    np.testing.assert_array_equal(FiniteMDP(STAY_OR_GO, reward).expected_reward, [[1, 3], [3, 1]])
    np.testing.assert_array_equal(FiniteMDP(STAY_OR_GO, reward, "state").expected_reward, [[1, 1], [3, 3]])
    paid = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(FiniteMDP(STAY_OR_GO, paid, "state_action").expected_reward, paid)


def test_optimal_values_of_figure_2():
    q = optimal_q(figure2())
    np.testing.assert_allclose(q, [[4.263, 5.263], [4.737, 4.737], [4.737, 4.737], [5.263, 4.263]], atol=5e-4)
    np.testing.assert_array_equal(optimal_actions(q), [[0, 1], [1, 1], [1, 1], [1, 0]])


def test_a_restricted_policy_has_its_own_optimum():
    allowed = np.array([[1, 0], [1, 1], [1, 1], [1, 1]], bool)  # s0 may only go to s1
    q = optimal_q(figure2(), allowed)
    assert q[0, 0] < q[0, 1]
    np.testing.assert_allclose(q[1, 0], 0.9 * q[0, 0], atol=1e-12)


FIELDS = {"next_state": [[0, 1], [1, 0]], "reward": [0, 1], "reward_convention": "arrival"}


def test_a_json_file_with_every_key(tmp_path):
    fields = {
        "transition": STAY_OR_GO.tolist(),
        "reward": [[0, 1], [2, 3]],
        "reward_convention": "state_action",
        "policy": [[0.25, 0.75], [0.5, 0.5]],
        "discount": 0.8,
        "state_distribution": [0.5, 0.5],
        "states": ["off", "on"],
        "actions": ["stay", "go"],
    }
    (tmp_path / "mdp.json").write_text(json.dumps(fields))
    np.savez(tmp_path / "mdp.npz", **{key: np.array(value) for key, value in fields.items()})
    for name in ("mdp.json", "mdp.npz"):
        mdp = load_mdp(tmp_path / name)
        for key, value in fields.items():
            assert np.asarray(getattr(mdp, key)).tolist() == value


def test_a_json_file_with_next_states(tmp_path):
    (tmp_path / "mdp.json").write_text(json.dumps({**FIELDS, "policy": None}))
    mdp = load_mdp(str(tmp_path / "mdp.json"))
    np.testing.assert_array_equal(mdp.transition, STAY_OR_GO)
    assert mdp.policy is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reward": None}, "key 'reward' is missing"),
        ({"rewards": [0, 1]}, "key 'rewards' is unknown, the keys are reward, "),
        ({"transition": [[[1.0]]]}, "one of the keys 'transition' and 'next_state'"),
        ({"next_state": [[0, 1], [1]]}, r"next_state\[s1\] must have 2 entries, one for each action, got 1"),
        ({"next_state": [[0, 1], [1, 2]]}, r"next_state\[s1, a1\] must be an integer from 0 to 1, got 2"),
        ({"next_state": 3}, "next_state must be a list with an entry for each of the states, got 3"),
        ({"discount": "high"}, "discount must be a number, got 'high'"),
        ({"discount": True}, "discount must be a number, got True"),
        ({"reward_convention": 3}, "reward_convention must be a string, got 3"),
        ({"states": "ab"}, "states must be a list of strings, got 'ab'"),
        ({"states": ["a", "a"]}, "states must be 2 different names"),
        ({"policy": [[0.5, 0.4], [1, 0]]}, r"policy\[s0\] sums to 0.9"),
    ],
)
def test_errors_in_files_name_the_file_and_the_key(tmp_path, fields, message):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**FIELDS, **fields}))
    with pytest.raises(ValueError, match=f"mine.json: .*{message}"):
        load_mdp(path)


@pytest.mark.parametrize("key", ["reward", "reward_convention"])
def test_missing_keys_are_named(tmp_path, key):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({name: value for name, value in FIELDS.items() if name != key}))
    with pytest.raises(ValueError, match=f"mine.json: key '{key}' is missing"):
        load_mdp(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"{", "a.json: not JSON"),
        ("a.json", b'{"reward": [0, 1], "reward": [1, 0]}', "a.json: key 'reward' is there twice"),
        ("a.json", b"\xff", "a.json: not JSON"),
        ("a.json", b"[1]", "a.json: must hold an object of keys and values, got list"),
        ("a.npz", b"nonsense", "a.npz: not an npz file"),
        ("a.npz", b"", "a.npz: not an npz file"),
        ("a.txt", b"", "a.txt: must end in .json or .npz"),
    ],
)
def test_unreadable_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_mdp(tmp_path / name)


@pytest.mark.parametrize("name", ["none.json", "none.npz"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(ValueError, match=f"{name}: No such file"):
        load_mdp(tmp_path / name)
