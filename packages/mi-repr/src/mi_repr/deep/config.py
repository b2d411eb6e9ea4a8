"""Options of encoders and of what trains them."""

import dataclasses

from rlcore.experiment import check_at_least, check_choice, check_positive, check_rate

MAX_BETA = 1.0
"""Of the weight of the information bottleneck where it is tuned."""


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """The network between an image and its features, and the heads that its objective needs.

    kind: `patch`, convolutions whose stride is their size, as reshapes and matrix products, an order of magnitude
      faster on CPU; or `conv`, overlapping 3x3 convolutions of stride 2.
    channels: of the five layers.
    feature_size: of the representation (thesis: 256).
    scorer: of the contrastive objectives: `per_action_bilinear` has a low-rank matrix for each action;
      `concat_bilinear` is the thesis's, one matrix on [z, a], which cannot express that an action toggles something.
    rank: of a `per_action_bilinear` matrix.
    shared_coef: weight of what features tell of a group, with several groups: the bottleneck of the contrastive
      objectives, as negatives of one group make nothing that the group shares worth keeping.
    inverse_hidden_sizes: of the inverse model on z_t and z_t+k - z_t; empty is the thesis's single linear layer, which
      cannot tell a toggle from two frames.
    reconstruction: `squared`, the squared error of pixels; or `bernoulli`, the cross-entropy of their intensities.
    decoder_channels: of the decoder's two grids, of patches of 16 and of 4 pixels.
    projection_size: of the bootstrap predictor: of what is compared, and of the hidden layers on the way to it.
    transition_hidden_sizes: of its model of the next features.
    """

    kind: str = "patch"
    channels: tuple[int, ...] = (16, 32, 32, 64, 256)
    feature_size: int = 256
    scorer: str = "per_action_bilinear"
    rank: int = 64
    shared_coef: float = 0.3
    inverse_hidden_sizes: tuple[int, ...] = (256,)
    reconstruction: str = "squared"
    decoder_channels: tuple[int, ...] = (64, 32)
    projection_size: int = 128
    transition_hidden_sizes: tuple[int, ...] = (256,)

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ("patch", "conv"))
        if len(self.channels) != 5:
            raise ValueError(f"channels must name five layers, got {self.channels}")
        for channel in self.channels:
            check_at_least("channels", channel, 1)
        check_choice("reconstruction", self.reconstruction, ("squared", "bernoulli"))
        if len(self.decoder_channels) != 2:
            raise ValueError(f"decoder_channels must name two grids, got {self.decoder_channels}")
        for name in ("inverse_hidden_sizes", "decoder_channels", "transition_hidden_sizes"):
            for size in getattr(self, name):
                check_at_least(name, size, 1)
        check_at_least("projection_size", self.projection_size, 1)
        check_at_least("feature_size", self.feature_size, 1)
        check_choice("scorer", self.scorer, ("per_action_bilinear", "concat_bilinear"))
        check_at_least("rank", self.rank, 1)
        check_at_least("shared_coef", self.shared_coef, 0)


@dataclasses.dataclass(frozen=True)
class PretrainConfig:
    """How an encoder is trained on runs of frames.

    num_steps_ahead: k of the objective (thesis: 1).
    max_steps_ahead: K, of the objectives that look 1 to K steps ahead: `multi-inv`, `bootstrap`.
    num_updates: gradient steps.
    updates_per_iteration: of them in a row, between logs and checkpoints.
    num_windows, window_size: a batch is so many runs of so many frames; every pair of frames k apart in a run is a
      sample, and for the contrastive objectives all their later frames are each other's negatives.
    num_groups: of a batch. The frames of a group share what their source keeps for an episode, such as a background,
      and only they are each other's negatives. With 1 the background tells the true pair from most others, and an
      encoder that keeps little else is good enough.
    learning_rate: Adam's at first; it falls to 0 along a cosine.
    max_grad_norm: clip the gradient to this norm.
    average_rate: share of the newest parameters in the average of the encoder and the head that `bootstrap` predicts.
    num_warmup_updates, warmup_batch_size, warmup_learning_rate: the head first learns alone, on features of the
      untrained encoder, where it can: not of `reconstruction` and `bootstrap`. Without it the encoder drops what the
      head cannot use yet.
    warmup_same_step_share: share of those batches whose samples are all of one time step, where all episodes have the
      same steps; none with several groups.
    bottleneck: how the weight beta of the information bottleneck of J_inv is set. `tuned`: after a third of the updates
      with `initial_beta`, it follows the action loss such that this stays within `loss_tolerance` of what it was then
      (thesis, A.2.0.2). `ramp`: from `initial_beta`, kept for a fifth of the updates, it rises geometrically to
      `final_beta` at half of them.
    initial_beta, final_beta, loss_tolerance: see `bottleneck`; the last in nats.
    """

    num_steps_ahead: int = 1
    max_steps_ahead: int = 3
    num_updates: int = 1500
    updates_per_iteration: int = 50
    num_windows: int = 64
    window_size: int = 4
    num_groups: int = 1
    learning_rate: float = 2e-3
    max_grad_norm: float = 10.0
    average_rate: float = 0.01
    num_warmup_updates: int = 300
    warmup_batch_size: int = 768
    warmup_learning_rate: float = 1e-2
    warmup_same_step_share: float = 0.0
    bottleneck: str = "tuned"
    initial_beta: float = 1e-5
    final_beta: float = 3e-3
    loss_tolerance: float = 0.05

    def __post_init__(self) -> None:
        for name in ("num_steps_ahead", "max_steps_ahead", "num_updates", "updates_per_iteration", "num_windows"):
            check_at_least(name, getattr(self, name), 1)
        if self.num_updates % self.updates_per_iteration:
            raise ValueError(
                f"updates_per_iteration must divide num_updates={self.num_updates}, got {self.updates_per_iteration}"
            )
        if not self.num_steps_ahead < self.window_size:
            raise ValueError(
                f"window_size must be above num_steps_ahead={self.num_steps_ahead}, got {self.window_size}"
            )
        check_at_least("num_groups", self.num_groups, 1)
        if self.num_windows % self.num_groups:
            raise ValueError(f"num_groups must divide num_windows={self.num_windows}, got {self.num_groups}")
        if self.num_pairs < 2 * self.num_groups:
            raise ValueError(f"num_groups must leave each two of {self.num_pairs} pairs, got {self.num_groups}")
        check_at_least("num_warmup_updates", self.num_warmup_updates, 0)
        check_at_least("warmup_batch_size", self.warmup_batch_size, 2)
        for name in ("learning_rate", "warmup_learning_rate", "average_rate"):
            check_rate(name, getattr(self, name))
        check_rate("warmup_same_step_share", self.warmup_same_step_share, zero=True)
        check_positive("max_grad_norm", self.max_grad_norm)
        check_choice("bottleneck", self.bottleneck, ("ramp", "tuned"))
        check_positive("initial_beta", self.initial_beta)
        if self.bottleneck == "ramp":
            check_at_least("final_beta", self.final_beta, self.initial_beta)
        elif self.initial_beta > MAX_BETA:
            raise ValueError(
                f"initial_beta must be at most {MAX_BETA} with bottleneck='tuned', got {self.initial_beta}"
            )
        check_positive("loss_tolerance", self.loss_tolerance)

    @property
    def num_pairs(self) -> int:
        """Samples of a batch."""
        return self.num_windows * (self.window_size - self.num_steps_ahead)

    @property
    def num_iterations(self) -> int:
        """Of `updates_per_iteration` each."""
        return self.num_updates // self.updates_per_iteration
