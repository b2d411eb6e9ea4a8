"""Look-up tables that make the value of a partition a short sum.

Every objective is a sum of -p log p over blocks and over ordered pairs of blocks, where p is the probability of a set
of states. So all such terms are computed once: those of one block for each of the 2^S subsets of states, those of two
disjoint blocks for each of the 3^S ways to put every state into the first, the second or neither. A subset is numbered
by its bits, a disjoint pair (B, C) by ternary(B) + 2 ternary(C), where ternary reads the bits of a subset in base 3.

In the shape descriptions `S` denotes the states, `A` the actions, `R` the rewards and `O` the objectives.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mi_repr.tabular.information import COMPONENTS, Joint, entropy, entropy_terms, parse_objective
from mi_repr.tabular.lossless import ANYTHING, UNSEEN, find_conditions
from mi_repr.tabular.mdp import FiniteMDP
from mi_repr.tabular.solve import optimal_actions, tolerances

NOT_Q, NOT_PI_STRICT, NOT_PI_WEAK = 1, 2, 4


class Tables(NamedTuple):
    """What the value of a partition is a sum of.

    blocks: `[2^S, 1 + O]`, what a block adds to I(Z;S) and to each objective.
    pairs: `[2, 3^S]`, what two different blocks add to H(Z_t, Z_{t+k}) and to H(Z_t, A_t, Z_{t+k}), in both orders.
    weights: `[1 + O, 2]`, how often each row of `pairs` counts in each column of `blocks`.
    constant: `[1 + O]`, the entropy of the reward, where it counts.
    flaws: `[2^S]` uint8, which kinds of sufficiency a block violates: the sum of `NOT_Q`, `NOT_PI_STRICT`,
      `NOT_PI_WEAK`.
    lossy_blocks: `[2^S]` uint8, which terms a block loses something of: the sum of bits in the order of `COMPONENTS`.
    lossy_pairs: `[3^S]` uint8, the same of two different blocks; `[0]` where no term looks at pairs.
    """

    blocks: np.ndarray
    pairs: np.ndarray
    weights: np.ndarray
    constant: np.ndarray
    flaws: np.ndarray
    lossy_blocks: np.ndarray
    lossy_pairs: np.ndarray


def make_tables(mdp: FiniteMDP, joint: Joint, q: np.ndarray, objectives: Sequence[str]) -> Tables:
    """The tables of one MDP, of `3^S` rows.

    Args:
      mdp: of at most about 13 states.
      joint: its data.
      q: `[S, A]`, its optimal values.
      objectives: their names.

    Raises:
      ValueError: an objective is unknown.
    """
    terms = [parse_objective(name, mdp) for name in objectives]
    entropies = _block_entropies(joint)
    within = _within_block(joint.steps)
    columns = {
        "fwd": entropies["later"] + entropies["code_action"] - within[1],
        "state": entropies["later"] + entropies["code"] - within[0],
        "inv": entropies["code_action"] - entropies["code"] + within[0] - within[1],
        "reward": entropies["code"] - entropies["code_reward"],
        "reward_action": entropies["code_action"] - entropies["code_action_reward"],
    }
    pair_weights = {"fwd": (0, -1), "state": (-1, 0), "inv": (1, -1), "reward": (0, 0), "reward_action": (0, 0)}
    reward = entropy(joint.rewards.sum(axis=(0, 1)))
    constants = {"fwd": 0.0, "state": 0.0, "inv": 0.0, "reward": reward, "reward_action": reward}
    blocks = [entropies["code"], *(sum(columns[term] for term in name) for name in terms)]
    weights = [(0, 0), *(np.sum([pair_weights[term] for term in name], axis=0) for name in terms)]
    constant = [0.0, *(sum(constants[term] for term in name) for name in terms)]
    lossy_blocks, lossy_pairs = _find_losses(joint, sorted({term for name in terms for term in name}))
    return Tables(
        lossy_blocks=lossy_blocks,
        lossy_pairs=lossy_pairs,
        blocks=np.stack(blocks, axis=1),
        pairs=_between_blocks(joint.steps),
        weights=np.array(weights, np.float64),
        constant=np.array(constant, np.float64),
        flaws=_flaws(q),
    )


def ternary_digits(num_states: int) -> np.ndarray:
    """`[3^S, S]` uint8: whether each state is in neither (0), the first (1) or the second (2) set of a pair."""
    return np.array(np.unravel_index(np.arange(3**num_states), (3,) * num_states), np.uint8)[::-1].T


def over_subsets(
    combine: Callable[[np.ndarray, np.ndarray], np.ndarray], values: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """`[2^S, ...]`: `values: [S, ...]` of the members of every subset combined, from `start` for the empty one."""
    table = start[None]
    for value in values:
        table = np.concatenate([table, combine(table, value[None])])
    return table


def _block_entropies(joint: Joint) -> dict[str, np.ndarray]:
    """`[2^S]` each: the terms of H(Z_t), H(Z_{t+k}), H(Z_t, A_t), H(Z_t, R_t), H(Z_t, A_t, R_t)."""
    parts = {
        "code": joint.steps.sum(axis=(1, 2))[:, None],
        "later": joint.steps.sum(axis=(0, 1))[:, None],
        "code_action": joint.steps.sum(axis=2),
        "code_reward": joint.rewards.sum(axis=1),
        "code_action_reward": joint.rewards.reshape(len(joint.rewards), -1),
    }
    return {
        name: entropy_terms(over_subsets(np.add, part, np.zeros(part.shape[1]))).sum(axis=1)
        for name, part in parts.items()
    }


def _within_block(steps: np.ndarray) -> np.ndarray:
    """`[2, 2^S]`: the terms of H(Z_t, Z_{t+k}) and of H(Z_t, A_t, Z_{t+k}) where the step stays within the block."""
    member = over_subsets(np.add, np.eye(len(steps)), np.zeros(len(steps)))
    stays = np.stack([((member @ step) * member).sum(axis=1) for step in np.moveaxis(steps, 1, 0)])
    return np.stack([entropy_terms(stays.sum(axis=0)), entropy_terms(stays).sum(axis=0)])


def _between_blocks(steps: np.ndarray) -> np.ndarray:
    """`[2, 3^S]`, see `Tables.pairs`."""
    digits = ternary_digits(len(steps))
    first, second = (digits == 1).astype(np.float64), (digits == 2).astype(np.float64)
    table = np.zeros((2, len(digits)))
    for source, target in ((first, second), (second, first)):
        total = np.zeros(len(digits))
        for step in np.moveaxis(steps, 1, 0):
            moves = ((source @ step) * target).sum(axis=1)
            table[1] += entropy_terms(moves)
            total += moves
        table[0] += entropy_terms(total)
    return table


def lossy_bits(terms: Sequence[str]) -> int:
    """The bits of some terms in `Tables.lossy_blocks` and `Tables.lossy_pairs`."""
    return sum(1 << COMPONENTS.index(term) for term in terms)


def _find_losses(joint: Joint, terms: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """`[2^S]` and `[3^S]` or `[0]` uint8, see `Tables.lossy_blocks`."""
    num_states = len(joint.steps)
    blocks, pairs = np.zeros(2**num_states, np.uint8), np.zeros(0, np.uint8)
    for term in terms:
        bit, conditions = lossy_bits([term]), find_conditions(joint, term)
        for shown in conditions.blocks:
            highest, lowest = _extremes(shown)
            blocks |= np.where(highest > lowest, bit, 0).astype(np.uint8)
        for cells in conditions.cells:
            # Of a step from one state to a block, then from a block to a block.
            highest, lowest = _extremes(cells.T)  # [2^S, S]
            member = over_subsets(np.logical_or, np.eye(num_states, dtype=bool), np.zeros(num_states, bool))
            stays = np.where(member, highest, UNSEEN).max(axis=1) > np.where(member, lowest, ANYTHING).min(axis=1)
            blocks |= np.where(stays, bit, 0).astype(np.uint8)
            digits = ternary_digits(num_states)
            powers = 2 ** np.arange(num_states)
            first, second = digits == 1, digits == 2
            pairs = np.zeros(len(digits), np.uint8) if not len(pairs) else pairs
            for source, target in ((first, second), (second, first)):
                subset = target @ powers
                most = np.where(source, highest[subset], UNSEEN).max(axis=1)
                least = np.where(source, lowest[subset], ANYTHING).min(axis=1)
                pairs |= np.where(most > least, bit, 0).astype(np.uint8)
    return blocks, pairs


def _extremes(shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[2^S, ...]` each: the largest and the least of the numbers `shown: [S, ...]` of every subset, `UNSEEN` aside."""
    known = np.where(shown == UNSEEN, ANYTHING, shown)
    return (
        over_subsets(np.maximum, shown, np.full(shown.shape[1:], UNSEEN)),
        over_subsets(np.minimum, known, np.full(shown.shape[1:], ANYTHING)),
    )


def _flaws(q: np.ndarray) -> np.ndarray:
    """`[2^S]` uint8, see `Tables.flaws`."""
    optimal = optimal_actions(q)
    nothing, everything = np.zeros(q.shape[1], bool), np.ones(q.shape[1], bool)
    shared, any_of_them = (
        over_subsets(np.logical_and, optimal, everything),
        over_subsets(np.logical_or, optimal, nothing),
    )
    lowest = over_subsets(np.minimum, q, np.full(q.shape[1], np.inf))
    highest = over_subsets(np.maximum, q, np.full(q.shape[1], -np.inf))
    slack = over_subsets(np.maximum, tolerances(q), np.zeros(q.shape[1]))
    flaws = NOT_Q * (highest > lowest + slack).any(axis=1)
    flaws = flaws + NOT_PI_STRICT * (shared != any_of_them).any(axis=1) + NOT_PI_WEAK * ~shared.any(axis=1)
    flaws[0] = 0  # the empty set, which fills up partitions of few blocks
    return flaws.astype(np.uint8)
