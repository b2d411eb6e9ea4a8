"""Guidance is a group: sums are exact in every bit, in any order, through files and back."""

import numpy as np
import pytest
from guidenet import Guidance
from guidenet.segmenter.guidance import MAX_FEATURE, divide, quantise
from hypothesis import given
from hypothesis import strategies as st

SIZE = 3


def guidance_of(names, seed, shots="equal", encoder="e"):
    rng = np.random.default_rng(seed)
    sums = {}
    for name in names:
        total, weight = rng.integers(-(2**40), 2**40, (2, SIZE)), rng.integers(0, 3, 2)
        sums[name] = total * (weight > 0)[:, None], weight, 3 * weight
    return Guidance.of(sums, SIZE, encoder, shots)


some = st.builds(guidance_of, st.sets(st.sampled_from(["cat", "dog", "owl"])), st.integers(0, 2**31))


@given(some, some, some)
def test_sums_commute_associate_and_have_inverses(a, b, c):
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + b - b == a
    assert a + b + c - a - c == b
    assert a - a == Guidance.empty(SIZE, "e")
    assert hash(a + b) == hash(b + a)


def test_what_differs_in_one_bit_is_not_equal():
    a = guidance_of(["cat"], 1)
    changed = a.total.copy()
    changed[0, 0, 0] += 1
    assert a != Guidance(a.classes, changed, a.weight, a.count, a.encoder, a.shots)
    assert a != Guidance(a.classes, a.total, a.weight, a.count + 1, a.encoder, a.shots)
    assert a != guidance_of(["cat"], 1, encoder="f")
    assert a != "cat"


@given(some)
def test_files_keep_every_bit_and_hold_no_pickle(tmp_path_factory, a):
    path = tmp_path_factory.mktemp("guidance") / "cat.npz"
    a.save(path)
    assert Guidance.load(path) == a
    assert path.stat().st_size < 5000
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_means_are_those_of_the_features():
    total = np.array([[0, 0, 0], [3 << 16, -(6 << 16), 1 << 15]])
    a = Guidance.of({"cat": (total, np.array([0, 2]), np.array([0, 7]))}, SIZE, "e")
    mean, weight, count = a.sums(["dog", "cat"])
    np.testing.assert_array_equal(count, [[0, 0], [0, 7]])
    np.testing.assert_array_equal(mean, [np.zeros((2, 3)), [[0, 0, 0], [1.5, -3, 0.25]]])
    np.testing.assert_array_equal(weight, [[0, 0], [0, 1]])


def test_features_are_counted_in_units_of_2_to_the_minus_16_and_divided_without_floats():
    np.testing.assert_array_equal(quantise(np.array([1.0, -0.5, 2**-17 * 1.01])), [65536, -32768, 1])
    np.testing.assert_array_equal(divide(np.array([7, -7, 5, 2**62 + 1]), 2), [4, -3, 3, 2**61 + 1])
    for bad in (np.nan, np.inf, 2 * MAX_FEATURE):
        with pytest.raises(ValueError, match="features must be finite and at most 4096"):
            quantise(np.array([bad]))


def test_classes_are_selected_renamed_and_joined():
    a = guidance_of(["cat", "dog"], 3)
    assert a.select(["dog"]) + a.select(["cat"]) == a
    assert a.rename("dog", "owl").classes == ("cat", "owl")
    assert a.rename("dog", "owl").rename("owl", "dog") == a
    joined = a.rename("dog", "cat")
    assert joined.classes == ("cat",)
    np.testing.assert_array_equal(joined.weight[0], a.weight.sum(axis=0))
    with pytest.raises(ValueError, match="classes must be among cat, dog, got 'owl'"):
        a.select(["owl"])
    with pytest.raises(ValueError, match="new must be text, got 5"):
        a.rename("dog", 5)


def test_what_cannot_be_joined_is_said():
    a = guidance_of(["cat"], 1)
    with pytest.raises(ValueError, match="same encoder to be joined, got 'e' and 'f'"):
        a + guidance_of(["cat"], 1, encoder="f")
    with pytest.raises(ValueError, match="same shots to be joined, got 'equal' and 'pixels'"):
        a + guidance_of(["cat"], 1, shots="pixels")
    with pytest.raises(ValueError, match="same feature_size to be joined, got 3 and 4"):
        a + Guidance.empty(4, "e")
    with pytest.raises(ValueError, match="'cat' must have been added before it is removed"):
        Guidance.empty(SIZE, "e") - a
    ones = np.ones((1, 2), np.int64)
    huge = Guidance(("cat",), np.full((1, 2, SIZE), 2**62), ones, ones, "e", "equal")
    with pytest.raises(ValueError, match=r"sums below 2\^62"):
        a + huge


def test_files_that_are_no_guidance_are_named(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(FileNotFoundError, match=r"x\.npz"):
        Guidance.load(path)
    path.write_bytes(b"no npz")
    with pytest.raises(ValueError, match=r"x\.npz must be an npz of guidance, and is no npz or is cut off"):
        Guidance.load(path)
    np.savez(path, a=np.zeros(3))
    with pytest.raises(ValueError, match=r"x\.npz must be guidance with .*, got \['a'\]"):
        Guidance.load(path)
    a = guidance_of(["cat"], 1)
    a.save(path)
    with np.load(path) as file:
        parts = dict(file)
    np.savez(path, **{**parts, "version": np.int64(3)})
    with pytest.raises(ValueError, match="guidance of version 1 or 2, got 3"):
        Guidance.load(path)
    np.savez(path, **{name: part for name, part in parts.items() if name != "count"})
    with pytest.raises(ValueError, match=r"must be guidance with .*'count'"):
        Guidance.load(path)
    first = {**parts, "version": np.int64(1)}
    del first["count"]
    np.savez(path, **first)
    np.testing.assert_array_equal(Guidance.load(path).count, a.weight)
    np.savez(path, **{**parts, "total": parts["total"].astype(float)})
    with pytest.raises(ValueError, match="must hold int64 sums for 1 classes"):
        Guidance.load(path)
    np.savez(path, **{**parts, "classes": np.array([object()], object)})
    with pytest.raises(ValueError, match="must be an npz of guidance"):
        Guidance.load(path)
    for change in (
        {"weight": -parts["weight"] - 1},
        {"weight": 0 * parts["weight"]},  # the sums are of something
        {"total": np.full_like(parts["total"], np.iinfo(np.int64).min)},
    ):
        np.savez(path, **{**parts, **change})
        with pytest.raises(ValueError, match=r"x\.npz must hold weights of at least 0"):
            Guidance.load(path)
    for names in (np.array("cat"), np.array(["cat", "cat"])):
        np.savez(path, **{**parts, "classes": names, "total": parts["total"].repeat(2, axis=0)})
        with pytest.raises(ValueError, match="must hold int64 sums for"):
            Guidance.load(path)


def test_what_was_not_added_cannot_be_removed():
    a, b = guidance_of(["cat"], 1), guidance_of(["cat"], 2)
    other = Guidance(a.classes, a.total + 1, a.weight, a.count, a.encoder, a.shots)
    for one, two in ((a, a + b), (a, other), (Guidance.empty(SIZE, "e"), a)):
        with pytest.raises(ValueError, match="guidance of 'cat' must have been added before it is removed"):
            _ = one - two
