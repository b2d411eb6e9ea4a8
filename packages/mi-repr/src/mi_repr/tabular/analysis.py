"""The exact analysis: every partition of the states, every objective, and a verdict for each.

In the shape descriptions `S` denotes the states, `A` the actions and `N` the partitions.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mi_repr.tabular.conditions import Violation, check_conditions, has_state_independent_policy
from mi_repr.tabular.information import joint_distribution, name_objectives, parse_objective
from mi_repr.tabular.mdp import FiniteMDP
from mi_repr.tabular.partitions import all_partitions, evaluate_partitions
from mi_repr.tabular.solve import optimal_q
from mi_repr.tabular.tables import NOT_PI_STRICT, NOT_PI_WEAK, NOT_Q, lossy_bits, make_tables
from mi_repr.tabular.verdict import NOTIONS, Notion, Verdict, make_counterexample

DEFAULT_MAX_STATES, MOST_STATES = 11, 12
_ROUNDING = 1e-12
_FLAWS: dict[Notion, int] = {"q": NOT_Q, "pi_strict": NOT_PI_STRICT, "pi_weak": NOT_PI_WEAK}


@dataclasses.dataclass(frozen=True, eq=False)
class Analysis:
    """All partitions of an MDP's states, from the fewest blocks to the most; the last one is the identity.

    mdp: what was analysed.
    k: steps from Z_t to Z_{t+k}.
    labels: `[N, S]` uint8, the block of each state.
    information: `[N]`, I(Z;S) in nats.
    values: `[N]` in nats, by the name of the objective.
    maximal: `[N]` bool by objective, whether the partition maximises it.
    sufficient: `[N]` bool by notion: "q", "pi_strict", "pi_weak", explained in `Verdict`.
    q: `[S, A]`, Q*.
    verdicts: by objective.
    violations: the conditions of the theory that do not hold.
    """

    mdp: FiniteMDP
    k: int
    labels: np.ndarray
    information: np.ndarray
    values: dict[str, np.ndarray]
    maximal: dict[str, np.ndarray]
    sufficient: dict[Notion, np.ndarray]
    q: np.ndarray
    verdicts: dict[str, Verdict]
    violations: tuple[Violation, ...]

    def row(self, labels: Sequence[int] | np.ndarray) -> int:
        """The row of a partition, whatever its blocks are called.

        Raises:
          ValueError: it is not a partition of the states.
        """
        names = np.asarray(labels)
        if names.shape != (self.mdp.num_states,):
            raise ValueError(f"labels must be of shape [{self.mdp.num_states}], got {list(names.shape)}")
        _, first, block = np.unique(names, return_index=True, return_inverse=True)
        canonical = np.argsort(np.argsort(first))[block]
        return int(np.flatnonzero((self.labels == canonical).all(axis=1))[0])


def analyse(
    mdp: FiniteMDP,
    objectives: str | Sequence[str] = ("fwd", "state", "inv"),
    *,
    k: int = 1,
    max_states: int = DEFAULT_MAX_STATES,
    tolerance: float | None = None,
) -> Analysis:
    """Evaluates the objectives of `mi_repr.tabular.information` on every partition, as in the thesis's figures 2 and 3.

    Args:
      mdp: of at most `max_states` states.
      objectives: names, also sums such as "inv+reward".
      k: steps from Z_t to Z_{t+k}.
      max_states: at most 12, where there are 4.2 million partitions.
      tolerance: None for what loses nothing, decided as in `mi_repr.tabular.lossless`, for J_inv under a policy that
        depends on the state by values equal up to rounding; else values so close to the largest, in nats, are maximal.

    Raises:
      ValueError: there are too many states, an objective is unknown, `k` is below 1, or the state distribution is not
        defined.
    """
    check_num_states(mdp.num_states, max_states)
    objectives = name_objectives(objectives)
    joint, q = joint_distribution(mdp, k, with_residues=True), optimal_q(mdp)
    labels = all_partitions(mdp.num_states)
    values, flaws, lossy = evaluate_partitions(make_tables(mdp, joint, q, objectives), labels)
    by_objective = dict(zip(objectives, values.T[1:], strict=True))
    may_gain = not has_state_independent_policy(mdp)
    maximal = {}
    for name, column in by_objective.items():
        terms = parse_objective(name, mdp)
        if tolerance is None and not (may_gain and "inv" in terms):
            maximal[name] = lossy & lossy_bits(terms) == 0
        else:
            slack = _ROUNDING * abs(column.max()) if tolerance is None else tolerance
            maximal[name] = column >= column.max() - slack
    sufficient = {notion: flaws & flaw == 0 for notion, flaw in _FLAWS.items()}
    verdicts = {
        name: _judge(name, column.max(), maximal[name], sufficient, labels, q, mdp)
        for name, column in by_objective.items()
    }
    violations = check_conditions(mdp, k)
    return Analysis(mdp, k, labels, values[:, 0], by_objective, maximal, sufficient, q, verdicts, violations)


def judge_all_k(analyses: Sequence[Analysis]) -> dict[str, Verdict]:
    """Verdicts on the representations that maximise an objective at every k of some analyses of one MDP.

    `maximum` is the sum of the maxima. Where the policy depends on the state there may be no such representation: then
    `num_maximisers` is 0, and nothing is said to be sufficient.

    Raises:
      ValueError: there is no analysis, or they are of different MDPs or objectives.
    """
    if not analyses:
        raise ValueError("judge_all_k needs one analysis at least")
    first = analyses[0]
    if any(other.mdp is not first.mdp or other.values.keys() != first.values.keys() for other in analyses):
        raise ValueError("the analyses must be of the same MDP and objectives")
    return {
        name: _judge(
            name,
            sum(each.verdicts[name].maximum for each in analyses),
            np.logical_and.reduce([analysis.maximal[name] for analysis in analyses]),
            first.sufficient,
            first.labels,
            first.q,
            first.mdp,
        )
        for name in first.values
    }


def check_num_states(num_states: int, max_states: int) -> None:
    """Refuses what cannot be enumerated.

    Raises:
      ValueError: `num_states` is above `max_states`, or `max_states` above 12.
    """
    if max_states > MOST_STATES:
        raise ValueError(f"max_states must be at most {MOST_STATES}, got {max_states}")
    if num_states > max_states:
        more = f", or max_states={MOST_STATES}" if num_states <= MOST_STATES else ""
        raise ValueError(
            f"{num_states} states have too many partitions to try all (max_states={max_states}); use analyse_pairs, "
            f"or coarsest_maximiser for fwd and state{more}"
        )


def _judge(
    name: str,
    maximum: float,
    maximal: np.ndarray,
    sufficient: dict[Notion, np.ndarray],
    labels: np.ndarray,
    q: np.ndarray,
    mdp: FiniteMDP,
) -> Verdict:
    some = bool(maximal.any())
    holds = {notion: some and bool(sufficient[notion][maximal].all()) for notion in sufficient}
    counterexample = None
    weakest = next((notion for notion in reversed(NOTIONS) if some and not holds[notion]), None)
    if weakest is not None:
        failing = labels[maximal & ~sufficient[weakest]]
        finest = failing[failing.max(axis=1).argmax()]
        counterexample = make_counterexample(finest, weakest, q, mdp.actions)
    return Verdict(name, float(maximum), int(maximal.sum()), **holds, counterexample=counterexample)
