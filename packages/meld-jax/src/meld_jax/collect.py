"""From what was played to the trials that are stored.

In the shape descriptions `K` denotes the episodes of a trial, `T` the steps of an episode, `M` the tasks visited, `L`
the frames of a trial: `K (T + 1)`.
"""

import chex
import jax
import jax.numpy as jnp
from rlcore.meta import Trials, get_signal
from rlcore.replay import Replay, add
from rlcore.rollout import Trajectory

from meld_jax.config import MeldConfig
from meld_jax.filtering import Trial


def get_rewards(config: MeldConfig, trajectory: Trajectory) -> tuple[chex.Array, chex.Array]:
    """The training reward and the second stage's, by the names that the config gives.

    Raises:
      ValueError: the environment reports none of that name.
    """
    names = {"training_reward": config.training_reward, "second_stage_reward": config.second_stage_reward}
    training, second = (get_signal(trajectory, name, option) for option, name in names.items())
    return training, second


def make_trials(config: MeldConfig, trials: Trials) -> Trial:
    """What was played, frame by frame: leaves `[M, L, ...]`.

    Args:
      config: names the rewards.
      trials: leaves `[K, T, M, ...]`.
    """
    transition = trials.trajectory.transition
    training_reward, second_reward = get_rewards(config, trials.trajectory)

    def arrive(leaf: chex.Array) -> chex.Array:
        """What belongs to arrivals, with zeros at the start of each episode: `[K, T + 1, M, ...]`."""
        leaf = jnp.asarray(leaf, jnp.float32)
        return jnp.concatenate([jnp.zeros_like(leaf[:, :1]), leaf], axis=1)

    def begin_with(value: bool, rest: chex.Array) -> chex.Array:
        rest = jnp.asarray(rest)
        return jnp.concatenate([jnp.full_like(rest[:, :1], value), rest], axis=1)

    valid = begin_with(True, trials.valid)
    first = begin_with(True, jnp.zeros_like(jnp.asarray(trials.valid)))
    image = jnp.concatenate([jnp.asarray(transition.obs)[:, :1], jnp.asarray(transition.next_obs)], axis=1)
    action, reward, training_reward, second_reward, discount = map(
        arrive, (transition.action, transition.reward, training_reward, second_reward, transition.discount)
    )
    trial = Trial(image, action, reward, training_reward, second_reward, discount, first, valid)

    def lay_out(leaf: chex.Array) -> chex.Array:
        leaf = jnp.moveaxis(leaf, 2, 0)
        return leaf.reshape(leaf.shape[0], -1, *leaf.shape[3:])

    return jax.tree.map(lay_out, trial)


def store(replay: Replay, ids: chex.Array, config: MeldConfig, trials: Trials) -> Replay:
    """Adds a trial in each of the tasks `ids: [M]` int32 to the replay."""
    rows = jax.tree.map(lambda leaf: leaf[:, None], make_trials(config, trials))
    return add(replay, ids, rows)


def as_second_stage(replay: Replay) -> Replay:
    """Trials of a first stage with the evidence that a second stage sees (thesis, appendix D.3)."""
    return replay._replace(data=replay.data._replace(reward=replay.data.second_reward))
