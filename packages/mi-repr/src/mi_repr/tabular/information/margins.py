"""How far the next representation lies below the maximum, in nats.

What a representation loses is a sum of divergences, each of some conditional distributions from their mean. Every term
of these sums is positive and is computed from the difference of two probabilities, not of two logarithms. So losses as
small as 1e-28 nats have several true digits, where a difference of two informations would be noise from 1e-16 on.

In the shape descriptions `S` denotes the states, `A` the actions, `Z` the blocks of a partition, `P` pairs of states,
`W` the distributions that are mixed and `D` what they are over.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from mi_repr.tabular.information.values import Joint, aggregate

Part = tuple[Joint, tuple[str, ...]]
"""The data of some number of steps, and the components of an objective that look at them."""

_SERIES = 12
_AT_ONCE = 4_000_000
"""Numbers held at a time."""
_MOST_NUMBERS = 100_000_000
"""Beyond, the nearest pair is not looked for: it would take ten seconds and more."""


def divergence(rows: np.ndarray) -> np.ndarray:
    """`[...]` in nats: what is lost by mixing `rows: [..., W, D]` of joint probabilities.

    The sum over w of p(w) KL(p(d given w) || p(d)), times the whole probability of the rows.
    """
    mixed, alone = rows.sum(axis=-2, keepdims=True), rows.sum(axis=-1, keepdims=True)
    whole = mixed.sum(axis=-1, keepdims=True)
    share = np.divide(mixed, whole, out=np.zeros_like(mixed), where=whole > 0)
    given = np.divide(rows, alone, out=np.zeros_like(rows), where=alone > 0)
    cost = np.ones_like(rows)  # of a probability of 0
    some = rows > 0
    mean = np.broadcast_to(share, rows.shape)[some]
    cost[some] = _excess_cost((given[some] - mean) / mean)
    return np.sum(alone * share * cost, axis=(-2, -1))


def _excess_cost(x: np.ndarray) -> np.ndarray:
    """(1 + x) log(1 + x) - x, at least 0, to nearly full relative accuracy."""
    small = np.abs(x) < 0.05
    inner, outer = np.where(small, x, 0.0), np.where(small, 1.0, x)
    series = np.zeros_like(x)
    for n in range(_SERIES + 1, 1, -1):  # the sum over n of (-x)^n / (n (n - 1))
        series = 1 / (n * (n - 1)) - inner * series
    ratio = 1 + np.maximum(outer, -1.0)
    return np.where(small, inner**2 * series, ratio * np.log(np.where(ratio > 0, ratio, 1.0)) - outer)


def loss_of(parts: Sequence[Part], labels: np.ndarray) -> float:
    """In nats, what a partition `labels: [S]` loses; J_inv where the policy is the same in all states."""
    labels = np.asarray(labels, np.int64)
    blocks = [np.flatnonzero(labels == block) for block in np.unique(labels)]
    lost = 0.0
    for joint, components in parts:
        for component in components:
            lost += sum(float(divergence(rows).sum()) for rows in _mixtures(joint, component, labels, blocks))
    return lost


def _mixtures(joint: Joint, component: str, labels: np.ndarray, blocks: list[np.ndarray]) -> Iterator[np.ndarray]:
    """`[..., W, D]`, the joint probabilities that a partition mixes, one mixture after another."""
    steps, rewards = joint.steps, joint.rewards
    if component == "inv":
        for one in blocks:
            for other in blocks:
                yield np.moveaxis(steps[np.ix_(one, np.arange(steps.shape[1]), other)], 1, 2).reshape(
                    -1, steps.shape[1]
                )
        return
    if component in ("state", "reward"):
        steps, rewards = steps.sum(axis=1, keepdims=True), rewards.sum(axis=1, keepdims=True)
    shared = [block for block in blocks if len(block) > 1]
    if component in ("reward", "reward_action"):
        yield from (rewards[block].swapaxes(0, 1) for block in shared)
        return
    yield from (steps[block].swapaxes(0, 1) for block in shared)
    onward = aggregate(steps, labels, 0)
    yield from (onward[:, :, block].reshape(-1, len(block)).T for block in shared)


def pairs_tell(parts: Sequence[Part], free: np.ndarray) -> bool:
    """Whether two states that lose something are in every partition that does, given the pairs that lose nothing.

    Where actions are read from cells, three states can be in conflict that in twos are not.
    """
    return not np.triu(free, 1).any() or not any("inv" in components for _, components in parts)


def nearest_pair(parts: Sequence[Part], lossy: np.ndarray) -> float | None:
    """In nats, the least that merging two states of `lossy: [S, S]` bool loses; None where that takes too long.

    None where no pair is lossy, too.
    """
    pairs = np.argwhere(np.triu(lossy | lossy.T, 1))
    if not len(pairs):
        return None
    _, num_actions, num_states = parts[0][0].steps.shape
    floor = np.zeros(len(pairs))
    for joint, components in parts:
        floor += _floors(joint, components)[pairs[:, 0], pairs[:, 1]]
    order = np.argsort(floor, kind="stable")
    pairs, floor = pairs[order], floor[order]
    most, best, numbers = max(1, _AT_ONCE // (4 * num_actions * num_states)), np.inf, 0
    start, size = 0, 16
    while start < len(pairs) and floor[start] < best:
        chunk = pairs[start : start + size]
        numbers += 4 * num_actions * num_states * len(chunk) * sum(len(components) for _, components in parts)
        if numbers > _MOST_NUMBERS:
            return None
        best = min(best, float(np.min(pair_losses(parts, chunk))))
        start, size = start + size, min(2 * size, most)
    return best


def pair_losses(parts: Sequence[Part], pairs: np.ndarray) -> np.ndarray:
    """`[P]` in nats, what merging each of `pairs: [P, 2]` alone loses."""
    _, num_actions, num_states = parts[0][0].steps.shape
    size, losses = max(1, _AT_ONCE // (4 * num_actions * num_states)), np.zeros(len(pairs))
    for start in range(0, len(pairs), size):
        chunk = slice(start, start + size)
        for joint, components in parts:
            for component in components:
                losses[chunk] += _pair_losses(joint, component, pairs[chunk])
    return losses


def _pair_losses(joint: Joint, component: str, pairs: np.ndarray) -> np.ndarray:
    steps, rewards = joint.steps, joint.rewards
    first, second = pairs.T
    if component == "inv":
        by_cell = np.moveaxis(steps, 1, 2)  # [S, S, A]
        rows, columns = by_cell[pairs].swapaxes(1, 2), np.moveaxis(by_cell[:, pairs], 0, 1)  # [P, S, 2, A]
        corners = by_cell[pairs[:, :, None], pairs[:, None, :]].reshape(len(pairs), 1, 4, -1)
        third = np.ones((len(pairs), len(steps)), bool)
        third[np.arange(len(pairs)), first] = third[np.arange(len(pairs)), second] = False
        return np.sum(third * (divergence(rows) + divergence(columns)), axis=1) + divergence(corners)[:, 0]
    if component in ("state", "reward"):
        steps, rewards = steps.sum(axis=1, keepdims=True), rewards.sum(axis=1, keepdims=True)
    if component in ("reward", "reward_action"):
        return divergence(rewards[pairs].swapaxes(1, 2)).sum(axis=1)
    forward = divergence(steps[pairs].swapaxes(1, 2)).sum(axis=1)
    columns = np.moveaxis(steps[:, :, pairs], 2, 0)  # [P, S, A, 2]
    each = np.arange(len(pairs))
    columns[each, first] += columns[each, second]
    columns[each, second] = 0
    return forward + divergence(np.moveaxis(columns.reshape(len(pairs), -1, 2), 2, 1))


def _floors(joint: Joint, components: Sequence[str]) -> np.ndarray:
    """`[S, S]`, no more than merging two states loses.

    Of two distributions of weights v and w the divergence is at least 2 log 2 min(v, w) times their squared Hellinger
    distance, 1 - the sum of sqrt(p q).
    """
    floor = np.zeros((len(joint.steps),) * 2)
    for component in components:
        if component not in ("fwd", "state"):
            continue
        steps = joint.steps if component == "fwd" else joint.steps.sum(axis=1, keepdims=True)
        for rows in np.moveaxis(steps, 1, 0):
            weight = rows.sum(axis=1)
            root = np.sqrt(np.divide(rows, weight[:, None], out=np.zeros_like(rows), where=weight[:, None] > 0))
            floor += 2 * np.log(2) * np.minimum(weight[:, None], weight) * np.maximum(1 - 1e-9 - root @ root.T, 0)
    return floor
