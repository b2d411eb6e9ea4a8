"""How much is lost by a representation that does not quite reach the maximum.

Deep learning never does, and what counts from a MDP that was estimated never should. A representation within epsilon of
the maximum of a monotone objective aliases only states whose merging alone loses epsilon or less: aliasing more cannot
lose less (`mi_repr.tabular.search.merges`). So the largest difference of Q* among such pairs is the largest in any
partition within epsilon, and some partition has it: the one that merges this pair.

What that costs: let Q* of aliased states differ by at most g. A policy of the block that maximises the middle of their
Q* is greedy for values that are off by at most g / 2, so it earns at most g / (1 - discount) less than an optimal one,
from every state (Singh and Yee, 1994).

For J_fwd at k = 1 and rewards on arrival there is a bound for every representation, stochastic ones too, that no rare
state spoils. What is lost, at most epsilon, is at least the mean of KL(p(s' given s, a) || p(s' given z, a)). By the
inequalities of Pinsker and Jensen the mean of |Q*(s, a) - Q(z, a)| over the data is then at most
span(r + discount V*) sqrt(epsilon / 2), where Q(z, a) is the mean of Q* given z and a.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import dataclasses

import numpy as np

from mi_repr.tabular.control.solve import optimal_q
from mi_repr.tabular.information.conditions import shown_states
from mi_repr.tabular.information.margins import pair_losses
from mi_repr.tabular.information.objectives import parse_objective
from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.search.merges import mergeable_pairs, monotone_parts


@dataclasses.dataclass(frozen=True)
class Within:
    """What partitions within epsilon of the maximum can lose.

    objective: its name.
    epsilon: in nats.
    q_gap: the largest difference of Q* of two aliased states, in rewards; some partition has it.
    states: these two states; None where no two can be aliased.
    return_loss: a policy of the blocks earns at most so much less than an optimal one, discounted, from every state.
    mean_q_error: the mean error of Q* over the data is at most this for every representation, stochastic ones too; None
      for other objectives than J_fwd of one step, and other rewards than on arrival.
    distance: the largest bisimulation distance of two aliased states, if the metric was given.
    """

    objective: str
    epsilon: float
    q_gap: float
    states: tuple[int, int] | None
    return_loss: float
    mean_q_error: float | None
    distance: float | None


def loss_within(
    mdp: FiniteMDP, objective: str, epsilon: float, *, k: int = 1, metric: np.ndarray | None = None
) -> Within:
    """What a representation can lose that is within `epsilon` nats of the maximum of an objective.

    States that the data do not show are not judged, see `shown_states`.

    Args:
      mdp: of up to a hundred states or so.
      objective: its name; monotone, see `analyse_pairs`.
      epsilon: in nats, at least 0.
      k: steps from Z_t to Z_{t+k}.
      metric: `[S, S]`, from `bisimulation_metric`, to look at beside.

    Raises:
      ValueError: `epsilon` is negative or no number, or the objective is unknown or not monotone.
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float | np.number) or not epsilon >= 0:
        raise ValueError(f"epsilon must be a number of nats, at least 0, got {epsilon!r}")
    parts, q = monotone_parts(mdp, objective, k), optimal_q(mdp)
    shown = shown_states(mdp)
    pairs = np.argwhere(np.triu(shown[:, None] & shown, 1))
    first, second = pairs.T
    aliased = mergeable_pairs(parts)[first, second] | (pair_losses(parts, pairs) <= epsilon)
    pairs = pairs[aliased]
    terms = parse_objective(objective, mdp, k).terms
    bounded = terms == (("fwd", 1),) and mdp.reward_convention == "arrival"
    mean_q_error = None
    if bounded:
        after = mdp.reward + mdp.discount * q.max(axis=1)
        mean_q_error = float(np.ptp(after) * min(np.sqrt(epsilon / 2), 1.0))
    if not len(pairs):
        return Within(objective, float(epsilon), 0.0, None, 0.0, mean_q_error, None if metric is None else 0.0)
    one, other = q[pairs[:, 0]], q[pairs[:, 1]]
    lacked = np.isneginf(one) != np.isneginf(other)  # an action of one of them only
    gaps = np.where(lacked, np.inf, np.abs(np.where(np.isneginf(one), 0, one) - np.where(np.isneginf(other), 0, other)))
    gap = gaps.max(axis=1)
    worst = gap.argmax()
    return Within(
        objective,
        float(epsilon),
        float(gap[worst]),
        (int(pairs[worst, 0]), int(pairs[worst, 1])),
        float(gap[worst] / (1 - mdp.discount)),
        mean_q_error,
        None if metric is None else float(np.asarray(metric)[tuple(pairs.T)].max()),
    )
