"""A guided network as pure functions of its parameters: encode, guide, score (thesis 4.3).

In the shape descriptions `H, W` denote pixels, `R, Q` the rows and columns of cells, `C` features, `K` classes, `S`
shots, `...` any leading dimensions. All images of a call have one size, whose sides are multiples of
`GuidedNetwork.multiple`; `guidenet.images` fits any image into one.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.network import fusion, guides, ridge
from guidenet.network.backbones import fill_colour, make_backbone, make_grids, make_grids_of, num_channels
from guidenet.network.config import Config
from guidenet.network.decoder import Decoder, Scene, place
from guidenet.network.features import Features, Maps, project
from guidenet.network.geometry import Grid, downsample, upsample
from guidenet.network.guides import Guide
from guidenet.network.heads import Prepared, make_head

Params = Mapping[str, Any]
"""Parameters by part: `backbone`, `projection` (empty without `feature_size`), `head`, `decoder` if there is one, and
`support_backbone` and `support_projection` with early fusion, which has an encoder of its own for the support. Of a
projection, `mean` and `deviation` are statistics of the features that it was trained on, and not trained."""


class Seen(NamedTuple):
    """A query, ready to be scored.

    compared: what the head keeps of it.
    scene: what the decoder keeps; None without one.
    regressed: `[R, Q, F]`, what a ridge regression keeps; None without.
    """

    compared: Prepared
    scene: Scene | None
    regressed: jax.Array | None


@dataclasses.dataclass(frozen=True)
class GuidedNetwork:
    """f(x, z) and g(x, +, -) of a config. Nothing in it changes; parameters are passed in.

        features = net.encode(params, image)
        guide = net.guide(net.encode(params, support), masks)
        logits = net.score(params, features, guide)

    config: its options.
    """

    config: Config

    @property
    def feature_size(self) -> int:
        """C: of the features of a cell; with a ridge regression the backbone's own stand behind the metric's."""
        return self.metric_size + self.ridge_size

    @property
    def metric_size(self) -> int:
        """Of the features that the head's metric compares."""
        return self.config.head.compared or self.config.feature_size or self._num_compared

    @property
    def ridge_size(self) -> int:
        """F: of the features that a ridge regression separates; 0 without."""
        return self._num_compared if self.config.head.ridge else 0

    @property
    def guide_size(self) -> int:
        """Of a guide: of the features, and for a ridge regression of their products."""
        return self.feature_size + ridge.num_products(self.ridge_size)

    @property
    def _num_compared(self) -> int:
        return sum(num_channels(self.config.backbone)[self.config.first_compared :])

    @property
    def guided_by_features(self) -> bool:
        """Whether a change of annotations spares the encoder."""
        return self.config.fusion in ("late", "none")

    @property
    def scoring_parts(self) -> tuple[str, ...]:
        """Of the parameters, those that `prepare` and `score_prepared` need."""
        return ("head", "decoder") if self.config.has_decoder else ("head",)

    @property
    def multiple(self) -> int:
        """The sides of images must be multiples of this, px."""
        return max(self.config.backbone.strides)

    def grid(self, height: int, width: int) -> Grid:
        """Where the cells that guidance is compared with lie in an image of `height` by `width` px."""
        return make_grids(self.config.backbone, height, width)[self.config.first_compared]

    def score_grid(self, height: int, width: int) -> Grid:
        """Where the cells of the scores lie, with a decoder finer than those of `grid`."""
        return make_grids(self.config.backbone, height, width)[0]

    def init(self, key: jax.Array, backbone: Any = None) -> Params:
        """New parameters. The key is consumed.

        Args:
          key: a random key.
          backbone: parameters of a trained backbone, as from `guidenet.load_backbone`; with early fusion the support's
            encoder starts from them too.
        """
        params = _init(self, backbone is None, key)
        params = {"backbone": backbone, "projection": {}, **params}
        backbone, projection = params["backbone"], params["projection"]
        if self.config.fusion == "early":
            first = self.config.backbone.record.first_layer
            kernel = {**backbone[first], "kernel": fusion.widen(backbone[first]["kernel"])}
            params |= {"support_backbone": {**backbone, first: kernel}, "support_projection": projection}
        return params

    def encode(self, params: Params, image: jax.Array, inner: jax.Array | None = None) -> Features:
        """phi: `Features` of `[..., H, W, 3]` RGB images in 0..255, uint8 or float.

        Args:
          params: of the network.
          image: `[..., H, W, 3]`.
          inner: as for `project`.

        Raises:
          ValueError: the image has other than 3 channels, or sides that are not multiples of `multiple`.
        """
        if image.ndim < 3 or image.shape[-1] != 3:
            raise ValueError(f"image must be [..., H, W, 3], got {image.shape}")
        return self.project(params, self.look(params, image), inner)

    def look(self, params: Params, image: jax.Array) -> Maps:
        """The backbone's part of `encode`: its maps, as they can be kept while the rest is trained."""
        return self._look(params["backbone"], image)

    def project(self, params: Params, maps: Maps, inner: jax.Array | None = None) -> Features:
        """The rest of `encode`.

        Args:
          params: of the network.
          maps: of the backbone.
          inner: `[2]` height and width of the image in px, without what fills it up; None is all.
        """
        return project(self.config, params["projection"], maps, inner)

    def guide(self, features: Features, masks: jax.Array) -> Guide:
        """Late fusion g(x, +, -) of features that are already there; see `guidenet.guide`.

        Args:
          features: of the support.
          masks: `[..., K, 2, H, W]`, negatives and positives of each class in pixels, 1 where annotated; pixels in
            neither are unknown. Positives of one class need not be given as negatives of the others.

        Raises:
          ValueError: the config's fusion needs the support's image, or masks and features do not fit.
        """
        if not self.guided_by_features:
            raise ValueError(
                f"fusion must be late or none to guide by features, got {self.config.fusion}; see guide_image"
            )
        cells = downsample(masks, self.grid(*masks.shape[-2:]))
        guide = guides.guide(features.cells, cells, local=self.config.pooling == "local")
        if self.ridge_size:
            products = ridge.sum_products(features.cells[..., self.metric_size :], cells)
            images = (guide.count > 0).astype(guide.count.dtype)
            guide = guide._replace(total=jnp.concatenate([guide.total, products], axis=-1), images=images)
        return guide if self.config.fusion == "late" else guide._replace(total=jnp.zeros_like(guide.total))

    def guide_image(self, params: Params, image: jax.Array, masks: jax.Array) -> Guide:
        """Any fusion g(x, +, -) of a support image: it goes through an encoder here, for each class with early fusion.

        Args:
          params: of the network.
          image: `[..., H, W, 3]`, RGB in 0..255.
          masks: `[..., K, 2, H, W]` as for `guide`.

        Early fusion and masking make one guide for a class, the mean of the features of all places, or with local
        pooling those features. It stands in place of the positives.
        """
        if self.guided_by_features:
            return self.guide(self.encode(params, image), masks)
        against = guides.oppose_masks(masks.astype(jnp.float32))
        if self.config.fusion == "early":
            images = fusion.stack(image, against)
            maps = self._look(params["support_backbone"], images)
            features = project(self.config, params["support_projection"], maps).cells
        else:
            images = fusion.blank_out(image, against, fill_colour(self.config.backbone))
            features = self.encode(params, images).cells
        weight = jnp.any(masks[..., 1, :, :] > 0, axis=(-2, -1)).astype(jnp.float32)
        classes = weight.ndim
        if self.config.pooling == "global":
            total = features.mean(axis=(-3, -2)) * weight[..., None]
        else:
            total = features * weight[..., None, None, None]
            weight = jnp.broadcast_to(weight[..., None, None], features.shape[:-1])
        count = masks[..., 1, :, :].sum((-2, -1)).astype(jnp.float32)
        return Guide(*(jnp.stack([jnp.zeros_like(x), x], axis=classes) for x in (total, weight, count)))

    def prepare(self, params: Params, features: Features, inner: jax.Array | None = None) -> Seen:
        """What scoring a query needs of it whatever the guidance: once for an image.

        Args:
          params: of the network; only those of `scoring_parts` are used.
          features: of the query, without leading dimensions.
          inner: `[2]` height and width of the image in px, without what fills it up; None is all.
        """
        inner = jnp.full(2, jnp.inf) if inner is None else inner
        *finer, cells = make_grids_of(self.config.backbone, (features.fine, features.cells))
        valid = cells.inside(inner)
        head, metric = make_head(self.config.head), features.cells[..., : self.metric_size]
        compared = head.apply({"params": params["head"]}, metric, valid, method="prepare")
        regressed = features.cells[..., self.metric_size :] if self.ridge_size else None
        if not self.config.has_decoder:
            return Seen(compared, None, regressed)
        decoder, inside = {"params": params["decoder"]}, (valid, finer[0].inside(inner))
        scene = self.decoder.apply(decoder, features._replace(cells=metric), *inside, method="prepare")
        return Seen(compared, scene, regressed)

    def score_prepared(
        self,
        params: Params,
        prepared: Seen,
        guide: Guide,
        key: jax.Array | None = None,
        places: jax.Array | None = None,
    ) -> jax.Array:
        """f: `[K, r, q]` logits of each class against the background, whose logit is 0, in the cells of `score_grid`.

        Args:
          params: of the network; only those of `scoring_parts` are used, so a change of annotations touches no encoder.
          prepared: as from `prepare`.
          guide: of all shots together, `[K, 2, C]`, or of the query itself with local pooling.
          key: for dropout, in training; None is without. The key is consumed.
          places: `[K, 2, r, q]`, 1 where the query itself is annotated, as from `place`: the decoder then looks for
            what is annotated and not for all that is like it. None is that, or that there are no such annotations.
        """
        local = self.config.pooling == "local"
        if self.guided_by_features:
            guide = guides.oppose(guide, local=local)
        if local:  # fused features stay as they are, and are zero where there are no annotations
            z, present = guide.total, jnp.any(guide.weight > 0, axis=(-2, -1))
        else:
            z, present = guides.pool(guide)
        count = jnp.where(present, jnp.maximum(guide.count, 1), 0)
        z, moments = z[..., : self.metric_size], z[..., self.metric_size :]
        variables, rngs = {"params": params["head"]}, None if key is None else {"dropout": key}
        logits = make_head(self.config.head).apply(variables, prepared.compared, z, count, key is None, rngs=rngs)
        if prepared.regressed is not None:
            if guide.images is None:
                raise ValueError("guide must have images for a ridge regression, as from GuidedNetwork.guide, got None")
            mean, products = jnp.split(moments, [self.ridge_size], axis=-1)
            line = ridge.fit(mean, products, guide.images, decoded=self.config.has_decoder)
            logits += self.config.head.ridge * ridge.score(prepared.regressed, line)
        if prepared.scene is None:
            return logits
        if places is not None:
            places = guides.oppose_masks(places)
        return self.decoder.apply({"params": params["decoder"]}, prepared.scene, z, count, logits, places)

    def place(self, masks: jax.Array) -> jax.Array:
        """Masks `[..., H, W]` in the cells of `score_grid`, `[..., r, q]`: their maximum over the pixels of each."""
        return place(masks, self.config.backbone.strides[0])

    def score(
        self, params: Params, features: Features, guide: Guide, size: tuple[int, int], key: jax.Array | None = None
    ) -> jax.Array:
        """Inference f with its decoder: `[K, H, W]` logits against the background, of a query of `size` px.

        Probabilities of background and classes are the softmax of `[0, logits]`. See `score_prepared`.
        """
        logits = self.score_prepared(params, self.prepare(params, features), guide, key)
        return upsample(logits, self.score_grid(*size), *size)

    @property
    def decoder(self) -> Decoder:
        """The module that refines scores, of a config that has one."""
        config = self.config.backbone
        cells = tuple((stride, config.record.offsets[stride]) for stride in config.strides[:2])
        return Decoder(self.config.decoder, *cells)

    def _look(self, backbone: Any, image: jax.Array) -> Maps:
        batch, (height, width, channels) = image.shape[:-3], image.shape[-3:]
        make_grids(self.config.backbone, height, width)  # raises unless the sides fit
        images = image.reshape(-1, height, width, channels).astype(jnp.float32)
        maps = make_backbone(self.config.backbone).apply({"params": backbone}, images)
        return tuple(x.reshape(*batch, *x.shape[1:]) for x in maps)


# One compilation for all parameters: op by op, as flax makes them, takes seconds.
@functools.partial(jax.jit, static_argnums=(0, 1))
def _init(network: GuidedNetwork, with_backbone: bool, key: jax.Array) -> dict[str, Any]:
    config, size, head = network.config, network.metric_size, make_head(network.config.head)
    channels = num_channels(config.backbone)
    keys = jax.random.split(key, 4)
    example = (jnp.zeros((1, 1, size)), jnp.ones((1, 1), bool), jnp.zeros((1, 2, size)), jnp.ones((1, 2)))
    params: dict[str, Any] = {"head": head.init(keys[0], *example, method="everything")["params"]}
    if with_backbone:
        params["backbone"] = make_backbone(config.backbone).init(keys[1], jnp.zeros((1, 64, 64, 3)))["params"]
    if config.feature_size:
        compared = sum(channels[1:] if config.has_decoder else channels)
        kernel = nn.initializers.lecun_normal()(keys[2], (compared, config.feature_size))
        bias = jnp.zeros(config.feature_size)
        params["projection"] = {
            "mean": jnp.zeros(sum(channels)),
            "deviation": jnp.ones(sum(channels)),
            "kernel": kernel,
            "bias": bias,
        }
    if config.has_decoder:
        ratio = config.backbone.strides[1] // config.backbone.strides[0]
        features = Features(example[0], jnp.zeros((ratio, ratio, channels[0])))
        inside = example[1], jnp.ones((ratio, ratio), bool)
        made = network.decoder.init(keys[3], features, *inside, *example[2:], method="everything")
        params["decoder"] = made["params"]
    return params
