"""The state of many simulations as arrays, so that environments can be copied and pickled.

In the shape descriptions, `N` denotes the simulations.
"""

from typing import Any

import numpy as np

_FIELDS = (
    "time",
    "qpos",
    "qvel",
    "act",
    "qacc_warmstart",
    "ctrl",
    "qfrc_applied",
    "xfrc_applied",
    "eq_active",
    "mocap_pos",
    "mocap_quat",
    "userdata",
)


def save_state(batch: Any) -> dict[str, np.ndarray]:
    """All that the next step of a `mujoco.batch.Batch` depends on, `[N, ...]` by name, but for models."""
    return {name: np.array(batch.bind(name)) for name in _FIELDS}


def load_state(batch: Any, state: dict[str, np.ndarray], stage: Any) -> None:
    """Puts the simulations where `save_state` found them, what is derived from their states up to `stage` included."""
    for compute in (True, False):  # computing may change what the solver starts from
        for name, values in state.items():
            batch.bind(name)[...] = values
        if compute:
            batch.forward(None, stage)
