"""Options of training, and how the network of each preset is trained."""

import dataclasses
from collections.abc import Callable

from guidenet.checks import check_at_least, check_choice, check_positive
from guidenet.data.episodes import MAX_POINTS
from guidenet.data.sources import KINDS
from guidenet.network.config import Config
from guidenet.network.presets import preset

MAX_SIDE = 1024
"""Longest side in px of images in training."""


@dataclasses.dataclass(frozen=True)
class OptimiserConfig:
    """How parameters follow gradients.

    name: `adam`, with decoupled weight decay, or `sgd`, with momentum and weight decay in the gradient (the thesis's).
    learning_rate: at the start.
    decay: `cosine`, to nothing at the last update, or `none`.
    momentum: of `sgd`.
    weight_decay: of every parameter that is trained.
    max_grad_norm: longer gradients are scaled down to this norm; 0 does not scale.
    averaging_rate: of the running average of the parameters. The average is tested and saved; 1 is no average.
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    decay: str = "cosine"
    momentum: float = 0.99
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    averaging_rate: float = 5e-3

    def __post_init__(self) -> None:
        check_choice("name", self.name, ("adam", "sgd"))
        check_positive("learning_rate", self.learning_rate)
        check_choice("decay", self.decay, ("cosine", "none"))
        check_at_least("weight_decay", self.weight_decay, 0)
        check_at_least("max_grad_norm", self.max_grad_norm, 0)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), got {self.momentum}")
        if not 0 < self.averaging_rate <= 1:
            raise ValueError(f"averaging_rate must be in (0, 1], got {self.averaging_rate}")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a guided network is trained.

    network: what is trained.
    optimiser: how.
    kinds: of tasks, see `KINDS`. Each batch has one kind, and the kinds take turns.
    trained: `head`, what comes after the backbone, on features that are computed once, or `network`, all of it. The
      support's own encoder of early fusion is trained in both.
    num_iterations: of `updates_per_iteration` each; after each one the network is validated.
    stop_after: training stops after this many iterations in which validation has not become better, and keeps the
      network that was best in validation; 0 trains to the end and keeps the last one.
    updates_per_iteration: gradient steps.
    batch_size: episodes in a gradient step.
    max_points: P is at most this, for each class of a support (4.3.3).
    points: how P is drawn: `uniform` over 1 to `max_points` (the thesis's), or `log`, its logarithm uniform.
    positives_only: share of episodes whose support has no negatives.
    max_side: longest side in px of images; larger ones are shrunk.
    loss_step: the loss looks at one pixel in this many, on both axes.
    num_validation_tasks: for each kind; the same tasks every time.
    validation_points: P of these tasks.
    """

    network: Config = dataclasses.field(default_factory=Config)
    optimiser: OptimiserConfig = dataclasses.field(default_factory=OptimiserConfig)
    kinds: tuple[str, ...] = ("semantic",)
    trained: str = "head"
    num_iterations: int = 20
    stop_after: int = 0
    updates_per_iteration: int = 100
    batch_size: int = 16
    max_points: int = MAX_POINTS
    points: str = "uniform"
    positives_only: float = 0.0
    max_side: int = 384
    loss_step: int = 4
    num_validation_tasks: int = 100
    validation_points: int = 5

    def __post_init__(self) -> None:
        for kind in self.kinds:
            check_choice("kinds", kind, KINDS)
        if not self.kinds or len(set(self.kinds)) != len(self.kinds):
            raise ValueError(f"kinds must be at least one of {', '.join(KINDS)}, each once, got {self.kinds}")
        check_choice("trained", self.trained, ("head", "network"))
        for name in ("num_iterations", "updates_per_iteration", "batch_size", "max_points", "loss_step"):
            check_at_least(name, getattr(self, name), 1)
        check_at_least("stop_after", self.stop_after, 0)
        check_choice("points", self.points, ("uniform", "log"))
        if not 0 <= self.positives_only <= 1:
            raise ValueError(f"positives_only must be between 0 and 1, got {self.positives_only}")
        check_at_least("max_side", self.max_side, 16)
        if self.max_side > MAX_SIDE:
            raise ValueError(f"max_side must be at most {MAX_SIDE}, got {self.max_side}")
        for name in ("num_validation_tasks", "validation_points"):
            check_at_least(name, getattr(self, name), 1)
        if self.network.pooling == "local" and self.kinds != ("interactive",):
            raise ValueError(
                "kinds must be interactive with pooling=local, whose guidance stays in the annotated image, got "
                f"{', '.join(self.kinds)}"
            )

        if self.network.head.ridge:
            raise ValueError(
                "network.head.ridge must be 0 in training, for it is added to what is trained, got "
                f"{self.network.head.ridge}"
            )

    @property
    def num_updates(self) -> int:
        """Of the whole training."""
        return self.num_iterations * self.updates_per_iteration


def _paper(network: Config) -> TrainingConfig:
    """SGD on single full images for 100,000 steps (B.1.1; iterations as in the reference code)."""
    return TrainingConfig(
        network,
        OptimiserConfig("sgd", 1e-5, "none", momentum=0.99, weight_decay=5e-4, max_grad_norm=0, averaging_rate=1),
        trained="network",
        num_iterations=100,
        updates_per_iteration=1000,
        batch_size=1,
        max_side=512,
        loss_step=1,
    )


def _tiny(network: Config) -> TrainingConfig:
    return TrainingConfig(
        network,
        trained="network",
        num_iterations=2,
        updates_per_iteration=3,
        batch_size=2,
        max_side=64,
        num_validation_tasks=4,
    )


def _cpu(network: Config) -> TrainingConfig:
    optimiser = OptimiserConfig(weight_decay=0.3)
    return TrainingConfig(
        network, optimiser, kinds=KINDS, num_iterations=75, batch_size=8, points="log", positives_only=0.15
    )


def _late(network: Config) -> TrainingConfig:
    kinds = ("semantic", "interactive", "video")
    return TrainingConfig(network, OptimiserConfig(weight_decay=0.3), kinds=kinds, num_iterations=30)


_HOW: dict[str, Callable[[Config], TrainingConfig]] = {
    "tiny": _tiny,
    "cpu": _cpu,
    "late": _late,
    "thesis": _paper,
    "reference": _paper,
}
"""How the network of each preset is trained."""


def training_preset(name: str) -> TrainingConfig:
    """How the network of a preset is trained; `guidenet.PRESETS` says what each is for.

    Raises:
      ValueError: there is no such preset.
    """
    network = preset(name)
    return _HOW[name](network)
