"""VGG-16 to fc6, the guide and the shared metric beside PyTorch, on the same random weights and image.

    uv run --group bench packages/guidenet/benchmarks/vgg_parity.py --height=97 --width=130

The weights go through a file that PyTorch saves, in both of its formats, and through this package's reader. Prints the
largest differences over the largest value, and fails above `--tolerance`. Needs PyTorch: see CONTRIBUTING.md.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import guidenet
import jax
import jax.numpy as jnp
import numpy as np
import torch
from absl import app, flags
from guidenet.network.backbones.vgg import CONVOLUTIONS, MEAN, PADDING, VGG16_CHANNELS
from torch import nn

_HEIGHT = flags.DEFINE_integer("height", 97, "Of the image, px.", lower_bound=1)
_WIDTH = flags.DEFINE_integer("width", 130, "Of the image, px.", lower_bound=1)
_FC6 = flags.DEFINE_integer("fc6", 4096, "Channels of fc6; the whole of 4096 takes 2 GB of memory.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Of weights and image.")
_TOLERANCE = flags.DEFINE_float("tolerance", 1e-4, "Largest difference over the largest value.")


class TorchVGG16(nn.Module):
    """With torchvision's names, run as a fully convolutional network with Caffe's padding and pools."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        previous = 3
        for count, width in zip(CONVOLUTIONS, channels[:5], strict=True):
            for _ in range(count):
                layers += [nn.Conv2d(previous, width, 3, padding=1), nn.ReLU()]
                previous = width
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
        layers[0] = nn.Conv2d(3, channels[0], 3, padding=PADDING)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(previous * 49, channels[5]))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """`[H, W, 3]` RGB in 0..255 to `[R, Q, C]`."""
        x = (image - torch.tensor(MEAN["caffe"])).flip(-1).permute(2, 0, 1)[None]
        x = self.features(x)
        fc6 = self.classifier[0]
        kernel = fc6.weight.reshape(len(fc6.bias), x.shape[1], 7, 7)
        return torch.relu(nn.functional.conv2d(x, kernel, fc6.bias))[0].permute(1, 2, 0)


def compare(name: str, found: jax.Array, expected: torch.Tensor) -> float:
    """Prints and returns the largest difference over the largest value."""
    reference = expected.detach().numpy()
    error = float(np.abs(np.asarray(found) - reference).max() / np.abs(reference).max())
    print(f"{name}: {error:.1e}")
    return error


def score(features: torch.Tensor, negative: torch.Tensor, positive: torch.Tensor, head: dict[str, Any]) -> torch.Tensor:
    """The shared metric, as convolutions of 1x1 on concatenated features."""
    kernel = torch.tensor(np.concatenate([head["query"]["kernel"], head["guide"]["kernel"]])).T[:, :, None, None]
    last = torch.tensor(np.array(head["score"]["kernel"])).T[:, :, None, None]
    scores = []
    for z in (negative, positive):
        x = torch.cat([features, z.expand_as(features)], dim=-1).permute(2, 0, 1)[None]
        hidden = torch.relu(nn.functional.conv2d(x, kernel, torch.tensor(np.array(head["query"]["bias"]))))
        scores.append(nn.functional.conv2d(hidden, last)[0, 0])
    return scores[1] - scores[0]


def main(argv: list[str]) -> None:
    """Compares and prints."""
    del argv
    torch.manual_seed(_SEED.value)
    rng = np.random.default_rng(_SEED.value)
    channels = (*VGG16_CHANNELS[:5], _FC6.value)
    reference = TorchVGG16(channels)
    for layer in reference.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    height, width = _HEIGHT.value, _WIDTH.value
    image = rng.integers(0, 256, (height, width, 3)).astype(np.float32)
    backbone = guidenet.BackboneConfig("vgg16", (32,), channels)
    errors: list[float] = []
    network = guidenet.GuidedNetwork(
        guidenet.Config(backbone, guidenet.HeadConfig("concat", shared=True, hidden_size=64, initialisation="scaled"))
    )
    with torch.no_grad(), tempfile.TemporaryDirectory() as directory:
        expected = reference(torch.tensor(image))
        for archive in (True, False):
            path = Path(directory) / "vgg16.pth"
            torch.save(reference.state_dict(), path, _use_new_zipfile_serialization=archive)
            params = network.init(jax.random.key(0), guidenet.load_backbone(backbone, path))
            features = jax.jit(network.encode)(params, image)
            errors.append(
                compare(f"fc6 from a {'zip archive' if archive else 'row of pickles'}", features.cells, expected)
            )
        # One negative and one positive pixel at the centres of cells, so that guides are features as they are.
        grid = network.grid(height, width)
        masks = np.zeros((1, 2, height, width), np.float32)
        masks[0, 0, int(grid.offset) : int(grid.offset) + 2, 40] = masks[0, 1, :, 50:60] = 1
        weights = torch.tensor(np.array(guidenet.downsample(jnp.asarray(masks), grid)))[0]
        negative, positive = ((weights[i, ..., None] * expected).sum((0, 1)) / weights[i].sum() for i in range(2))
        guide = network.guide(features, jnp.asarray(masks))
        errors.append(compare("guide", guidenet.pool(guide)[0][0], torch.stack([negative, positive])))
        head = jax.tree.map(lambda x: np.asarray(rng.normal(0, 0.05, x.shape), np.float32), params["head"])
        head["score"]["bias"] = np.zeros_like(head["score"]["bias"])
        found = network.score_prepared({"head": head}, network.prepare({"head": head}, features), guide)[0]
        errors.append(compare("score", found, score(expected, negative, positive, head)))
    if max(errors) > _TOLERANCE.value:
        sys.exit(f"differs by more than {_TOLERANCE.value}")


if __name__ == "__main__":
    app.run(main)
