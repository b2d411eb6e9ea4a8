"""ProMP: MAML whose outer steps are PPO's, with a penalty on how far the policies before adapting move."""

import dataclasses

from metarl_envs import Benchmark
from rlcore.meta import Plan

from metarl_baselines.maml import PRESETS, MAMLConfig, MAMLLearner, ProMPConfig
from metarl_baselines.maml import preset as maml_preset
from metarl_baselines.maml.runs import PROMP

__all__ = ["PRESETS", "MAMLConfig", "MAMLLearner", "ProMPConfig", "load", "open_run", "preset", "train"]

open_run, train, load = PROMP.open_run, PROMP.train, PROMP.load


def preset(name: str, benchmark: Benchmark) -> Plan:
    """The options of that name for a benchmark, and the usual number of iterations; see `maml.preset`."""
    plan = maml_preset(name, benchmark)
    config = dataclasses.replace(plan.config, outer="promp", inner_objective="likelihood_ratio")
    return plan._replace(config=config)
