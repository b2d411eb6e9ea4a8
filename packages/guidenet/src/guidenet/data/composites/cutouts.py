"""What makes a picture a cut-out, and how concepts are put into groups and scenes.

In the shape descriptions `h, w` denote pixels of a cut-out.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import scipy.ndimage
from PIL import Image

from guidenet.images import Pixels

MIN_SHARE = 0.15
"""Of its bounding box that a cut-out must cover."""

MIN_DEPTH = 0.05
"""Of the middle of its thickest part from its outline, as a share of its longer side: strokes are no objects."""

_DEPTH_SIZE = 64  # px, at which the depth is measured


def crop(picture: Image.Image, size: int) -> Pixels | None:
    """`[h, w, 4]`: the opaque part, its longer side shrunk to `size` px; None where it is not solid enough.

    Args:
      picture: of mode RGBA.
      size: px.
    """
    alpha = np.asarray(picture.getchannel("A")) >= 128
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if not len(rows):
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    cropped = picture.crop((left, top, right, bottom))
    if alpha[top:bottom, left:right].mean() < MIN_SHARE or _depth(cropped) < MIN_DEPTH:
        return None
    scale = min(1.0, size / max(cropped.size))
    width, height = (max(1, round(side * scale)) for side in cropped.size)
    return np.asarray(cropped.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0))


def _depth(picture: Image.Image) -> float:
    """The largest distance of an opaque pixel from one that is not, as a share of the longer side."""
    scale = min(1.0, _DEPTH_SIZE / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    alpha = np.asarray(picture.getchannel("A").resize((width, height), Image.Resampling.BOX)) >= 128
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
