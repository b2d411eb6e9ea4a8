"""The objectives by name. A new one is a class that fits `Objective`, and a line here."""

import dataclasses
import functools

from mi_repr.deep.objectives.contrastive import Contrastive
from mi_repr.deep.objectives.inverse import Inverse
from mi_repr.deep.objectives.protocol import EncodedFrames, Objective, Record, Setting

_RECORDS = (
    Record("fwd", Contrastive, "frames and actions", "J_fwd, the next frame from this one and the action", "fwd"),
    Record(
        "state",
        functools.partial(Contrastive, sees_action=False),
        "frames alone",
        "J_state, the next frame from this one",
        "state",
    ),
    Record("inv", Inverse, "frames and actions", "J_inv, the action from the frames around it", "inv"),
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


__all__ = ["OBJECTIVES", "Contrastive", "EncodedFrames", "Inverse", "Objective", "Record", "Setting", "make_objective"]
