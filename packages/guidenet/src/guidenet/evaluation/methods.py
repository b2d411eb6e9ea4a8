"""Ways to segment by a support: guidance of every kind, and optimisation on the support (thesis 4.4).

All see an image once, `see`; what is timed is `adapt` and `segment`: from annotations to the mask of an image that was
seen before.

In the shape descriptions `S` denotes shots, `K` classes, `H, W` pixels, `R, Q` the rows and columns of cells, `F`
features of the backbone, `C` features.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from guidenet.checks import check_at_least, check_choice, check_positive
from guidenet.network import guides
from guidenet.network.config import LossConfig
from guidenet.network.features import Features, Maps
from guidenet.network.geometry import Grid, upsample
from guidenet.network.guided_network import GuidedNetwork, Params, Seen
from guidenet.network.guides import Guide
from guidenet.network.losses import pixel_cross_entropy
from guidenet.segmenter.edges import Edges, find_edges, follow_edges
from guidenet.segmenter.pieces import MIN_AREA, remove_specks


class Method(Protocol):
    """A way to segment. What `see` and `adapt` return is the method's own."""

    @property
    def needs_images(self) -> bool:
        """Whether `see` looks at images and not only at features of the backbone."""
        ...

    def see(self, image: npt.ArrayLike | None, features: Sequence[npt.ArrayLike] | None) -> Any:
        """What is computed for an image once.

        Args:
          image: `[H, W, 3]` uint8.
          features: of the backbone, `[R, Q, B]` for each of its strides.
        """
        ...

    def adapt(self, supports: Sequence[Any], masks: npt.ArrayLike, *, own: bool = False) -> Any:
        """What is known of a task.

        Args:
          supports: `S` images that were seen.
          masks: `[S, K, 2, H, W]`, negatives and positives of each class; what is in neither is unknown.
          own: the query is the only support, and what is annotated is looked for, not all that is like it.
        """
        ...

    def segment(self, query: Any, task: Any, size: tuple[int, int]) -> jax.Array | npt.NDArray[np.float32]:
        """`[K, *size]` logits against the background of an image that was seen."""
        ...


class _Seen(NamedTuple):
    image: Any
    features: Features
    prepared: Seen


class _Task(NamedTuple):
    guide: Guide
    masks: jax.Array | None  # [K, 2, H, W] of the query itself, for a decoder


@dataclasses.dataclass(frozen=True, eq=False)
class Guided:
    """A network that is guided as its config says.

    Also foreground-background (`fusion="none"`), and the nearest prototype: a cosine head that has not been trained.

    network: late, early, masking, or none.
    params: of it.
    """

    network: GuidedNetwork
    params: Params

    @property
    def needs_images(self) -> bool:
        """See `Method`."""
        return not self.network.guided_by_features

    def see(self, image: npt.ArrayLike | None, features: Sequence[npt.ArrayLike] | None) -> Any:
        """See `Method`."""
        assert features is not None  # as every method but fine-tuning of all needs them
        parts = self._parts("projection", *self.network.scoring_parts)
        found, prepared = _see(self.network, parts, tuple(map(jnp.asarray, features)))
        return _Seen(image if self.needs_images else None, found, prepared)

    def adapt(self, supports: Sequence[Any], masks: npt.ArrayLike, *, own: bool = False) -> "_Task":
        """See `Method`."""
        masks = jnp.asarray(masks)
        if self.network.guided_by_features:
            found = [_guide(self.network, seen.features, mask) for seen, mask in zip(supports, masks, strict=True)]
        else:
            found = [_guide_image(self.network, self.params, s.image, m) for s, m in zip(supports, masks, strict=True)]
        if len(found) == 1:
            return _Task(found[0], masks[0] if own and self.network.config.has_decoder else None)
        if self.network.config.pooling == "local":
            raise ValueError(f"supports must be one image with pooling=local, got {len(found)}")
        guide = guides.merge_shots(jax.tree.map(lambda *x: jnp.stack(x), *found), self.network.config.shots)
        return _Task(guide, None)

    def segment(self, query: Any, task: "_Task", size: tuple[int, int]) -> jax.Array:
        """See `Method`."""
        parts = self._parts(*self.network.scoring_parts)
        return _score(self.network, parts, query.prepared, task.guide, task.masks, size)

    def _parts(self, *names: str) -> Params:
        return {name: self.params[name] for name in names}


class _SeenWithEdges(NamedTuple):
    seen: Any
    edges: Edges


@dataclasses.dataclass(frozen=True, eq=False)
class Sharpened:
    """Another method, whose masks end at the edges of the image, without specks and holes, as those of `Segmenter`.

    method: any.
    stride: of the cells of its scores, px.
    min_area: of pieces and holes that stay, px.
    """

    method: Method
    stride: int
    min_area: int = MIN_AREA

    @property
    def needs_images(self) -> bool:
        """See `Method`."""
        return True

    def see(self, image: npt.ArrayLike | None, features: Sequence[npt.ArrayLike] | None) -> Any:
        """See `Method`."""
        seen = self.method.see(image if self.method.needs_images else None, features)
        return _SeenWithEdges(seen, find_edges(np.asarray(image), self.stride))

    def adapt(self, supports: Sequence[Any], masks: npt.ArrayLike, *, own: bool = False) -> Any:
        """See `Method`."""
        return self.method.adapt([support.seen for support in supports], masks, own=own)

    def segment(self, query: Any, task: Any, size: tuple[int, int]) -> npt.NDArray[np.float32]:
        """See `Method`."""
        logits = np.asarray(self.method.segment(query.seen, task, size))
        return remove_specks(follow_edges(query.edges, logits, Grid(*size, 1, 0.0)), self.min_area)


@dataclasses.dataclass(frozen=True, eq=False)
class FineTuned:
    """A foreground-background network that is optimised on the annotated pixels of the support, class by class.

    With the annotated first frame of a clip as the support it is what OSVOS does (Caelles et al., 2017).

    network, params: with `fusion="none"`.
    num_steps: gradient steps of Adam.
    learning_rate: of these.
    part: what is optimised: `head`, what comes after the backbone, or `network`, all of it.
    batch_size: images of a step, drawn from the support; of a smaller support, and with 0, a step is of all.
    """

    network: GuidedNetwork
    params: Params
    num_steps: int = 100
    learning_rate: float = 1e-3
    part: str = "head"
    batch_size: int = 0

    def __post_init__(self) -> None:
        if self.network.config.fusion != "none":
            raise ValueError(f"fusion must be none in a network to fine-tune, got {self.network.config.fusion!r}")
        check_at_least("num_steps", self.num_steps, 1)
        check_positive("learning_rate", self.learning_rate)
        check_choice("part", self.part, ["head", "network"])
        check_at_least("batch_size", self.batch_size, 0)

    @property
    def needs_images(self) -> bool:
        """See `Method`."""
        return self.part == "network"

    def see(self, image: npt.ArrayLike | None, features: Sequence[npt.ArrayLike] | None) -> Any:
        """See `Method`."""
        if self.needs_images:
            return jnp.asarray(image)
        assert features is not None  # as it needs nothing else
        return tuple(map(jnp.asarray, features))

    def adapt(self, supports: Sequence[Any], masks: npt.ArrayLike, *, own: bool = False) -> list[Params]:
        """See `Method`; parameters for each class."""
        del own  # it finds what it was trained on in any case
        masks = guides.oppose_masks(jnp.asarray(masks, jnp.float32))
        images = jax.tree.map(lambda *x: jnp.stack(x), *supports)
        return [_fine_tune(self, self.params, images, masks[:, k]) for k in range(masks.shape[1])]

    def segment(self, query: Any, task: list[Params], size: tuple[int, int]) -> jax.Array:
        """See `Method`."""
        return jnp.concatenate([_segment(self.network, params, query, size) for params in task])

    # A jitted function keeps a method for each set of options.
    def __hash__(self) -> int:
        return hash((self.network, self.num_steps, self.learning_rate, self.part, self.batch_size))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FineTuned) and hash(self) == hash(other)


@functools.partial(jax.jit, static_argnums=0)
def _see(network: GuidedNetwork, params: Params, maps: Maps) -> tuple[Features, Seen]:
    features = network.project(params, maps)
    return features, network.prepare(params, features)


@functools.partial(jax.jit, static_argnums=0)
def _guide(network: GuidedNetwork, features: Features, masks: jax.Array) -> Guide:
    return network.guide(features, masks)


@functools.partial(jax.jit, static_argnums=0)
def _guide_image(network: GuidedNetwork, params: Params, image: jax.Array, masks: jax.Array) -> Guide:
    return network.guide_image(params, image, masks)


@functools.partial(jax.jit, static_argnums=(0, 5))
def _score(
    network: GuidedNetwork,
    params: Params,
    prepared: Seen,
    guide: Guide,
    masks: jax.Array | None,
    size: tuple[int, int],
) -> jax.Array:
    places = None if masks is None else network.place(masks)
    return upsample(network.score_prepared(params, prepared, guide, None, places), network.score_grid(*size), *size)


def _logits(network: GuidedNetwork, params: Params, x: jax.Array | Maps, size: tuple[int, int]) -> jax.Array:
    """`[1, *size]` of a network that is not guided, on an image or maps of it."""
    features = network.project(params, x) if isinstance(x, tuple) else network.encode(params, x)
    zeros = jnp.zeros((1, 2, network.feature_size))
    return network.score(params, features, Guide(zeros, jnp.ones((1, 2)), jnp.ones((1, 2))), size)


@functools.partial(jax.jit, static_argnums=(0, 3))
def _segment(network: GuidedNetwork, params: Params, x: jax.Array | Maps, size: tuple[int, int]) -> jax.Array:
    return _logits(network, params, x, size)


@functools.partial(jax.jit, static_argnums=0)
def _fine_tune(method: FineTuned, params: Params, images: jax.Array | Maps, masks: jax.Array) -> Params:
    """Parameters after steps on one class, `masks [S, 2, H, W]`; each label weighs the same, however many pixels."""
    network, parts = method.network, ("projection", "head")
    if method.needs_images:
        parts += ("backbone",)
    trained = {part: params[part] for part in parts}
    frozen = {part: leaves for part, leaves in params.items() if part not in parts}
    labels = jnp.where(masks[:, 1] > 0, 1, jnp.where(masks[:, 0] > 0, 0, -1))
    size = masks.shape[2], masks.shape[3]
    optimiser = optax.adam(method.learning_rate)

    def loss(trained: Params, images: jax.Array | Maps, labels: jax.Array) -> jax.Array:
        joined = {**frozen, **trained}
        logits = jax.vmap(lambda x: _logits(network, joined, x, size))(images)
        return pixel_cross_entropy(logits, labels, LossConfig("classes")).mean()

    def step(carry: Any, key: jax.Array) -> tuple[Any, None]:
        trained, moments = carry
        batch = images, labels
        if 0 < method.batch_size < len(labels):
            chosen = jax.random.choice(key, len(labels), (method.batch_size,), replace=False)
            batch = jax.tree.map(lambda x: x[chosen], images), labels[chosen]
        updates, moments = optimiser.update(jax.grad(loss)(trained, *batch), moments)
        return (optax.apply_updates(trained, updates), moments), None

    keys = jax.random.split(jax.random.key(0), method.num_steps)
    (trained, _), _ = jax.lax.scan(step, (trained, optimiser.init(trained)), keys)
    return {**frozen, **trained}
