"""Meta-RL algorithms that PEARL and MELD are compared with: `rl2`, `maml`, `promp`, `maesn`."""

from metarl_baselines import maesn, maml, promp, rl2

__all__ = ["maesn", "maml", "promp", "rl2"]
