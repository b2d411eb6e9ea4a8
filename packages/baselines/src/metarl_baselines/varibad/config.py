"""Options of VariBAD; `presets` has the sets of them that belong together."""

import dataclasses

from rlcore.experiment import check_at_least, check_positive

from metarl_baselines.off_policy import TrialReplayConfig


@dataclasses.dataclass(frozen=True)
class VariBADConfig(TrialReplayConfig):
    """Options of VariBAD (Zintgraf et al., 2020) with SAC, beside those of `TrialReplayConfig`.

    What infers the task:
      latent_size: dimensions of the task variable z.
      memory_size: numbers in the state of the encoder's GRU.
      embedding_size: width of each of the layers in front of it, see `metarl_baselines.trial_gru.TrialGRU`.
      rl_gradient: whether the critics' loss trains the encoder too.

    What trains the encoder, beside actor and critics on the same trials and at `sac.critic_learning_rate`:
      decoder_sizes: widths of the decoders' hidden layers.
      num_beliefs: beliefs of each trial, drawn at random, from which the whole trial is decoded; 0 means all of them.
      kl_coef: weight of the divergence of a belief from the one before, and of the first one from N(0, I).
      state_coef: weight of decoding what each step led to, beside what it earned; 0 makes no such decoder. Needed where
        tasks differ in their dynamics.
    """

    latent_size: int = 5
    memory_size: int = 64
    embedding_size: int = 16
    rl_gradient: bool = False

    decoder_sizes: tuple[int, ...] = (64, 32)
    num_beliefs: int = 16
    kl_coef: float = 0.1
    state_coef: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        for size in self.decoder_sizes:
            check_positive("decoder_sizes", size)
        for name in ("latent_size", "memory_size", "embedding_size"):
            check_positive(name, getattr(self, name))
        for name in ("num_beliefs", "kl_coef", "state_coef"):
            check_at_least(name, getattr(self, name), 0)
