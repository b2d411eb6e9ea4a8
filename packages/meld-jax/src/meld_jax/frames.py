"""From what was played to the trials that are stored, frame by frame.

In the shape descriptions `S` denotes the steps of a trial, `M` the tasks side by side, `L` the frames of a trial.
"""

import chex
import jax
import jax.numpy as jnp
from rlcore.meta import Visit, get_signal
from rlcore.replay import Replay

from meld_jax.config import MeldConfig
from meld_jax.filtering import Trial

_STEPS_PER_START = 4


def count_frames(num_episodes: int, horizon: int, *, terminates: bool) -> int:
    """`L`: every step has a frame, and so has every start of an episode.

    Where episodes can end early there is room for a start every four steps; should they be shorter still, the last
    steps of a trial are left out, and training counts them.

    Args:
      num_episodes: of a trial, if all last for the horizon.
      horizon: steps of the longest episode.
      terminates: whether episodes can end early.
    """
    num_steps = num_episodes * horizon
    num_starts = max(num_episodes, -(-num_steps // _STEPS_PER_START)) if terminates else num_episodes
    return num_steps + num_starts


def make_trials(config: MeldConfig, visit: Visit, num_frames: int) -> Trial:
    """What was played, frame by frame: leaves `[M, L, ...]`.

    Args:
      config: names the rewards.
      visit: leaves `[S, M, ...]`.
      num_frames: `L`.

    Raises:
      ValueError: the environment does not report one of the rewards.
    """
    trajectory = visit.trajectory
    rewards = {name: getattr(config, name) for name in ("training_reward", "second_stage_reward")}
    training_reward, second_reward = (get_signal(trajectory, name, option) for option, name in rewards.items())
    # From `[S, M, ...]` to `[M, S, ...]`: each task has frames of its own.
    (obs, action, reward, discount, next_obs), training_reward, second_reward, episode, step = jax.tree.map(
        lambda leaf: jnp.swapaxes(jnp.asarray(leaf), 0, 1),
        (trajectory.transition, training_reward, second_reward, visit.episode, visit.step_in_episode()),
    )
    num_steps = episode.shape[1]
    # A step arrives at the frame behind those of the steps before it and of all starts so far.
    arrival = jnp.arange(num_steps)[None] + episode + 1
    frames = jnp.arange(num_frames)
    # Of each frame the step that arrives there; where an episode starts, the first step that is taken from there.
    source = jax.vmap(lambda arrival: jnp.searchsorted(arrival, frames))(arrival)
    valid = source < num_steps
    source = jnp.minimum(source, num_steps - 1)

    def take(leaf: chex.Array) -> chex.Array:
        return jax.vmap(lambda row, index: row[index])(leaf, source)

    first = valid & (take(arrival) != frames[None]) & (take(step) == 0)

    def arrive(leaf: chex.Array) -> chex.Array:
        """What belongs to arrivals, with zeros where none is: at the start of each episode, and behind the last."""
        arrives = (valid & ~first).reshape(*valid.shape, *[1] * (leaf.ndim - 2))
        return jnp.where(arrives, take(jnp.asarray(leaf, jnp.float32)), 0)

    image = jnp.where(first[..., None, None, None], take(obs), take(next_obs))
    action, reward, training_reward, second_reward, discount = map(
        arrive, (action, reward, training_reward, second_reward, discount)
    )
    return Trial(image, action, reward, training_reward, second_reward, discount, first, valid)


def as_second_stage(replay: Replay) -> Replay:
    """Trials of a first stage with the evidence that a second stage sees (thesis, appendix D.3); no copy."""
    return replay._replace(data=replay.data._replace(reward=replay.data.second_reward))
