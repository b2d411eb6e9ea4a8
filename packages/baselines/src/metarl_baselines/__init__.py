"""Meta-RL algorithms that PEARL and MELD are compared with, each a package of its own."""

from metarl_baselines import maesn, maml, promp, recurrent_sac, rl2, varibad

__all__ = ["maesn", "maml", "promp", "recurrent_sac", "rl2", "varibad"]
