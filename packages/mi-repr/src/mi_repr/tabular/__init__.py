"""The exact analyser of finite MDPs: which objectives' maximisers are sufficient for control, with counterexamples."""

from mi_repr.tabular.analysis import Analysis, analyse, judge_all_k
from mi_repr.tabular.approximate import Within, loss_within
from mi_repr.tabular.bisimulation import bisimulation_metric, coarsest_bisimulation
from mi_repr.tabular.closed_form import coarsest_maximiser
from mi_repr.tabular.conditions import Violation, check_conditions
from mi_repr.tabular.counterexamples import Found, SizeSearched, find_counterexample
from mi_repr.tabular.exogenous import EndogenousVerdict, format_endogenous, judge_endogenous
from mi_repr.tabular.files import load_mdp
from mi_repr.tabular.information import Joint, joint_distribution, measure, to_bits
from mi_repr.tabular.library import (
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
from mi_repr.tabular.loss import Loss, loss_of_optimality, policy_value, stochastic_lower_bound
from mi_repr.tabular.mdp import FiniteMDP
from mi_repr.tabular.merges import Maximisers, analyse_pairs, maximises, search_maximisers
from mi_repr.tabular.noise import with_noise
from mi_repr.tabular.objectives import NAMES as OBJECTIVES
from mi_repr.tabular.objectives import Objective, parse_objective
from mi_repr.tabular.partitions import all_partitions
from mi_repr.tabular.public import (
    combination_lock,
    garnet,
    gridworld,
    recycling_robot,
    river_swim,
    windy_gridworld,
)
from mi_repr.tabular.solve import optimal_actions, optimal_q
from mi_repr.tabular.verdict import Counterexample, Verdict, format_partition, sufficient_notions

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
