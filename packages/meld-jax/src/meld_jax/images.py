"""From pictures to features and back: strided convolutions, or patches and matrix products.

In the shape descriptions `...` stands for any leading batch dimensions, `H`, `W`, `C` for a picture, `F` for features.
Pixels are float32 in [0, 1].
"""

import math

import chex
import flax.linen as nn
from rlcore.networks import Conv, ConvTranspose

from meld_jax.config import ModelConfig
from meld_jax.layers import Activation, Linear, get_activation

_PATCH, _SMALLEST = 4, 2
_NUM_HALVINGS = 4


class ConvEncoder(nn.Module):
    """`[..., H, W, C] -> [..., F]` with F = 8 depth, by five convolutions (thesis, appendix D.1).

    Kernels are 5, 3, 3, 3 wide with stride 2; the last one, 4 wide for pictures of 64 x 64, is what is left of the
    picture. Where several cameras' pictures lie side by side, kernels are as many times wider than high.
    """

    depth: int
    activation: Activation

    @nn.compact
    def __call__(self, image: chex.Array) -> chex.Array:
        """See the class."""
        stretch = _stretch(image.shape[-3:])
        x = image.reshape(-1, *image.shape[-3:])
        for factor, size in zip((1, 2, 4, 8), (5, 3, 3, 3), strict=True):
            x = self.activation(Conv(factor * self.depth, (size, size * stretch), stride=2)(x))
        x = self.activation(nn.Dense(8 * self.depth)(x.reshape(x.shape[0], -1)))
        return x.reshape(*image.shape[:-3], x.shape[-1])


class ConvDecoder(nn.Module):
    """`[..., F] -> [..., H, W, C]`: the transpose of `ConvEncoder`; its last layer is linear."""

    shape: tuple[int, int, int]
    depth: int
    activation: Activation

    @nn.compact
    def __call__(self, features: chex.Array) -> chex.Array:
        """See the class."""
        height, width, channels = self.shape
        stretch = _stretch(self.shape)
        scale = 2**_NUM_HALVINGS
        x = features.reshape(-1, features.shape[-1])
        x = self.activation(nn.Dense(height // scale * (width // scale) * 8 * self.depth)(x))
        x = x.reshape(-1, height // scale, width // scale, 8 * self.depth)
        for factor in (4, 2, 1):
            size = (3, 3 * stretch)
            x = self.activation(ConvTranspose(factor * self.depth, size, stride=2)(x))
        x = ConvTranspose(channels, (5, 5 * stretch), stride=2)(x)
        return x.reshape(*features.shape[:-1], *self.shape)


class PatchEncoder(nn.Module):
    """`[..., H, W, C] -> [..., F]` with F = 8 depth: squares of 4 x 4 pixels, then of 2 x 2 squares, down to 2 x 2.

    All of it is matrix products, which a CPU is good at, also inside a loop.
    """

    depth: int
    activation: Activation

    @nn.compact
    def __call__(self, image: chex.Array) -> chex.Array:
        """See the class."""
        x = image.reshape(-1, *image.shape[-3:])
        for width, size in _merges(image.shape[-3:], self.depth):
            x = self.activation(Linear(width)(_to_squares(x, size)))
        x = self.activation(nn.Dense(8 * self.depth)(x.reshape(x.shape[0], -1)))
        return x.reshape(*image.shape[:-3], x.shape[-1])


class PatchDecoder(nn.Module):
    """`[..., F] -> [..., H, W, C]`: the mirror of `PatchEncoder`; its last layer is linear."""

    shape: tuple[int, int, int]
    depth: int
    activation: Activation

    @nn.compact
    def __call__(self, features: chex.Array) -> chex.Array:
        """See the class."""
        height, width, channels = self.shape
        merges = _merges(self.shape, self.depth)
        scale = math.prod(size for _, size in merges)
        x = features.reshape(-1, features.shape[-1])
        x = self.activation(nn.Dense(height // scale * (width // scale) * merges[-1][0])(x))
        x = x.reshape(-1, height // scale, width // scale, merges[-1][0])
        for i in range(len(merges) - 1, -1, -1):
            size = merges[i][1]
            below = merges[i - 1][0] if i else channels
            x = Linear(size * size * below)(x)
            x = _from_squares(self.activation(x) if i else x, size)
        return x.reshape(*features.shape[:-1], *self.shape)


def make_encoder(config: ModelConfig) -> nn.Module:
    """The encoder that a config asks for."""
    kind = ConvEncoder if config.has_convolutions else PatchEncoder
    return kind(config.depth, get_activation(config.activation))


def make_decoder(config: ModelConfig, shape: tuple[int, int, int]) -> nn.Module:
    """The decoder that a config asks for, to pictures `shape: (H, W, C)`."""
    kind = ConvDecoder if config.has_convolutions else PatchDecoder
    return kind(shape, config.depth, get_activation(config.activation))


def for_each_picture(pixels: chex.Array, images: chex.Array) -> chex.Array:
    """`[H, W, C]` with as many dimensions as `images: [..., H, W, C]`."""
    return pixels.reshape(*[1] * (images.ndim - 3), *pixels.shape)


def check_picture(config: ModelConfig, name: str, shape: tuple[int, ...]) -> None:
    """Raises ValueError where the networks have no use for pictures of `shape` of the environment `name`."""
    divisor = 2**_NUM_HALVINGS if config.has_convolutions else _PATCH
    if len(shape) != 3 or shape[0] % divisor or shape[1] % divisor or shape[1] % shape[0]:
        raise ValueError(
            f"{name}: image_network={config.image_network} needs pictures [H, W, C] with H that {divisor} divides, W "
            f"once or several times H, got {list(shape)}"
        )


def _stretch(shape: tuple[int, ...]) -> int:
    return shape[1] // shape[0]


def _merges(shape: tuple[int, ...], depth: int) -> list[tuple[int, int]]:
    """Width and side of each layer of squares, from the pixels on."""
    height, width = shape[0] // _PATCH, shape[1] // _PATCH
    layers = [(2 * depth, _PATCH)]
    while height % 2 == 0 and width % 2 == 0 and height > _SMALLEST:
        height, width = height // 2, width // 2
        layers.append((2 * layers[-1][0], 2))
    return layers


def _to_squares(x: chex.Array, size: int) -> chex.Array:
    """`[N, H, W, C] -> [N, H / size, W / size, size^2 C]`."""
    number, height, width, channels = x.shape
    x = x.reshape(number, height // size, size, width // size, size, channels).swapaxes(2, 3)
    return x.reshape(number, height // size, width // size, -1)


def _from_squares(x: chex.Array, size: int) -> chex.Array:
    """`[N, H, W, size^2 C] -> [N, H size, W size, C]`."""
    number, height, width, depth = x.shape
    x = x.reshape(number, height, width, size, size, depth // size**2).swapaxes(2, 3)
    return x.reshape(number, height * size, width * size, -1)
