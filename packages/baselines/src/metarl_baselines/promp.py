"""ProMP: MAML whose outer steps are PPO's, with a penalty on how far the policies before adapting move."""

from metarl_baselines.maml import MAMLConfig, MAMLLearner, ProMPConfig
from metarl_baselines.maml.presets import PROMP_PRESETS as PRESETS
from metarl_baselines.maml.runs import PROMP

__all__ = ["PRESETS", "MAMLConfig", "MAMLLearner", "ProMPConfig", "load", "open_run", "preset", "train"]

open_run, train, load = PROMP.open_run, PROMP.train, PROMP.load
preset = PRESETS.plan
