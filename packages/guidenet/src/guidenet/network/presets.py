"""Sets of options that belong together: networks to be trained, by name. `guidenet.training` has how they are trained.

The default options, `Config()`, are no preset: they are the nearest prototype, of use untrained.

Thesis and reference code have the same backbone. The thesis (4.3) describes the metric as a small network on features
and one guide, batched over classes; the reference's script for semantic segmentation reduces fc6 to 256 channels and
scores both guides together. Optimisers and learning rates belong to training, not to the network.
"""

from typing import NamedTuple

from guidenet.checks import check_choice
from guidenet.network.config import BackboneConfig, Config, DecoderConfig, HeadConfig, LossConfig


class Preset(NamedTuple):
    """A network to be trained.

    config: its options.
    purpose: what it is for, a few words.
    """

    config: Config
    purpose: str


PRESETS: dict[str, Preset] = {
    "tiny": Preset(
        Config(BackboneConfig("small", strides=(4, 8), channels=(8, 8, 8)), HeadConfig(hidden_size=8, products=True)),
        "a smoke test",
    ),
    "cpu": Preset(
        Config(
            BackboneConfig("efficientnet-lite0", strides=(4, 8, 16, 32)),
            HeadConfig("cosine"),
            LossConfig("classes", iu_weight=0.8),
            feature_size=128,
            decoder=DecoderConfig((16, 32, 48, 64), groups=4),
        ),
        "two CPU cores, a frozen backbone with weights that can be installed, and a decoder",
    ),
    "late": Preset(
        Config(
            BackboneConfig("efficientnet-lite0", strides=(16, 32)),
            HeadConfig("cosine", hidden_size=128, products=True),
            LossConfig("classes", iu_weight=0.8),
            feature_size=128,
        ),
        "the same without a decoder, late fusion and a metric as in the thesis",
    ),
    "thesis": Preset(
        Config(
            BackboneConfig("vgg16", strides=(32,)),
            HeadConfig("concat", shared=True, hidden_size=8192, dropout=0.5, initialisation="thesis"),
            LossConfig("pixels"),
        ),
        "the thesis's backbone, metric and loss, meant for an accelerator",
    ),
    "reference": Preset(
        Config(
            BackboneConfig("vgg16", strides=(32,), channels=(64, 128, 256, 512, 512, 256)),
            HeadConfig("concat", shared=False, hidden_size=768, dropout=0.5, initialisation="thesis"),
            LossConfig("pixels"),
        ),
        "the reference code's for semantic segmentation, meant for an accelerator",
    ),
}
"""By name. `guidenet.training.training_preset` has how each is trained."""


def preset(name: str) -> Config:
    """The options of that name.

    Raises:
      ValueError: there is no such preset.
    """
    check_choice("preset", name, list(PRESETS))
    return PRESETS[name].config
