"""Libraries of cut-outs: pictures with transparency, whose opacity is their mask, of whatever origin.

A concept is what is shown, such as `dog_face`; a subcategory holds similar ones, such as `animal-mammal`. A style is
whose drawing it is, or, of photos, a part of them that has no picture in common with another part. A folder of them:

cut-outs.json                        the styles, whether they are for tests only, versions of what they were made of
LICENCES.txt                         whose work it is, and under which licences
STYLE/SUBCATEGORY/CONCEPT/NAME.png   RGBA; one or more of each concept in each style

In the shape descriptions `h, w` denote pixels of a cut-out.
"""

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from guidenet.data.files import require
from guidenet.images import Pixels

FORMAT = "guidenet cut-outs 1"

_DESCRIPTION, _LICENCES = "cut-outs.json", "LICENCES.txt"


@dataclasses.dataclass(frozen=True)
class Library:
    """Cut-outs by style and concept.

    styles: names, in order.
    subcategories: by concept, sorted by concept.
    cut_outs: `[h, w, 4]` RGBA by (style, concept), one or more; every concept is there in every style.
    test_only: they are one set to test with, not to be split into folds.
    packages: versions by name of what they were made of.
    credits: whose work they are, and under which licences.
    """

    styles: tuple[str, ...]
    subcategories: Mapping[str, str]
    cut_outs: Mapping[tuple[str, str], tuple[Pixels, ...]]
    test_only: bool = False
    packages: Mapping[str, str] = dataclasses.field(default_factory=dict)
    credits: str = ""

    def __post_init__(self) -> None:
        for name in (*self.styles, *self.subcategories, *self.subcategories.values()):
            if not name or name.startswith(".") or "/" in name or "\\" in name:
                raise ValueError(f"names must be those of files, without slash or dot in front, got {name!r}")
        if list(self.subcategories) != sorted(self.subcategories):
            raise ValueError("subcategories must be sorted by concept")
        for pair in ((style, concept) for style in self.styles for concept in self.subcategories):
            if not self.cut_outs.get(pair):
                raise ValueError(f"cut_outs must be of every concept in every style, got none of {'/'.join(pair)}")

    @property
    def concepts(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(self.subcategories)

    def pick(self, style: str, concept: str, rng: np.random.Generator) -> Pixels:
        """`[h, w, 4]`: one of the cut-outs of a concept in a style; `rng` is advanced where there are several."""
        found = self.cut_outs[style, concept]
        return found[int(rng.integers(len(found))) if len(found) > 1 else 0]

    def digest(self) -> str:
        """A hash of all pixels and names: equal libraries make equal scenes."""
        total = hashlib.sha256(repr((self.styles, list(self.subcategories.items()))).encode())
        for style in self.styles:
            for concept in self.concepts:
                for number, pixels in enumerate(self.cut_outs[style, concept]):
                    total.update(f"{number} {pixels.shape}".encode() + pixels.tobytes())
        return total.hexdigest()


def write_library(folder: str | Path, library: Library) -> None:
    """Writes a folder of cut-outs, whole or not at all; equal libraries are equal files.

    Raises:
      FileExistsError: the folder is there already.
    """
    folder = Path(folder)
    _check_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "format": FORMAT,
        "styles": library.styles,
        "test_only": library.test_only,
        "packages": library.packages,
    }
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        unfinished = Path(temporary) / "cut-outs"
        for (style, concept), cut_outs in library.cut_outs.items():
            home = unfinished / style / library.subcategories[concept] / concept
            home.mkdir(parents=True)
            for number, pixels in enumerate(cut_outs):
                Image.fromarray(pixels).save(home / f"{number:03}.png", compress_level=1)
        (unfinished / _DESCRIPTION).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        (unfinished / _LICENCES).write_text(library.credits, encoding="utf-8")
        try:
            unfinished.rename(folder)
        except OSError:
            _check_new(folder)  # another process may have been quicker
            raise


def _check_new(folder: Path) -> None:
    if folder.exists():
        raise FileExistsError(f"{folder} must be a new folder for cut-outs, and is there already")


def read_library(folder: str | Path) -> Library:
    """Reads a folder of cut-outs.

    Raises:
      FileNotFoundError: there is no such folder, or a concept is not there in every style.
      ValueError: it is damaged, or something else.
    """
    folder = Path(folder)
    path = folder / _DESCRIPTION
    what = "the description of a folder of cut-outs, as tools/make_cut_outs.py writes it"
    try:
        content = json.loads(require(path, what).read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        styles, test_only = tuple(map(str, content["styles"])), bool(content["test_only"])
        packages = {str(name): str(version) for name, version in content["packages"].items()}
        if not styles:
            raise ValueError("it has no styles")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} must be {what}: {error}") from None
    subcategories: dict[str, str] = {}
    cut_outs: dict[tuple[str, str], tuple[Pixels, ...]] = {}
    for style in styles:
        for subcategory in _children(folder / style, f"cut-outs of the style {style}"):
            for concept in _children(subcategory, "a subcategory of cut-outs"):
                home = subcategories.setdefault(concept.name, subcategory.name)
                if home != subcategory.name:
                    raise ValueError(f"{concept} must be in the subcategory {home}, as it is elsewhere")
                cut_outs[style, concept.name] = tuple(map(_read_cut_out, _pictures(concept)))
    for style in styles:
        for concept, subcategory in subcategories.items():
            require(folder / style / subcategory / concept, "cut-outs of a concept that another style has")
    licences = require(folder / _LICENCES, "the licences of cut-outs").read_text(encoding="utf-8")
    return Library(styles, dict(sorted(subcategories.items())), cut_outs, test_only, packages, licences)


def _children(folder: Path, what: str) -> list[Path]:
    """Folders in a folder, of which there must be some."""
    found = [path for path in require(folder, what).glob("*") if path.is_dir() and not path.name.startswith(".")]
    if not found:
        raise ValueError(f"{folder} must be {what}, and holds no folders")
    return sorted(found, key=lambda path: path.name)


def _pictures(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.png"), key=lambda path: path.name)
    if not found:
        raise ValueError(f"{folder} must be cut-outs of a concept, and holds no PNG")
    return found


def _read_cut_out(path: Path) -> Pixels:
    try:
        with Image.open(path) as file:
            if file.mode != "RGBA":
                raise ValueError(f"{path} must be a cut-out, a PNG of mode RGBA, got one of mode {file.mode}")
            pixels = np.asarray(file)
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise ValueError(f"{path} must be a cut-out, a PNG of mode RGBA: {error}") from None
    if not (pixels[..., 3] >= 128).any():
        raise ValueError(f"{path} must be a cut-out, and nothing of it is opaque")
    return pixels
