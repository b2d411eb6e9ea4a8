"""Bisimulation: the coarsest partition that is itself an MDP, to compare the objectives' maximisers with.

In the shape descriptions `S` denotes the states.
"""

from typing import NamedTuple

import numpy as np

from mi_repr.tabular.information.values import aggregate
from mi_repr.tabular.model.groups import group_rows
from mi_repr.tabular.model.mdp import FiniteMDP


def coarsest_bisimulation(mdp: FiniteMDP, tolerance: float = 1e-14) -> np.ndarray:
    """`[S]` int, the block of each state in the coarsest bisimulation (Givan, Dean and Greig, 2003).

    States share a block if every action pays the same expected reward in them and leads to the same distribution over
    blocks. Blocks are split until this holds. The behaviour policy plays no part, and Q* is equal within a block.

    Args:
      mdp: of up to thousands of states.
      tolerance: two rewards or probabilities are equal if they differ by at most this share of the larger one.
    """
    labels = group_rows(np.concatenate([mdp.expected_reward, mdp.choices], axis=1), tolerance)
    while True:
        to_blocks = aggregate(mdp.transition, labels, 2).reshape(mdp.num_states, -1)
        rows = np.stack([labels, group_rows(to_blocks, tolerance)], axis=1)
        finer = group_rows(rows.astype(np.float64))
        if finer.max() == labels.max():
            return labels
        labels = finer


def bisimulation_metric(mdp: FiniteMDP, tolerance: float = 1e-9) -> np.ndarray:
    """`[S, S]`, how far states are from behaving alike (Ferns, Panangaden and Precup, 2004), in discounted rewards.

        d(s, t) = max over a of |r(s, a) - r(t, a)| + discount W(p(. given s, a), p(. given t, a))

    W is the cost of the cheapest way to turn one distribution into the other, where d is the price of a way. Q* of two
    states with the same actions differs by at most d. With a discount above 0 their d is 0 exactly within a block of
    the coarsest bisimulation. States with different actions are as far apart as any could be, the span of rewards /
    (1 - discount).

    The ways are kept and priced, then each is replaced by the cheapest at these prices, until none is cheaper (Bacci et
    al., 2013).

    Args:
      mdp: of tens of states: each pair and action is a linear program, a few times over.
      tolerance: of the distances, as a share of the largest that there could be.
    """
    size, discount = mdp.num_states, mdp.discount
    pairs = np.stack(np.triu_indices(size, 1), axis=1)
    different = (mdp.choices[pairs[:, 0]] != mdp.choices[pairs[:, 1]]).any(axis=1)
    reward = np.where(mdp.choices, mdp.expected_reward, 0.0)
    gaps = np.abs(reward[pairs[:, 0]] - reward[pairs[:, 1]])  # [P, A]
    farthest = float(np.ptp(mdp.expected_reward[mdp.choices])) / (1 - discount)
    gaps[different] = farthest
    if farthest == 0:
        return np.zeros((size, size))
    gaps /= farthest  # a solver's tolerances are absolute
    plans = {
        (int(pair), int(action)): _first_plan(
            mdp.transition[pairs[pair, 0], action], mdp.transition[pairs[pair, 1], action]
        )
        for pair, action in np.argwhere(mdp.choices[pairs[:, 0]] & ~different[:, None])
    }
    prices = np.zeros((size, size))
    if not plans:  # no two states have the same actions
        return farthest * (1 - np.eye(size))
    while True:
        prices = _price(plans, gaps, pairs, discount, prices, tolerance * (1 - discount) / 4)
        cheaper = False
        for (pair, action), plan in plans.items():
            if not plan.is_only_one:
                one, other = mdp.transition[pairs[pair], action]
                found = _cheapest_plan(one, other, prices)
                if found.cost(prices) < plan.cost(prices) - tolerance / 4:
                    plans[pair, action], cheaper = found, True
        if not cheaper:
            return prices * farthest


class _Plan(NamedTuple):
    """A way to turn one distribution into another.

    source, target: `[W]` int, states.
    weight: `[W]`, how much goes from one to the other.
    is_only_one: whether there is no other, or none cheaper at any price.
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    is_only_one: bool

    def cost(self, prices: np.ndarray) -> float:
        """At `prices: [S, S]`."""
        return float(self.weight @ prices[self.source, self.target])


def _first_plan(one: np.ndarray, other: np.ndarray) -> _Plan:
    """Of two distributions `[S]`: what is alike stays, of the rest a share goes from everywhere to everywhere."""
    stays = np.minimum(one, other)
    kept, (left, right) = np.flatnonzero(stays), (one - stays, other - stays)
    source, target = np.flatnonzero(left), np.flatnonzero(right)
    if not source.size or not target.size:
        return _Plan(kept, kept, stays[kept], True)
    moved = np.outer(left[source], right[target]) / right.sum()
    rows, columns = np.repeat(source, len(target)), np.tile(target, len(source))
    is_only_one = min(np.count_nonzero(one), np.count_nonzero(other)) == 1
    return _Plan(
        np.concatenate([kept, rows]),
        np.concatenate([kept, columns]),
        np.concatenate([stays[kept], moved.ravel()]),
        is_only_one,
    )


def _cheapest_plan(one: np.ndarray, other: np.ndarray, prices: np.ndarray) -> _Plan:
    """Of two distributions `[S]`, by linear programming."""
    from scipy.optimize import linprog  # takes long to import

    source, target = np.flatnonzero(one), np.flatnonzero(other)
    shape = len(source), len(target)
    leaves = np.kron(np.eye(shape[0]), np.ones(shape[1]))
    arrives = np.kron(np.ones(shape[0]), np.eye(shape[1]))[:-1]  # the last one follows
    costs = prices[np.ix_(source, target)].ravel()
    solution = linprog(
        costs / max(costs.max(), np.finfo(float).tiny),
        A_eq=np.concatenate([leaves, arrives]),
        b_eq=np.concatenate([one[source], other[target][:-1]]),
    )
    if solution.x is None:
        raise RuntimeError(f"no plan was found: {solution.message}")
    return _Plan(np.repeat(source, shape[1]), np.tile(target, shape[0]), solution.x, False)


def _price(
    plans: dict[tuple[int, int], _Plan],
    gaps: np.ndarray,
    pairs: np.ndarray,
    discount: float,
    prices: np.ndarray,
    change: float,
) -> np.ndarray:
    """`[S, S]`, the distances if every pair `[P, 2]` and action keeps its plan, from `prices` on to a last `change`."""
    number = np.full(prices.shape, len(pairs))  # of a pair; the last stands for a state and itself
    number[tuple(pairs.T)] = number[tuple(pairs.T[::-1])] = np.arange(len(pairs))
    num_actions = gaps.shape[1]
    place = np.concatenate([np.full(len(plan.weight), pair * num_actions + a) for (pair, a), plan in plans.items()])
    weight = np.concatenate([plan.weight for plan in plans.values()])
    along = np.concatenate([number[plan.source, plan.target] for plan in plans.values()])
    distance = np.append(prices[tuple(pairs.T)], 0.0)
    while True:
        carried = np.bincount(place, weight * distance[along], gaps.size).reshape(gaps.shape)
        new = np.append((gaps + discount * carried).max(axis=1), 0.0)
        if np.abs(new - distance).max() <= change:
            return new[number]
        distance = new
