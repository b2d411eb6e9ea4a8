"""Masks as other tools read them: COCO's own tools decode ours to the same pixels."""

import numpy as np
import pytest
from guidenet.data.formats.rle import decode_counts, draw_polygons
from guidenet.serve.exports.coco import as_coco
from guidenet.serve.exports.contours import polygon, signed_area, simplify, trace
from guidenet.serve.exports.labelme import as_labelme
from guidenet.serve.exports.labels import Labelled
from guidenet.serve.exports.pieces import find_pieces
from guidenet.serve.limits import COLOURS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco_mask
from scipy import ndimage

MASKS = arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))
RING = np.zeros((40, 50), bool)
RING[5:35, 10:40] = True
RING[12:20, 15:30] = False
RING[25:30, 15:30] = False


def smooth(seed):
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.normal(size=(120, 160)), 6) > 0.02


@given(MASKS)
def test_pieces_are_those_of_scipy(mask):
    pieces = find_pieces(mask)
    expected, number = ndimage.label(mask)
    assert len(pieces) == number
    total = np.zeros(mask.shape, int)
    for piece in pieces:
        found = decode_counts(piece.counts(), mask.shape)
        values = np.unique(expected[found])
        assert len(values) == 1
        assert (found == (expected == values[0])).all()
        left, top, width, height = piece.box
        assert (piece.mask() == found[top : top + height, left : left + width]).all()
        assert piece.area == found.sum() == piece.mask().sum()
        assert all(count > 0 for count in piece.counts()[1:])
        total += found
    assert (total == mask).all()


@given(MASKS)
def test_outlines_enclose_exactly_the_mask(mask):
    for piece in find_pieces(mask):
        outlines = trace(piece.mask())
        areas = [signed_area(outline) for outline in outlines]
        assert sum(areas) == piece.area
        assert sum(area > 0 for area in areas) == 1
        drawn = draw_polygons([polygon(outlines).ravel().tolist()], piece.mask().shape)
        np.testing.assert_array_equal(drawn, piece.mask())


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools itself
@pytest.mark.parametrize("mask", [RING, smooth(0), smooth(1)], ids=["ring", "smooth", "other"])
def test_coco_reads_them(mask):
    labels = mask.astype(np.uint8)
    labels[mask & (np.arange(mask.shape[1]) > mask.shape[1] // 2)] = 2
    image = Labelled("a/b.png", labels, ("cat", "dog"), COLOURS[:2])
    for polygons, least in ((False, 1), (True, 0.97)):
        found = as_coco([image], polygons=polygons)
        assert found["images"] == [{"id": 1, "file_name": "a/b.png", "height": len(mask), "width": len(mask[0])}]
        assert [category["name"] for category in found["categories"]] == ["cat", "dog"]
        decoded = np.zeros((3, *mask.shape), bool)
        for annotation in found["annotations"]:
            shape = annotation["segmentation"]
            runs = coco_mask.merge(coco_mask.frPyObjects(shape, *mask.shape)) if polygons else shape
            decoded[annotation["category_id"]] |= coco_mask.decode(runs).astype(bool)
            if not polygons:
                assert annotation["bbox"] == coco_mask.toBbox(runs).tolist()
                assert annotation["area"] == coco_mask.area(runs)
        for i in (1, 2):
            assert (decoded[i] & (labels == i)).sum() >= least * (decoded[i] | (labels == i)).sum()


def test_simple_outlines_have_few_corners_and_stay_near():
    rows, columns = np.ogrid[:200, :200]
    disc = (rows - 100) ** 2 + (columns - 90) ** 2 <= 70**2
    (outline,) = trace(disc)
    simple = simplify(outline, 1.0)
    assert len(simple) < len(outline) / 6
    assert abs(signed_area(simple) - disc.sum()) < 0.02 * disc.sum()
    (square,) = trace(np.ones((5, 7), bool))
    assert sorted(map(tuple, simplify(square, 1.0))) == [(0, 0), (0, 5), (7, 0), (7, 5)]
    (pixel,) = trace(np.ones((1, 1), bool))
    assert len(simplify(pixel, 3.0)) >= 3


def test_labelme_files_lie_beside_their_images():
    found = as_labelme(Labelled("a/b.png", RING.astype(np.uint8), ("cat",), COLOURS[:1]))
    assert (found["imagePath"], found["imageHeight"], found["imageWidth"]) == ("b.png", 40, 50)
    (shape,) = found["shapes"]
    assert (shape["label"], shape["shape_type"]) == ("cat", "polygon")
    drawn = draw_polygons([np.ravel(shape["points"]).tolist()], RING.shape)
    np.testing.assert_array_equal(drawn, RING)


def test_a_piece_of_a_thousand_holes_is_one_polygon():
    mask = np.ones((97, 97), bool)
    mask[1::3, 1::3] = False
    outlines = trace(mask)
    assert len(outlines) == 1 + 32 * 32
    found = polygon(outlines)
    assert len(found) == 4 + 32 * 32 * 6
    assert signed_area(found) == mask.sum()
    np.testing.assert_array_equal(draw_polygons([found.ravel().tolist()], mask.shape), mask)


def test_cuts_are_the_shortest():
    outlines = trace(np.pad(RING[4:36, 9:41], 1))
    found = polygon(outlines)
    sides = np.abs(np.diff(found, axis=0, append=found[:1])).sum(axis=1)
    around = sum(np.abs(np.diff(outline, axis=0, append=outline[:1])).sum() for outline in outlines)
    assert sides.sum() - around == 2 * (
        5 + (5 + 5)
    )  # from hole to hole, and from a corner of one to that of the border
