"""The MELD agent: the latent state model, one SAC on its belief, and their gradient steps.

In the shape descriptions `N` denotes all train tasks, `B` the trials of a batch, `L` the frames of a trial.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax
from rlcore.averaging import average_params
from rlcore.distributions import standard_gaussian
from rlcore.replay import Replay, sample
from rlcore.sac import SAC, ContinuousHead, SACParams, SACState
from rlcore.types import Metrics, Params

from meld_jax.config import MeldConfig
from meld_jax.filtering import Trial, filter_trials
from meld_jax.losses import image_log_likelihood, kl_divergence, masked_mean, reward_log_likelihood
from meld_jax.model import LatentModel, Normal
from meld_jax.representation import Belief, make_policy_batch

_SMALLEST_SCALE = 0.02
"""Of a pixel that never changes, about 5 of 255."""


class AgentParams(NamedTuple):
    """What it takes to act. model: the latent state model's. policy: SAC's."""

    model: Params
    policy: SACParams


class AgentState(NamedTuple):
    """What gradient steps change.

    model: the latent state model's parameters.
    model_optimiser: Adam's state for them.
    learner: SAC's.
    average: parameters averaged over updates, for testing; without averaging the newest.
    num_updates: scalar int32, gradient steps of actor and critics so far; the average begins with the first of them.
    """

    model: Params
    model_optimiser: optax.OptState
    learner: SACState
    average: AgentParams
    num_updates: chex.Array

    @property
    def params(self) -> AgentParams:
        """The newest parameters."""
        return AgentParams(self.model, self.learner.params)


class MeldData(NamedTuple):
    """replay: trials of `N` tasks. expert: those of the first stage, or None."""

    replay: Replay
    expert: Replay | None


class MeldAgent:
    """MELD for one kind of picture and action.

    Args:
      config: the options.
      image_shape: height, width and channels of an observation.
      action_size: numbers in an action.
      num_frames: of a trial, see `Trial`.
    """

    def __init__(self, config: MeldConfig, image_shape: tuple[int, int, int], action_size: int, num_frames: int):
        self.config = config
        self.model = LatentModel(config.model, image_shape)
        self.belief = Belief(self.model, num_frames)
        self.sac = SAC(config.sac, ContinuousHead(config.sac, action_size), self.belief)
        self.action_size = action_size
        # On all parameters as one vector, which compiles to a few loops in place of a few for each of them.
        self.optimiser = optax.flatten(
            optax.chain(optax.clip_by_global_norm(config.max_model_grad_norm), optax.adam(config.model_learning_rate))
        )

    def init(self, key: chex.PRNGKey) -> AgentState:
        """The state before the first update; the key is consumed."""
        model_key, policy_key = jax.random.split(key)
        trials = jax.tree.map(lambda leaf: leaf[None], self.example_trial())
        model = self.belief.init_model(model_key, trials)
        belief = jnp.zeros((*trials.reward.shape, self.config.model.belief_size), jnp.float32)
        learner = self.sac.init(policy_key, make_policy_batch(trials, belief, jnp.zeros(1, jnp.int32), trials.reward))
        average = jax.tree.map(jnp.copy, AgentParams(model, learner.params))
        return AgentState(model, self.optimiser.init(model), learner, average, jnp.zeros((), jnp.int32))

    def example_trial(self) -> Trial:
        """A trial of zeros, for the shape of the replay."""
        frames = self.belief.num_frames
        image = jnp.zeros((frames, *self.model.image_shape), jnp.uint8)
        scalar, flag = jnp.zeros(frames, jnp.float32), jnp.zeros(frames, bool)
        action = jnp.zeros((frames, self.action_size), jnp.float32)
        return Trial(image, action, scalar, scalar, scalar, scalar, flag, flag)

    def set_background(self, state: AgentState, trials: Trial) -> AgentState:
        """Starts the decoder at the mean picture of trials `[..., L]`: all that is left to learn is what differs.

        Where images are standardised, these trials say how.
        """
        image = trials.image.reshape(-1, *self.model.image_shape)
        weight = trials.valid.reshape(-1, 1, 1, 1).astype(jnp.float32)
        mean = jnp.sum(image * weight, axis=0) / (255 * jnp.sum(weight))
        start = {"image_bias": mean}
        if self.config.model.standardise_images:
            variance = jnp.sum((image / 255 - mean[None]) ** 2 * weight, axis=0) / jnp.sum(weight)
            start |= {"image_mean": mean, "image_scale": jnp.sqrt(variance + _SMALLEST_SCALE**2)}

        def begin(model: Params) -> Params:  # with copies, because states are donated
            return {**model, "params": {**model["params"], **jax.tree.map(jnp.copy, start)}}

        return state._replace(
            model=begin(state.model), average=state.average._replace(model=begin(state.average.model))
        )

    def sample(self, data: MeldData, key: chex.PRNGKey, num_trials: int) -> Trial:
        """Whole trials `[B, L, ...]` of tasks drawn with replacement; the key is consumed."""
        task_key, own_key, expert_key, choice_key = jax.random.split(key, 4)
        tasks = jax.random.randint(task_key, (num_trials,), 0, data.replay.num_added.shape[0])

        def draw(replay: Replay, key: chex.PRNGKey) -> Trial:
            return jax.tree.map(lambda leaf: leaf[:, 0], sample(replay, key, tasks, 1))

        own = draw(data.replay, own_key)
        if data.expert is None:
            return own
        expert = draw(data.expert, expert_key)
        use_expert = jax.random.bernoulli(choice_key, self.config.expert_share, (num_trials,))
        return jax.tree.map(lambda e, o: jnp.where(use_expert.reshape(-1, *[1] * (o.ndim - 1)), e, o), expert, own)

    def model_loss(
        self, params: Params, trials: Trial, key: chex.PRNGKey
    ) -> tuple[chex.Array, tuple[chex.Array, dict[str, chex.Array]]]:
        """Minus the evidence lower bound of a frame (thesis, equations 15 and 36), weighted as the config says.

        Args:
          params: the model's.
          trials: leaves `[B, L, ...]`.
          key: consumed.

        Returns:
          The loss, and the beliefs `[B, L, Db]` that it came by with metrics.
        """
        config = self.config.model
        frame_key, noise_key = jax.random.split(key) if self.config.num_decoded_frames else (key, key)
        latents, before = filter_trials(self.model, params, trials, self.belief.draw_noise(noise_key, trials))
        expected = self.model.apply(params, before, trials.action, trials.first, method="expect")
        expected = _begin_with_standard_normal(expected)
        kl = masked_mean(kl_divergence(latents.q1, expected), trials.valid)

        seen, z1, z2, visible = self._choose_frames((trials.image, latents.z1, latents.z2, trials.valid), frame_key)
        image = self.model.apply(params, z1, z2, method="decode_image")
        target = seen.astype(jnp.float32) / 255
        std = config.image_std * self.model.apply(params, method="pixel_scale")
        image_term = masked_mean(image_log_likelihood(target, image, std), visible)
        loss = config.kl_coef * kl - image_term
        square_error = masked_mean(jnp.mean((image - target) ** 2, axis=(-3, -2, -1)), visible)
        mean_picture = jnp.mean(target, axis=(0, 1), keepdims=True)
        spread = masked_mean(jnp.mean((target - mean_picture) ** 2, axis=(-3, -2, -1)), visible)
        metrics = {"model/image_error": square_error / jnp.maximum(spread, 1e-8), "model/kl": kl}
        if config.reward_evidence:
            reward = self.model.apply(params, latents.z1, latents.z2, method="decode_reward")
            earned = trials.valid & ~trials.first
            likelihood = reward_log_likelihood(trials.training_reward, reward, config.reward_std)
            loss -= config.reward_coef * masked_mean(likelihood, earned)
            rmse = jnp.sqrt(masked_mean((reward - trials.training_reward) ** 2, earned))
            metrics["model/reward_rmse"] = rmse
        metrics["loss/model"] = loss
        return loss, (self.model.belief(latents), metrics)

    def _choose_frames(self, leaves: tuple[chex.Array, ...], key: chex.PRNGKey) -> tuple[chex.Array, ...]:
        """Those frames of `[B, L, ...]` whose pictures are to be explained, the same in all trials."""
        num_frames = self.belief.num_frames
        if not 0 < self.config.num_decoded_frames < num_frames:
            return leaves
        chosen = jax.random.choice(key, num_frames, (self.config.num_decoded_frames,), replace=False)
        return tuple(leaf[:, chosen] for leaf in leaves)

    def update_model(self, state: AgentState, trials: Trial, key: chex.PRNGKey) -> tuple[AgentState, Metrics]:
        """One gradient step on the model; the key is consumed."""
        state, _, metrics = self._step_model(state, trials, key)
        return self._average(state), metrics

    def update_policy(self, state: AgentState, trials: Trial, key: chex.PRNGKey) -> tuple[AgentState, Metrics]:
        """`policy_steps_per_batch` gradient steps on actor and critics; the key is consumed."""
        infer_key, policy_key = jax.random.split(key)
        belief = self.belief.infer(state.model, trials, infer_key)

        def step(state: AgentState, key: chex.PRNGKey) -> tuple[AgentState, Metrics]:
            state, metrics = self._step_policy(state, trials, belief, key)
            return self._count(self._average(state)), metrics

        num_steps = self.config.policy_steps_per_batch
        if num_steps == 1:
            return step(state, policy_key)
        state, metrics = jax.lax.scan(step, state, jax.random.split(policy_key, num_steps))
        return state, jax.tree.map(jnp.mean, metrics)

    def update_joint(self, state: AgentState, trials: Trial, key: chex.PRNGKey) -> tuple[AgentState, Metrics]:
        """One gradient step on the model, and one on actor and critics by its beliefs; the key is consumed."""
        model_key, policy_key = jax.random.split(key)
        state, belief, model_metrics = self._step_model(state, trials, model_key)
        state, metrics = self._step_policy(state, trials, belief, policy_key)
        return self._count(self._average(state)), {**model_metrics, **metrics}

    def _step_model(
        self, state: AgentState, trials: Trial, key: chex.PRNGKey
    ) -> tuple[AgentState, chex.Array, dict[str, chex.Array]]:
        grads, (belief, metrics) = jax.grad(self.model_loss, has_aux=True)(state.model, trials, key)
        updates, optimiser = self.optimiser.update(grads, state.model_optimiser, state.model)
        metrics["model/grad_norm"] = optax.tree.norm(grads)
        model = optax.apply_updates(state.model, updates)
        return state._replace(model=model, model_optimiser=optimiser), belief, metrics

    def _step_policy(
        self, state: AgentState, trials: Trial, belief: chex.Array, key: chex.PRNGKey
    ) -> tuple[AgentState, Metrics]:
        choice_key, update_key = jax.random.split(key)
        num_steps = trials.reward.shape[0] * (self.belief.num_frames - 1)
        chosen = jnp.arange(num_steps, dtype=jnp.int32)
        if 0 < self.config.num_transitions < num_steps:
            chosen = jax.random.choice(choice_key, chosen, (self.config.num_transitions,), replace=False)
        reward = trials.reward if self.config.critic_reward == "evidence" else trials.training_reward
        batch = make_policy_batch(trials, belief, chosen, reward)
        learner, metrics = self.sac.update(state.learner, batch, update_key)
        return state._replace(learner=learner), metrics

    def _average(self, state: AgentState) -> AgentState:
        average = average_params(state.average, state.params, self.config.averaging_rate, state.num_updates)
        return state._replace(average=average)

    @staticmethod
    def _count(state: AgentState) -> AgentState:
        return state._replace(num_updates=state.num_updates + 1)


def _begin_with_standard_normal(expected: Normal) -> Normal:
    """The dynamics `[B, L, D1]`, but for the first frame the fixed prior N(0, I) of the thesis."""
    standard = standard_gaussian(expected.mean[:, :1].shape)
    return Normal(
        jnp.concatenate([standard.mean, expected.mean[:, 1:]], axis=1),
        jnp.concatenate([standard.variance, expected.std[:, 1:]], axis=1),
    )
