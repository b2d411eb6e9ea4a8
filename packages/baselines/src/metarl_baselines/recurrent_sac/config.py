"""Options of recurrent SAC; `presets` has the sets of them that belong together."""

import dataclasses
from typing import Literal

from rlcore.experiment import check_positive

from metarl_baselines.off_policy import TrialReplayConfig


@dataclasses.dataclass(frozen=True)
class RecurrentSACConfig(TrialReplayConfig):
    """Options of recurrent SAC (Ni et al., 2022), beside those of `TrialReplayConfig`.

    memory: `separate`, one of the actor and one of the critics, each trained by its own loss; or `shared`, one for both
      that the critics' loss trains, which the actor sees with the gradient stopped and of which the target has no copy.
    memory_size: numbers in the state of a GRU.
    embedding_size: width of each of the layers in front of a GRU, see `metarl_baselines.trial_gru.TrialGRU`.
    """

    memory: Literal["separate", "shared"] = "separate"
    memory_size: int = 64
    embedding_size: int = 32

    def __post_init__(self):
        super().__post_init__()
        for name in ("memory_size", "embedding_size"):
            check_positive(name, getattr(self, name))
        if self.memory == "separate" and self.sac.value_network:
            raise ValueError("memory=separate needs sac.value_network=false, got true")
