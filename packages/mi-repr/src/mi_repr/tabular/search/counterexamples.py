"""Searches for the smallest MDP on which an objective is not sufficient.

The MDPs are deterministic, with rewards 0 or 1 on arrival, a uniform policy and an irreducible chain, as in thesis
figures 2 and 3. A table of next states is looked at with all rewards at once.

In the shape descriptions `T` denotes the tables of a batch, `S` the states, `A` the actions, `P` the pairs of states
and `W` the rewards.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mi_repr.tabular.control.solve import TOLERANCE
from mi_repr.tabular.control.verdict import NOTIONS, Notion
from mi_repr.tabular.information.objectives import parse_objective
from mi_repr.tabular.information.values import components
from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.search.analysis import Analysis, analyse

_BATCH_SIZE = 2048
_MOST_STATES = 7


class SizeSearched(NamedTuple):
    """How one size was searched.

    num_states: `S`.
    num_tables: tables of next states looked at, reducible ones included.
    exhaustive: whether these are all; False means a random sample, so that finding none proves nothing.
    """

    num_states: int
    num_tables: int
    exhaustive: bool


class Found(NamedTuple):
    """The outcome of a search.

    analysis: of the smallest MDP found, whose verdict holds the counterexample, or None.
    searched: the sizes looked at, up to the one where it was found.
    """

    analysis: Analysis | None
    searched: tuple[SizeSearched, ...]


def find_counterexample(
    objective: str,
    *,
    notion: Notion = "pi_weak",
    min_states: int = 2,
    max_states: int = 4,
    num_actions: int = 2,
    max_tables: int = 100_000,
    discount: float = 0.9,
    seed: int = 0,
) -> Found:
    """Finds the smallest MDP where a maximiser of an objective aliases two states against a notion of sufficiency.

    Args:
      objective: "fwd", "state", "inv", "reward" or a sum of them.
      notion: "pi_weak" asks that aliased states share no optimal action, the strongest failure; "pi_strict" and "q" are
        in `Verdict`.
      min_states: the first size.
      max_states: the last size, at most 7.
      num_actions: of the MDPs.
      max_tables: a size with more tables of next states is sampled, that many times.
      discount: of the MDPs.
      seed: of the samples.

    Raises:
      ValueError: an option is out of range or the objective or the notion unknown.
    """
    if not 1 <= min_states <= max_states <= _MOST_STATES:
        raise ValueError(
            f"min_states and max_states must be from 1 to {_MOST_STATES}, in this order, got {min_states} "
            f"and {max_states}"
        )
    if num_actions < 1 or max_tables < 1:
        raise ValueError(f"num_actions and max_tables must be at least 1, got {num_actions} and {max_tables}")
    if notion not in NOTIONS:
        raise ValueError(f"notion must be one of {', '.join(NOTIONS)}, got {notion!r}")
    parsed = parse_objective(objective, FiniteMDP(np.ones((1, 1, 1)), np.zeros(1), discount=discount))
    if parsed.has("latent"):
        raise ValueError(f"objective must be a sum of fwd, state, inv and reward, got {objective!r}")
    terms = [component for component, _ in parsed.terms]
    searched: list[SizeSearched] = []
    for num_states in range(min_states, max_states + 1):
        num_all = num_states ** (num_states * num_actions)
        exhaustive = num_all <= max_tables
        num_tables = 0
        for tables in _table_batches(num_states, num_actions, None if exhaustive else max_tables, seed):
            num_tables += len(tables)
            for table, reward in _candidates(tables, terms, notion, discount):
                mdp = FiniteMDP.deterministic(table, reward, discount=discount)
                analysis = analyse(mdp, [objective])
                if getattr(analysis.verdicts[objective], notion) is False:
                    searched.append(SizeSearched(num_states, num_tables, exhaustive))
                    return Found(analysis, tuple(searched))
        searched.append(SizeSearched(num_states, num_tables, exhaustive))
    return Found(None, tuple(searched))


def _table_batches(num_states: int, num_actions: int, num_samples: int | None, seed: int) -> Iterator[np.ndarray]:
    """Tables of next states `[T, S, A]`: all in order, or so many random ones."""
    shape = (num_states, num_actions)
    rng = np.random.default_rng((seed, num_states))
    total = num_states ** (num_states * num_actions) if num_samples is None else num_samples
    for start in range(0, total, _BATCH_SIZE):
        size = min(_BATCH_SIZE, total - start)
        if num_samples is None:
            digits = np.unravel_index(np.arange(start, start + size), (num_states,) * (num_states * num_actions))
            yield np.stack(digits, axis=1).reshape(size, *shape)
        else:
            yield rng.integers(0, num_states, (size, *shape))


def _candidates(
    tables: np.ndarray, terms: Sequence[str], notion: Notion, discount: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A table `[S, A]` and a reward `[S]` at a time on which two states that a maximiser aliases violate the notion."""
    tables = tables[_irreducible(tables)]
    num_states = tables.shape[1]
    first, second = np.triu_indices(num_states, 1)
    aliasable = _aliasable(tables, terms, first, second)
    tables, aliasable = tables[aliasable.any(axis=1)], aliasable[aliasable.any(axis=1)]
    rewards = np.array(np.unravel_index(np.arange(2**num_states), (2,) * num_states), np.float64).T  # [W, S]
    q = _optimal_q(tables, rewards, discount)  # [T, W, S, A]
    optimal = q >= q.max(axis=-1, keepdims=True) - TOLERANCE
    if notion == "q":
        violated = np.abs(q[:, :, first] - q[:, :, second]).max(axis=-1) > TOLERANCE
    elif notion == "pi_strict":
        violated = (optimal[:, :, first] != optimal[:, :, second]).any(axis=-1)
    else:
        violated = ~(optimal[:, :, first] & optimal[:, :, second]).any(axis=-1)
    aliased = np.repeat(aliasable[:, None], len(rewards), axis=1)
    if "reward" in terms:  # I(R;Z) is lost as soon as different rewards share a block
        aliased &= (rewards[:, first] == rewards[:, second])[None]
    for table, reward in np.argwhere((violated & aliased).any(axis=-1)):
        yield tables[table], rewards[reward]


def _aliasable(tables: np.ndarray, terms: Sequence[str], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """`[T, P]` bool, whether merging the states `first: [P]` and `second: [P]` alone loses nothing, rewards left aside.

    The policy is uniform, so no representation gains by aliasing: these are all pairs that maximisers alias.
    """
    num_states, num_actions = tables.shape[1:]
    transition = np.eye(num_states)[tables]  # [T, S, A, S]
    system = np.moveaxis(transition.mean(axis=2), 1, 2) - np.eye(num_states)
    system[:, -1] = 1.0
    mu = np.linalg.solve(system, np.broadcast_to(np.eye(num_states)[:, -1:], (len(tables), num_states, 1)))
    steps = np.maximum(mu, 0)[..., None] / num_actions * transition
    no_reward = np.ones((1, 1, 1))

    def value(joint: np.ndarray) -> np.ndarray:
        values = components(joint, no_reward)
        return sum((values[term] for term in terms if term != "reward"), np.zeros(len(joint)))

    best = value(steps)
    aliasable = np.zeros((len(tables), len(first)), bool)
    for column, (i, j) in enumerate(zip(first, second, strict=True)):
        member = np.eye(num_states)
        member[j] = member[i]
        merged = np.einsum("sm,tsau,un->tman", member, steps, member, optimize=True)
        aliasable[:, column] = value(merged) >= best - TOLERANCE
    return aliasable


def _irreducible(tables: np.ndarray) -> np.ndarray:
    """`[T]` bool, whether every state can be reached from every other."""
    num_states = tables.shape[1]
    reach = (np.eye(num_states)[tables].sum(axis=2) + np.eye(num_states)) > 0
    for _ in range(num_states.bit_length()):
        reach = (reach.astype(np.float64) @ reach.astype(np.float64)) > 0
    return reach.all(axis=(1, 2))


def _optimal_q(tables: np.ndarray, rewards: np.ndarray, discount: float) -> np.ndarray:
    """`[T, W, S, A]` by value iteration, up to an error below the tolerance."""
    num_steps = 1 if discount == 0 else int(np.ceil(np.log(1e-3 * TOLERANCE * (1 - discount)) / np.log(discount)))
    value = np.zeros((len(tables), *rewards.shape))
    rows = np.arange(len(tables))[:, None, None]
    for _ in range(num_steps):
        paid = rewards[None] + discount * value  # for arriving: [T, W, S]
        q = np.moveaxis(paid[rows, :, tables], -1, 1)
        value = q.max(axis=-1)
    return np.moveaxis((rewards[None] + discount * value)[rows, :, tables], -1, 1)
