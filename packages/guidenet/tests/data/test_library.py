"""Libraries of cut-outs in memory and in folders."""

import json
import shutil

import numpy as np
import pytest
from guidenet.data.composites.library import Library, read_library, write_library
from PIL import Image


@pytest.fixture(scope="module")
def library(shapes):
    return shapes.make_test_library()


@pytest.fixture
def folder(library, tmp_path):
    write_library(tmp_path / "made" / "library", library)
    return tmp_path / "made" / "library"


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_is_read_back(shapes, library, folder, tmp_path):
    found = read_library(folder)
    assert found.digest() == library.digest()
    assert (found.styles, found.subcategories, found.test_only) == (library.styles, library.subcategories, True)
    assert found.credits == (folder / "LICENCES.txt").read_text() == "Drawn for tests.\n"
    assert (folder / "flat" / "kind-00" / "shape-00" / "002.png").exists()
    whole = shapes.make_library(packages={"shapes": "1.0"})
    write_library(tmp_path / "whole", whole)
    assert read_library(tmp_path / "whole").packages == {"shapes": "1.0"}
    assert not read_library(tmp_path / "whole").test_only
    assert [path.name for path in folder.parent.iterdir()] == ["library"]  # nothing else is left


def test_equal_libraries_are_equal_files(shapes, folder, tmp_path):
    write_library(tmp_path / "again", shapes.make_test_library())
    assert contents(tmp_path / "again") == contents(folder)


def test_a_folder_is_not_overwritten(library, folder):
    before = contents(folder)
    with pytest.raises(FileExistsError, match="library must be a new folder for cut-outs, and is there already"):
        write_library(folder, library)
    assert contents(folder) == before


def test_one_of_several_cut_outs_is_picked(library):
    several = {library.pick("flat", "shape-00", np.random.default_rng(seed)).tobytes() for seed in range(20)}
    assert several == {pixels.tobytes() for pixels in library.cut_outs["flat", "shape-00"]}
    rng = np.random.default_rng(0)
    assert library.pick("flat", "shape-02", rng) is library.cut_outs["flat", "shape-02"][0]
    assert rng.integers(1000) == np.random.default_rng(0).integers(1000)  # not advanced


def test_digest_tells_how_many_cut_outs_a_concept_has(shapes, library):
    pixels = library.cut_outs["flat", "shape-00"][0]
    kinds = {"a": "x", "b": "x"}
    one = Library(("s",), kinds, {("s", "a"): (pixels, pixels), ("s", "b"): (pixels,)})
    other = Library(("s",), kinds, {("s", "a"): (pixels,), ("s", "b"): (pixels, pixels)})
    assert one.digest() != other.digest()


def damage_description(folder):
    (folder / "cut-outs.json").write_text("[]")


def change_format(folder):
    content = json.loads((folder / "cut-outs.json").read_text())
    (folder / "cut-outs.json").write_text(json.dumps(content | {"format": "guidenet cut-outs 9"}))


def take_styles(folder):
    content = json.loads((folder / "cut-outs.json").read_text())
    (folder / "cut-outs.json").write_text(json.dumps(content | {"styles": []}))


def take_pictures(folder):
    for path in (folder / "flat" / "kind-01" / "shape-02").iterdir():
        path.unlink()


def empty_style(folder):
    shutil.rmtree(folder / "flat")
    (folder / "flat").mkdir()


def put(name, image):
    def save(folder):
        image.save(folder / "flat" / "kind-01" / "shape-02" / name)

    return save


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (shutil.rmtree, FileNotFoundError, r"library/cut-outs\.json must be the description .* no such file"),
        (lambda folder: (folder / "cut-outs.json").unlink(), FileNotFoundError, r"tools/make_cut_outs\.py writes it"),
        (damage_description, ValueError, r"library/cut-outs\.json must be the description of a folder of cut-outs"),
        (change_format, ValueError, r"library/cut-outs\.json must be .* its format is not 'guidenet cut-outs 1'"),
        (take_styles, ValueError, r"library/cut-outs\.json must be .* it has no styles"),
        (
            lambda folder: shutil.rmtree(folder / "flat"),
            FileNotFoundError,
            r"library/flat must be cut-outs of the style flat, and there is no such",
        ),
        (empty_style, ValueError, r"library/flat must be cut-outs of the style flat, and holds no folders"),
        (
            lambda folder: shutil.rmtree(folder / "flat/kind-01/shape-02"),
            ValueError,
            r"flat/kind-01 must be a subcategory of cut-outs, and holds no folders",
        ),
        (
            lambda folder: shutil.rmtree(folder / "outline/kind-01"),
            FileNotFoundError,
            r"outline/kind-01/shape-02 must be cut-outs of a concept that another style has",
        ),
        (
            lambda folder: (folder / "flat/kind-01/shape-02").rename(folder / "flat/kind-02/shape-02"),
            ValueError,
            r"flat/kind-01 must be a subcategory",
        ),
        (
            lambda folder: (folder / "outline/kind-01").rename(folder / "outline/kind-77"),
            ValueError,
            r"outline/kind-77/shape-02 must be in the subcategory kind-01, as it is elsewhere",
        ),
        (take_pictures, ValueError, r"flat/kind-01/shape-02 must be cut-outs of a concept, and holds no PNG"),
        (put("x.png", Image.new("RGB", (9, 9))), ValueError, r"shape-02/x\.png must be a cut-out, .* of mode RGB"),
        (put("x.png", Image.new("RGBA", (9, 9))), ValueError, r"shape-02/x\.png must .* nothing of it is opaque"),
        (
            lambda folder: (folder / "flat/kind-01/shape-02/000.png").write_bytes(b"no image"),
            ValueError,
            r"shape-02/000\.png must be a cut-out, a PNG of mode RGBA: cannot identify",
        ),
        (
            lambda folder: (folder / "LICENCES.txt").unlink(),
            FileNotFoundError,
            r"library/LICENCES\.txt must be the licences of cut-outs",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(folder, damage, error, message):
    damage(folder)
    with pytest.raises(error, match=message):
        read_library(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"styles": ("a", "../b")}, r"names must be those of files, without slash or dot in front, got '\.\./b'"),
        ({"subcategories": {"c": ""}}, "names must be those of files"),
        ({"subcategories": {"c": "x", "b": "x"}}, "subcategories must be sorted by concept"),
        ({"styles": ("a", "b")}, "cut_outs must be of every concept in every style, got none of b/c"),
        ({"cut_outs": {("a", "c"): ()}}, "cut_outs must be of every concept in every style, got none of a/c"),
    ],
)
def test_bad_libraries_are_refused(changes, message):
    good = {
        "styles": ("a",),
        "subcategories": {"c": "x"},
        "cut_outs": {("a", "c"): (np.full((4, 4, 4), 255, np.uint8),)},
    }
    assert Library(**good).concepts == ("c",)
    with pytest.raises(ValueError, match=message):
        Library(**good | changes)
