"""Where runs of frames come from: all that training an encoder knows of a game or a recording.

In the shape descriptions `W` denotes runs of consecutive frames, `L` the frames of a run, `H` and `V` the height and
width of an image, `C` its channels and `F` features.
"""

from typing import Any, NamedTuple, Protocol

import chex
from rlcore.types import Params

from mi_repr.deep.encoders import Encoder


class Frames(NamedTuple):
    """A batch for an objective.

    image: `[W, L, H, V, C]` uint8.
    action: `[W, L]` int32 taken at each frame; the last one is not used.
    """

    image: chex.Array
    action: chex.Array


class FeatureRuns(Protocol):
    """Frames as features that were computed once, for the head's warm-up; a tree of arrays."""

    @property
    def num_at_once(self) -> int:
        """The most runs of one draw."""
        ...

    def draw(
        self, key: chex.PRNGKey, num_runs: int, run_length: int, num_groups: int, same_step_share: float
    ) -> tuple[chex.Array, chex.Array]:
        """Draws runs: features `[W, L, F]` and actions `[W, L]`; the key is consumed.

        Args:
          key: consumed.
          num_runs: `W`
          run_length: `L`
          num_groups: one after the other in the batch; see `Source.draw`.
          same_step_share: how often all runs begin at one time step.
        """
        ...


class Source(Protocol):
    """Frames and actions. It holds no arrays: they are `data`, an argument, so that nothing is compiled into programs.

    It must be hashable, as a static argument of jitted functions.
    """

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(H, V, C)`."""
        ...

    @property
    def num_actions(self) -> int:
        """How many actions there are."""
        ...

    def draw(self, data: Any, key: chex.PRNGKey, num_windows: int, window_size: int, num_groups: int) -> Frames:
        """Draws runs of consecutive frames with replacement; traceable; the key is consumed.

        Args:
          data: what is drawn from.
          key: consumed.
          num_windows: `W`
          window_size: `L`
          num_groups: of the batch, one after the other. The runs of a group share what their source keeps for an
            episode, such as a background.
        """
        ...

    def encode(self, data: Any, encoder: Encoder, params: Params, run_length: int, num_groups: int) -> FeatureRuns:
        """The features of frames of the data, to draw runs of `run_length` from in so many groups."""
        ...
