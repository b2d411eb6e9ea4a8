"""Backbones against independent arithmetic, and EfficientNet-Lite0's weights against images that it must know."""

import dataclasses
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage
from guidenet import BackboneConfig, Config, GuidedNetwork, HeadConfig, load_backbone, pretrained
from guidenet.network.backbones import fill_colour, make_backbone, make_grids, num_channels
from guidenet.network.backbones.bottleneck import bottleneck
from guidenet.network.backbones.layers import Conv, depthwise, grouped_depthwise, same_padding, shifted_depthwise
from guidenet.network.backbones.record import Backbone
from guidenet.network.backbones.table import BACKBONES
from guidenet.network.backbones.vgg import CONVOLUTIONS, MEAN
from guidenet.network.weights import find_efficientnet_lite0, load_efficientnet_lite0, read_torch_file
from guidenet.network.weights.efficientnet_lite import fold
from PIL import Image
from scipy import signal


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_shifted_depthwise_is_the_grouped_convolution(size, stride):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(2, 11, 14, 3)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(size, size, 3)), jnp.float32)
    expected = grouped_depthwise(x, kernel, stride)
    found = jax.jit(shifted_depthwise, static_argnums=2)(x, kernel, stride)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_depthwise_convolution_filters_each_channel(monkeypatch, backend):
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(size=(1, 6, 7, 2)).astype(np.float32), rng.normal(size=(3, 3, 2)).astype(np.float32)
    expected = [signal.correlate2d(x[0, ..., i], kernel[..., i], "valid") for i in range(2)]
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    np.testing.assert_allclose(depthwise(jnp.asarray(x), kernel, 1)[0], np.stack(expected, -1), atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "strip_bytes", "size", "stride", "expands"),
    [
        ((1, 32, 18, 3), 1000, 3, 1, True),
        ((1, 32, 18, 3), 1000, 5, 2, True),
        ((1, 32, 18, 3), 1000, 3, 2, False),
        ((1, 15, 9, 3), 1000, 5, 2, True),
        ((1, 15, 9, 3), 1000, 5, 1, True),
        ((2, 16, 8, 3), 10, 3, 2, True),
    ],
)
def test_bottlenecks_in_strips_are_three_convolutions(shape, strip_bytes, size, stride, expands):
    rng = np.random.default_rng(2)
    expanded = 7 if expands else shape[-1]

    def layer(*sides):
        return tuple(jnp.asarray(rng.normal(size=s), jnp.float32) for s in (sides, sides[-1:]))

    x = jnp.asarray(rng.normal(size=shape), jnp.float32)
    expand, filters, project = layer(shape[-1], expanded), layer(size, size, expanded), layer(expanded, 4)

    def relu6(y, layer):
        return jnp.clip(y + layer[1][None, None, None], 0, 6)

    y = relu6(x @ expand[0], expand) if expands else x
    rows, columns = (same_padding(side, size, stride) for side in shape[1:3])
    y = grouped_depthwise(jnp.pad(y, ((0, 0), rows, columns, (0, 0))), filters[0], stride)
    expected = relu6(y, filters) @ project[0] + project[1][None, None, None]
    run = jax.jit(bottleneck, static_argnums=(4, 5))
    found = run(x, expand if expands else None, filters, project, stride, strip_bytes)
    in_strips = "while" in run.lower(x, expand, filters, project, stride, strip_bytes).as_text()
    assert in_strips == (shape[0] == 1 and -(-shape[1] // stride) % 2 == 0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_padding_puts_the_odd_zero_at_the_end():
    assert [same_padding(8, 3, 2), same_padding(7, 3, 2), same_padding(8, 5, 2), same_padding(8, 3, 1)] == [
        (0, 1),
        (1, 1),
        (1, 2),
        (1, 1),
    ]


CONFIGS = [
    BackboneConfig(strides=(8, 16, 32)),
    BackboneConfig("small", (4, 8), (2, 3, 5)),
    BackboneConfig("small", (8,)),
    BackboneConfig("vgg16", (32,), (2, 2, 2, 2, 2, 7)),
    BackboneConfig("vgg16", (32,), (2, 2, 2, 2, 2, 7), "torchvision"),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_features_have_the_promised_cells_and_channels(config):
    backbone = make_backbone(config)
    image = jax.ShapeDtypeStruct((2, 96, 64, 3), jnp.float32)
    params = jax.eval_shape(backbone.init, jax.random.key(0), image)
    found = jax.eval_shape(backbone.apply, params, image)
    grids = make_grids(config, 96, 64)
    assert [x.shape[:3] for x in found] == [(2, grid.rows, grid.columns) for grid in grids]
    assert [x.shape[3] for x in found] == num_channels(config)


def test_sides_that_the_stride_does_not_divide_are_refused():
    with pytest.raises(ValueError, match="image sides must be multiples of 16, got 96 x 40"):
        make_grids(BackboneConfig(), 96, 40)


@pytest.mark.parametrize(
    ("config", "offsets"),
    [
        (BackboneConfig(strides=(4, 8, 16, 32)), [2, 3, 9, 15.5]),
        (BackboneConfig("small", (4, 8)), [3, 7]),
        (BackboneConfig("vgg16", (32,)), [31.5]),
    ],
)
def test_cells_start_where_the_record_says(config, offsets):
    assert [grid.offset for grid in make_grids(config, 64, 96)] == offsets
    assert tuple(config.record.offsets) == config.strides


def test_a_backbone_is_added_by_one_record(monkeypatch):
    """A network has it, guides by it early and late, and looks for its weights, without a change elsewhere."""

    class Patches(nn.Module):
        @nn.compact
        def __call__(self, image):
            return [Conv(5, size=2, stride=2, padding=(0, 0), name="only")(image)]

    trained = {"only": {"kernel": np.ones((2, 2, 3, 5), np.float32)}}
    record = Backbone(
        "patches",
        offsets={2: 0.5},
        make=lambda options: Patches(),
        num_channels=lambda options, stride: 5,
        fill_colour=lambda inputs: (1.0, 2.0, 3.0),
        first_layer="only",
        load=lambda path, channels: trained,
    )
    monkeypatch.setitem(BACKBONES, "patches", record)
    config = BackboneConfig("patches", (2,))
    assert fill_colour(config) == (1, 2, 3)
    assert load_backbone(config) is trained
    with pytest.raises(ValueError, match="strides of patches must be one of 2, got 4"):
        BackboneConfig("patches", (4,))
    network = GuidedNetwork(Config(config, HeadConfig("concat", hidden_size=4), fusion="early"))
    params = network.init(jax.random.key(0))
    image = jnp.zeros((6, 8, 3))
    assert network.encode(params, image).cells.shape == (3, 4, 5)
    assert params["support_backbone"]["only"]["kernel"].shape == (2, 2, 5, 5)
    assert (network.grid(6, 8).stride, network.grid(6, 8).offset) == (2, 0.5)


def test_layers_that_a_file_lacks_start_untrained(monkeypatch):
    record = BACKBONES["small"]
    kept = GuidedNetwork(Config(BackboneConfig("small", (4,)))).init(jax.random.key(5))["backbone"]
    part = {name: layer for name, layer in kept.items() if name != "conv2"}
    changed = dataclasses.replace(record, load=lambda path, channels: dict(part), untrained_layers=("conv2", "norm4"))
    monkeypatch.setitem(BACKBONES, "small", changed)
    _, params = pretrained(Config(BackboneConfig("small", (4,))))
    assert set(params["backbone"]) == set(kept)
    np.testing.assert_array_equal(params["backbone"]["conv1"]["kernel"], kept["conv1"]["kernel"])
    assert params["backbone"]["conv2"]["kernel"].shape == kept["conv2"]["kernel"].shape


@pytest.mark.parametrize("inputs", ["caffe", "torchvision"])
def test_vgg_is_convolutions_and_pools_down_to_fc6(inputs):
    config = BackboneConfig("vgg16", (32,), (2, 3, 2, 3, 2, 4), inputs)
    backbone = make_backbone(config)
    image = np.random.default_rng(2).uniform(0, 255, (1, 50, 40, 3)).astype(np.float32)
    shapes = jax.eval_shape(backbone.init, jax.random.key(1), image)
    rng = np.random.default_rng(3)  # biases too
    params = jax.tree.map(lambda x: rng.normal(0.05, 1.5 / max(np.prod(x.shape[:-1]), 9) ** 0.5, x.shape), shapes)
    params = jax.tree.map(np.float32, params)
    (found,) = jax.jit(backbone.apply)(params, jnp.asarray(image))

    x = image[0].astype(np.float64) - np.array(MEAN[inputs])
    x = x[..., ::-1] if inputs == "caffe" else x / [58.395, 57.12, 57.375]
    x = np.pad(x, ((80, 80), (80, 80), (0, 0)))

    def convolve(x, layer, padding):
        kernel = np.asarray(layer["kernel"], np.float64)
        x = np.pad(x, ((padding,) * 2, (padding,) * 2, (0, 0)))
        maps = [
            sum(signal.correlate2d(x[..., c], kernel[..., c, d], "valid") for c in range(x.shape[2]))
            for d in range(kernel.shape[3])
        ]
        return np.maximum(np.stack(maps, -1) + np.asarray(layer["bias"]), 0)

    layers = params["params"]
    for i, count in enumerate(CONVOLUTIONS):
        for j in range(count):
            x = convolve(x, layers[f"conv{i + 1}_{j + 1}"], 1)
        height, width = (-(-side // 2) for side in x.shape[:2])
        padded = np.pad(x, ((0, 2 * height - x.shape[0]), (0, 2 * width - x.shape[1]), (0, 0)), constant_values=-np.inf)
        x = padded.reshape(height, 2, width, 2, -1).max(axis=(1, 3))
    expected = convolve(x, layers["fc6"], 0)
    assert expected.std() > 1e-2
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.fixture(scope="module")
def classify():
    """An image to the best classes of ImageNet, by the layers that a segmenter leaves out."""
    tensors = read_torch_file(find_efficientnet_lite0())
    head = fold(tensors, "_conv_head", "_bn1")
    params, backbone = {"params": load_efficientnet_lite0()}, make_backbone(BackboneConfig(strides=(32,)))
    encode = jax.jit(lambda image: backbone.apply(params, image)[0])

    def best(name):
        image = Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB")
        side = min(image.size)
        left, top = ((length - side) // 2 for length in image.size)
        image = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
        features = np.asarray(encode(np.asarray(image, np.float32)[None]))
        features = np.clip(features @ head["kernel"][0, 0] + head["bias"], 0, 6).mean(axis=(1, 2))[0]
        return (tensors["_fc.weight"] @ features + tensors["_fc.bias"]).argmax()

    return best


@pytest.mark.parametrize(("name", "label"), [("chelsea.png", 285), ("coffee.png", 967), ("rocket.jpg", 657)])
def test_efficientnet_lite0_knows_an_egyptian_cat_an_espresso_and_a_rocket(classify, name, label):
    assert classify(name) == label


def test_trained_cells_look_where_the_record_says(load_module):
    """Features of a mirrored photo are those of the photo, mirrored about the declared centres of cells."""
    tool = load_module(Path(__file__).parents[2] / "benchmarks" / "cell_centres.py")
    config = BackboneConfig(strides=(8, 16))
    backbone, params = make_backbone(config), {"params": load_efficientnet_lite0()}
    photos = tool.load_photos()[:3]
    look = jax.jit(backbone.apply)
    for features, mirrored, stride in zip(
        look(params, photos), look(params, photos[:, :, ::-1]), config.strides, strict=True
    ):
        found = tool.mirror_offset(np.asarray(features), np.asarray(mirrored), stride)
        assert found == pytest.approx(config.record.offsets[stride], abs=1.25)
