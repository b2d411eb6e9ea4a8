"""The gradient step of a guided network on episodes (thesis 4.3.3).

In the shape descriptions `B` denotes episodes, `H, W` pixels, `R, Q` the rows and columns of cells, `F` features of the
backbone, `h, w` the pixels that the loss looks at.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy.typing as npt
import optax

from guidenet.network.features import Features
from guidenet.network.geometry import upsample
from guidenet.network.guided_network import GuidedNetwork, Params
from guidenet.network.losses import training_loss
from guidenet.training.config import OptimiserConfig, TrainingConfig

Array = jax.Array | npt.NDArray[Any]

Looked = Array | tuple[Array, ...]
"""Images, or maps of the backbone."""


class Batch(NamedTuple):
    """Binary episodes of one shot.

    support: maps of the backbone, `[B, R, Q, F]` for each stride, or `[B, H, W, 3]` uint8 images if
      `Learner.support_images`.
    query: the same; images if `Learner.query_images`.
    annotation: `[B, H, W]` int8: 1 positive, 0 negative, -1 unknown.
    target: `[B, h, w]` int8: 1, 0, -1 not scored.
    own: `[B]` bool, see `Task.own`.
    """

    support: Looked
    query: Looked
    annotation: Array
    target: Array
    own: Array


class TrainState(NamedTuple):
    """Everything that the next update depends on, except for batches and frozen parameters.

    params: what is trained, by part.
    average: its running average.
    optimiser: moments.
    num_updates: scalar int32.
    key: for the dropout of all updates to come.
    """

    params: Params
    average: Params
    optimiser: optax.OptState
    num_updates: jax.Array
    key: jax.Array


@dataclasses.dataclass(frozen=True)
class Learner:
    """What is trained, and how."""

    config: TrainingConfig

    @property
    def network(self) -> GuidedNetwork:
        """Of the config."""
        return GuidedNetwork(self.config.network)

    @property
    def query_images(self) -> bool:
        """Whether queries are encoded in every update."""
        return self.config.trained == "network"

    @property
    def support_images(self) -> bool:
        """Whether supports are."""
        return self.query_images or not self.network.guided_by_features

    @property
    def trained_parts(self) -> tuple[str, ...]:
        """Of the network's parameters."""
        parts = ("projection", *self.network.scoring_parts)
        if self.config.network.fusion == "early":
            parts += ("support_backbone", "support_projection")
        return (*parts, "backbone") if self.query_images else parts

    def init(self, params: Params, key: jax.Array) -> TrainState:
        """The state before the first update; the key is consumed.

        Args:
          params: of the network.
          key: a random key.
        """
        # Copies: states are donated to updates, each buffer once, and both encoders may start from the same.
        trained, average = (
            jax.tree.map(jnp.copy, {part: params[part] for part in self.trained_parts}) for _ in range(2)
        )
        return TrainState(trained, average, self._optimiser.init(trained), jnp.zeros((), jnp.int32), key)

    def join(self, frozen: Params, trained: Params) -> Params:
        """Parameters of the network: those that are trained, and from `frozen` those that are not."""
        return {**frozen, **trained}

    def loss(self, params: Params, batch: Batch, key: jax.Array | None = None) -> jax.Array:
        """The loss of the episodes, scalar.

        Args:
          params: of the network.
          batch: episodes.
          key: for dropout; None is without. The key is consumed.
        """
        logits = self.logits(params, batch, key, self.config.loss_step)
        return training_loss(logits, jnp.asarray(batch.target, jnp.int32), self.config.network.loss)

    def logits(self, params: Params, batch: Batch, key: jax.Array | None = None, step: int = 1) -> jax.Array:
        """`[B, 1, h, w]` of every `step`-th pixel of the queries. Arguments as for `loss`; targets are not used."""
        network, size = self.network, batch.annotation.shape[1:]
        query = self._encode(params, batch.query)
        masks = jnp.stack([batch.annotation == 0, batch.annotation == 1], axis=1)[:, None].astype(jnp.float32)
        if network.guided_by_features:
            guide = network.guide(self._encode(params, batch.support), masks)
        else:
            assert not isinstance(batch.support, tuple)  # as `support_images` says
            guide = network.guide_image(params, jnp.asarray(batch.support), masks)
        prepared = jax.vmap(functools.partial(network.prepare, params))(query)
        keys = None if key is None else jax.random.split(key, len(masks))
        places = None
        if self.config.network.has_decoder:
            places = network.place(masks) * jnp.asarray(batch.own)[:, None, None, None, None]
        scores = jax.vmap(functools.partial(network.score_prepared, params))(prepared, guide, keys, places)
        return upsample(scores, network.score_grid(*size), *size, step=step)

    def update(self, state: TrainState, frozen: Params, batch: Batch) -> tuple[TrainState, dict[str, jax.Array]]:
        """One gradient step.

        Args:
          state: before it.
          frozen: parameters that are not trained.
          batch: episodes.

        Returns:
          The state after it, and the metrics `loss` and `grad_norm`.
        """
        key, dropout_key = jax.random.split(state.key)

        def loss(trained: Params) -> jax.Array:
            return self.loss(self.join(frozen, trained), batch, dropout_key)

        value, grads = jax.value_and_grad(loss)(state.params)
        updates, optimiser = self._optimiser.update(grads, state.optimiser, state.params)
        params = optax.apply_updates(state.params, updates)
        average = optax.incremental_update(params, state.average, self._averaging_rate(state.num_updates))
        state = TrainState(params, average, optimiser, state.num_updates + 1, key)
        return state, {"loss": value, "grad_norm": optax.tree.norm(grads)}

    def _averaging_rate(self, num_updates: jax.Array) -> jax.Array:
        """Like a mean at first: an average that starts at the initial parameters would keep them for long."""
        return jnp.maximum(self.config.optimiser.averaging_rate, 1 / (1 + num_updates))

    def _encode(self, params: Params, x: Looked) -> Features:
        if isinstance(x, tuple):
            return self.network.project(params, tuple(map(jnp.asarray, x)))
        return self.network.encode(params, jnp.asarray(x))

    @property
    def _optimiser(self) -> optax.GradientTransformation:
        return make_optimiser(self.config.optimiser, self.config.num_updates)


def make_optimiser(config: OptimiserConfig, num_updates: int) -> optax.GradientTransformation:
    """The optimiser of a config; it leaves the statistics of features and the threshold of the head as they are."""
    rate = config.learning_rate
    schedule = optax.cosine_decay_schedule(rate, num_updates) if config.decay == "cosine" else rate
    clip = optax.clip_by_global_norm(config.max_grad_norm) if config.max_grad_norm else optax.identity()
    if config.name == "adam":
        step = optax.adamw(schedule, weight_decay=config.weight_decay)
    else:
        decay = optax.add_decayed_weights(config.weight_decay)
        step = optax.chain(decay, optax.sgd(schedule, momentum=config.momentum))
    return optax.multi_transform({"step": optax.chain(clip, step), "fixed": optax.set_to_zero()}, _labels)


_FIXED = [["head", "threshold"]]
_FIXED += [[part, name] for part in ("projection", "support_projection") for name in ("mean", "deviation")]


def _labels(params: Params) -> Params:
    def label(path: tuple[Any, ...], leaf: Any) -> str:
        del leaf
        names = [str(getattr(entry, "key", entry)) for entry in path]
        return "fixed" if names in _FIXED else "step"

    return jax.tree_util.tree_map_with_path(label, params)


def standardise(params: Params, mean: npt.ArrayLike, deviation: npt.ArrayLike) -> Params:
    """Parameters that have not been trained, with the statistics `[F]` of the features that they will be trained on."""
    found = {"mean": jnp.asarray(mean), "deviation": jnp.asarray(deviation)}
    parts = ("projection", "support_projection")
    return {**params, **{part: {**params[part], **found} for part in parts if part in params}}
