"""All backbones. A new one is a module, a record here, and if there are any a function that loads its weights."""

from guidenet.network.backbones import efficientnet_lite, small, vgg
from guidenet.network.backbones.record import Backbone
from guidenet.network.weights.efficientnet_lite import load_efficientnet_lite0
from guidenet.network.weights.vgg import load_vgg16

_RECORDS = (
    Backbone(
        "efficientnet-lite0",
        offsets=efficientnet_lite.OFFSETS,
        make=lambda options: efficientnet_lite.EfficientNetLite0(options.strides),
        num_channels=lambda options, stride: efficientnet_lite.num_channels(stride),
        fill_colour=lambda inputs: efficientnet_lite.MEAN,
        first_layer="stem",
        load=lambda path, channels: load_efficientnet_lite0(path),
    ),
    Backbone(
        "vgg16",
        offsets=vgg.OFFSETS,
        make=lambda options: vgg.VGG16(options.channels or vgg.VGG16_CHANNELS, options.inputs),
        num_channels=lambda options, stride: (options.channels or vgg.VGG16_CHANNELS)[-1],
        fill_colour=lambda inputs: vgg.MEAN[inputs],
        first_layer="conv1_1",
        channels=vgg.VGG16_CHANNELS,
        load=load_vgg16,
        untrained_layers=("fc6",),
        num_cells=lambda side, stride: vgg.num_cells(side),
    ),
    Backbone(
        "small",
        offsets=small.OFFSETS,
        make=lambda options: small.Small(options.strides, options.channels or small.CHANNELS),
        num_channels=lambda options, stride: small.num_channels(options.channels or small.CHANNELS, stride),
        fill_colour=lambda inputs: small.MEAN,
        first_layer="conv0",
        channels=small.CHANNELS,
    ),
)

BACKBONES: dict[str, Backbone] = {record.name: record for record in _RECORDS}
"""By name."""
