"""What is known of a catcher game exactly, because its states are few: Q*, and the value of each objective.

In the shape descriptions `S` denotes the states of a game without backgrounds, in the order of `all_states`, and `A`
its actions.
"""

import dataclasses
import functools
from typing import NamedTuple

import jax
import numpy as np
from metarl_envs.catcher import CatcherEnv, CatcherState, all_states, state_index


class GameTables(NamedTuple):
    """A game as a finite, deterministic MDP.

    next_state: `[S, A]` int.
    reward: `[S, A]`
    ended: `[S]` bool, whether a state ends the episode; its rows in the other tables mean nothing.
    """

    next_state: np.ndarray
    reward: np.ndarray
    ended: np.ndarray


def without_backgrounds(env: CatcherEnv) -> CatcherEnv:
    """The same game on black: its states are few."""
    return dataclasses.replace(env, distractors="none")


@functools.cache
def game_tables(env: CatcherEnv) -> GameTables:
    """The tables of a game; its backgrounds do not matter to them."""
    env = without_backgrounds(env)
    task, key = env.get_default_params(), jax.random.key(0)
    states = all_states(env)
    actions = np.arange(env.num_actions, dtype=np.int32)

    def outcome(state: CatcherState, action: jax.Array) -> tuple[jax.Array, jax.Array]:
        next_state = env.transition(state, action, key, task)
        return state_index(env, next_state), env.reward(state, action, next_state, key, task)

    every = jax.jit(jax.vmap(jax.vmap(outcome, in_axes=(None, 0)), in_axes=(0, None)))
    next_state, reward = every(states, actions)
    ended = jax.vmap(lambda state: env.terminal(state, key, task))(states)
    return GameTables(np.asarray(next_state), np.asarray(reward, np.float64), np.asarray(ended))


def optimal_q(env: CatcherEnv, discount: float) -> np.ndarray:
    """Q*, `[S, A]`, by value iteration to the fixed point; 0 in states that end the episode."""
    tables = game_tables(env)
    continues = np.where(tables.ended[tables.next_state], 0.0, discount)
    q = np.zeros_like(tables.reward)
    while True:
        following = tables.reward + continues * q.max(axis=1)[tables.next_state]
        following[tables.ended] = 0.0
        if np.array_equal(following, q):
            return q
        q = following


def exact_information(env: CatcherEnv) -> dict[str, float]:
    """J_fwd, J_state and J_inv of the full state, in nats, by the names `fwd`, `state` and `inv`.

    Of transitions of the uniformly random policy from uniformly distributed states that do not end the episode. That is
    how its episodes visit them: starts are uniform, and the walls of the game keep them so.
    """
    tables = game_tables(env)
    states = np.flatnonzero(~tables.ended)
    num_states, num_actions = len(tables.ended), tables.next_state.shape[1]
    later = tables.next_state[states].ravel()
    earlier = np.repeat(states, num_actions)
    later_entropy = _entropy(later)
    pair_entropy = _entropy(earlier * num_states + later)
    return {
        "fwd": later_entropy,  # the game is deterministic: nothing is left open given state and action
        "state": later_entropy + np.log(len(states)) - pair_entropy,
        "inv": pair_entropy - np.log(len(states)),  # H(later | earlier), for the same reason
    }


def _entropy(outcomes: np.ndarray) -> float:
    """In nats, of equally likely outcomes that may coincide."""
    _, counts = np.unique(outcomes, return_counts=True)
    probs = counts / counts.sum()
    return float(-np.sum(probs * np.log(probs)))
