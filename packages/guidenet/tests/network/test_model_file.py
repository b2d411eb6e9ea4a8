"""Networks in files: every bit comes back, and what is damaged or of other weights is refused."""

import json

import jax
import numpy as np
import pytest
from guidenet import TRAINED, BackboneConfig, Config, GuidedNetwork, HeadConfig, load_model, save_model

SMALL = BackboneConfig("small", strides=(4,), channels=(4, 5, 6))
CONFIGS = {
    "late": Config(SMALL, HeadConfig(hidden_size=4, products=True), feature_size=3),
    "early": Config(SMALL, HeadConfig("concat", hidden_size=4), fusion="early", feature_size=3),
    "plain": Config(SMALL, HeadConfig("concat", shared=True, hidden_size=4)),
}


def make(kind):
    network = GuidedNetwork(CONFIGS[kind])
    return network, network.init(jax.random.key(0))


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_bit_comes_back(kind, tmp_path):
    network, params = make(kind)
    save_model(tmp_path / "model.npz", network, params)
    again, found = load_model(tmp_path / "model.npz")
    assert again == network
    assert jax.tree.structure(found) == jax.tree.structure(params)
    for first, second in zip(jax.tree.leaves(found), jax.tree.leaves(params), strict=True):
        np.testing.assert_array_equal(first, second)
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def change(path, **changes):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    np.savez(path, **arrays)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.raises(FileNotFoundError, match=r"model.npz must be a trained network, a file or cut-outs"):
        load_model(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"model.npz must be an npz of a trained network"):
        load_model(path)
    network, params = make("late")
    save_model(path, network, params)
    with np.load(path) as file:
        header = json.loads(str(file["header"]))
    change(path, header=np.array(json.dumps({**header, "version": 9})))
    with pytest.raises(ValueError, match="must be a trained network of version 1, got 9"):
        load_model(path)
    change(path, header=np.array(json.dumps({**header, "config": {**header["config"], "depth": 3}})))
    with pytest.raises(ValueError, match="must have the options of a network"):
        load_model(path)
    change(path, header=np.array(json.dumps(header)), **{"head/hidden/bias": np.zeros(9, np.float32)})
    with pytest.raises(ValueError, match="must have the parameters of its options, and has others"):
        load_model(path)


def test_a_backbone_that_is_left_out_must_be_the_same_when_it_is_found(tmp_path, monkeypatch):
    network, params = make("late")
    save_model(tmp_path / "model.npz", network, params, with_backbone=False)
    monkeypatch.setattr("guidenet.network.models.load_backbone", lambda config, path: params["backbone"])
    _, found = load_model(tmp_path / "model.npz")
    assert found["backbone"] is params["backbone"]
    other = jax.tree.map(lambda x: x + 1, params["backbone"])
    monkeypatch.setattr("guidenet.network.models.load_backbone", lambda config, path: other)
    with pytest.raises(ValueError, match=r"weights must be those that .*model.npz was trained with, got others"):
        load_model(tmp_path / "model.npz")


@pytest.mark.parametrize("name", TRAINED)
def test_networks_that_come_with_the_package_load(name):
    network, params = load_model(name)
    assert network.guided_by_features
    assert params["head"]
