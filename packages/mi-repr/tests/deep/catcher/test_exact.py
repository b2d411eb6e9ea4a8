"""What is known exactly of the games: information of the full state, and Q*."""

import jax
import numpy as np
import pytest
from metarl_envs.catcher import CatcherEnv, all_states
from mi_repr.deep.catcher import exact_information, optimal_q
from mi_repr.deep.catcher.exact import game_tables


@pytest.mark.parametrize(
    ("grip", "bits"),
    [
        (True, {"fwd": np.log2(12 * 27 * 18 * 2), "state": 11.00, "inv": 2.511}),
        (False, {"fwd": np.log2(12 * 27 * 18), "state": 11.00, "inv": 1.511}),
    ],
)
def test_information_of_the_full_state(grip, bits):
    values = exact_information(CatcherEnv(grip=grip))
    for name, expected in bits.items():
        assert values[name] / np.log(2) == pytest.approx(expected, abs=0.01)


def test_information_is_the_same_with_distractors():
    assert exact_information(CatcherEnv(distractors="step")) == exact_information(CatcherEnv())


@pytest.mark.parametrize("grip", [False, True])
def test_optimal_policy_catches_from_every_start(grip):
    env = CatcherEnv(grip=grip)
    q = optimal_q(env, 0.99)
    starts = np.asarray(all_states(env).fruit_y) == 0
    np.testing.assert_allclose(q[starts].max(axis=1), 0.99**26, rtol=1e-12)
    assert (q[game_tables(env).ended] == 0).all()


def test_q_star_satisfies_the_bellman_equation():
    env = CatcherEnv(grip=True)
    q, tables = optimal_q(env, 0.9), game_tables(env)
    going_on = ~tables.ended
    following = np.where(tables.ended[tables.next_state], 0, q.max(axis=1)[tables.next_state])
    np.testing.assert_array_equal(q[going_on], (tables.reward + 0.9 * following)[going_on])


def test_tables_agree_with_the_game():
    env = CatcherEnv(grip=True)
    tables, states = game_tables(env), all_states(env)
    rng = np.random.default_rng(0)
    for index in rng.integers(0, len(tables.ended), 20):
        state = jax.tree.map(lambda leaf, index=index: leaf[index], states)
        following = env.transition(state, 4, jax.random.key(0))
        reached = jax.tree.map(lambda leaf, index=index: leaf[tables.next_state[index, 4]], states)
        assert following == reached
