"""How much an insufficient representation costs: the best policy that it can express beside the optimum.

In the shape descriptions `S` denotes the states, `A` the actions and `M` the blocks of a partition.
"""

import heapq
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mi_repr.tabular.control.solve import TOLERANCE, optimal_actions, optimal_q
from mi_repr.tabular.information.values import aggregate, check_representation
from mi_repr.tabular.model.inputs import read_start
from mi_repr.tabular.model.mdp import FiniteMDP


class Loss(NamedTuple):
    """The discounted return from the start distribution, of policies that see only the block of the state.

    optimum: of an optimal policy that sees the state.
    best: of the best deterministic memoryless policy found that sees the block.
    bound: no deterministic memoryless policy that sees the block has more; equal to `best` if `exact`. Both are -inf
      where no action is one of all states of a block.
    exact: whether the search ended. If not, the truth lies between `best` and `bound`.
    policy: `[M]` int, the actions of the policy found, by block. Blocks are ordered by their label.
    """

    optimum: float
    best: float
    bound: float
    exact: bool
    policy: np.ndarray

    @property
    def loss(self) -> float:
        """What the representation costs a deterministic memoryless policy; at most that if not `exact`."""
        return self.optimum - self.best


def loss_of_optimality(
    mdp: FiniteMDP,
    labels: np.ndarray | Sequence[int],
    *,
    start: np.ndarray | None = None,
    max_nodes: int = 1000,
) -> Loss:
    """Finds the best deterministic memoryless policy of a partition by branch and bound.

    A node fixes the actions of some blocks and lets the other states choose freely, which is an MDP whose optimum
    bounds every policy below the node. Where its optimal policy agrees within all blocks, that bound is reached.
    Stochastic memoryless policies can do better (Singh, Jaakkola and Jordan, 1994), see `stochastic_lower_bound`.

    Args:
      mdp: the problem.
      labels: `[S]` int, the partition.
      start: `[S]`, the distribution of the first state, by default that of the data.
      max_nodes: nodes expanded before giving up on exactness.

    Raises:
      ValueError: the partition or `start` is malformed, or `max_nodes` is below 1.
    """
    if max_nodes < 1:
        raise ValueError(f"max_nodes must be at least 1, got {max_nodes}")
    blocks, start = _check(mdp, labels, start)
    num_blocks = int(blocks.max()) + 1
    values = optimal_q(mdp).max(axis=1)
    optimum = bound = float(start @ values)
    everywhere = _block_choices(mdp, blocks)
    if not everywhere.any(axis=1).all():  # no action is one of all states of some block
        return Loss(optimum, -np.inf, -np.inf, True, np.zeros(num_blocks, int))
    best, policy = -np.inf, np.zeros(num_blocks, int)
    order = itertools.count()  # breaks ties between equal bounds
    queue = [(-optimum, next(order), everywhere)]
    slack = TOLERANCE * float(np.abs(values).max())
    for _ in range(max_nodes):
        if not queue or -queue[0][0] <= best + slack:
            return Loss(optimum, best, best, True, policy)
        bound, allowed = -queue[0][0], heapq.heappop(queue)[2]
        shared, costs = _shared_actions(mdp, allowed, blocks, start)
        if shared.any(axis=1).all():  # the largest bound of all is reached
            return Loss(optimum, bound, bound, True, shared.argmax(axis=1))
        if best == -np.inf:
            best, policy = _improve_blocks(mdp, blocks, start, costs.argmin(axis=1))
        split = np.where(shared.any(axis=1), -1.0, costs.min(axis=1)).argmax()
        for action in np.flatnonzero(allowed[split]):
            child = allowed.copy()
            child[split] = np.arange(mdp.num_actions) == action
            value = np.where(child[blocks], optimal_q(mdp, child[blocks]), -np.inf).max(axis=1)
            if (child_bound := float(start @ value)) > best + slack:
                heapq.heappush(queue, (-child_bound, next(order), child))
    bound = max(best, -queue[0][0] if queue else best)
    return Loss(optimum, best, bound, bound <= best + slack, policy)


def stochastic_lower_bound(
    mdp: FiniteMDP,
    labels: np.ndarray | Sequence[int],
    *,
    start: np.ndarray | None = None,
    num_restarts: int = 8,
    num_steps: int = 300,
    seed: int = 0,
) -> tuple[float, np.ndarray]:
    """The return of a good stochastic memoryless policy, and that policy `[M, A]`: a local search, so a lower bound.

    Natural policy gradient on a softmax policy by block, with step sizes that are halved until the return rises, from
    random policies. No guarantee that it is the best.

    Args:
      mdp: the problem.
      labels: `[S]` int, the partition.
      start: `[S]`, the distribution of the first state, by default that of the data.
      num_restarts: random policies to start from.
      num_steps: of each.
      seed: of the random policies.

    Raises:
      ValueError: the partition or `start` is malformed.
    """
    blocks, start = _check(mdp, labels, start)
    rng = np.random.default_rng(seed)
    best, best_policy = -np.inf, np.zeros(0)
    everywhere = _block_choices(mdp, blocks)
    if not everywhere.any(axis=1).all():
        raise ValueError("no action is one of all states of some block, so no policy sees the block only")
    for _ in range(num_restarts):
        policy = rng.dirichlet(np.ones(mdp.num_actions), size=len(everywhere)) * everywhere
        policy /= policy.sum(axis=1, keepdims=True)
        value = float(start @ policy_value(mdp, policy[blocks]))
        step = 1.0
        for _ in range(num_steps):
            proposal = _ascend(mdp, policy, blocks, start, step)
            proposed = float(start @ policy_value(mdp, proposal[blocks]))
            if proposed > value:
                policy, value, step = proposal, proposed, 2 * step
            else:
                step /= 2
        if value > best:
            best, best_policy = value, policy
    return best, best_policy


def policy_value(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """`[S]`, the discounted return of `policy: [S, A]` from every state."""
    chain = np.einsum("sa,sat->st", policy, mdp.transition)
    reward = (policy * mdp.expected_reward).sum(axis=1)
    return np.linalg.solve(np.eye(mdp.num_states) - mdp.discount * chain, reward)


def _ascend(mdp: FiniteMDP, policy: np.ndarray, blocks: np.ndarray, start: np.ndarray, step: float) -> np.ndarray:
    """The policy by block after one step along the mean advantage of each block under its own visits."""
    chain = np.einsum("sa,sat->st", policy[blocks], mdp.transition)
    visits = np.linalg.solve(np.eye(mdp.num_states) - mdp.discount * chain.T, start)
    q = mdp.expected_reward + mdp.discount * mdp.transition @ policy_value(mdp, policy[blocks])
    mass = aggregate(visits, blocks, 0)
    mean_q = aggregate(visits[:, None] * q, blocks, 0) / np.maximum(mass, 1e-12)[:, None]
    logits = np.log(np.maximum(policy, 1e-300)) + step * (mean_q - mean_q.max(axis=1, keepdims=True))
    logits = np.where(_block_choices(mdp, blocks), logits, -np.inf)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _shared_actions(
    mdp: FiniteMDP, allowed: np.ndarray, blocks: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which allowed actions are optimal in all states of a block, `[M, A]` bool, and what agreeing on each costs.

    The cost counts one step, weighted by the visits of the policy that chooses freely: a guide to what to fix next.
    """
    q = np.where(allowed[blocks], optimal_q(mdp, allowed[blocks]), -np.inf)
    regret = q.max(axis=1, keepdims=True) - q
    optimal = optimal_actions(q)
    chain = mdp.transition[np.arange(mdp.num_states), q.argmax(axis=1)]
    visits = np.linalg.solve(np.eye(mdp.num_states) - mdp.discount * chain.T, start)
    count = aggregate(optimal.astype(np.float64), blocks, 0)
    shared = count == np.bincount(blocks)[:, None]
    return shared, aggregate(np.maximum(visits, 1e-12)[:, None] * regret, blocks, 0)


def _improve_blocks(
    mdp: FiniteMDP, blocks: np.ndarray, start: np.ndarray, policy: np.ndarray
) -> tuple[float, np.ndarray]:
    """A policy by block `[M]` that no change of one shared block improves, and its return."""
    shared = np.flatnonzero(np.bincount(blocks) > 1)
    one_hot, everywhere = np.eye(mdp.num_actions, dtype=bool), _block_choices(mdp, blocks)

    def evaluate(actions: np.ndarray) -> tuple[float, np.ndarray]:
        allowed = everywhere.copy()
        allowed[shared] = one_hot[actions]
        q = np.where(allowed[blocks], optimal_q(mdp, allowed[blocks]), -np.inf)
        chosen = np.zeros(len(policy), int)
        chosen[blocks] = q.argmax(axis=1)
        return float(start @ q.max(axis=1)), chosen

    actions = policy[shared]
    (best, policy), improved = evaluate(actions), True
    while improved:
        improved = False
        for place, action in np.argwhere(everywhere[shared]):
            proposal = actions.copy()
            proposal[place] = action
            value, chosen = evaluate(proposal)
            if value > best + TOLERANCE * abs(value):
                best, policy, actions, improved = value, chosen, proposal, True
    return best, policy


def _block_choices(mdp: FiniteMDP, blocks: np.ndarray) -> np.ndarray:
    """`[M, A]` bool, the actions that all states of a block have."""
    return aggregate(mdp.choices.astype(np.float64), blocks, 0) == np.bincount(blocks)[:, None]


def _check(
    mdp: FiniteMDP, labels: np.ndarray | Sequence[int], start: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    array = check_representation(labels, mdp.num_states)
    if array.ndim != 1:
        raise ValueError("the loss of optimality is defined for partitions, got a stochastic representation")
    distribution = mdp.occupancy if start is None else read_start(start, mdp.num_states)
    return np.unique(array, return_inverse=True)[1], distribution
