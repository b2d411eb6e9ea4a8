"""Whole trainings at toy size: going on, what is written, what is refused; and the same by names."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from guidenet import BackboneConfig, Config, GuidedNetwork, HeadConfig, Segmenter, load_model
from guidenet.data.collections.cut_outs import cut_outs
from guidenet.data.dataset import Dataset
from guidenet.data.material import load_material, statistics
from guidenet.data.sources import Source, interactive_source
from guidenet.training import Experiment, training_preset
from guidenet.training import run as by_name
from guidenet.training.batches import make_stores
from guidenet.training.experiment import Validator, calibrate
from rlcore.experiment import RunError

KINDS = ("semantic", "interactive", "video")
CONFIG = dataclasses.replace(training_preset("tiny"), kinds=KINDS, updates_per_iteration=3, num_validation_tasks=2)
LATE = dataclasses.replace(
    CONFIG,
    trained="head",
    kinds=("interactive",),
    network=Config(BackboneConfig("small", strides=(4, 8), channels=(4, 4, 4)), feature_size=4),
)


@pytest.fixture(scope="module")
def data(shapes):
    return cut_outs(shapes.make_benchmark(), 0)


class Stopping(Experiment):
    """Stops after the first iteration."""

    def open_run(self):
        run = super().open_run()
        finish = run.finish_iteration

        def stop(iteration, state, metrics):
            finish(iteration, state, metrics)
            raise KeyboardInterrupt

        run.finish_iteration = stop
        return run


def load(experiment, data):
    kinds = experiment.config.kinds
    return [experiment.load([data.source(kind, role) for kind in kinds]) for role in ("train", "validation")]


@pytest.mark.parametrize("config", [CONFIG, LATE], ids=["network", "head"])
def test_a_training_that_was_stopped_comes_to_the_same_network(data, tmp_path, config):
    straight = Experiment(config, data.name, 3, tmp_path / "straight")
    materials = load(straight, data)
    whole = straight.run(*materials)
    with pytest.raises(KeyboardInterrupt):
        Stopping(config, data.name, 3, tmp_path / "stopped").run(*materials)
    again = Experiment(config, data.name, 3, tmp_path / "stopped").run(*materials)
    for first, second in zip(*(jax.tree.leaves(load_model(path)[1]) for path in (whole, again)), strict=True):
        np.testing.assert_array_equal(first, second)
    lines = [(tmp_path / part / "metrics.jsonl").read_text().splitlines() for part in ("straight", "stopped")]
    metrics = [[{k: v for k, v in json.loads(line).items() if "time" not in k} for line in part] for part in lines]
    assert metrics[0] == metrics[1]
    assert {f"validation/{kind}" for kind in config.kinds} <= set(metrics[0][-1])
    network, params = load_model(whole)
    assert network.config == config.network
    segmenter = Segmenter(network, params)
    name = segmenter.add_image(np.zeros((40, 50, 3), np.uint8))
    segmenter.click(name, 3, 4)
    assert segmenter.predict(name).labels.shape == (40, 50)


@pytest.mark.parametrize("ius", [[0.3, 0.5, 0.4, 0.2, 0.6], [0.5, 0.1, 0.1, 0.1, 0.1]])
def test_training_stops_when_validation_gets_no_better_and_keeps_the_best(data, tmp_path, monkeypatch, ius):
    """And goes on from a checkpoint in the middle to the same end."""
    config = dataclasses.replace(LATE, num_iterations=5, stop_after=2)
    experiment = Experiment(config, data.name, 0, tmp_path / "run", checkpoint_every=1)
    materials = load(experiment, data)
    seen = []

    def positive_iu(self, params):
        seen.append(jax.tree.map(np.asarray, params["head"]))
        return ius[len(seen) - 1]

    monkeypatch.setattr(Validator, "positive_iu", positive_iu)
    monkeypatch.setattr("guidenet.training.experiment.calibrate", lambda params, validators: params)
    best = int(np.argmax(ius[:4]))
    with pytest.raises(KeyboardInterrupt):
        Stopping(config, data.name, 0, tmp_path / "run", checkpoint_every=1).run(*materials)
    path = experiment.run(*materials)
    assert len(seen) == best + 3
    assert load_model(experiment.run(*materials))[0] == load_model(path)[0]
    assert len(seen) == best + 3  # it is over
    found = load_model(path)[1]["head"]
    for first, second in zip(jax.tree.leaves(found), jax.tree.leaves(seen[best]), strict=True):
        np.testing.assert_array_equal(first, second)


def test_other_options_in_the_same_directory_are_refused(data, tmp_path):
    Experiment(LATE, data.name, 0, tmp_path / "run").check()
    for change in ({"seed": 1}, {"data": "voc"}, {"config": CONFIG}):
        other = dataclasses.replace(Experiment(LATE, data.name, 0, tmp_path / "run"), **change)
        with pytest.raises(RunError, match=r"\(run\) != .*\(now\)"):
            other.check()


def test_materials_must_be_of_the_kinds(data, tmp_path):
    experiment = Experiment(LATE, data.name, 0, tmp_path / "run")
    materials = experiment.load([data.source("semantic", "validation")])
    with pytest.raises(ValueError, match="train must be of the kinds interactive, got semantic"):
        experiment.run(materials, materials)


def test_images_that_do_not_fit_into_memory_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.setattr("rlcore.experiment.memory.available_bytes", lambda: 1000)
    with pytest.raises(RunError, match=r"does not fit into memory: features of .* images .*max_side"):
        Experiment(LATE, data.name, 0, tmp_path / "run").load([data.source("semantic", "train")])


def test_two_kinds_of_tasks_on_the_same_images_share_them(data, tmp_path):
    experiment = Experiment(CONFIG, data.name, 0, tmp_path / "run")
    semantic, interactive = experiment.load([data.source(kind, "validation") for kind in KINDS[:2]])
    assert semantic.images is interactive.images
    assert (semantic.labels > 0).sum() == (interactive.labels > 0).sum()
    assert semantic.labels.max() > interactive.labels.max()


def make_source(sides):
    """Images of these sizes: one red object in the upper left quarter."""
    images, labels = {}, {}
    for i, (height, width) in enumerate(sides):
        found = np.zeros((height, width), np.int16)
        found[: height // 2, : width // 2] = 1
        images[str(i)], labels[str(i)] = np.stack([255 * (found == 1)] * 3, -1).astype(np.uint8), found
    read = labels.__getitem__
    return interactive_source(Dataset(("red",), tuple(images), images.__getitem__, read, read))


def test_images_of_any_size_are_shrunk_and_filled_up():
    network = GuidedNetwork(LATE.network)
    params = network.init(jax.random.key(0))
    material = load_material(
        make_source([(40, 20), (200, 100), (16, 90)]),
        network,
        params["backbone"],
        100,
        with_images=True,
        with_features=True,
    )
    assert material.inner == ((40, 20), (100, 50), (16, 90))
    assert material.size == (104, 96)
    assert [x.shape for x in material.features] == [(3, 26, 24, 4), (3, 13, 12, 4)]
    areas = [[(labels == value).sum() for value in (1, 0)] for labels in material.labels]
    assert areas == [[200, 600], [1250, 3750], [360, 1080]]
    assert (material.labels == -1).sum() == 3 * 104 * 96 - 800 - 5000 - 1440
    np.testing.assert_array_equal(material.images[2, :8, :45], 255)
    np.testing.assert_array_equal(material.images[0, 40:], 128)
    mean, deviation = statistics(material.features)
    for part, x in zip((slice(0, 4), slice(4, 8)), material.features, strict=True):
        flat = np.asarray(x).astype(np.float64).reshape(-1, 4)
        np.testing.assert_allclose(mean[part], flat.mean(0), atol=1e-5)
        np.testing.assert_allclose(deviation[part], np.maximum(flat.std(0), 1e-3), atol=1e-5)
    empty = Source("semantic", Dataset((), (), {}.__getitem__, {}.__getitem__), lambda n, rng: ())
    with pytest.raises(ValueError, match="source must have images, got none"):
        load_material(empty, network, params["backbone"], 100, with_images=False, with_features=False)


def test_the_threshold_is_chosen_in_validation(data, tmp_path):
    experiment = Experiment(LATE, data.name, 0, tmp_path / "run")
    (material,) = experiment.load([data.source("interactive", "validation")])
    validator = Validator(experiment.learner, material, *make_stores([material], experiment.learner))
    params = experiment.learner.network.init(jax.random.key(0))
    head = {**params["head"], "threshold": params["head"]["threshold"] - 2.5}
    lenient = {**params, "head": head}
    found = calibrate(lenient, [validator])
    shift = float(found["head"]["threshold"] - head["threshold"])
    ius = validator.positive_ius(lenient, [0.0, shift])
    assert ius[1] >= ius[0]
    np.testing.assert_allclose(validator.positive_iu(found), ius[1], atol=1e-6)
    assert found["projection"] is params["projection"]


def test_by_name_errors_come_before_anything_is_written(tmp_path, monkeypatch, shapes):
    monkeypatch.setattr(
        "guidenet.data.collections.cut_outs.load_benchmark",
        lambda cache=None, folder=None: shapes.make_benchmark(shapes.make_test_library() if folder else None),
    )
    directory = tmp_path / "run"
    for options, message in [
        ({"preset": "huge"}, "preset must be one of"),
        (
            {"overrides": ["kinds=walking"]},
            "kinds must be one of semantic, interactive, video, textured, similar, got 'walking'",
        ),
        ({"overrides": ["batch=3"]}, "unknown option 'batch'"),
        ({"data": "imagenet"}, "data must be one of cut-outs, voc, coco, fss, davis, folder, real, got 'imagenet'"),
        (
            {"data": "voc"},
            "data must be cut-outs, cut-outs:FOLDER, voc:FOLDER, .*folder:FOLDER, real or real:PHOTO, got 'voc'",
        ),
        ({"data": "cut-outs:x"}, "data must have something to train on, got cut-outs:x, which is for tests only"),
        ({"fold": 4}, "fold must be one of 0, 1, 2, 3, got 4"),
        ({"overrides": ["kinds=video"], "kinds": ["video"]}, "kinds must be given once, got video and an override"),
        ({"kinds": ["song"]}, "kinds must be one of semantic, interactive, video, textured, similar, got 'song'"),
    ]:
        with pytest.raises(ValueError, match=message):
            by_name.set_up(by_name.Options(**{"preset": "tiny", "directory": directory, **options}))
    assert not directory.exists()
    with pytest.raises(FileNotFoundError, match="must be VOC's list of the images of train"):
        by_name.set_up(by_name.Options("tiny", data=f"voc:{tmp_path}", directory=directory))
    options = by_name.Options("tiny", ["num_iterations=1"], ["semantic"], directory=directory, seed=2)
    path = by_name.set_up(options).run()
    assert path == directory / "model.npz"
    assert json.loads((directory / "config.json").read_text())["data"] == "cut-outs, fold 0"
    assert isinstance(load_model(path)[0].config.head, HeadConfig)
    local = ["num_iterations=1", "network.pooling=local", "network.head.kind=concat", "network.head.products=false"]
    training = by_name.set_up(by_name.Options("tiny", local, ["interactive"], directory=tmp_path / "local"))
    assert training.experiment.config.network.pooling == "local"
