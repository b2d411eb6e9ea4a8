"""Segment images from a few annotations, numpy in and numpy out."""

import numbers
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from guidenet.checks import check_at_least, check_choice, check_name
from guidenet.images import Pixels, as_image, inner_pixels
from guidenet.network.guided_network import GuidedNetwork, Params
from guidenet.network.models import fingerprint, pretrained
from guidenet.segmenter.encoding import Encoded, digest, encode_image
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.pieces import MIN_AREA, PIECES
from guidenet.segmenter.prediction import MAX_CLASSES, Prediction
from guidenet.segmenter.scoring import segment
from guidenet.segmenter.shots import Change, Shot, vote

DEFAULT_CLASS = "object"

MAX_SIDE = 2048
"""Longest side in px at which images can be seen: sums of features over larger ones might not fit into 64 bits."""


class _Labelled(NamedTuple):
    name: str
    changes: list[Change]


class _Joined(NamedTuple):
    guidance: Guidance
    removed: bool


class Segmenter:
    """Annotate some images, and segment these and any others.

        segmenter = guidenet.Segmenter()
        photo = segmenter.add_image(pixels)
        segmenter.click(photo, y=120, x=80)
        mask = segmenter.predict(other_pixels).masks["object"]

    An image goes through the encoder once; a change of annotations costs well below a millisecond for the guidance and
    the head's time for each image looked at. Not safe to use from several threads at once.
    """

    def __init__(
        self,
        network: GuidedNetwork | None = None,
        params: Params | None = None,
        *,
        max_side: int = 512,
        edges: bool = True,
        min_area: int = MIN_AREA,
        pieces: str = "all",
    ) -> None:
        """Starts without images.

        Args:
          network: and `params` together: a guided network; None is `guidenet.pretrained()`.
          params: of the network.
          max_side: longest side in px at which images are seen; larger ones are shrunk.
          edges: masks end at the edges of the image, see `guidenet.segmenter.edges`; False leaves what is interpolated
            between cells.
          min_area: pieces of a mask and holes in it of fewer px, of the image as it is seen, are no part of the mask
            and filled; 0 keeps all.
          pieces: of masks: `all`, or `annotated`, those with a positive annotation in them. Where an image has no
            positive annotation of a class, all pieces of that class stay. A network with a decoder is told in which
            places such an image is annotated, if `annotated`, and else only how what is annotated looks.

        Raises:
          ValueError: only one of `network` and `params` is given, `max_side`, `edges`, `min_area` or `pieces` is none
            that there is, or the network's fusion is not late: other kinds would need the encoder for every click.
          WeightsMissingError: no network is given, and the extra `weights` is not installed.
        """
        check_at_least("max_side", max_side, 1)
        if max_side > MAX_SIDE:
            raise ValueError(f"max_side must be at most {MAX_SIDE}, got {max_side}")
        if (network is None) != (params is None):
            raise ValueError("network and params must be given together, got only one of them")
        if network is None or params is None:
            network, params = pretrained()
        if network.config.fusion != "late":
            raise ValueError(f"fusion must be late for clicks to spare the encoder, got {network.config.fusion}")
        check_choice("edges", edges, (True, False))
        check_at_least("min_area", min_area, 0)
        check_choice("pieces", pieces, PIECES)
        self._network, self._max_side = network, max_side
        self._edges, self._min_area, self._pieces = edges, min_area, pieces
        self._encoder = jax.device_put({part: params[part] for part in ("backbone", "projection")})
        self._scorer = jax.device_put({part: params[part] for part in network.scoring_parts})
        self._encoded: dict[str, Encoded] = {}
        self._digests: dict[str, bytes] = {}
        self._shots: dict[str, Shot] = {}
        self._sums: dict[str, Guidance] = {}
        self._guidance = Guidance.empty(network.guide_size, fingerprint(network, params), network.config.shots)
        self._joined = self._guidance
        self._classes: list[str] = []
        self._done: list[_Labelled | _Joined] = []
        self._num_encoder_calls = 0

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images that were added."""
        return tuple(self._encoded)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that have annotations or guidance, in the order they came in."""
        return tuple(name for name in self._classes if name in self._guidance.classes)

    @property
    def num_encoder_calls(self) -> int:
        """How many images went through the encoder."""
        return self._num_encoder_calls

    @property
    def pieces(self) -> str:
        """Which pieces masks have, unless `predict` is told."""
        return self._pieces

    @property
    def guidance(self) -> Guidance:
        """What all annotations say together, without the images; it can be saved, and added to other segmenters."""
        return self._guidance

    def add_image(self, image: npt.ArrayLike, name: str | None = None) -> str:
        """Encodes an image, so that it can be annotated, and returns its name.

        Args:
          image: `[H, W]`, `[H, W, 3]` or `[H, W, 4]` uint8.
          name: None numbers it, or is the name of an equal image that is there. Equal images of two names are two
            images, which are encoded once.

        Raises:
          ValueError: it is no image, or there is another one of that name.
        """
        if name is not None:
            check_name("name", name)
        pixels = as_image(image)
        key = digest(pixels)
        if name is not None and self._digests.get(name, key) != key:
            raise ValueError(f"name must be new, and there is another image {name!r}")
        known = self._named(key)
        if known is not None and (name is None or name in self._encoded):
            return name or known
        if name is None:
            name = next(f"image-{i}" for i in range(1, len(self._encoded) + 2) if f"image-{i}" not in self._encoded)
        self._encoded[name] = self._encode(pixels) if known is None else self._encoded[known]
        self._digests[name] = key
        return name

    def remove_image(self, name: str) -> None:
        """Forgets an image and takes its annotations out of the guidance, exactly; this cannot be undone.

        Raises:
          ValueError: there is no image of that name.
        """
        self._find(name)
        self._guidance -= self._sums.pop(name, self._empty)
        self._shots.pop(name, None)
        self._encoded.pop(name)
        self._digests.pop(name)
        self._done = [step for step in self._done if not (isinstance(step, _Labelled) and step.name == name)]

    def click(self, name: str, y: int, x: int, label: bool | None = True, cls: str = DEFAULT_CLASS) -> None:
        """Labels one pixel of an image; a label that was there is replaced.

        Args:
          name: of an image that was added.
          y: row, px from the top.
          x: column, px from the left.
          label: True: of the class, False: not of the class, None: unknown again.
          cls: the class. A pixel is of one class at most.

        Raises:
          ValueError: there is no such image, the pixel lies outside of it, the label is none, the class has no name, or
            there are too many classes. Nothing is changed then.
        """
        height, width = self._find(name).image.size
        if not all(isinstance(place, numbers.Real) for place in (y, x)) or not (0 <= y < height and 0 <= x < width):
            raise ValueError(f"y, x must lie in the {height} x {width} px of {name!r}, got {y!r}, {x!r}")
        self._label(name, np.array([int(y)]), np.array([int(x)]), np.array([_code("label", label)]), cls)

    def paint(
        self,
        name: str,
        mask: npt.ArrayLike,
        label: bool | None = True,
        cls: str = DEFAULT_CLASS,
        rest: bool | None = None,
    ) -> None:
        """Labels all pixels of a mask at once; labels that were there are replaced.

        Args:
          name: of an image that was added.
          mask: `[H, W]` bool, the pixels to label, at the image's own resolution.
          label: of these, as for `click`.
          cls: the class.
          rest: of all other pixels; None leaves them as they are. A dense mask has `rest=False`.

        Raises:
          ValueError: there is no such image, the mask is not bool or has another size, a label is none, the class has
            no name, or there are too many classes. Nothing is changed then.
        """
        size, array = self._find(name).image.size, np.asarray(mask)
        if array.dtype != np.bool_ or array.shape != size:
            raise ValueError(
                f"mask must be bool [{size[0]}, {size[1]}] for {name!r}, got {array.dtype} {list(array.shape)}"
            )
        rows, columns = np.nonzero(array if rest is None else np.ones_like(array))
        codes = np.where(array[rows, columns], _code("label", label), _code("rest", rest))
        self._label(name, rows, columns, codes, cls)

    def label(self, name: str, labels: npt.ArrayLike, cls: str = DEFAULT_CLASS) -> None:
        """Labels pixels of both kinds at once; labels that were there are replaced.

        Where the image is seen smaller, all of these together decide about a pixel of it.

        Args:
          name: of an image that was added.
          labels: `[H, W]` whole numbers: 1 of the class, -1 not of the class; pixels of 0 stay as they are.
          cls: the class.

        Raises:
          ValueError: there is no such image, the labels are others or have another size, the class has no name, or
            there are too many classes. Nothing is changed then.
        """
        size, array = self._find(name).image.size, np.asarray(labels)
        if array.dtype.kind not in "iu" or array.shape != size:
            raise ValueError(
                f"labels must be whole numbers [{size[0]}, {size[1]}] for {name!r}, got {array.dtype} "
                f"{list(array.shape)}"
            )
        if not np.isin(array, (-1, 0, 1)).all():
            raise ValueError(f"labels must be 1, 0 and -1, got {array.min()} to {array.max()}")
        rows, columns = np.nonzero(array)
        self._label(name, rows, columns, array[rows, columns].astype(np.int64), cls)

    def undo(self) -> bool:
        """Takes back the last click, painting or guidance, in every bit; returns whether there was one."""
        if not self._done:
            return False
        step = self._done.pop()
        if isinstance(step, _Joined):
            self._guidance, self._joined = self._sums_with(step.guidance, added=step.removed)
        else:
            self._shots[step.name].revert(step.changes)
            self._count(step.name)
        return True

    def add_guidance(self, guidance: Guidance) -> None:
        """Joins guidance from elsewhere, such as `Guidance.load(path)`.

        Raises:
          ValueError: it was made by another encoder, or there are too many classes.
        """
        sums = self._sums_with(_guidance(guidance), added=True)
        self._register(guidance.classes)
        self._guidance, self._joined = sums
        self._done.append(_Joined(guidance, removed=False))

    def remove_guidance(self, guidance: Guidance) -> None:
        """Takes guidance out that was added, exactly. What annotations say goes with them, by `undo` and others.

        Raises:
          ValueError: it was made by another encoder, or was not added.
        """
        self._guidance, self._joined = self._sums_with(_guidance(guidance), added=False)
        self._done.append(_Joined(guidance, removed=True))

    def predict(self, image: str | npt.ArrayLike, *, pieces: str | None = None) -> Prediction:
        """Segments an image by the guidance.

        Args:
          image: the name of one that was added, or any other, `[H, W]`, `[H, W, 3]` or `[H, W, 4]` uint8, which is
            encoded for this call and not kept.
          pieces: of the masks, as for the segmenter; None is as the segmenter has it.

        Raises:
          ValueError: there is no image of that name, or it is no image, or it has no annotations with local pooling, or
            there are no such pieces.
        """
        if pieces is None:
            pieces = self._pieces
        check_choice("pieces", pieces, PIECES)
        if isinstance(image, str):
            return self._predict(self._find(image), self._shots.get(image), pieces)
        pixels = as_image(image)
        name = self._named(digest(pixels)) if self._digests else None
        return self._predict(self._encode(pixels), None, pieces) if name is None else self.predict(name, pieces=pieces)

    def video(self, frames: Iterable[npt.ArrayLike]) -> Iterator[Prediction]:
        """Segments one frame after another by the guidance as it then is; no frame is kept.

        Args:
          frames: images as for `predict`.

        Raises:
          ValueError: one of them is no image, where the message says which; or all are one image, and not several.
        """
        shape = np.shape(frames) if isinstance(frames, np.ndarray) else ()
        if len(shape) == 3 and shape[2] in (3, 4):
            raise ValueError(f"frames must be several images, got one, {list(shape)}")
        for i, frame in enumerate(frames):
            try:
                encoded = self._encode(as_image(frame))
            except ValueError as error:
                raise ValueError(f"frame {i}: {error}") from None
            yield self._predict(encoded, None, self._pieces)

    def _sums_with(self, guidance: Guidance, *, added: bool) -> tuple[Guidance, Guidance]:
        """All guidance and what of it was joined, once some more is added or taken out; raises if it cannot be."""
        joined = self._joined + guidance if added else self._joined - guidance
        return self._guidance + guidance if added else self._guidance - guidance, joined

    @property
    def _empty(self) -> Guidance:
        return Guidance.empty(self._guidance.feature_size, self._guidance.encoder, self._guidance.shots)

    def _named(self, key: bytes) -> str | None:
        return next((name for name, other in self._digests.items() if other == key), None)

    def _find(self, name: str) -> Encoded:
        if not isinstance(name, str) or name not in self._encoded:
            raise ValueError(f"image must be one that was added ({', '.join(self._encoded) or 'none'}), got {name!r}")
        return self._encoded[name]

    def _encode(self, pixels: Pixels) -> Encoded:
        self._num_encoder_calls += 1
        return encode_image(self._network, self._encoder, self._scorer, pixels, self._max_side, with_edges=self._edges)

    def _register(self, classes: Iterable[str]) -> None:
        used = self.classes
        new = [name for name in classes if name not in used]
        if len(used) + len(new) > MAX_CLASSES:
            raise ValueError(f"cls must be one of at most {MAX_CLASSES} classes, got one more: {new[0]!r}")
        self._classes += [name for name in new if name not in self._classes]

    def _label(
        self,
        name: str,
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        codes: npt.NDArray[np.int64],
        cls: str,
    ) -> None:
        encoded = self._encoded[name]
        check_name("cls", cls)
        self._register([cls])
        if name not in self._shots:
            features, size = self._features(encoded), encoded.image.inner
            self._shots[name] = Shot(features, encoded.grid, size, self._network.ridge_size)
        pixels, labels = vote(inner_pixels(rows, columns, encoded.image), codes)
        changes = self._shots[name].set(cls, pixels, labels)
        try:
            self._count(name)
        except ValueError:  # sums that are too large to be counted
            self._shots[name].revert(changes)
            raise
        self._done.append(_Labelled(name, changes))

    def _features(self, encoded: Encoded) -> npt.NDArray[np.float32]:
        return np.asarray(encoded.features)[: encoded.grid.rows, : encoded.grid.columns]

    def _count(self, name: str) -> None:
        """Replaces what an image contributed by what it contributes now."""
        empty = self._empty
        sums = self._shots[name].sums(empty.shots)
        now = Guidance.of(sums, empty.feature_size, empty.encoder, empty.shots)
        self._guidance = self._guidance - self._sums.get(name, empty) + now
        self._sums[name] = now

    def _predict(self, encoded: Encoded, shot: Shot | None, pieces: str) -> Prediction:
        return segment(
            self._network,
            self._scorer,
            encoded,
            self._guidance,
            self.classes,
            shot,
            pieces=pieces,
            min_area=self._min_area,
        )


def _guidance(value: object) -> Guidance:
    if not isinstance(value, Guidance):
        raise ValueError(f"guidance must be a Guidance, such as Guidance.load(path), got {value!r}")
    return value


def _code(name: str, label: bool | None) -> int:
    if label is not None and not isinstance(label, bool | np.bool_):
        raise ValueError(f"{name} must be True, False or None, got {label!r}")
    return 0 if label is None else 1 if label else -1
