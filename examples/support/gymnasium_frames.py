"""Frames of a gymnasium environment under a uniformly random policy, with what the environment says of its state.

In the shape descriptions `N` denotes frames, `S` the side of an image and `D` the size of an observation.
"""

import os
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from PIL import Image
from rlcore.experiment import tell

_FRAMES_BETWEEN_LINES = 5000

STATES = {
    "CartPole-v1": ("cart position", "cart velocity", "pole angle", "pole angular velocity"),
    "MountainCar-v0": ("car position", "car velocity"),
}
"""What observations of known environments are."""


class Recorded(NamedTuple):
    """What was seen, of one episode after the other.

    frames: `[N, S, S, 3]` uint8.
    actions: `[N]` int, taken at each frame.
    episode_ends: `[N]` bool, true at the last frame of each episode.
    observations: `[N, D]` float64.
    num_actions: how many there are.
    """

    frames: np.ndarray
    actions: np.ndarray
    episode_ends: np.ndarray
    observations: np.ndarray
    num_actions: int


def make_env(env_id: str) -> Any:
    """The environment, drawing images.

    Raises:
      ValueError: there is none of that name, it lacks what draws it, it draws nothing, or its actions are not discrete.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame draws without a display, and says nothing of it
    try:
        env = gymnasium.make(env_id, render_mode="rgb_array")
        env.reset(seed=0)
        image = env.render()
    except gymnasium.error.DependencyNotInstalled as error:
        raise ValueError(f"env_id {env_id!r} needs what is not installed: {error}") from error
    except gymnasium.error.Error as error:
        raise ValueError(f"env_id: {error}") from error
    if not isinstance(image, np.ndarray) or image.ndim != 3:
        raise ValueError(f"env_id must draw images with render_mode='rgb_array', got {env_id!r}")
    for name, space, kind in (
        ("discrete actions", env.action_space, gymnasium.spaces.Discrete),
        ("observations that are arrays", env.observation_space, gymnasium.spaces.Box),
    ):
        if not isinstance(space, kind):
            raise ValueError(f"env_id must have {name}, got {space} of {env_id!r}")
    return env


def record(env: Any, num_frames: int, size: int, shortest: int, seed: int) -> Recorded:
    """Plays episodes until `num_frames` are seen, and closes the environment.

    Args:
      env: from `make_env`.
      num_frames: the last episode is cut there.
      size: `S`; an image is the mean over areas of what the environment draws.
      shortest: frames; shorter episodes are left out.
      seed: of the environment and of the policy.

    Raises:
      ValueError: no episode can be kept.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[np.ndarray, np.ndarray, int]] = []
    ends: list[int] = []
    seen = 0
    while seen < num_frames:
        played = _episode(env, size, rng, seed if seen == 0 else None, num_frames - seen)
        if len(played) >= shortest:
            rows += played
            ends.append(len(rows) - 1)
        if seen // _FRAMES_BETWEEN_LINES != (seen + len(played)) // _FRAMES_BETWEEN_LINES:
            tell(f"playing: {seen + len(played)} of {num_frames} frames")
        seen += len(played)
    env.close()
    if len(rows) < shortest:
        raise ValueError(f"num_steps must leave an episode of {shortest} frames at least, got {num_frames}")
    frames, observations, actions = (np.stack(column) for column in zip(*rows, strict=True))
    return Recorded(frames, actions, np.isin(np.arange(len(rows)), ends), observations, int(env.action_space.n))


def _episode(
    env: Any, size: int, rng: np.random.Generator, seed: int | None, most: int
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """The frames of one episode, its observations and actions; the last one's action is taken by nobody."""
    observation, _ = env.reset(seed=seed)
    rows: list[tuple[np.ndarray, np.ndarray, int]] = []
    ended = False
    while len(rows) < most:
        action = int(rng.integers(env.action_space.n))
        image = Image.fromarray(env.render()).resize((size, size), Image.Resampling.BOX)
        rows.append((np.asarray(image), np.asarray(observation, np.float64).ravel(), action))
        if ended:
            break
        observation, _, terminated, truncated, _ = env.step(action + env.action_space.start)
        ended = terminated or truncated
    return rows
