"""What an objective is: a head on features, and what it and the encoder are trained on.

In the shape descriptions `W` denotes runs of consecutive frames, `L` the frames of a run, `H` and `V` the height and
width of an image, `C` its channels, `F` features and `k` a number of steps ahead.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import chex
from rlcore.types import Metrics, Params

from mi_repr.deep.config import EncoderConfig, PretrainConfig
from mi_repr.deep.encoders import Encoding


@dataclasses.dataclass(frozen=True)
class Setting:
    """What an objective is made for.

    config: the heads.
    num_actions: how many actions there are.
    image_shape: `(H, V, C)`.
    num_steps_ahead: `k`.
    max_steps_ahead: the largest of several `k`.
    num_groups: of the batch, one after the other.
    action_entropy: of the actions, in nats; None where they are uniform.
    """

    config: EncoderConfig
    num_actions: int
    image_shape: tuple[int, int, int]
    num_steps_ahead: int = 1
    max_steps_ahead: int = 1
    num_groups: int = 1
    action_entropy: float | None = None


class EncodedFrames(NamedTuple):
    """A batch as an objective sees it.

    image: `[W, L, H, V, C]` uint8.
    action: `[W, L]` int; the last one of each run is not used.
    encoding: `[W, L, F]`
    average_features: `[W, L, F]` of an average of the encoder, where the objective asks for it.
    average_head: likewise of the head.
    """

    image: chex.Array
    action: chex.Array
    encoding: Encoding
    average_features: chex.Array | None = None
    average_head: Params = None


class Objective(Protocol):
    """What trains an encoder; hashable, as a static argument of jitted functions."""

    gaussian: bool
    """Whether features are samples of a Gaussian, with an information bottleneck whose weight is set as it goes."""

    grouped: bool
    """Whether groups of a batch mean something to it: it has negatives."""

    averaged: bool
    """Whether it asks for an average of the encoder and the head."""

    @property
    def setting(self) -> Setting:
        """What it was made for."""
        ...

    @property
    def span(self) -> int:
        """Steps from the first frame of a sample to its last; a run has more frames than that."""
        ...

    def init(self, key: chex.PRNGKey) -> Params:
        """Parameters of the head; the key is consumed."""
        ...

    def loss(
        self, head: Params, frames: EncodedFrames, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """What is minimised, a scalar, and metrics.

        Args:
          head: its parameters.
          frames: the batch.
          key: consumed.
          beta: scalar, weight of the information bottleneck where there is one.
        """
        ...


@runtime_checkable
class HeadFirst(Objective, Protocol):
    """An objective whose head can learn alone, on features of the untrained encoder."""

    def head_loss(self, head: Params, features: chex.Array, action: chex.Array) -> tuple[chex.Array, Metrics]:
        """The head's part of the loss, a scalar, and metrics, of features `[W, L, F]` and actions `[W, L]`."""
        ...


@dataclasses.dataclass(frozen=True)
class Record:
    """An objective as a user chooses it.

    name: of the option.
    make: the objective for a setting.
    needs: what it learns from.
    description: one line.
    quantity: the J that it bounds, one of those that are known exactly of a game; None for others.
    steps: the option that says how many steps ahead it looks.
    encoder, pretrain: options that the name stands for.
    """

    name: str
    make: Callable[[Setting], Objective]
    needs: str
    description: str
    quantity: str | None = None
    steps: str = "num_steps_ahead"
    encoder: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pretrain: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def check(self, encoder: EncoderConfig, pretrain: PretrainConfig) -> None:
        """Raises `ValueError` where options contradict the name."""
        for config, options in ((encoder, self.encoder), (pretrain, self.pretrain)):
            for name, value in options.items():
                if getattr(config, name) != value:
                    raise ValueError(f"{name} must be {value!r} with {self.name!r}, got {getattr(config, name)!r}")
        steps = getattr(pretrain, self.steps)
        if pretrain.window_size <= steps:
            raise ValueError(
                f"window_size must be above {self.steps}={steps} with {self.name!r}, got {pretrain.window_size}"
            )


def pairs(features: chex.Array, action: chex.Array, k: int) -> tuple[chex.Array, chex.Array, chex.Array]:
    """`[W, L, F]` and `[W, L]` to z_t `[W (L - k), F]`, a_t `[W (L - k)]` and z_t+k `[W (L - k), F]`."""
    chex.assert_rank([features, action], [3, 2])
    size = features.shape[-1]
    return features[:, :-k].reshape(-1, size), action[:, :-k].reshape(-1), features[:, k:].reshape(-1, size)
