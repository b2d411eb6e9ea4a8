"""The belief as a representation: what the actor and the critics see is the posterior over the latent state.

In the shape descriptions `B` denotes trials, `L` the frames of a trial, `n` the transitions that are learned from,
`Da`, `Db`, `Df`, `D1`, `D2` the sizes of actions, beliefs, features and the two layers of the latent state.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.representation import RepresentationOutput
from rlcore.types import Params

from meld_jax.filtering import Trial, filter_trials
from meld_jax.model import LatentModel


class PolicyBatch(NamedTuple):
    """What a gradient step of actor and critics learns from.

    trials: leaves `[B, L, ...]`.
    belief: `[B, L, Db]`, the model's at all frames of these trials.
    chosen: `[n]` int32, which of the `B (L - 1)` steps from one frame to the next.
    action: `[n, Da]`. reward, discount: `[n]`. Of the chosen steps.
    """

    trials: Trial
    belief: chex.Array
    chosen: chex.Array
    action: chex.Array
    reward: chex.Array
    discount: chex.Array


def make_policy_batch(trials: Trial, belief: chex.Array, chosen: chex.Array, reward: chex.Array) -> PolicyBatch:
    """The batch of some steps of some trials, see `PolicyBatch`; `reward: [B, L]` is what trains the critics."""
    action, reward, discount = (_choose(leaf[:, 1:], chosen) for leaf in (trials.action, reward, trials.discount))
    return PolicyBatch(trials, belief, chosen, action, reward, discount)


class Belief:
    """The belief of a latent state model: a representation without parameters of its own.

    No gradient of actor and critics flows to the model (thesis, appendix D.1), which is trained on its evidence alone.
    Steps into the first frame of an episode, and those behind the last one, count nothing. The last step of an episode
    leads to the belief at the start of the trial's next episode, so that what it taught is worth something.

    Args:
      model: the latent state model.
      num_frames: `L`.
    """

    def __init__(self, model: LatentModel, num_frames: int):
        self.model = model
        self.num_frames = num_frames

    def init(self, key: chex.PRNGKey, example: PolicyBatch) -> Params:
        """Nothing: the model is not trained by actor and critics."""
        del key, example
        return {}

    def apply(self, params: Params, batch: PolicyBatch, key: chex.PRNGKey) -> RepresentationOutput:
        """The beliefs before and after the chosen steps; the key is not used."""
        del params, key
        trials = batch.trials
        belief = jax.lax.stop_gradient(batch.belief)
        before = jnp.concatenate([belief[:, :1], belief[:, :-1]], axis=1)
        belief = self.with_previous(belief, before, trials.action, trials.first)
        following = jnp.take_along_axis(belief, self._following(trials)[..., None], axis=1)
        counts = (trials.valid & ~trials.first)[:, 1:]
        obs, next_obs, weight = (_choose(leaf, batch.chosen) for leaf in (belief[:, :-1], following, counts))
        return RepresentationOutput(obs, next_obs, jnp.zeros((), jnp.float32), {}, weight.astype(jnp.float32))

    def with_previous(
        self, belief: chex.Array, before: chex.Array, action: chex.Array, first: chex.Array
    ) -> chex.Array:
        """What the actor and the critics see, `[..., Df]`, the belief first, see `ModelConfig.previous_belief`.

        Args:
          belief: `[..., Db]` at a frame.
          before: `[..., Db]` at the frame before it.
          action: `[..., Da]` that led from there, zeros at the start of an episode.
          first: `[...]` bool, whether an episode starts at the frame, which then has none before it.
        """
        if not self.model.config.previous_belief:
            return belief
        return jnp.concatenate([belief, jnp.where(first[..., None], belief, before), action], axis=-1)

    def num_features(self, action_size: int) -> int:
        """`Df`, the numbers that the actor and the critics see."""
        size = self.model.config.belief_size
        return 2 * size + action_size if self.model.config.previous_belief else size

    def init_model(self, key: chex.PRNGKey, trials: Trial) -> Params:
        """The model's parameters, for trials `[B, L, ...]` of the shapes to come; the key is consumed."""
        frames = jax.tree.map(lambda leaf: leaf[:, 0], trials)
        return self.model.init(key, frames.image, frames.reward, frames.action, frames.first)

    def infer(self, params: Params, trials: Trial, key: chex.PRNGKey) -> chex.Array:
        """The beliefs at all frames, `[B, L, Db]`; the key is consumed."""
        latents, _ = filter_trials(self.model, params, trials, self.draw_noise(key, trials))
        return self.model.belief(latents)

    def draw_noise(self, key: chex.PRNGKey, trials: Trial) -> chex.Array:
        """The noise of the samples in a pass over trials, `[L, B, D1 + D2]`; the key is consumed."""
        num_trials, num_frames = trials.reward.shape
        config = self.model.config
        return jax.random.normal(key, (num_frames, num_trials, config.z1_size + config.z2_size))

    def _following(self, trials: Trial) -> chex.Array:
        """The frame `[B, L - 1]` int32 whose belief follows on each step: where it leads to, or the next start."""
        begins = (trials.first & trials.valid)[:, 2:]
        begins = jnp.concatenate([begins, jnp.zeros_like(trials.valid[:, :1])], axis=1)
        return jnp.arange(1, self.num_frames, dtype=jnp.int32)[None] + begins


def _choose(leaf: chex.Array, chosen: chex.Array) -> chex.Array:
    """Some of `[B, L - 1, ...]`, as `[n, ...]`."""
    return leaf.reshape(-1, *leaf.shape[2:])[chosen]
