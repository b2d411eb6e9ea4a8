"""A sheet of twelve photos that nobody trained on, after one, three and five clicks; clicks are fixed.

    uv run --with scikit-learn --with matplotlib packages/guidenet/benchmarks/photo_sheet.py runs/sheet
    uv run ... packages/guidenet/benchmarks/photo_sheet.py runs/sheet --before runs/masks-of-another-version

writes `sheet.webp` and the masks. The photos are those that scikit-image, scikit-learn and matplotlib ship. The first
click is on the thing and the second beside it; what comes then is what a user would do who looks at the mask. The table
that is printed has the share of the image that is masked after each click: the first "not it" must not make it larger.
"""

import argparse
from pathlib import Path

import guidenet
import numpy as np
from guidenet.data.packages import find_package
from PIL import Image, ImageDraw

SIDE = 512

# Path in the package; clicks (row, column, whether it is of the thing) as shares of height and width.
PHOTOS = {
    "dahlia": ("sklearn/datasets/images/flower.jpg", "the flower in front"),
    "pagoda": ("sklearn/datasets/images/china.jpg", "the pagoda"),
    "portrait": ("matplotlib/mpl-data/sample_data/grace_hopper.jpg", "the woman"),
    "astronaut": ("skimage/data/astronaut.png", "the face"),
    "cat": ("skimage/data/chelsea.png", "the cat"),
    "cup": ("skimage/data/coffee.png", "the cup"),
    "coins": ("skimage/data/coins.png", "all coins"),
    "rocket": ("skimage/data/rocket.jpg", "the rocket"),
    "tissue": ("skimage/data/ihc.png", "all that is stained brown"),
    "retina": ("skimage/data/retina.jpg", "the optic disc"),
    "motorcycle": ("skimage/data/motorcycle_left.png", "the motorcycle"),
    "cameraman": ("skimage/data/camera.png", "the man"),
}

CLICKS = {
    "dahlia": [(0.50, 0.50, 1), (0.20, 0.15, 0), (0.36, 0.42, 1), (0.97, 0.58, 0), (0.66, 0.58, 1)],
    "pagoda": [(0.52, 0.48, 1), (0.12, 0.80, 0), (0.31, 0.43, 1), (0.85, 0.20, 0), (0.66, 0.45, 1)],
    "portrait": [(0.40, 0.50, 1), (0.15, 0.12, 0), (0.80, 0.45, 1), (0.35, 0.90, 0), (0.22, 0.48, 1)],
    "astronaut": [(0.22, 0.43, 1), (0.10, 0.80, 0), (0.15, 0.40, 1), (0.75, 0.45, 0), (0.28, 0.45, 1)],
    "cat": [(0.62, 0.40, 1), (0.10, 0.90, 0), (0.75, 0.30, 1), (0.12, 0.10, 0), (0.25, 0.55, 1)],
    "cup": [(0.45, 0.55, 1), (0.15, 0.10, 0), (0.30, 0.55, 1), (0.80, 0.85, 0), (0.60, 0.45, 1)],
    "coins": [(0.17, 0.11, 1), (0.28, 0.35, 0), (0.86, 0.12, 1), (0.51, 0.60, 0), (0.60, 0.90, 1)],
    "rocket": [(0.50, 0.48, 1), (0.20, 0.10, 0), (0.35, 0.48, 1), (0.50, 0.80, 0), (0.62, 0.48, 1)],
    "tissue": [(0.30, 0.30, 1), (0.10, 0.90, 0), (0.60, 0.55, 1), (0.80, 0.15, 0), (0.45, 0.75, 1)],
    "retina": [(0.47, 0.14, 1), (0.50, 0.60, 0), (0.49, 0.16, 1), (0.30, 0.30, 0), (0.45, 0.13, 1)],
    "motorcycle": [(0.55, 0.45, 1), (0.10, 0.50, 0), (0.65, 0.65, 1), (0.90, 0.30, 0), (0.45, 0.30, 1)],
    "cameraman": [(0.50, 0.35, 1), (0.20, 0.80, 0), (0.25, 0.43, 1), (0.85, 0.80, 0), (0.60, 0.30, 1)],
}


def read_photo(path: str) -> np.ndarray:
    """A photo of an installed package, `[H, W, 3]`, at most `SIDE` px."""
    package, _, rest = path.partition("/")
    folder = find_package(package, {"sklearn": "scikit-learn", "skimage": "scikit-image"}.get(package, package))
    image = Image.fromarray(guidenet.read_image(folder / rest))
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(image)


def segment(photo: np.ndarray, clicks: list[tuple[float, float, int]]) -> list[np.ndarray]:
    """The mask after each click."""
    segmenter = guidenet.Segmenter()
    name = segmenter.add_image(photo)
    masks = []
    for y, x, positive in clicks:
        segmenter.click(name, int(y * photo.shape[0]), int(x * photo.shape[1]), bool(positive))
        masks.append(segmenter.predict(name).masks["object"])
    return masks


def draw(photo: np.ndarray, mask: np.ndarray, clicks: list[tuple[float, float, int]], height: int) -> Image.Image:
    """The photo, dark outside the mask and with a line around it, and the clicks so far."""
    shown = np.where(mask[..., None], photo, photo * 0.35).astype(np.uint8)
    edge = np.zeros_like(mask)
    edge[1:] |= mask[1:] != mask[:-1]
    edge[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    shown[edge] = (255, 220, 0)
    image = Image.fromarray(shown)
    pen = ImageDraw.Draw(image)
    for y, x, positive in clicks:
        y, x = y * photo.shape[0], x * photo.shape[1]
        pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=(0, 200, 90) if positive else (230, 40, 40), outline="white")
    return image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS)


def main() -> None:
    """Writes masks and the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="a folder")
    parser.add_argument("--before", type=Path, help="masks of another version, whose fifth are shown first")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, (path, what) in PHOTOS.items():
        photo, clicks = read_photo(path), CLICKS[name]
        masks = segment(photo, clicks)
        np.savez_compressed(arguments.output / f"{name}.npz", masks=np.stack(masks))
        print(f"{name:10} {what:26}", " ".join(f"{100 * mask.mean():5.1f} %" for mask in masks))
        shown = [(masks[count - 1], count) for count in (1, 3, 5)]
        if arguments.before is not None:
            shown.insert(0, (np.load(arguments.before / f"{name}.npz")["masks"][4], 5))
        rows.append([draw(photo, mask, clicks[:count], 200) for mask, count in shown])
    widths = [max(row[i].width for row in rows) for i in range(len(rows[0]))]
    sheet = Image.new("RGB", (2 * sum(widths) + 8 * 2 * len(widths), 208 * (len(rows) // 2)), "white")
    for number, row in enumerate(rows):
        left = (number % 2) * (sum(widths) + 8 * len(widths))
        for image, width in zip(row, widths, strict=True):
            sheet.paste(image, (left, 208 * (number // 2)))
            left += width + 8
    sheet.save(arguments.output / "sheet.webp", quality=80)


if __name__ == "__main__":
    main()
