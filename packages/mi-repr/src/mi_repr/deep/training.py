"""Training an encoder on an objective: the gradient step and the host loop."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax
from rlcore.experiment import Run
from rlcore.types import Metrics, Params
from rlcore.updates import make_update_many

from mi_repr.deep.bottleneck import Bottleneck, init_bottleneck, step_bottleneck
from mi_repr.deep.config import PretrainConfig
from mi_repr.deep.encoders import Encoder
from mi_repr.deep.objectives import EncodedFrames, HeadFirst, Objective
from mi_repr.deep.sources import Frames, Source
from mi_repr.deep.warm_up import warm_up_head

_SHOWN = ("information/bits", "reconstruction/explained", "collapse/spread")


class PretrainParams(NamedTuple):
    """encoder, and head of the objective."""

    encoder: Params
    head: Params


class PretrainState(NamedTuple):
    """All that the next gradient step depends on.

    params: what is trained.
    optimiser: Adam's.
    num_updates: scalar int32.
    log_beta, action_loss, reference_loss: of the information bottleneck, see `Bottleneck`.
    key: all randomness to come.
    average: of the parameters, where the objective asks for it; else empty.
    """

    params: PretrainParams
    optimiser: optax.OptState
    num_updates: chex.Array
    log_beta: chex.Array
    action_loss: chex.Array
    reference_loss: chex.Array
    key: chex.PRNGKey
    average: PretrainParams | tuple[()] = ()


@dataclasses.dataclass(frozen=True)
class Pretrainer:
    """An encoder, what trains it, and where its frames come from."""

    config: PretrainConfig
    source: Source
    encoder: Encoder
    objective: Objective

    def init(self, key: chex.PRNGKey) -> PretrainState:
        """The state before the warm-up; the key is consumed."""
        encoder_key, head_key, key = jax.random.split(key, 3)
        image = jnp.zeros((1, *self.source.image_shape), jnp.uint8)
        params = PretrainParams(self.encoder.init(encoder_key, image), self.objective.init(head_key))
        return PretrainState(
            params,
            self._optimiser.init(params),
            num_updates=jnp.zeros((), jnp.int32),
            **init_bottleneck(self.config)._asdict(),
            key=key,
            average=jax.tree.map(jnp.copy, params) if self.objective.averaged else (),
        )

    def sample(self, data: Any, key: chex.PRNGKey) -> Frames:
        """A batch of runs of the source's data; the key is consumed."""
        config, num_groups = self.config, self.objective.setting.num_groups
        return self.source.draw(data, key, config.num_windows, config.window_size, num_groups)

    def update(self, state: PretrainState, batch: Frames, key: chex.PRNGKey) -> tuple[PretrainState, Metrics]:
        """One gradient step; the key is consumed."""

        def loss(params: PretrainParams) -> tuple[chex.Array, Metrics]:
            frames = self.encode(params, state.average, batch)
            return self.objective.loss(params.head, frames, key, jnp.exp(state.log_beta))

        grads, metrics = jax.grad(loss, has_aux=True)(state.params)
        updates, optimiser = self._optimiser.update(grads, state.optimiser, state.params)
        params = optax.apply_updates(state.params, updates)
        if self.objective.averaged:
            average = optax.incremental_update(params, state.average, self.config.average_rate)
            state = state._replace(average=average)
        state = state._replace(
            params=params,
            optimiser=optimiser,
            num_updates=state.num_updates + 1,
        )
        if self.objective.gaussian:
            metrics = {**metrics, "information/beta": jnp.exp(state.log_beta)}
            before = Bottleneck(state.log_beta, state.action_loss, state.reference_loss)
            after = step_bottleneck(self.config, before, state.num_updates, metrics["loss/action"])
            state = state._replace(**after._asdict())
        return state, metrics

    def encode(self, params: PretrainParams, average: PretrainParams | tuple[()], batch: Frames) -> EncodedFrames:
        """The batch as the objective sees it."""
        encoding = self.encoder.apply(params.encoder, batch.image)
        if not average:
            return EncodedFrames(*batch, encoding)
        return EncodedFrames(*batch, encoding, self.encoder.apply(average.encoder, batch.image).mean, average.head)

    def warm_up(self, state: PretrainState, data: Any) -> tuple[PretrainState, Metrics]:
        """Trains the head of the objective alone, on features of the encoder as it is."""
        if not self.config.num_warmup_updates or not isinstance(self.objective, HeadFirst):
            return state, {}
        run_length, num_groups = self.objective.span + 1, self.objective.setting.num_groups
        runs = self.source.encode(data, self.encoder, state.params.encoder, run_length, num_groups)
        key, warmup_key = jax.random.split(state.key)
        head, metrics = warm_up_head(self.config, self.objective, state.params.head, runs, warmup_key)
        return state._replace(params=state.params._replace(head=head), key=key), metrics

    @property
    def _optimiser(self) -> optax.GradientTransformation:
        schedule = optax.cosine_decay_schedule(self.config.learning_rate, self.config.num_updates)
        return optax.chain(optax.clip_by_global_norm(self.config.max_grad_norm), optax.adam(schedule))


def train(trainer: Pretrainer, data: Any, run: Run, *, key: chex.PRNGKey) -> PretrainState:
    """Trains an encoder in a run directory, from its newest checkpoint on if it has one.

    Args:
      trainer: what is trained, and how.
      data: the source's, to train on.
      run: where metrics and checkpoints go.
      key: all randomness follows from it; consumed.

    Returns:
      The state after the last update.

    Raises:
      NonFiniteError: a loss is not finite; the last checkpoint is intact.
    """
    config, step = trainer.config, make_step(trainer)
    frames = config.updates_per_iteration * config.num_windows * config.window_size
    with run:
        state, start = run.restore(jax.jit(trainer.init)(key))
        for iteration in run.iterations(
            start, config.num_iterations, steps_per_iteration=frames, shown=_SHOWN, title="encoder"
        ):
            state, metrics = step(iteration, state, data)
            run.finish_iteration(iteration, state, metrics)
    return state


def make_step(trainer: Pretrainer) -> Callable[[int, PretrainState, Any], tuple[PretrainState, Metrics]]:
    """An iteration of training: `(iteration, state, data) -> (state, metrics)`; before the first the head warms up."""
    update_many = make_update_many(trainer.update, trainer.sample)

    def step(iteration: int, state: PretrainState, data: Any) -> tuple[PretrainState, Metrics]:
        warmup: Metrics = {}
        if iteration == 1:
            state, warmup = trainer.warm_up(state, data)
        key, update_key = jax.random.split(state.key)
        updates = trainer.config.updates_per_iteration
        state, metrics = update_many(state._replace(key=key), data, update_key, updates)
        if "information/bound" in metrics:
            metrics = {**metrics, "information/bits": metrics["information/bound"] / math.log(2)}
        return state, {**metrics, **warmup, "updates": state.num_updates}

    return step
