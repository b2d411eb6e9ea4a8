"""Meta-RL algorithms that PEARL and MELD are compared with, each a package of its own: `rl2`."""

from metarl_baselines import rl2

__all__ = ["rl2"]
