"""Masks from files: labels of pixels, read in the one way that they can be read, or in the way that was chosen.

In the shape descriptions `H, W` denote pixels.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ImageColor

from guidenet.checks import check_choice
from guidenet.reading.colour import Pixels, seen
from guidenet.reading.decoding import MAX_PIXELS, Decoded, decode
from guidenet.reading.errors import AmbiguousError, ReadError
from guidenet.reading.intensity import samples
from guidenet.reading.values import KINDS, Found, Ids, Plane, ambiguous, read_plane

Colour = str | tuple[int, int, int]
"""A name or `#rrggbb`, or RGB."""

_STEP = 32
"""Colours that a lossy file has mixed up are one where they are nearer than this."""

BORDER = (224, 224, 192)
"""RGB of unknown pixels where the palette of PASCAL VOC is."""

_NEAR_GREY = 48
"""How far the channels may be apart where black and white was written to a lossy file."""

_NEAR_BLACK = 16

_LIGHT = 224
"""Of black and white with noise some channel has so much."""

_TOO_DEEP = "must have labels in one channel or in colours of 8 bits, and has colours of more, of which 8 bits are read"

_FLAT = 32
"""A picture that was cut out has more colours; so many may stand for labels."""


def read_labels(
    path: str | Path,
    *,
    kind: str = "auto",
    colours: Sequence[Colour] = (),
    page: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> npt.NDArray[np.int64]:
    """`[H, W]` labels of a mask file: 0 background, 1.. classes, -1 unknown. It is turned as its EXIF data say.

    - `binary`: light is class 1, that is 128 of 255 and up, or the larger one of two values.
    - `classes`: the value is the label, of a palette image the index; 255 is unknown (65535 where there are labels
      above 255), and so is -1. Of an image with colours, those of PASCAL VOC's palette.
    - `instances`: every value above 0, or every colour but black, is an object; all are class 1. 255 is unknown,
      unless 254 is there too.
    - `alpha`: opaque is class 1.
    - `auto`: the one of these that goes without saying. Black and white is binary, with soft edges or noise too, and so
      are 0 and 1. A palette of colours whose first is black has classes; one of black and white only is read as it is
      seen, whatever its indices. One class with a border of 255 is just that. Where pixels are transparent, the others
      are class 1. All else is refused, such as the values 0 to 5, which may be classes or objects.

    Args:
      path: of the file.
      kind: how it is read.
      colours: of the classes 1, 2, ..; then `kind` does not matter. Black is background, others are refused.
      page: which one of several pages or frames, from 1.
      max_pixels: the most that are taken.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no image that Pillow can read, is cut off or too large, has values without a meaning, or can be
        read in several ways and no option decides; the message names the file and the option.
    """
    found = find_labels(decode(path, str(path), what="mask", page=page, max_pixels=max_pixels), kind, colours)
    return np.minimum(found.ids, 1) if found.reading == "instances" else found.ids


def find_labels(mask: Decoded, kind: str = "auto", colours: Sequence[Colour] = ()) -> Found:
    """As `read_labels`, of a mask that is decoded, with numbers of objects where it has them.

    Raises:
      ReadError: as `read_labels`.
    """
    check_choice("kind (--mask-labels)", kind, KINDS)
    if mask.upper_byte and (colours or kind in ("classes", "instances")):
        raise ReadError(mask.name, _TOO_DEEP)
    if colours:
        return _by_colours(mask, [parse_colour(colour) for colour in colours])
    alpha = _alpha(mask)
    if kind == "alpha" and alpha is None:
        raise ReadError(mask.name, "must have transparent pixels to be read as alpha, and has none")
    if alpha is not None and kind in ("alpha", "auto"):
        return _opaque(mask, alpha, kind)
    if mask.image.mode == "P" and kind != "binary":
        return _palette(mask, kind)
    if mask.image.mode in ("L", "I", "F", "1") or mask.image.mode.startswith("I;16"):
        if mask.white_is_zero:
            raise ReadError(mask.name, "must have 0 as black, and has it as white (MinIsWhite of TIFF)")
        values = samples(mask)
        values = values.astype(np.uint8) if values.dtype == np.bool_ else values
        eight = values.dtype.itemsize == 1 and not mask.largest
        return read_plane(Plane(mask.name, values, eight, mask.loss, mask.inverted, mask.largest), kind)
    rgb = _rgb(mask)
    if mask.upper_byte and not rgb.any():
        raise ReadError(mask.name, _TOO_DEEP)
    if _is_grey(rgb, _NEAR_GREY if mask.loss and rgb.max(initial=0) >= _LIGHT else 0):
        return read_plane(Plane(mask.name, rgb[..., 1], loss=_loss_of_colours(mask)), kind)
    return _colours(mask, rgb, kind)


def voc_palette() -> npt.NDArray[np.uint8]:
    """`[256, 3]` RGB of PASCAL VOC: the bits of the index, three at a time, from the highest bit of a channel down."""
    index = np.arange(256)[:, None]
    channel = np.arange(3)
    colours = np.zeros((256, 3), np.int64)
    for place in range(3):
        colours |= (index >> (3 * place + channel) & 1) << (7 - place)
    return colours.astype(np.uint8)


def parse_colour(colour: Colour) -> tuple[int, int, int]:
    """RGB of a colour.

    Raises:
      ValueError: it is none.
    """
    try:
        red, green, blue = (ImageColor.getrgb(colour) if isinstance(colour, str) else colour)[:3]
        found = int(red), int(green), int(blue)
    except (ValueError, TypeError):
        found = (-1, -1, -1)
    if not all(0 <= part <= 255 for part in found):
        raise ValueError(f"colours (--mask-colours) must be names, #rrggbb or RGB from 0 to 255, got {colour!r}")
    return found


def _rgb(mask: Decoded) -> Pixels:
    """`[H, W, 3]`; what is transparent everywhere is black, the background."""
    image = np.asarray(seen(mask))
    return image if image.shape[2] == 3 else np.where(image[..., 3:] > 0, image[..., :3], np.uint8(0))


def _loss_of_colours(mask: Decoded) -> str:
    """What changes the numbers of an image with channels of colours, or nothing."""
    return mask.loss or ("a file of another depth than 8 bits" if mask.upper_byte or mask.largest else "")


def _is_grey(rgb: Pixels, tolerance: int) -> bool:
    return bool((rgb.max(axis=2) - rgb.min(axis=2)).max(initial=0) <= tolerance)


def _alpha(mask: Decoded) -> Pixels | None:
    """`[H, W]`, or None where all is opaque."""
    if not mask.image.has_transparency_data:
        return None
    alpha = np.asarray(mask.image.convert("RGBA").getchannel("A"))
    return None if (alpha == 255).all() else alpha


def _opaque(mask: Decoded, alpha: Pixels, kind: str) -> Found:
    levels = np.unique(alpha)
    solid = alpha > 0 if len(levels) <= 2 and levels[0] == 0 else alpha >= 128
    if kind == "auto":
        if levels[-1] and not solid.any():
            problem = f"has pixels that are transparent in part, at most {levels[-1]} of 255"
            raise ambiguous(mask.name, problem, ("binary",))
        rgb = _rgb(mask)[solid]
        flat = np.unique(_packed(rgb // _STEP if mask.loss else rgb))
        is_index = mask.image.mode == "P" and np.asarray(mask.image)[solid].max(initial=0) > 1
        if 1 < len(flat) <= _FLAT or is_index:
            found = "several colours" if mask.loss else _list(flat)
            problem = f"has transparent pixels, and {found} where it is opaque"
            raise ambiguous(mask.name, problem, ("alpha", "classes", "instances", "binary"))
    return Found(solid.astype(np.int64), "alpha")


def _palette(mask: Decoded, kind: str) -> Found:
    indices = np.asarray(mask.image)
    plane = Plane(mask.name, indices)
    if kind != "auto":
        return read_plane(plane, kind)
    table = np.zeros((256, 3), np.uint8)
    entries = np.array(mask.image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    table[: len(entries)] = entries
    used = np.unique(indices)
    colours = table[used]
    is_black, is_white = (colours == 0).all(axis=1), (colours == 255).all(axis=1)
    if (is_black | is_white).all() and (is_white.any() or len(used) == 1):
        return Found(is_white.astype(np.int64)[np.searchsorted(used, indices)], "binary")
    is_ramp = bool((colours == used[:, None]).all())
    many = bool(((used >= 32) & (used < 255)).any())
    if _is_grey(colours[None], 0) and len(used) > 2 and (not is_ramp or many):
        return read_plane(plane._replace(values=table[indices][..., 0]), kind)
    if table[0].max() <= _NEAR_BLACK and not is_black[(used > 0) & (used < 255)].any():
        return read_plane(plane, "classes")
    problem = f"has a palette whose index 0 is {_hex(table[0])}, so its indices are not what one sees"
    raise ambiguous(mask.name, problem, ("classes", "binary"), ", or colours (--mask-colours) those of the classes")


def _colours(mask: Decoded, rgb: Pixels, kind: str) -> Found:
    """An image with colours, not only greys."""
    flat = _packed(rgb)
    levels, index = np.unique(flat, return_inverse=True)
    index = index.reshape(flat.shape)
    if kind == "binary":
        if len(levels) == 2 and levels[0] == 0:
            return Found((flat > 0).astype(np.int64), kind)
        grey = np.asarray(seen(mask).convert("L"))
        return read_plane(Plane(mask.name, grey, loss=_loss_of_colours(mask)), kind)
    loss = _loss_of_colours(mask)
    if loss:
        raise ReadError(mask.name, f"must be black and white, and is {loss}, which may change the colours of labels")
    if kind == "instances":
        if levels[0] != 0:
            raise ReadError(mask.name, f"must have a black background to be read as instances, and has {_list(levels)}")
        return Found(index.astype(np.int64), kind)
    table = _packed(voc_palette())
    in_voc = np.isin(levels, [*table[:255], *_packed(np.array([BORDER], np.uint8))]).all()
    if kind == "classes" and in_voc:
        labels = {int(colour): label for label, colour in reversed(list(enumerate(table[:255])))}
        labels[int(_packed(np.array(BORDER, np.uint8)))] = -1
        return Found(np.array([labels[int(level)] for level in levels])[index], kind)
    remedy = "colours (--mask-colours) must say which are the classes"
    if kind == "auto":
        remedy += f", or kind (--mask-labels) be {'classes (PASCAL VOC), ' if in_voc else ''}instances or binary"
    readings = ("binary",) if _is_grey(rgb, _NEAR_GREY) else ("colours", "instances", "binary")
    raise AmbiguousError(mask.name, f"has the colours {_list(levels)}", remedy, readings)


def _by_colours(mask: Decoded, colours: Sequence[tuple[int, int, int]]) -> Found:
    if len(set(colours)) < len(colours):
        raise ValueError(f"colours (--mask-colours) must differ, got {', '.join(map(_hex, colours))}")
    flat = _packed(_rgb(mask))
    levels, index = np.unique(flat, return_inverse=True)
    labels = {0: 0, int(_packed(np.array(BORDER, np.uint8))): -1}
    labels.update({int(_packed(np.array(colour, np.uint8))): i + 1 for i, colour in enumerate(colours)})
    strange = [int(level) for level in levels if int(level) not in labels]
    if strange:
        problem = f"has {_list(strange)}, and colours (--mask-colours) are {', '.join(map(_hex, colours))} and black"
        raise ReadError(mask.name, problem)
    return Found(np.array([labels[int(level)] for level in levels], np.int64)[index.reshape(flat.shape)], "classes")


def _packed(rgb: Pixels) -> Ids:
    """Colours `[..., 3]` as one number each."""
    wide = rgb.astype(np.int64)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _hex(colour: Sequence[int] | Pixels) -> str:
    return "#{:02x}{:02x}{:02x}".format(*map(int, colour))


def _list(levels: Sequence[int] | Ids) -> str:
    shown = [f"#{int(level):06x}" for level in levels[:5]]
    return ", ".join([*shown, f".. ({len(levels)} in all)"] if len(levels) > 5 else shown)
