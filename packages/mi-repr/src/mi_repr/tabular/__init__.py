"""The exact analyser of finite MDPs: which objectives' maximisers are sufficient for control, with counterexamples."""

from mi_repr.tabular.control.bisimulation import bisimulation_metric, coarsest_bisimulation
from mi_repr.tabular.control.loss import Loss, loss_of_optimality, policy_value, stochastic_lower_bound
from mi_repr.tabular.control.solve import optimal_actions, optimal_q
from mi_repr.tabular.control.verdict import Counterexample, Verdict, format_partition, sufficient_notions
from mi_repr.tabular.information.conditions import Violation, check_conditions
from mi_repr.tabular.information.objectives import NAMES as OBJECTIVES
from mi_repr.tabular.information.objectives import Objective, parse_objective
from mi_repr.tabular.information.values import Joint, joint_distribution, measure, to_bits
from mi_repr.tabular.model.files import load_mdp
from mi_repr.tabular.model.library import (
    ENDOGENOUS,
    LIBRARY,
    contextual_bandit,
    figure2,
    figure3,
    figure3_readable,
    figure3_small,
    levine_control,
    levine_double_loop,
    levine_periodic,
    levine_single_loop,
    mini_catcher_grip,
    mini_catcher_grip_representations,
    state_dependent_policy,
    xor,
)
from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.model.noise import with_noise
from mi_repr.tabular.model.public import (
    combination_lock,
    garnet,
    gridworld,
    recycling_robot,
    river_swim,
    windy_gridworld,
)
from mi_repr.tabular.search.analysis import Analysis, analyse, judge_all_k
from mi_repr.tabular.search.approximate import Within, loss_within
from mi_repr.tabular.search.closed_form import coarsest_maximiser
from mi_repr.tabular.search.counterexamples import Found, SizeSearched, find_counterexample
from mi_repr.tabular.search.exogenous import EndogenousVerdict, format_endogenous, judge_endogenous
from mi_repr.tabular.search.merges import Maximisers, analyse_pairs, maximises, search_maximisers
from mi_repr.tabular.search.partitions import all_partitions

__all__ = [
    "ENDOGENOUS",
    "LIBRARY",
    "OBJECTIVES",
    "Analysis",
    "Counterexample",
    "EndogenousVerdict",
    "FiniteMDP",
    "Found",
    "Joint",
    "Loss",
    "Maximisers",
    "Objective",
    "SizeSearched",
    "Verdict",
    "Violation",
    "Within",
    "all_partitions",
    "analyse",
    "analyse_pairs",
    "bisimulation_metric",
    "check_conditions",
    "coarsest_bisimulation",
    "coarsest_maximiser",
    "combination_lock",
    "contextual_bandit",
    "figure2",
    "figure3",
    "figure3_readable",
    "figure3_small",
    "find_counterexample",
    "format_endogenous",
    "format_partition",
    "garnet",
    "gridworld",
    "joint_distribution",
    "judge_all_k",
    "judge_endogenous",
    "levine_control",
    "levine_double_loop",
    "levine_periodic",
    "levine_single_loop",
    "load_mdp",
    "loss_of_optimality",
    "loss_within",
    "maximises",
    "measure",
    "mini_catcher_grip",
    "mini_catcher_grip_representations",
    "optimal_actions",
    "optimal_q",
    "parse_objective",
    "policy_value",
    "recycling_robot",
    "river_swim",
    "search_maximisers",
    "state_dependent_policy",
    "stochastic_lower_bound",
    "sufficient_notions",
    "to_bits",
    "windy_gridworld",
    "with_noise",
    "xor",
]
