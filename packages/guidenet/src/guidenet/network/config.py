"""Options of a guided network; `presets.py` has the sets of them that belong together."""

import dataclasses

from guidenet.checks import check_at_least, check_choice, check_positive
from guidenet.network.backbones import num_channels
from guidenet.network.backbones.record import Backbone
from guidenet.network.backbones.table import BACKBONES

FUSIONS = ("late", "early", "masking", "none")


@dataclasses.dataclass(frozen=True)
class BackboneConfig:
    """The network phi between an image and its features (thesis 4.3.1); support and query share it.

    name: one of `BACKBONES`. `efficientnet-lite0` has ImageNet weights in the extra `weights`; `vgg16` is the thesis's,
      fully convolutional to fc6, with weights from a file of the user; `small` is trained from scratch.
    strides: where its features are read, in pixels, finest first; coarser ones are interpolated to the finest.
    channels: of the stages of `vgg16` and `small`; empty is the usual ones.
    inputs: what the weights of `vgg16` were trained on: `caffe`, BGR less a mean, or `torchvision`, RGB with unit
      variance. The other backbones have one kind.
    """

    name: str = "efficientnet-lite0"
    strides: tuple[int, ...] = (16,)
    channels: tuple[int, ...] = ()
    inputs: str = "caffe"

    def __post_init__(self) -> None:
        check_choice("name", self.name, list(BACKBONES))
        if not self.strides or list(self.strides) != sorted(set(self.strides)):
            raise ValueError(f"strides must be distinct and ascending, got {self.strides}")
        for stride in self.strides:
            check_choice(f"strides of {self.name}", stride, self.record.strides)
        num_channels = len(self.record.channels)
        if self.channels and len(self.channels) != num_channels:
            raise ValueError(f"channels of {self.name} must name {num_channels} layers, got {self.channels}")
        for channel in self.channels:
            check_at_least("channels", channel, 1)
        check_choice("inputs", self.inputs, ("caffe", "torchvision"))

    @property
    def record(self) -> Backbone:
        """What there is to know of the backbone."""
        return BACKBONES[self.name]


@dataclasses.dataclass(frozen=True)
class HeadConfig:
    """The metric between the features of a query and the guidance (thesis 4.3.2).

    kind: `concat` is the thesis's: guidance is concatenated to the features of each place and scored by two 1x1
      convolutions. `cosine` scores cosines to the positive and to the negative guidance.
    shared: of `concat`: one guide is scored at a time, those of all classes and of the background by the same weights,
      or else the positive and the negative guide of a class together.
    hidden_size: between the two layers; 0, for `cosine` only, is a linear calibration of the cosines.
    products: of `cosine`: the hidden layer also sees the element-wise products of features and guidance.
    dropout: share of the hidden units that are dropped in training.
    initialisation: `scaled`, by the number of inputs, or `thesis`, a hidden layer of deviation 0.001; the last layer
      starts at zero in both.
    compared: how many of the features, the first ones, of the finest strides, the metric looks at; 0 is all.
    ridge: factor on the score of a ridge regression from the annotated cells, which is added for what many images say;
      0 is none. It is not trained, and sees all strides that guidance is compared at. See `guidenet.network.ridge`.
    """

    kind: str = "cosine"
    shared: bool = False
    hidden_size: int = 0
    products: bool = False
    dropout: float = 0.0
    initialisation: str = "scaled"
    compared: int = 0
    ridge: float = 0.0

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ("concat", "cosine"))
        check_at_least("hidden_size", self.hidden_size, 1 if self.kind == "concat" else 0)
        if self.kind == "cosine" and self.shared:
            raise ValueError("shared must be False with kind=cosine, which compares two guides, got True")
        if self.products and (self.kind != "cosine" or not self.hidden_size):
            raise ValueError("products must be False without kind=cosine and a hidden_size, got True")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        check_choice("initialisation", self.initialisation, ("scaled", "thesis"))
        check_at_least("compared", self.compared, 0)
        check_at_least("ridge", self.ridge, 0)


@dataclasses.dataclass(frozen=True)
class DecoderConfig:
    """From similarities in cells to scores at the finest features of the backbone; see `guidenet.network.decoder`.

    With one, the finest of the backbone's strides is that of the scores, and guidance is compared at the others.

    channels: of its levels: at the stride of the scores, at that of the cells, and at each twice as coarse as the one
      before. Empty is no decoder: scores are interpolated.
    groups: a cell and a guide are compared in this many groups of features.
    """

    channels: tuple[int, ...] = ()
    groups: int = 4

    def __post_init__(self) -> None:
        if len(self.channels) == 1:
            raise ValueError(f"channels must be none or those of at least two levels, got {self.channels}")
        for channel in self.channels:
            check_at_least("channels", channel, 1)
        check_at_least("groups", self.groups, 1)


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """What training lowers: cross-entropy, and how the pixels of a query weigh in it.

    balance: `pixels`, each the same (the thesis's, which collapses to background on small targets), or `classes`, each
      class that a query has the same.
    positive_weight: factor on the pixels that are not background.
    iu_weight: share of the loss that is 1 less the positive IU of a batch, with probabilities for masks, in place of
      cross-entropy; 0 to 1.
    """

    balance: str = "classes"
    positive_weight: float = 1.0
    iu_weight: float = 0.0

    def __post_init__(self) -> None:
        check_choice("balance", self.balance, ("pixels", "classes"))
        check_positive("positive_weight", self.positive_weight)
        if not 0 <= self.iu_weight <= 1:
            raise ValueError(f"iu_weight must be between 0 and 1, got {self.iu_weight}")


@dataclasses.dataclass(frozen=True)
class Config:
    """A guided network.

    backbone, head, loss, decoder: the parts.
    feature_size: of a learned 1x1 convolution on the standardised features of the backbone, which is part of the
      encoder; 0 is none.
    fusion: of image and annotations: `late` multiplies features by down-sampled masks; `early` stacks the masks on the
      image in front of an encoder of its own (DIOS); `masking` blanks out all but the positives (OSLSM); `none` pays no
      attention to annotations (foreground-background), the floor that the others are compared with.
    pooling: `global` averages the fused features over the annotated pixels, so that guidance carries over to other
      images; `local` keeps them where they are, for the annotated image itself.
    shots: how the guides of several images are averaged: `equal`, each image the same (the thesis's), or `pixels`, each
      annotated pixel the same.
    """

    backbone: BackboneConfig = dataclasses.field(default_factory=BackboneConfig)
    head: HeadConfig = dataclasses.field(default_factory=HeadConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    feature_size: int = 0
    fusion: str = "late"
    pooling: str = "global"
    shots: str = "equal"
    decoder: DecoderConfig = dataclasses.field(default_factory=DecoderConfig)

    def __post_init__(self) -> None:
        check_at_least("feature_size", self.feature_size, 0)
        check_choice("fusion", self.fusion, FUSIONS)
        check_choice("pooling", self.pooling, ("global", "local"))
        check_choice("shots", self.shots, ("equal", "pixels"))
        if self.head.kind == "cosine" and (self.fusion, self.pooling) != ("late", "global"):
            raise ValueError(
                "head.kind must be concat unless fusion=late and pooling=global: elsewhere guidance is not a mean of "
                f"features, got cosine with fusion={self.fusion}, pooling={self.pooling}"
            )
        if self.has_decoder:
            if self.head.compared:
                raise ValueError(f"head.compared must be 0 with a decoder, got {self.head.compared}")
            if self.head.kind != "cosine":
                raise ValueError(f"head.kind must be cosine with a decoder, got {self.head.kind}")
            if len(self.backbone.strides) < 2:
                raise ValueError(
                    "backbone.strides must be at least two with a decoder, the finest for the scores, got "
                    f"{self.backbone.strides}"
                )
            if not self.feature_size or self.feature_size % self.decoder.groups:
                raise ValueError(
                    f"feature_size must be a multiple of decoder.groups, {self.decoder.groups}, with a decoder, got "
                    f"{self.feature_size}"
                )
        most = self.feature_size or sum(num_channels(self.backbone))
        if self.head.compared > most:
            raise ValueError(f"head.compared must be at most {most}, of all features, got {self.head.compared}")
        if self.head.ridge and (self.fusion, self.pooling, self.shots) != ("late", "global", "equal"):
            raise ValueError(
                "head.ridge must be 0 unless fusion=late, pooling=global and shots=equal, "
                f"got {self.head.ridge} with fusion={self.fusion}, pooling={self.pooling}, shots={self.shots}"
            )

    @property
    def has_decoder(self) -> bool:
        """Whether a decoder makes the scores; else the metric's are interpolated."""
        return bool(self.decoder.channels)

    @property
    def first_compared(self) -> int:
        """Which of the backbone's strides is the finest that guidance is compared at; a decoder has a finer one."""
        return 1 if self.has_decoder else 0
