"""DAVIS 2017 and 2016 video object segmentation (Pont-Tuset et al. 2017, Perazzi et al. 2016), read on disk.

Below the root are `JPEGImages/480p/VIDEO/00000.jpg`, `Annotations/480p/VIDEO/00000.png` and
`ImageSets/2017/{train,val}.txt` (of 2016 `ImageSets/2016` or `ImageSets/480p`). An annotation is a PNG of indices: 0
background, 1..N objects, the same ones in all frames, all of them in the first; or, as in 2016, it is black and white,
and white is object 1. The data are under their authors' terms, and neither in this package nor fetched by
it; `guidenet.data.composites.clips` writes composites in the same format.

In the shape descriptions `T` denotes frames, `H, W` pixels.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image

from guidenet.data.files import (
    UNKNOWN,
    Labels,
    check_size,
    open_mask,
    read_lines,
    read_photo,
    require,
    to_labels,
    write_indices,
)
from guidenet.data.one_reading import Ways, read_both
from guidenet.reading import Pixels, in_order, is_image

_GREY = 32
"""Numbers of objects are below this where a clip has one, and greys above."""

_YEARS = ("2017", "2016", "480p")
"""Folders of lists, in the order that they are looked at."""


@dataclasses.dataclass(frozen=True)
class Video:
    """A clip; its frames are read when asked for.

    name: of the clip.
    frames: paths of the images in order, `T` of them; PNG where the clip was written without loss.
    annotations: paths of the labels. Test sets have that of the first frame only.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def image(self, frame: int) -> Pixels:
        """`[H, W, 3]` of a frame."""
        return read_photo(self.frames[frame], f"a frame of the clip {self.name}")

    def labels(self, frame: int) -> Labels:
        """`[H, W]` objects in a frame.

        Raises:
          FileNotFoundError: the file has gone.
          ValueError: the frame has no annotation, the file is damaged or of another size than the frame, or it has
            numbers where the first one is black and white, or the other way round.
        """
        if frame >= len(self.annotations):
            raise ValueError(
                f"frame must be below {len(self.annotations)}, as far as {self.name} has labels, got {frame}"
            )
        ways = self._read(frame)
        path = ways.path
        is_binary = self.is_binary
        if is_binary and ways.seen is None:
            self._refuse(path, "has numbers")
        if not is_binary and ways.numbers is None:
            self._refuse(path, "is black and white, and no numbers")
        if not is_binary and ways.differ and not (ways.is_white_unknown and self._tells_unknown):
            self._refuse(path, "is black and white, and white may be an object or unknown")
        if not is_binary and self._is_dark_and_light(ways):
            self._refuse(path, "has another number, which may be that object as it is seen")
        found = ways.seen if is_binary else ways.numbers
        assert found is not None  # as was just checked
        labels = to_labels(found, path)
        check_size(path, labels, self.frames[frame])
        return labels

    @functools.cached_property
    def is_binary(self) -> bool:
        """Whether its annotations are black and white, as the first one shows, which has all objects."""
        first = self._first
        return first.seen is not None and (first.numbers is None or first.differ or first.plain)

    @functools.cached_property
    def _first(self) -> Ways:
        return self._read(0)

    @functools.cached_property
    def _tells_unknown(self) -> bool:
        """Whether white is unknown in frames that are black and white, as the first one has more than that."""
        numbers = self._first.numbers
        return numbers is not None and (numbers.max() > 1 or bool((numbers == UNKNOWN).any()))

    def _is_dark_and_light(self, ways: Ways) -> bool:
        """Whether there is one object, and here one grey instead."""
        first, here = (np.unique(found.numbers) for found in (self._first, ways) if found.numbers is not None)
        first, here = first[first > 0], here[here > 0]
        return len(first) == len(here) == 1 and first[0] != here[0] and here[0] >= _GREY

    def _read(self, frame: int) -> Ways:
        what = f"the objects in {'the first frame' if frame == 0 else 'a frame'} of the clip {self.name}"
        return read_both(open_mask(self.annotations[frame], what), what, indexed=True)

    def _refuse(self, path: Path, problem: str) -> NoReturn:
        how = "is black and white" if self.is_binary else "has the numbers of objects"
        raise ValueError(
            f"{path} {problem}, and {self.annotations[0]} {how}: masks of the clip {self.name} must all be black and "
            "white, or all have the numbers of objects, and a palette of colours where some pixels are unknown"
        )

    @property
    def objects(self) -> tuple[int, ...]:
        """Labels of the objects to follow: those in the first frame.

        Raises:
          ValueError: there are none, or as `labels`.
        """
        labels = self.labels(0)
        found = tuple(int(label) for label in np.unique(labels[labels > 0]))
        if not found:
            raise ValueError(
                f"{self.annotations[0]} must have the objects of the clip {self.name}, and is all background or unknown"
            )
        return found


def read_names(root: str | Path, split: str, year: str | None = None) -> tuple[str, ...]:
    """The clips of a set: `train`, `val` or another list of `ImageSets/YEAR`.

    Args:
      root: the folder `DAVIS`.
      split: name of the list.
      year: the folder of the list; None is the first that has it of 2017, 2016 and 480p, which lists the frames.

    Raises:
      FileNotFoundError: there is no such list.
      ValueError: it is empty.
    """
    lists = Path(root) / "ImageSets"
    paths = [lists / name / f"{split}.txt" for name in (_YEARS if year is None else (year,))]
    path = next((path for path in paths if path.exists()), paths[0])
    lines = read_lines(path, f"DAVIS's list of the clips of {split}")
    # A list of frames has lines as `/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png`.
    names = (Path(line.split()[0]).parent.name if line.startswith("/JPEGImages/") else line for line in lines)
    return tuple(dict.fromkeys(names))


def read_video(root: str | Path, name: str, resolution: str = "480p") -> Video:
    """Finds the files of a clip.

    Args:
      root: the folder `DAVIS`.
      name: of the clip.
      resolution: the folder below `JPEGImages` and `Annotations`, `480p` or `Full-Resolution`.

    Raises:
      FileNotFoundError: there is no such clip, it has no frames, or there is no annotation of its first one.
      ValueError: two frames have one number, some frames have annotations and others do not, or an annotation is of no
        frame.
    """
    images = require(Path(root) / "JPEGImages" / resolution / name, f"the folder with the frames of {name}")
    folder = require(Path(root) / "Annotations" / resolution / name, f"the folder with the objects in {name}")
    frames = in_order(path for path in images.iterdir() if is_image(path))
    if not frames:
        raise FileNotFoundError(f"{images} must have frames 00000.jpg, 00001.jpg .., and there are none")
    for frame, other in itertools.pairwise(frames):
        if frame.stem == other.stem:
            raise ValueError(f"{images} must have one file for each frame, got {frame.name} and {other.name}")
    annotations = in_order(path for path in folder.iterdir() if is_image(path) and path.suffix.lower() == ".png")
    if frames[0].stem not in {path.stem for path in annotations}:
        require(folder / f"{frames[0].stem}.png", f"the objects in the first frame of {name}")
    for frame, annotation in zip(frames, annotations, strict=False):
        if frame.stem != annotation.stem:
            raise ValueError(f"{folder} must have annotations of the first frames, in order, got {annotation.name} "
                             f"where {frame.stem}.png was expected")  # fmt: skip
    if len(annotations) not in (1, len(frames)):
        raise ValueError(
            f"{folder} must have an annotation for each of the {len(frames)} frames or for the first, got "
            f"{len(annotations)}"
        )
    return Video(name, frames, annotations)


def read_videos(root: str | Path, split: str, year: str | None = None, resolution: str = "480p") -> tuple[Video, ...]:
    """All clips of a set, see `read_names` and `read_video`."""
    return tuple(read_video(root, name, resolution) for name in read_names(root, split, year))


def write_video(
    root: str | Path, name: str, frames: Iterable[Pixels], labels: Iterable[Labels], suffix: str = ".png"
) -> None:
    """Writes a clip in the format of DAVIS 2017 at `480p`, whatever its size.

    Args:
      root: a folder, made if there is none.
      name: of the clip.
      frames: `T` images `[H, W, 3]`.
      labels: `T` times `[H, W]`.
      suffix: `.png` without loss, or `.jpg` as DAVIS.

    Raises:
      ValueError: there are not as many labels as frames.
    """
    images, folder = (Path(root) / part / "480p" / name for part in ("JPEGImages", "Annotations"))
    images.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for number, (frame, label) in enumerate(zip(frames, labels, strict=True)):
        Image.fromarray(frame).save(images / f"{number:05}{suffix}")
        write_indices(folder / f"{number:05}.png", label)


def write_names(root: str | Path, split: str, names: Sequence[str], year: str = "2017") -> None:
    """Writes the list of the clips of a set."""
    folder = Path(root) / "ImageSets" / year
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
