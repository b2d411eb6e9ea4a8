"""The values of objectives for one representation, deterministic or stochastic, in nats; see `objectives` beside this.

In the shape descriptions `S` denotes the states, `A` the actions, `Z` the codes of a representation and `R` the
different rewards. A representation is `[S]` integers (a partition: the block of each state) or `[S, Z]`, p(z given s).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mi_repr.tabular.information.objectives import name_objectives, parse_objective
from mi_repr.tabular.information.residues import step_residues
from mi_repr.tabular.model.mdp import FiniteMDP

Value = TypeVar("Value", float, np.ndarray)

_LISTS: tuple[type[Any], ...] = (list, tuple)


class Joint(NamedTuple):
    """What the objectives depend on.

    steps: `[S, A, S]`, p(s_t, a_t, s_{t+k}).
    rewards: `[S, A, R]`, p(s_t, a_t, r_t).
    residues: `steps` in exact arithmetic, see `mi_repr.tabular.information.residues`; none where nobody asked, or where
      probabilities are no fractions.
    """

    steps: np.ndarray
    rewards: np.ndarray
    residues: tuple[np.ndarray, ...] = ()


def joint_distribution(mdp: FiniteMDP, k: int = 1, *, with_residues: bool = False) -> Joint:
    """The distribution of a step of the data and of its reward, with residues for who decides what is maximal.

    Raises:
      ValueError: `k` is below 1, or the distribution of the states is not defined (`FiniteMDP.occupancy`).
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"k must be a whole number, at least 1, got {k!r}")
    taken = mdp.occupancy[:, None] * mdp.behaviour
    later = mdp.transition @ np.linalg.matrix_power(mdp.chain, k - 1) if k > 1 else mdp.transition
    residues = step_residues(mdp, k) if with_residues else ()
    return Joint(taken[:, :, None] * later, taken[:, :, None] * mdp.reward_distribution, residues)


def entropy_terms(p: np.ndarray) -> np.ndarray:
    """-p log p elementwise, 0 where p is 0; its sum over a distribution is the entropy in nats."""
    return -p * np.log(np.where(p > 0, p, 1.0))


def entropy(p: np.ndarray) -> float:
    """H in nats of a distribution of any shape."""
    return float(entropy_terms(p).sum())


def to_bits(nats: Value) -> Value:
    """The same information in bits."""
    bits: Any = nats / np.log(2)
    return bits


def check_representation(representation: Any, num_states: int) -> np.ndarray:
    """The representation as an array: `[S]` integers or `[S, Z]` float64.

    Args:
      representation: the block of each state, `[S]` integers; or the states of each block, lists of integers, such as
        `[[0, 3], [1], [2]]`; or p(z given s), `[S, Z]`.
      num_states: `S`.

    Raises:
      ValueError: none of these.
    """
    blocks = _read_blocks(representation, num_states)
    try:
        array = np.asarray(representation) if blocks is None else blocks
    except ValueError:
        raise ValueError("representation must be rows of equal length, or the states of each block") from None
    if array.ndim == 1 and np.issubdtype(array.dtype, np.integer) and len(array) == num_states:
        return array.astype(np.int64)
    if array.ndim != 2 or len(array) != num_states or array.dtype.kind not in "iuf":
        raise ValueError(
            f"representation must be [{num_states}] integers or [{num_states}, Z] probabilities, "
            f"got {array.dtype} {list(array.shape)}"
        )
    for state, row in enumerate(array):
        if not (np.isfinite(row).all() and (row >= 0).all() and abs(row.sum() - 1) <= 1e-6):
            raise ValueError(f"representation[{state}] must be a distribution, got {row.tolist()}")
    return array / array.sum(axis=1, keepdims=True)


def aggregate(array: np.ndarray, representation: np.ndarray, axis: int) -> np.ndarray:
    """Replaces an axis of states by one of codes: sums over the states, weighted by p(z given s)."""
    if representation.ndim == 2:
        return np.moveaxis(np.tensordot(array, representation, axes=(axis, 0)), -1, axis)
    order = np.argsort(representation, kind="stable")
    starts = np.flatnonzero(np.diff(representation[order], prepend=representation[order[0]] - 1))
    return np.add.reduceat(np.take(array, order, axis), starts, axis)


def measure(
    mdp: FiniteMDP,
    representation: np.ndarray | Sequence[int],
    objectives: str | Sequence[str] = ("fwd", "state", "inv"),
    k: int = 1,
) -> dict[str, float]:
    """The objectives of one representation in nats, and "I(Z;S)"; see `check_representation` for its forms.

    Raises:
      ValueError: an objective is unknown, `k` is below 1 or the representation is malformed.
    """
    codes = check_representation(representation, mdp.num_states)
    wanted = {name: parse_objective(name, mdp, k) for name in name_objectives(objectives)}
    spread = 0.0 if codes.ndim == 1 else float(mdp.occupancy @ entropy_terms(codes).sum(axis=1))
    values = {"I(Z;S)": entropy(aggregate(mdp.occupancy, codes, 0)) - spread}
    found: dict[int, dict[str, np.ndarray]] = {}
    for steps in dict.fromkeys(steps for objective in wanted.values() for steps in objective.by_steps):
        joint = joint_distribution(mdp, steps)
        both_ends = aggregate(aggregate(joint.steps, codes, 0), codes, 2)
        found[steps] = components(both_ends, aggregate(joint.rewards, codes, 0))
    for name, objective in wanted.items():
        values[name] = float(sum(found[steps][component] for component, steps in objective.terms))
    return values


def _read_blocks(representation: Any, num_states: int) -> np.ndarray | None:
    """`[S]`, the block of each state, of lists of states; None where it is no list of lists of whole numbers.

    Rows of 0 and 1 that each sum to 1 are distributions: as blocks they would name a state twice.
    """
    if not isinstance(representation, _LISTS):
        return None
    if not all(isinstance(block, (*_LISTS, set, frozenset)) for block in representation):
        return None
    blocks = [list(block) for block in representation]
    states = [state for block in blocks for state in block]
    if not all(isinstance(state, int | np.integer) and not isinstance(state, bool) for state in states):
        return None
    if sorted(states) != list(range(num_states)):
        if len(blocks) == num_states and all(len(block) == len(blocks[0]) and sum(block) == 1 for block in blocks):
            return None
        raise ValueError(
            f"representation must have each of the states 0 to {num_states - 1} in one block, got {representation}"
        )
    labels = np.empty(num_states, np.int64)
    for number, block in enumerate(blocks):
        labels[block] = number
    return labels


def components(steps: np.ndarray, rewards: np.ndarray) -> dict[str, np.ndarray]:
    """All components of objectives, `[...]` each.

    Args:
      steps: `[..., Z, A, Z]`, p(z_t, a_t, z_{t+k}).
      rewards: `[..., Z, A, R]`, p(z_t, a_t, r_t).
    """
    code, later = _entropy(steps.sum(axis=(-2, -1)), 1), _entropy(steps.sum(axis=(-3, -2)), 1)
    code_action, pair, triple = _entropy(steps.sum(axis=-1), 2), _entropy(steps.sum(axis=-2), 2), _entropy(steps, 3)
    reward = _entropy(rewards.sum(axis=(-3, -2)), 1)
    return {
        "fwd": later + code_action - triple,
        "state": later + code - pair,
        "inv": code_action + pair - triple - code,
        "reward": reward + code - _entropy(rewards.sum(axis=-2), 2),
        "reward_action": reward + code_action - _entropy(rewards, 3),
        "latent": code_action - triple,
    }


def _entropy(p: np.ndarray, num_axes: int) -> np.ndarray:
    return entropy_terms(p).sum(axis=tuple(range(-num_axes, 0)))
