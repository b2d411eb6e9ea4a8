"""Frames and actions of one's own, from any environment, as a source to train on.

In the shape descriptions `N` denotes recorded frames, `M` the runs that can be drawn, `W` runs of a batch, `L` the
frames of a run, `H` and `V` the height and width of an image, `C` its channels and `F` features.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from rlcore.types import Params

from mi_repr.deep.batching import BATCH_SIZE, in_batches
from mi_repr.deep.encoders import MIN_SIDE, Encoder
from mi_repr.deep.frozen import features_of
from mi_repr.deep.sources import Frames

_WARMUP_RUNS = 14_000

_HELD_OUT_SHARE = 0.05
"""Of the frames: not trained on, for the bounds."""

_HELD_OUT_RANGE = (0.025, 0.1)
"""What the share may be, so that an episode stays whole."""


class Recording(NamedTuple):
    """Frames, and which runs may be drawn from them.

    frame: `[N, H, V, C]` uint8.
    action: `[N]` int32, taken at each frame.
    begin: `[M]` int32, first frames of the runs that stay within an episode.
    episode: `[M]` int32, of each run, ascending.
    """

    frame: chex.ArrayNumpy
    action: chex.ArrayNumpy
    begin: chex.ArrayNumpy
    episode: chex.ArrayNumpy


class RecordedFeatures(NamedTuple):
    """Features of runs that were chosen beforehand.

    features: `[M, L, F]`
    action: `[M, L]`
    episode: `[M]`, ascending.
    """

    features: chex.Array
    action: chex.Array
    episode: chex.Array

    @property
    def num_at_once(self) -> int:
        """Each run once."""
        return self.action.shape[0]

    def draw(
        self, key: chex.PRNGKey, num_runs: int, run_length: int, num_groups: int, same_step_share: float
    ) -> tuple[chex.Array, chex.Array]:
        """See `FeatureRuns.draw`; episodes share no clock, so `same_step_share` is 0."""
        del run_length, same_step_share
        if num_groups > 1:
            chosen = _draw_groups(self.episode, key, num_groups, num_runs // num_groups)
        else:
            chosen = jax.random.permutation(key, self.num_at_once)[:num_runs]
        return self.features[chosen], self.action[chosen]


@dataclasses.dataclass(frozen=True)
class RecordingSource:
    """Recorded frames; the data are a `Recording`."""

    image_shape: tuple[int, int, int]
    num_actions: int

    def draw(self, data: Recording, key: chex.PRNGKey, num_windows: int, window_size: int, num_groups: int) -> Frames:
        """See `Source.draw`; the runs of a group are of one episode."""
        if num_groups > 1:
            chosen = _draw_groups(data.episode, key, num_groups, num_windows // num_groups)
        else:
            chosen = jax.random.randint(key, (num_windows,), 0, data.begin.shape[0])
        step = data.begin[chosen, None] + jnp.arange(window_size)[None]
        return Frames(data.frame[step], data.action[step])

    def encode(
        self, data: Recording, encoder: Encoder, params: Params, run_length: int, num_groups: int
    ) -> RecordedFeatures:
        """See `Source.encode`; where there are many, some of the runs, evenly spread."""
        del num_groups
        spread = np.linspace(0, len(data.begin) - 1, min(_WARMUP_RUNS, len(data.begin))).astype(int)
        step = np.asarray(data.begin)[spread, None] + np.arange(run_length)
        # A run at a time: all of their images at once would be more than the recording.
        features = in_batches(
            lambda index: features_of(encoder, params, data.frame[index]), step, max(1, BATCH_SIZE // run_length)
        )
        return RecordedFeatures(features, jnp.asarray(data.action)[step], jnp.asarray(data.episode)[spread])


@functools.partial(jax.jit, static_argnums=(2, 3))
def _draw_groups(episode: chex.Array, key: chex.PRNGKey, num_groups: int, group_size: int) -> chex.Array:
    """Runs `[num_groups * group_size]`, those of a group of one episode; the key is consumed."""
    first_key, other_key = jax.random.split(key)
    chosen = episode[jax.random.randint(first_key, (num_groups, 1), 0, episode.shape[0])]
    begin, end = (jnp.searchsorted(episode, chosen, side=side) for side in ("left", "right"))
    return jax.random.randint(other_key, (num_groups, group_size), begin, end).reshape(-1)


def make_recordings(
    frames: np.ndarray, actions: np.ndarray, episode_ends: np.ndarray, window_size: int
) -> tuple[Recording, Recording]:
    """What to train on, and what to keep back: the last twentieth of the frames, whole episodes where that fits.

    Args:
      frames: `[N, H, V, C]` uint8.
      actions: `[N]` int.
      episode_ends: `[N]` bool.
      window_size: `L`

    Raises:
      ValueError: there are too few frames for both.
    """
    num_frames = len(frames)
    last = np.array(episode_ends, bool)
    last[-1] = True
    episode = np.concatenate([[0], np.cumsum(last)[:-1]])
    boundary = _boundary(np.flatnonzero(last)[:-1] + 1, num_frames, window_size)
    begin = np.arange(num_frames - window_size + 1)
    begin = begin[episode[begin] == episode[begin + window_size - 1]]
    trained = begin[begin + window_size <= boundary]
    held_out = begin[begin >= boundary]
    if not len(trained) or not len(held_out):
        raise ValueError(
            f"frames must have runs of window_size={window_size} to train on and to keep back, got {num_frames} frames"
        )
    everything = np.asarray(frames), np.asarray(actions, np.int32)
    train, rest = (
        Recording(*everything, chosen.astype(np.int32), episode[chosen].astype(np.int32))
        for chosen in (trained, held_out)
    )
    return train, rest


def _boundary(first_frames: np.ndarray, num_frames: int, window_size: int) -> int:
    """The first frame that is kept back: of an episode that begins about there, else within one."""
    wanted = (1 - _HELD_OUT_SHARE) * num_frames
    low, high = ((1 - share) * num_frames for share in reversed(_HELD_OUT_RANGE))
    possible = first_frames[(first_frames >= low) & (first_frames <= high)]
    if len(possible):
        return int(possible[np.argmin(np.abs(possible - wanted))])
    return min(int(wanted), num_frames - window_size)


def check_frames(frames: Any) -> np.ndarray:
    """`frames` as `[N, H, V, C]` uint8.

    Raises:
      ValueError: they are something else.
    """
    if isinstance(frames, Sequence):
        raise ValueError(
            f"frames must be one array [N, H, W, C], got a {type(frames).__name__}: join episodes with "
            "numpy.concatenate and mark the last frame of each in episode_ends"
        )
    frames = np.asarray(frames)
    if frames.dtype != np.uint8:
        raise ValueError(f"frames must be uint8, from 0 to 255, got {frames.dtype}")
    if frames.ndim == 3:
        raise ValueError(
            f"frames must be [N, H, W, C], got shape {frames.shape}: grey images have one channel, frames[..., None]"
        )
    if frames.ndim != 4:
        raise ValueError(f"frames must be [N, H, W, C], got shape {frames.shape}")
    if min(frames.shape[1:3]) < MIN_SIDE or not frames.shape[0] or not frames.shape[3]:
        raise ValueError(f"frames must be [N, H, W, C] with H and W at least {MIN_SIDE}, got shape {frames.shape}")
    return frames


def check_actions(actions: Any, num_frames: int, num_actions: int | None) -> tuple[np.ndarray, int]:
    """`actions` as `[N]` int, and how many there are.

    Raises:
      ValueError: they are something else, or do not fit `num_actions`.
    """
    actions = np.asarray(actions)
    if actions.shape != (num_frames,):
        raise ValueError(
            f"actions must have shape ({num_frames},), the action taken at each frame, got {actions.shape}"
        )
    if not np.issubdtype(actions.dtype, np.integer):
        raise ValueError(f"actions must be integers, from 0 on, got {actions.dtype}")
    if actions.min() < 0:
        raise ValueError(f"actions must be at least 0, got {actions.min()}")
    if actions.min() == actions.max():
        raise ValueError(f"actions must take two values at least, got {actions.min()} everywhere")
    if num_actions is None:
        return actions, int(actions.max()) + 1
    if isinstance(num_actions, bool) or not isinstance(num_actions, int | np.integer):
        raise ValueError(f"num_actions must be a whole number, got {num_actions!r}")
    if actions.max() >= num_actions:
        raise ValueError(f"actions must be below num_actions={num_actions}, got {actions.max()}")
    return actions, num_actions


def check_episode_ends(episode_ends: Any, num_frames: int, window_size: int) -> np.ndarray:
    """`episode_ends` as `[N]` bool; None is one long episode.

    Raises:
      ValueError: they are something else, or an episode is shorter than a run.
    """
    ends = np.zeros(num_frames, bool) if episode_ends is None else np.asarray(episode_ends)
    if ends.shape != (num_frames,) or ends.dtype != np.bool_:
        raise ValueError(
            f"episode_ends must be bool of shape ({num_frames},), true at the last frame of each episode, "
            f"got {ends.dtype} {ends.shape}"
        )
    last = np.flatnonzero(np.append(ends[:-1], True))
    first = np.concatenate([[0], last[:-1] + 1])
    lengths = last - first + 1
    if lengths.min() < window_size:
        shortest = int(np.argmin(lengths))
        raise ValueError(
            f"episode_ends must leave episodes of window_size={window_size} frames at least, got {lengths[shortest]} "
            f"from frame {first[shortest]} on: leave it out, or take smaller windows"
        )
    return ends
