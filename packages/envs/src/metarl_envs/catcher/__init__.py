"""Catcher and catcher-grip: rules, pictures, the finite set of states, families."""

from metarl_envs.catcher.backgrounds import backgrounds, held_out_task, train_task
from metarl_envs.catcher.dynamics import CatcherEnv, state_vector
from metarl_envs.catcher.family import CatcherFamily
from metarl_envs.catcher.ple import PleCatcherEnv, PleCatcherState, ple_state_vector
from metarl_envs.catcher.render import render
from metarl_envs.catcher.state import CatcherState, CatcherTask
from metarl_envs.catcher.state_set import all_states, num_states, state_index

__all__ = [
    "CatcherEnv",
    "CatcherFamily",
    "CatcherState",
    "CatcherTask",
    "PleCatcherEnv",
    "PleCatcherState",
    "all_states",
    "backgrounds",
    "held_out_task",
    "num_states",
    "ple_state_vector",
    "render",
    "state_index",
    "state_vector",
    "train_task",
]
