"""Look-up tables that make the value of a partition a short sum.

Every objective is a sum of -p log p over blocks and over ordered pairs of blocks, where p is the probability of a set
of states. So all such terms are computed once: those of one block for each of the 2^S subsets of states, those of two
disjoint blocks for each of the 3^S ways to put every state into the first, the second or neither. A subset is numbered
by its bits, a disjoint pair (B, C) by ternary(B) + 2 ternary(C), where ternary reads the bits of a subset in base 3.

In the shape descriptions `S` denotes the states, `A` the actions, `R` the rewards and `O` the components of objectives.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mi_repr.tabular.control.solve import Compared
from mi_repr.tabular.information.lossless import ANYTHING, UNSEEN, find_conditions
from mi_repr.tabular.information.objectives import COMPONENTS
from mi_repr.tabular.information.values import Joint, entropy, entropy_terms

NOT_Q, NOT_PI_STRICT, NOT_PI_WEAK, NOT_EVERY_REWARD = 1, 2, 4, 8


class Tables(NamedTuple):
    """What the value of a partition is a sum of.

    blocks: `[2^S, 1 + O]`, what a block adds to I(Z;S) and to each component.
    pairs: `[2, 3^S]`, what two different blocks add to H(Z_t, Z_{t+k}) and to H(Z_t, A_t, Z_{t+k}), in both orders.
    weights: `[1 + O, 2]`, how often each row of `pairs` counts in each column of `blocks`.
    constant: `[1 + O]`, the entropy of the reward, where it counts.
    flaws: `[2^S]` uint8, which kinds of sufficiency a block violates: the sum of `NOT_Q`, `NOT_PI_STRICT`,
      `NOT_PI_WEAK`, `NOT_EVERY_REWARD`.
    lossy_blocks: `[2^S]` uint8, which components a block loses something of: the sum of bits in the order of
      `COMPONENTS`.
    lossy_pairs: `[3^S]` uint8, the same of two different blocks; `[0]` where no component looks at pairs.
    """

    blocks: np.ndarray
    pairs: np.ndarray
    weights: np.ndarray
    constant: np.ndarray
    flaws: np.ndarray
    lossy_blocks: np.ndarray
    lossy_pairs: np.ndarray


def make_tables(joint: Joint, components: Sequence[str], flaws: np.ndarray) -> Tables:
    """The tables of one MDP, of `3^S` rows.

    Args:
      joint: the data of an MDP of at most about 13 states.
      components: of `COMPONENTS`, each once; the columns.
      flaws: from `find_flaws`.
    """
    entropies = _block_entropies(joint)
    within = _within_block(joint.steps)
    columns = {
        "fwd": entropies["later"] + entropies["code_action"] - within[1],
        "state": entropies["later"] + entropies["code"] - within[0],
        "inv": entropies["code_action"] - entropies["code"] + within[0] - within[1],
        "reward": entropies["code"] - entropies["code_reward"],
        "reward_action": entropies["code_action"] - entropies["code_action_reward"],
        "latent": entropies["code_action"] - within[1],
    }
    pair_weights = {"fwd": (0, -1), "state": (-1, 0), "inv": (1, -1), "latent": (0, -1)}
    reward = entropy(joint.rewards.sum(axis=(0, 1)))
    constants = {"reward": reward, "reward_action": reward}
    lossy_blocks, lossy_pairs = _find_losses(joint, components)
    return Tables(
        lossy_blocks=lossy_blocks,
        lossy_pairs=lossy_pairs,
        blocks=np.stack([entropies["code"], *(columns[each] for each in components)], axis=1),
        pairs=_between_blocks(joint.steps),
        weights=np.array([(0, 0), *(pair_weights.get(each, (0, 0)) for each in components)], np.float64),
        constant=np.array([0.0, *(constants.get(each, 0.0) for each in components)]),
        flaws=flaws,
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


def _find_losses(joint: Joint, components: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """`[2^S]` and `[3^S]` or `[0]` uint8, see `Tables.lossy_blocks`."""
    num_states = len(joint.steps)
    blocks = np.zeros(2**num_states, np.uint8)
    looks_at_pairs = any(each in ("inv", "latent") for each in components)
    pairs = np.zeros(3**num_states if looks_at_pairs else 0, np.uint8)
    for each in components:
        bit = lossy_bits([each])
        if each == "latent":
            of_blocks, of_pairs = _find_splits(joint.steps)
            blocks |= np.where(of_blocks, bit, 0).astype(np.uint8)
            pairs |= np.where(of_pairs, bit, 0).astype(np.uint8)
            continue
        conditions = find_conditions(joint, each)
        for shown in conditions.blocks:
            highest, lowest = _extremes(shown)
            blocks |= np.where(highest > lowest, bit, 0).astype(np.uint8)
        for cells in conditions.cells:
            of_blocks, of_pairs = _find_conflicts(cells)
            blocks |= np.where(of_blocks, bit, 0).astype(np.uint8)
            pairs |= np.where(of_pairs, bit, 0).astype(np.uint8)
    return blocks, pairs


def _find_conflicts(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[2^S]` and `[3^S]` bool: whether steps within a block, or between two, have different `cells: [S, S]`."""
    num_states = len(cells)
    highest, lowest = _extremes(cells.T)  # of a step from one state to a block: [2^S, S]
    member = _members(num_states)
    stays = np.where(member, highest, UNSEEN).max(axis=1) > np.where(member, lowest, ANYTHING).min(axis=1)
    digits = ternary_digits(num_states)
    first, second = digits == 1, digits == 2
    between = np.zeros(len(digits), bool)
    for source, target in ((first, second), (second, first)):
        subset = target @ 2 ** np.arange(num_states)
        most = np.where(source, highest[subset], UNSEEN).max(axis=1)
        least = np.where(source, lowest[subset], ANYTHING).min(axis=1)
        between |= most > least
    return stays, between


def _find_splits(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[2^S]` and `[3^S]` bool: whether an action leads from a block into it, or another, and out of that as well."""
    num_states = len(steps)
    powers = 2 ** np.arange(num_states)
    reached = over_subsets(np.bitwise_or, (steps > 0) @ powers, np.zeros(steps.shape[1], np.int64))  # [2^S, A]
    digits = ternary_digits(num_states)
    first, second = (digits == 1) @ powers, (digits == 2) @ powers

    def splits(source: np.ndarray, target: np.ndarray) -> np.ndarray:
        found = np.zeros(len(source), bool)
        for of_action in reached.T:
            after = of_action[source]
            found |= (after & target != 0) & (after & ~target != 0)
        return found

    subsets = np.arange(2**num_states)
    return splits(subsets, subsets), splits(first, second) | splits(second, first)


def _members(num_states: int) -> np.ndarray:
    """`[2^S, S]` bool, the states of every subset."""
    return over_subsets(np.logical_or, np.eye(num_states, dtype=bool), np.zeros(num_states, bool))


def _extremes(shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[2^S, ...]` each: the largest and the least of the numbers `shown: [S, ...]` of every subset, `UNSEEN` aside."""
    known = np.where(shown == UNSEEN, ANYTHING, shown)
    return (
        over_subsets(np.maximum, shown, np.full(shown.shape[1:], UNSEEN)),
        over_subsets(np.minimum, known, np.full(shown.shape[1:], ANYTHING)),
    )


def find_flaws(compared: Compared, dynamics: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """`[2^S]` uint8, see `Tables.flaws`.

    Args:
      compared: which optimal values are equal.
      dynamics: `[S]` int, equal for states whose actions do the same.
      shown: `[S]` bool, the states that count; others may be aliased with anything.
    """
    num_states, num_actions = compared.classes.shape
    counted, optimal = shown[:, None], compared.optimal
    nothing, everything = np.zeros(num_actions, bool), np.ones(num_actions, bool)
    shared = over_subsets(np.logical_and, optimal | ~counted, everything)
    any_of_them = over_subsets(np.logical_or, optimal & counted, nothing)
    most, least = _extremes(np.where(counted, compared.classes, UNSEEN))
    flaws = NOT_Q * (most > least).any(axis=1)
    flaws = flaws + NOT_PI_STRICT * (shared != any_of_them).any(axis=1) + NOT_PI_WEAK * ~shared.any(axis=1)
    most, least = _extremes(np.where(shown, dynamics, UNSEEN))
    flaws = flaws + NOT_EVERY_REWARD * (most > least)
    flaws[~_members(num_states)[:, shown].any(axis=1)] = 0  # the empty set too, which fills up small partitions
    return flaws.astype(np.uint8)
