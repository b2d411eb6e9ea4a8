"""The exact analysis: every partition of the states, every objective, and a verdict for each.

In the shape descriptions `S` denotes the states, `A` the actions and `N` the partitions.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mi_repr.tabular.control.solve import Compared, compare_values, optimal_q
from mi_repr.tabular.control.verdict import NOTIONS, Notion, Verdict, group_dynamics, make_counterexample
from mi_repr.tabular.information.conditions import (
    Violation,
    check_conditions,
    explain_unshown,
    shown_states,
)
from mi_repr.tabular.information.margins import Part, loss_of, nearest_pair, pairs_tell
from mi_repr.tabular.information.objectives import (
    Objective,
    has_state_independent_policy,
    name_objectives,
    parse_objective,
)
from mi_repr.tabular.information.values import Joint, check_representation, entropy, joint_distribution
from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.search.merges import check_tolerance, explain_faded, mergeable_pairs
from mi_repr.tabular.search.partitions import all_partitions, evaluate_partitions
from mi_repr.tabular.search.tables import (
    NOT_EVERY_REWARD,
    NOT_PI_STRICT,
    NOT_PI_WEAK,
    NOT_Q,
    find_flaws,
    lossy_bits,
    make_tables,
)

DEFAULT_MAX_STATES, MOST_STATES = 11, 12
_ROUNDING = 1e-12
_FLAWS: dict[Notion, int] = {"q": NOT_Q, "pi_strict": NOT_PI_STRICT, "pi_weak": NOT_PI_WEAK}
_TOO_CLOSE = 100
"""Times of what rounding can change, that values must differ by to be told apart."""
_CLOSE = "values of all representations are equal up to rounding, or nearly"
_NEAREST = 16
"""Representations whose losses are computed to full accuracy, to find the margin."""


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
    every_reward: `[N]` bool, whether the partition is sufficient for Q* whatever the reward of the next state.
    q: `[S, A]`, Q*.
    verdicts: by objective.
    violations: the conditions of the theory that do not hold.
    judged: `[N]` uint8, which notions a partition violates among the states that the data show, see `find_flaws`.
    compared: which optimal values are equal.
    """

    mdp: FiniteMDP
    k: int
    labels: np.ndarray
    information: np.ndarray
    values: dict[str, np.ndarray]
    maximal: dict[str, np.ndarray]
    sufficient: dict[Notion, np.ndarray]
    every_reward: np.ndarray
    q: np.ndarray
    verdicts: dict[str, Verdict]
    violations: tuple[Violation, ...]
    judged: np.ndarray
    compared: Compared

    def row(self, labels: Sequence[int] | np.ndarray) -> int:
        """The row of a partition, whatever its blocks are called.

        Raises:
          ValueError: it is not a partition of the states.
        """
        names = check_representation(labels, self.mdp.num_states)
        if names.ndim != 1:
            raise ValueError("labels must be a partition, got a stochastic representation")
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
    """Evaluates objectives on every partition, as in the thesis's figures 2 and 3.

    Args:
      mdp: of at most `max_states` states.
      objectives: names, also sums such as "inv+reward".
      k: steps from Z_t to Z_{t+k}.
      max_states: at most 12, where there are 4.2 million partitions.
      tolerance: None for what loses nothing, decided as in `mi_repr.tabular.information.lossless`; for J_inv under a
        policy that depends on the state, and with a latent term that no partition has in full, by values equal up to
        rounding. Else values so close to the largest, in nats, are maximal.

    Raises:
      ValueError: there are too many states, an objective is unknown, `k` is below 1, or the state distribution is not
        defined.
    """
    check_num_states(mdp.num_states, max_states)
    check_tolerance(tolerance)
    wanted = [parse_objective(name, mdp, k) for name in name_objectives(objectives)]
    compared, labels, shown = compare_values(mdp), all_partitions(mdp.num_states), shown_states(mdp)
    dynamics = group_dynamics(mdp)
    flaws = find_flaws(compared, dynamics, np.ones(mdp.num_states, bool))
    components: dict[int, list[str]] = {}
    for objective in wanted:
        for component, steps in objective.terms:
            if component not in components.setdefault(steps, []):
                components[steps].append(component)
    joints = {steps: joint_distribution(mdp, steps, with_residues=True) for steps in components}
    found = {
        steps: evaluate_partitions(make_tables(joints[steps], of_steps, flaws), labels)
        for steps, of_steps in components.items()
    }
    first = next(iter(found))
    judged = found[first].flaws
    if not shown.all():
        masked = make_tables(joints[first], components[first], find_flaws(compared, dynamics, shown))
        judged = evaluate_partitions(masked, labels).flaws
    values, maximal, close = {}, {}, set()
    for objective in wanted:
        column = np.zeros(len(labels))
        lossless = np.ones(len(labels), bool)
        for component, steps in objective.terms:
            column += found[steps].values[:, 1 + components[steps].index(component)]
            lossless &= found[steps].lossy & lossy_bits([component]) == 0
        values[objective.name] = column
        # J_inv can be larger than for the states themselves under such a policy; else no term is larger than lossless.
        bounded = not objective.has("inv") or has_state_independent_policy(mdp)
        by_structure = tolerance is None and bounded and bool(lossless.any())
        slack = _rounding_of(joints[first], column) if tolerance is None else tolerance
        maximal[objective.name] = lossless if by_structure else column >= column.max() - slack
        if tolerance is None and not by_structure and np.ptp(column) <= _TOO_CLOSE * slack:
            close.add(objective.name)
    analysis = Analysis(
        mdp,
        k,
        labels,
        found[first].values[:, 0],
        values,
        maximal,
        {notion: found[first].flaws & flaw == 0 for notion, flaw in _FLAWS.items()},
        found[first].flaws & NOT_EVERY_REWARD == 0,
        optimal_q(mdp),
        {},
        check_conditions(mdp, k),
        judged,
        compared,
    )
    for objective in wanted:
        parts = [(joints[steps], of_steps) for steps, of_steps in objective.by_steps.items()]
        exact = tolerance is None and objective.gains(mdp) is None
        faded = explain_faded(mdp, objective, parts) if exact else _CLOSE if objective.name in close else None
        margin = _find_margin(analysis, objective, parts, exact=exact)
        maximum = float(values[objective.name].max())
        analysis.verdicts[objective.name] = _judge(
            analysis, objective.name, maximum, maximal[objective.name], margin, faded
        )
    return analysis


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
    verdicts = {}
    for name in first.values:
        maximum = sum(each.verdicts[name].maximum for each in analyses)
        maximal = np.logical_and.reduce([analysis.maximal[name] for analysis in analyses])
        below = maximum - np.sum([analysis.values[name] for analysis in analyses], axis=0)[~maximal]
        margin = float(below.min()) if below.size and below.min() > _ROUNDING * abs(maximum) else None
        verdicts[name] = _judge(first, name, maximum, maximal, margin)
    return verdicts


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


def _rounding_of(joint: Joint, column: np.ndarray) -> float:
    """In nats, what rounding can change of values `column: [N]`: they are differences of entropies."""
    return max(_ROUNDING * float(np.abs(column).max()), 1e-14 * (1 + entropy(joint.steps)))


def _find_margin(analysis: Analysis, objective: Objective, parts: list[Part], *, exact: bool) -> float | None:
    """In nats, how far the best of the partitions that are not maximal lies below; None where there is none to tell.

    Where nothing gains by aliasing, losses are computed to full accuracy: of the pairs of states that cannot be merged,
    and of the partitions that floating-point numbers put next.
    """
    column, others = analysis.values[objective.name], np.flatnonzero(~analysis.maximal[objective.name])
    if not others.size:
        return None
    below = column.max() - column[others]
    if not exact:
        return float(below.min())
    free = mergeable_pairs(parts)
    pair = nearest_pair(parts, ~free)
    if pair is not None and pairs_tell(parts, free):
        return pair
    nearest = others[np.argpartition(below, min(_NEAREST, len(below)) - 1)[:_NEAREST]]
    return min(loss_of(parts, analysis.labels[row]) for row in nearest)


def _judge(
    analysis: Analysis,
    name: str,
    maximum: float,
    maximal: np.ndarray,
    margin: float | None,
    faded: str | None = None,
) -> Verdict:
    """The verdict on the partitions `maximal: [N]` bool: what no state that is shown contradicts, if all are shown.

    None where it has `faded` which partitions are maximal.
    """
    withheld, some = explain_unshown(analysis.mdp), bool(maximal.any())
    if faded is not None:
        number = int(maximal.sum())
        return Verdict(name, maximum, number, q=None, pi_strict=None, pi_weak=None, counterexample=None, withheld=faded)
    fine = {
        notion: analysis.judged & flaw == 0 for notion, flaw in [*_FLAWS.items(), ("every_reward", NOT_EVERY_REWARD)]
    }
    holds = {notion: some and bool(kept[maximal].all()) for notion, kept in fine.items()}
    counterexample = None
    weakest = next((notion for notion in reversed(NOTIONS) if some and not holds[notion]), None)
    if weakest is not None:
        failing = analysis.labels[maximal & ~fine[weakest]]
        finest = failing[failing.max(axis=1).argmax()]
        mdp = analysis.mdp
        counterexample = make_counterexample(finest, weakest, analysis.compared, mdp.actions, shown_states(mdp))
    said = {notion: None if withheld and kept else kept for notion, kept in holds.items()}
    return Verdict(
        name, maximum, int(maximal.sum()), **said, counterexample=counterexample, margin=margin, withheld=withheld
    )
