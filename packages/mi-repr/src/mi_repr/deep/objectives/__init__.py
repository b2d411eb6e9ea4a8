"""The objectives by name. A new one is a class that fits `Objective`, and a record here."""

import dataclasses
import functools

from mi_repr.deep.objectives.bootstrap import Bootstrap
from mi_repr.deep.objectives.contrastive import Contrastive
from mi_repr.deep.objectives.inverse import Inverse
from mi_repr.deep.objectives.multi_inverse import MultiInverse
from mi_repr.deep.objectives.protocol import EncodedFrames, HeadFirst, Objective, Record, Setting
from mi_repr.deep.objectives.reconstruction import Reconstruction

_STATE = functools.partial(Contrastive, sees_action=False)
_NO_WARM_UP = {"num_warmup_updates": 0}
_BILINEAR = {"scorer": "concat_bilinear"}
_LINEAR = {"inverse_hidden_sizes": ()}
_BOTH, _FRAMES = "frames and actions", "frames alone"

_RECORDS = (
    Record("fwd", Contrastive, _BOTH, "J_fwd, the next frame from this one and the action", quantity="fwd"),
    Record("state", _STATE, _FRAMES, "J_state, the next frame from this one", quantity="state"),
    Record("inv", Inverse, _BOTH, "J_inv, the action from the frames around it", quantity="inv"),
    Record("multi-inv", MultiInverse, _BOTH, "J_inv of 1 to K steps, as in AC-State", steps="max_steps_ahead"),
    Record("reconstruction", Reconstruction, _FRAMES, "the image itself, by an autoencoder"),
    Record(
        "bootstrap",
        Bootstrap,
        _BOTH,
        "its own features 1 to K steps ahead, as in SPR",
        steps="max_steps_ahead",
    ),
    Record(
        "fwd-thesis",
        Contrastive,
        _BOTH,
        "J_fwd with the thesis's scorer and no warm-up",
        quantity="fwd",
        encoder=_BILINEAR,
        pretrain=_NO_WARM_UP,
    ),
    Record(
        "state-thesis",
        _STATE,
        _FRAMES,
        "J_state with the thesis's scorer and no warm-up",
        quantity="state",
        encoder=_BILINEAR,
        pretrain=_NO_WARM_UP,
    ),
    Record(
        "inv-thesis",
        Inverse,
        _BOTH,
        "J_inv with the thesis's linear head and no warm-up",
        quantity="inv",
        encoder=_LINEAR,
        pretrain=_NO_WARM_UP,
    ),
)

OBJECTIVES = {record.name: record for record in _RECORDS}
"""By name."""


def make_objective(name: str, setting: Setting) -> Objective:
    """The objective of that name; groups mean nothing to those without negatives.

    Raises:
      ValueError: there is no such objective.
    """
    if name not in OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, got {name!r}")
    objective = OBJECTIVES[name].make(setting)
    return objective if objective.grouped else OBJECTIVES[name].make(dataclasses.replace(setting, num_groups=1))


__all__ = [
    "OBJECTIVES",
    "Bootstrap",
    "Contrastive",
    "EncodedFrames",
    "HeadFirst",
    "Inverse",
    "MultiInverse",
    "Objective",
    "Reconstruction",
    "Record",
    "Setting",
    "make_objective",
]
