"""Sets of options that belong together.

Thesis and reference code have the same backbone. The thesis (4.3) describes the metric as a small network on features
and one guide, batched over classes; the reference's script for semantic segmentation reduces fc6 to 256 channels and
scores both guides together. Optimisers and learning rates belong to training, not to the network.
"""

from guidenet.network.config import BackboneConfig, Config, HeadConfig, LossConfig

PRESETS: dict[str, tuple[Config, str]] = {
    "tiny": (
        Config(BackboneConfig("small", strides=(4, 8), channels=(8, 8, 8)), HeadConfig(hidden_size=8, products=True)),
        "a smoke test",
    ),
    "cpu": (
        Config(BackboneConfig("efficientnet-lite0", strides=(16,)), HeadConfig()),
        "two CPU cores, with weights that can be installed; its metric works untrained",
    ),
    "thesis": (
        Config(
            BackboneConfig("vgg16", strides=(32,)),
            HeadConfig("concat", shared=True, hidden_size=8192, dropout=0.5, initialisation="thesis"),
            LossConfig("pixels"),
        ),
        "the thesis's backbone, metric and loss, meant for an accelerator",
    ),
    "reference": (
        Config(
            BackboneConfig("vgg16", strides=(32,), channels=(64, 128, 256, 512, 512, 256)),
            HeadConfig("concat", shared=False, hidden_size=768, dropout=0.5, initialisation="thesis"),
            LossConfig("pixels"),
        ),
        "the reference code's for semantic segmentation, meant for an accelerator",
    ),
}
"""By name: the options, and what they are for."""


def preset(name: str) -> Config:
    """The options of that name.

    Raises:
      ValueError: there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name][0]
