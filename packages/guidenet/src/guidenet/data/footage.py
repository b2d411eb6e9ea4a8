"""What all video has in common, and its frames as a data set of images.

In the shape descriptions `H, W` denote pixels.
"""

from collections.abc import Sequence
from typing import Protocol

from guidenet.data.dataset import Dataset
from guidenet.data.files import Labels
from guidenet.images import Pixels


class Footage(Protocol):
    """A clip, as `davis.Video` and `clips.Clip` are."""

    @property
    def name(self) -> str:
        """Of the clip."""
        ...

    @property
    def objects(self) -> tuple[int, ...]:
        """Labels of the objects to follow: those in the first frame."""
        ...

    def __len__(self) -> int:
        """How many frames it has."""
        ...

    def image(self, frame: int) -> Pixels:
        """`[H, W, 3]` of a frame."""
        ...

    def labels(self, frame: int) -> Labels:
        """`[H, W]` objects in a frame."""
        ...


def frame_id(video: Footage, frame: int) -> str:
    """The id that a frame has in `as_dataset`."""
    return f"{video.name}/{frame:05}"


def as_dataset(videos: Sequence[Footage]) -> Dataset:
    """The frames of clips as images. A class is the object of that number in each clip, so it means nothing.

    Raises:
      ValueError: there are no clips, or two have one name.
    """
    if not videos:
        raise ValueError("videos must be at least one, got none")
    places = {frame_id(video, frame): (video, frame) for video in videos for frame in range(len(video))}
    if len(places) != sum(len(video) for video in videos):
        raise ValueError("videos must have different names, got one twice")

    def labels(name: str) -> Labels:
        video, frame = places[name]
        return video.labels(frame)

    def image(name: str) -> Pixels:
        video, frame = places[name]
        return video.image(frame)

    most = max(max(video.objects, default=0) for video in videos)
    classes = tuple(f"object-{number}" for number in range(1, most + 1))
    return Dataset(classes, tuple(places), image, labels, labels)
