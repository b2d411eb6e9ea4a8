"""Drawings with transparency, whose opacity is their mask; concepts and groups of them.

A concept is what is drawn, such as `dog_face`; a subcategory holds similar ones, such as `animal-mammal`; a style is
whose drawing it is. In the shape descriptions `h, w` denote pixels of a drawing.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.ndimage
from PIL import Image

from guidenet.data.files import require
from guidenet.images import Pixels

MIN_SHARE = 0.15
"""Of its bounding box that a drawing must cover."""

MIN_DEPTH = 0.05
"""Of the middle of its thickest part from its outline, as a share of its longer side: strokes are no objects."""

_DEPTH_SIZE = 64  # px, at which the depth is measured


@dataclasses.dataclass(frozen=True)
class Drawings:
    """Cut-outs by style and concept.

    styles: names, in order.
    subcategories: by concept, in order of the concepts.
    pixels: `[h, w, 4]` RGBA by (style, concept), cropped to what is opaque; every concept is there in every style.
    """

    styles: tuple[str, ...]
    subcategories: Mapping[str, str]
    pixels: Mapping[tuple[str, str], Pixels]

    @property
    def concepts(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(self.subcategories)

    def save(self, path: str | Path) -> None:
        """Writes an npz, whole or not at all."""
        path = Path(path)
        names = np.array([[concept, subcategory] for concept, subcategory in self.subcategories.items()], np.str_)
        arrays: dict[str, Any] = {"/".join(pair): drawing for pair, drawing in self.pixels.items()}
        unfinished = path.with_name(f".{path.name}.part")
        with unfinished.open("wb") as file:
            np.savez(file, styles=np.array(self.styles, np.str_), names=names, **arrays)
        unfinished.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> "Drawings":
        """Reads what `save` wrote.

        Raises:
          FileNotFoundError: there is no such file.
          ValueError: it is damaged, or something else.
        """
        try:
            with np.load(require(path, "an npz of drawings"), allow_pickle=False) as file:
                styles = tuple(map(str, file["styles"]))
                subcategories = {str(concept): str(subcategory) for concept, subcategory in file["names"]}
                pixels = {(style, concept): file[f"{style}/{concept}"] for style in styles for concept in subcategories}
        except FileNotFoundError:
            raise
        except Exception as error:  # numpy raises several kinds for what is no npz
            raise ValueError(f"{path} must be an npz of drawings: {error}") from None
        return cls(styles, subcategories, pixels)

    def digest(self) -> str:
        """A hash of all pixels and names: equal drawings make equal scenes."""
        total = hashlib.sha256(repr((self.styles, list(self.subcategories.items()))).encode())
        for style in self.styles:
            for concept in self.concepts:
                drawing = self.pixels[style, concept]
                total.update(repr(drawing.shape).encode() + drawing.tobytes())
        return total.hexdigest()


def crop(drawing: Image.Image, size: int) -> Pixels | None:
    """`[h, w, 4]`: the opaque part, its longer side shrunk to `size` px; None where it is not solid enough.

    Args:
      drawing: of mode RGBA.
      size: px.
    """
    alpha = np.asarray(drawing.getchannel("A")) >= 128
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if not len(rows):
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    cropped = drawing.crop((left, top, right, bottom))
    if alpha[top:bottom, left:right].mean() < MIN_SHARE or _depth(cropped) < MIN_DEPTH:
        return None
    scale = min(1.0, size / max(cropped.size))
    width, height = (max(1, round(side * scale)) for side in cropped.size)
    return np.asarray(cropped.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0))


def _depth(drawing: Image.Image) -> float:
    """The largest distance of an opaque pixel from one that is not, as a share of the longer side."""
    scale = min(1.0, _DEPTH_SIZE / max(drawing.size))
    width, height = (max(1, round(side * scale)) for side in drawing.size)
    alpha = np.asarray(drawing.getchannel("A").resize((width, height), Image.Resampling.BOX)) >= 128
    distance = np.asarray(scipy.ndimage.distance_transform_edt(np.pad(alpha, 1)))
    return float(distance.max()) / max(width, height)


def split_groups(subcategories: Mapping[str, str], num_groups: int) -> tuple[tuple[str, ...], ...]:
    """Concepts in groups of about equal size; a subcategory is in one group whole.

    The largest subcategory left goes to the smallest group.

    Args:
      subcategories: by concept.
      num_groups: how many.

    Raises:
      ValueError: there are fewer subcategories than groups.
    """
    members: dict[str, list[str]] = {}
    for concept, subcategory in subcategories.items():
        members.setdefault(subcategory, []).append(concept)
    if len(members) < num_groups:
        raise ValueError(f"num_groups must be at most the {len(members)} subcategories, got {num_groups}")
    groups: list[list[str]] = [[] for _ in range(num_groups)]
    for subcategory in sorted(members, key=lambda name: (-len(members[name]), name)):
        min(groups, key=len).extend(members[subcategory])
    return tuple(tuple(sorted(group)) for group in groups)


def deal(
    concepts: Iterable[str],
    subcategories: Mapping[str, str],
    num_hands: int,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[tuple[str, ...], ...]:
    """Hands of concepts of different subcategories; all concepts come about equally often.

    Concepts are dealt from a shuffled deck, which is replaced when a hand cannot be filled from it.

    Args:
      concepts: the deck.
      subcategories: by concept.
      num_hands: how many.
      size: at least and at most so many concepts in a hand, uniformly.
      rng: is advanced.

    Raises:
      ValueError: the deck has fewer subcategories than a hand needs.
    """
    concepts = tuple(concepts)
    available = len({subcategories[concept] for concept in concepts})
    if available < size[1]:
        raise ValueError(f"size must be at most the {available} subcategories of the concepts, got {size}")
    deck: list[str] = []
    hands: list[tuple[str, ...]] = []
    for _ in range(num_hands):
        wanted = int(rng.integers(size[0], size[1] + 1))
        hand: list[str] = []
        while len(hand) < wanted:
            taken = {subcategories[concept] for concept in hand}
            fitting = next((i for i, concept in enumerate(deck) if subcategories[concept] not in taken), None)
            if fitting is None:
                deck.extend(concepts[i] for i in rng.permutation(len(concepts)))
            else:
                hand.append(deck.pop(fitting))
        hands.append(tuple(hand))
    return tuple(hands)
