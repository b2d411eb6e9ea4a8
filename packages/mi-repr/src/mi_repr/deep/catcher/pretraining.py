"""Training an encoder on an objective: the head's warm-up, the gradient step, and the host loop.

In the shape descriptions `B` denotes samples, `F` features, `E` episodes and `T` steps of an episode.
"""

import dataclasses
import functools
import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax
from metarl_envs.catcher import CatcherEnv, CatcherState, all_states, num_states, state_index
from rlcore.experiment import Run
from rlcore.types import Metrics, Params
from rlcore.updates import make_update_many

from mi_repr.deep.catcher.data import Episodes, Frames, draw_groups, in_batches, render_many, sample_frames
from mi_repr.deep.config import MAX_BETA, PretrainConfig
from mi_repr.deep.encoders import Encoder
from mi_repr.deep.objectives import Objective

_ENCODE_BATCH = 512
_WARMUP_EPISODES = 1000
_TUNED_SHARE = 1 / 3
"""Of the updates, before beta follows the action loss."""

_TUNED_RATE = 0.02
"""Largest change of log beta in an update; also the rate of the average of the action loss that beta follows."""


class PretrainParams(NamedTuple):
    """encoder, and head of the objective."""

    encoder: Params
    head: Params


class PretrainState(NamedTuple):
    """All that the next gradient step depends on.

    params: what is trained.
    optimiser: Adam's.
    num_updates: scalar int32.
    log_beta: scalar, weight of the information bottleneck.
    action_loss: scalar, running average; `reference_loss`: what it was without a bottleneck to speak of.
    key: all randomness to come.
    """

    params: PretrainParams
    optimiser: optax.OptState
    num_updates: chex.Array
    log_beta: chex.Array
    action_loss: chex.Array
    reference_loss: chex.Array
    key: chex.PRNGKey


@dataclasses.dataclass(frozen=True)
class Pretrainer:
    """An encoder, what trains it, and on which game's frames."""

    config: PretrainConfig
    env: CatcherEnv
    encoder: Encoder
    objective: Objective

    def init(self, key: chex.PRNGKey) -> PretrainState:
        """The state before the warm-up; the key is consumed."""
        encoder_key, head_key, key = jax.random.split(key, 3)
        side = self.env.size
        image = jnp.zeros((1, side, side, 3), jnp.uint8)
        params = PretrainParams(self.encoder.init(encoder_key, image), self.objective.init(head_key))
        log_beta = jnp.log(jnp.asarray(self.config.initial_beta, jnp.float32))
        return PretrainState(
            params,
            self._optimiser.init(params),
            num_updates=jnp.zeros((), jnp.int32),
            log_beta=log_beta,
            action_loss=jnp.zeros(()),
            reference_loss=jnp.zeros(()),
            key=key,
        )

    def sample(self, episodes: Episodes, key: chex.PRNGKey) -> Frames:
        """A batch of runs of frames; the key is consumed."""
        config = self.config
        return sample_frames(self.env, episodes, key, config.num_windows, config.window_size, self.objective.num_groups)

    def update(self, state: PretrainState, batch: Frames, key: chex.PRNGKey) -> tuple[PretrainState, Metrics]:
        """One gradient step; the key is consumed."""

        def loss(params: PretrainParams) -> tuple[chex.Array, Metrics]:
            encoding = self.encoder.apply(params.encoder, batch.image)
            return self.objective.loss(params.head, encoding, batch.action, key, jnp.exp(state.log_beta))

        grads, metrics = jax.grad(loss, has_aux=True)(state.params)
        updates, optimiser = self._optimiser.update(grads, state.optimiser, state.params)
        state = state._replace(
            params=optax.apply_updates(state.params, updates),
            optimiser=optimiser,
            num_updates=state.num_updates + 1,
        )
        if self.objective.gaussian:
            metrics = {**metrics, "information/beta": jnp.exp(state.log_beta)}
            state = self._set_beta(state, metrics["loss/action"])
        return state, metrics

    def warm_up(self, state: PretrainState, episodes: Episodes) -> tuple[PretrainState, Metrics]:
        """Trains the head of the objective alone, on features of the encoder as it is."""
        if not self.config.num_warmup_updates:
            return state, {}
        if self.objective.num_groups == 1:
            episodes = jax.tree.map(lambda leaf: leaf[:_WARMUP_EPISODES], episodes)
        features = encode_states(self.env, self.encoder, state.params.encoder, episodes.state)
        key, warmup_key = jax.random.split(state.key)
        head, metrics = _warm_up(self.config, self.objective, state.params.head, features, episodes, warmup_key)
        return state._replace(params=state.params._replace(head=head), key=key), metrics

    @property
    def _optimiser(self) -> optax.GradientTransformation:
        schedule = optax.cosine_decay_schedule(self.config.learning_rate, self.config.num_updates)
        return optax.chain(optax.clip_by_global_norm(self.config.max_grad_norm), optax.adam(schedule))

    def _set_beta(self, state: PretrainState, action_loss: chex.Array) -> PretrainState:
        config, progress = self.config, state.num_updates / self.config.num_updates
        low, high = jnp.log(config.initial_beta), jnp.log(config.final_beta)
        if config.bottleneck == "ramp":
            share = jnp.clip((progress - 0.2) / 0.3, 0.0, 1.0)
            return state._replace(log_beta=low + share * (high - low))
        average = jnp.where(
            state.num_updates == 1, action_loss, optax.incremental_update(action_loss, state.action_loss, _TUNED_RATE)
        )
        reference = jnp.where(progress <= _TUNED_SHARE, average, state.reference_loss)
        excess = (average - reference) / config.loss_tolerance
        follow = state.log_beta + _TUNED_RATE * jnp.clip(1.0 - excess, -1.0, 1.0)
        log_beta = jnp.where(progress <= _TUNED_SHARE, low, jnp.minimum(follow, jnp.log(MAX_BETA)))
        return state._replace(log_beta=log_beta, action_loss=average, reference_loss=reference)


def encode_states(env: CatcherEnv, encoder: Encoder, params: Params, state: CatcherState) -> chex.Array:
    """Features of states of any batch dimensions `[...]`: `[..., F]`, a few hundred images at a time.

    Where the game has few states and many are asked for, each of them is drawn and encoded once.
    """

    def encode(state: CatcherState) -> chex.Array:
        return _encode(env, encoder, params, state)

    batch = state.paddle_x.shape
    if env.distractors == "none" and math.prod(batch) > num_states(env):
        return in_batches(encode, all_states(env), _ENCODE_BATCH)[state_index(env, state)]
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1), state)
    return in_batches(encode, flat, _ENCODE_BATCH).reshape(*batch, -1)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _encode(env: CatcherEnv, encoder: Encoder, params: Params, state: chex.ArrayTree) -> chex.Array:
    return encoder.apply(params, render_many(env, state)).mean


@functools.partial(jax.jit, static_argnums=(0, 1))
def _warm_up(
    config: PretrainConfig,
    objective: Objective,
    head: Params,
    features: chex.Array,
    episodes: Episodes,
    key: chex.PRNGKey,
) -> tuple[Params, Metrics]:
    """Steps of the head on the `features: [E, T + 1, F]` of episodes; the key is consumed."""
    action = episodes.action
    num_episodes, num_steps = action.shape
    k, size = objective.num_steps_ahead, min(config.warmup_batch_size, num_episodes)
    # Groups as large as those to come.
    num_groups = objective.num_groups
    if num_groups > 1:
        num_groups = max(1, size // (config.num_pairs // num_groups))
        objective = dataclasses.replace(objective, num_groups=num_groups)
    size -= size % num_groups
    optimiser = optax.adam(config.warmup_learning_rate)

    def step(carry: tuple[Params, optax.OptState], key: chex.PRNGKey) -> tuple[tuple[Params, optax.OptState], Metrics]:
        head, moments = carry
        episode_key, step_key, kind_key = jax.random.split(key, 3)
        if num_groups > 1:
            episode = draw_groups(episodes, episode_key, num_groups, size // num_groups).reshape(-1)
        else:
            episode = jax.random.permutation(episode_key, num_episodes)[:size]
        time = jax.random.randint(step_key, (size,), 0, num_steps + 1 - k)
        if num_groups == 1:
            time = jnp.where(jax.random.uniform(kind_key) < config.warmup_same_step_share, time[0], time)
        grads, metrics = jax.grad(objective.pair_loss, has_aux=True)(
            head, features[episode, time], action[episode, time], features[episode, time + k]
        )
        updates, moments = optimiser.update(grads, moments)
        return (optax.apply_updates(head, updates), moments), metrics

    keys = jax.random.split(key, config.num_warmup_updates)
    (head, _), metrics = jax.lax.scan(step, (head, optimiser.init(head)), keys)
    return head, {f"warmup/{name.split('/')[-1]}": values[-1] for name, values in metrics.items()}


def pretrain(trainer: Pretrainer, episodes: Episodes, run: Run, *, key: chex.PRNGKey) -> PretrainState:
    """Trains an encoder in a run directory, from its newest checkpoint on if it has one.

    Args:
      trainer: what is trained, and how.
      episodes: to train on.
      run: where metrics and checkpoints go.
      key: all randomness follows from it; consumed.

    Returns:
      The state after the last update.

    Raises:
      NonFiniteError: a loss is not finite; the last checkpoint is intact.
    """
    config = trainer.config
    update_many = make_update_many(trainer.update, trainer.sample)
    with run:
        state, start = run.restore(jax.jit(trainer.init)(key))
        frames = config.updates_per_iteration * config.num_windows * config.window_size
        for iteration in run.iterations(
            start, config.num_iterations, steps_per_iteration=frames, shown=("information/bound",)
        ):
            warmup: Metrics = {}
            if iteration == 1:
                state, warmup = trainer.warm_up(state, episodes)
            key, update_key = jax.random.split(state.key)
            state, metrics = update_many(state._replace(key=key), episodes, update_key, config.updates_per_iteration)
            run.finish_iteration(iteration, state, {**metrics, **warmup, "updates": state.num_updates})
    return state
