"""Meta-RL algorithms that PEARL and MELD are compared with, each a package of its own."""

from metarl_baselines import recurrent_sac, rl2, varibad

__all__ = ["recurrent_sac", "rl2", "varibad"]
