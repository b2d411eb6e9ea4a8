"""`thesis` and `reference`: the options of the thesis, and of its released code, for a GPU.

They differ where the document and the code (tonyzhaozh/meld) do, which is nearly everywhere: sizes of networks and
latents, the activation, how many tasks are visited between updates and how many updates follow. One habit of the code
is not copied: it pairs each action with the reward earned before it.

Where `thesis` has its numbers from:

- Table 1: step sizes, 20 tasks an iteration with one rollout each, 640 training steps; a batch of 512 frames, which is
  12 trials of 41; 512 transitions for actor and critic, from the trials of 20 tasks.
- Appendix D.1: layers and their sizes; 60 random trajectories before the first update, 2 in each of 30 tasks.
- Figure 36 and the text beside it: a latent dimension of 256, "in all our experiments".
- Section 5.3.3 and appendix D.3: trials of two episodes where the reward is sparse, else of one.
- The code, where the text names no number: 1800 updates of the model before the first iteration, weights of the
  likelihoods, all that SAC needs besides.
- Nobody: figure 23's axes are in no text, so 500 iterations is a guess: 400,000 steps with a horizon of 40, where the
  real robot of section 5.3.3 had 80,000. Table 1's replay, 100,000 transitions of each task, is more than these
  iterations collect; 500 trials hold them all, and a replay never takes more than 16 GB.

`reference` has the sizes of the code's experiment files, and its one task an iteration, so twenty times as many
iterations. Its replays hold 10,000 trials of a task, more than is ever collected; here it is 240.
"""

import dataclasses
from typing import Any

from rlcore.meta import Plan
from rlcore.sac import SACConfig

from meld_jax.config import MeldConfig, ModelConfig
from meld_jax.presets.traits import Traits, fit

_ITERATIONS = 500
_MAX_BYTES = 16e9
_CHEETAH = {
    "num_initial_trials": 20,
    "num_initial_updates": 6000,
    "num_model_updates": 40,
    "num_policy_updates": 40,
    "model_batch_size": 5,
    "policy_batch_size": 10,
    "num_transitions": 256,
}
_REACHER = {"num_initial_trials": 2, "num_initial_updates": 1440}
_PEG = {"num_initial_trials": 5, "num_initial_updates": 1800, "num_model_updates": 12, "num_policy_updates": 12}
_SHELF = {"num_initial_trials": 20, "num_initial_updates": 9600, "num_model_updates": 12, "num_policy_updates": 12}
_BUTTON = {"num_initial_trials": 5, "num_initial_updates": 900, "policy_batch_size": 15}
_WIDE_MODEL, _CHEETAH_MODEL = {"z1_size": 128, "z2_size": 64}, {"reward_coef": 16.0}


@dataclasses.dataclass(frozen=True)
class _Family:
    """What the code's configuration of a family changes: of the config, of its model; and the width of SAC's layers."""

    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    model: dict[str, Any] = dataclasses.field(default_factory=dict)
    sac_width: int = 256


_FAMILIES = {
    "half-cheetah-vel-image-v0": _Family(_CHEETAH, _CHEETAH_MODEL),
    "half-cheetah-vel-image-reference-v0": _Family(_CHEETAH, _CHEETAH_MODEL),
    "sawyer-reacher-v0": _Family(_REACHER),
    "sawyer-reacher-reference-v0": _Family(_REACHER),
    "sawyer-peg-v0": _Family(_PEG, _WIDE_MODEL, sac_width=512),
    "sawyer-peg-reference-v0": _Family(_PEG, _WIDE_MODEL, sac_width=512),
    "sawyer-shelf-v0": _Family(_SHELF, _WIDE_MODEL),
    "sawyer-shelf-reference-v0": _Family(_SHELF, _WIDE_MODEL),
    "sawyer-button-dense-v0": _Family(_BUTTON, sac_width=512),
    "sawyer-button-dense-reference-v0": _Family(_BUTTON, sac_width=512),
    "sawyer-button-sparse-v0": _Family(_BUTTON, sac_width=512),
    "sawyer-button-sparse-reference-v0": _Family(_BUTTON, sac_width=512),
}


def thesis(traits: Traits) -> Plan:
    """What the text says: the defaults of `MeldConfig`."""
    return Plan(fit(MeldConfig(replay_capacity=500), traits, _MAX_BYTES), _ITERATIONS)


def reference(traits: Traits) -> Plan:
    """What the code does."""
    family = _FAMILIES.get(traits.name, _Family())
    model = {"z1_size": 64, "z2_size": 32} | family.model
    options = {"num_model_updates": 32, "num_policy_updates": 20} | family.options
    config = MeldConfig(
        model=ModelConfig(depth=64, hidden_sizes=(512, 512), activation="leaky_relu", mark_resets=False, **model),
        sac=SACConfig(hidden_sizes=(family.sac_width, family.sac_width)),
        num_tasks_per_iteration=1,
        replay_capacity=240,
        **options,
    )
    return Plan(fit(config, traits, _MAX_BYTES), 20 * _ITERATIONS)
