"""Scores of methods whose answers are known, on tasks, clicks and clips, and the command that prints them."""

import json
from typing import NamedTuple

import jax
import numpy as np
import pytest
from guidenet.cli import main
from guidenet.data.collections.cut_outs import cut_outs
from guidenet.evaluation import (
    Evaluation,
    Halves,
    Viewer,
    choose_threshold,
    click_on,
    evaluate_clips,
    evaluate_shots,
    evaluate_tasks,
    split_classes,
)
from guidenet.metrics import masks as metrics
from guidenet.training import training_preset
from guidenet.training.experiment import Experiment


class Known(NamedTuple):
    """Answers with the positives of the support, wherever the query is from, and remembers what it was asked."""

    seen: list
    asked: list
    needs_images: bool = False

    def see(self, image, features):
        self.seen.append([x.shape for x in features])
        return self.seen[-1]

    def adapt(self, supports, masks, own=False):
        self.asked.append(masks)
        return masks

    def segment(self, query, task, size):
        return np.where(task[:, :, 1].any(axis=0), 1.0, -1.0)


@pytest.fixture(scope="module")
def data(shapes):
    return cut_outs(shapes.make_benchmark(), 0)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    experiment = Experiment(training_preset("tiny"), "none", 0, tmp_path_factory.mktemp("run"))
    net = experiment.learner.network
    return net, net.init(jax.random.key(0))


def test_dense_interactive_tasks_are_solved_by_repeating_the_support(data, network):
    evaluation = Evaluation.of(*network, data, "interactive", role="validation", num_tasks=6, max_side=64)
    method = Known([], [])
    row = evaluation.score(method, None)
    assert (row["positive_iu"], row["mean_iu"], row["fb_iu"], row["interval"]) == (1, 1, 1, [1, 1])
    assert (row["boundary_f"], row["boundary"]) == (1, [1] * 6)
    assert len(evaluation.look_alikes) == 6
    assert np.shape(row["counts"]) == (6, 4)
    assert row["update_seconds"] > 0
    names = {task.query.id for task in evaluation.tasks}
    assert len(method.seen) == len(names)  # once for an image


def test_annotations_depend_on_seed_task_and_number_only(data, network):
    evaluation = Evaluation.of(*network, data, "semantic", role="validation", num_tasks=4, max_side=64)
    first, second, other = Known([], []), Known([], []), Known([], [])
    scores = evaluate_tasks(Viewer(first, evaluation.material), evaluation.tasks, 3, seed=1)
    evaluate_tasks(Viewer(second, evaluation.material), evaluation.tasks, 3, seed=1)
    evaluate_tasks(Viewer(other, evaluation.material), evaluation.tasks, 3, seed=2)
    masks = [method.asked for method in (first, second, other)]
    assert all(np.array_equal(a, b) for a, b in zip(masks[0], masks[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(masks[0], masks[2], strict=True))
    assert all(mask.sum(axis=(-2, -1)).tolist() == [[[3, 3]]] for mask in masks[0])
    assert scores.counts[:, :3].sum(axis=1).min() >= 3
    with pytest.raises(ValueError, match="tasks must be at least one, got none"):
        evaluate_tasks(Viewer(first, evaluation.material), (), 3)


def test_clicks_are_simulated_on_the_query(data, network):
    evaluation = Evaluation.of(*network, data, "interactive", role="validation", num_tasks=2, max_side=64)
    found = click_on(Viewer(Known([], []), evaluation.material), evaluation.tasks[0], 0.9)
    assert len(found.clicks) == 20  # of one pixel each: never enough
    assert found.clicks[0].positive
    assert evaluation.clicks(Known([], [])) == {"clicks_to_85": 20, "clicks_to_90": 20}


def test_clips_are_scored_on_frames_that_are_not_annotated(data, network):
    evaluation = Evaluation.of(*network, data, "video", role="validation", max_side=64)
    row = evaluation.score(Known([], []), None)
    assert 0 < row["positive_iu"] < 1  # objects move on
    assert 0 < row["j"] < 1
    assert 0 < row["f"] < 1
    assert row["frame_seconds"] > 0
    clips = evaluation.clips[:2]
    method = Known([], [])
    viewer = Viewer(method, evaluation.material)
    few, many = (evaluate_clips(viewer, clips, 2, annotated).counts for annotated in (1, 3))
    height, width = clips[0].labels(0).shape
    assert few.sum(axis=1).tolist() == [5 * height * width] * 2  # of six frames, one object each
    assert many.sum(axis=1).tolist() == [3 * height * width] * 2
    assert [len(masks) for masks in method.asked] == [1, 1, 3, 3]
    for annotated in (0, 6):
        with pytest.raises(ValueError, match=f"annotated must be 1 to 5 for .*, got {annotated}"):
            evaluate_clips(viewer, clips, 2, annotated)
    with pytest.raises(ValueError, match="clips must be at least one, got none"):
        evaluate_clips(viewer, (), 2)


def test_a_network_that_was_trained_is_scored_from_the_command_line(shapes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("guidenet.data.collections.cut_outs.load_benchmark", lambda cache: shapes.make_benchmark())
    run, output = tmp_path / "run", tmp_path / "scores.json"
    arguments = ["train", "--preset", "tiny", "--kind", "interactive", "--override", "num_iterations=1"]
    overrides = ["network.fusion=none", "network.head.kind=concat", "network.head.products=false"]
    overrides = [text for override in overrides for text in ("--override", override)]
    assert main([*arguments, *overrides, "--run-dir", str(run), "--num-test-tasks", "3"]) == 0
    tested = json.loads((run / "test.json").read_text())
    assert [row["points"] for row in tested["interactive"]] == [1, 5, 25, None]
    assert "interactive, P dense: positive IU" in capsys.readouterr().out
    model = str(run / "model.npz")
    common = ["--max-side", "64", "--tasks", "3", "--output", str(output)]
    assert main(["evaluate", model, "--kind", "interactive", "--points", "1,dense", "--clicks", *common]) == 0
    rows = json.loads(output.read_text())
    assert [row["points"] for row in rows["points"]] == [1, None]
    assert set(rows["clicks"]) == {"clicks_to_85", "clicks_to_90"}
    assert {name: len(found) for name, found in rows["clicks_of_each"].items()} == dict.fromkeys(rows["clicks"], 3)
    assert main(["evaluate", model, "--points", "2", "--fine-tune", "2", "--role", "validation", *common]) == 0
    assert json.loads(output.read_text())["role"] == "validation"
    assert main(["evaluate", model, "--kind", "video", "--points", "2", "--frames", "1,2", *common]) == 0
    scores = json.loads(output.read_text())
    assert [(row["frames"], row["points"]) for row in scores["points"]] == [(1, 2), (2, 2)]
    first_frame = ["--fine-tune", "1", "--part", "network", "--learning-rate", "1e-4", "--role", "validation"]
    assert main(["evaluate", model, "--kind", "video", "--points", "2", *first_frame, *common]) == 0
    assert main(["evaluate", model, "--kind", "interactive", "--points", "2", "--data", "real:coins", *common]) == 0
    scores = json.loads(output.read_text())
    assert scores["images"] == ["coins"] * 3
    assert 0 <= scores["points"][0]["boundary_f"] <= 1
    with monkeypatch.context() as patched:
        patched.delattr("guidenet.evaluation.Sharpened.needs_images")  # whoever sharpens needs it
        flags = ["--kind", "interactive", "--points", "2", "--seed", "3", *common]
        assert main(["evaluate", model, *flags, "--no-edges"]) == 0
        with pytest.raises(AttributeError, match="needs_images"):
            main(["evaluate", model, *flags])
    shown = capsys.readouterr().out
    assert "P dense: positive IU" in shown
    assert "J 0." in shown
    for wrong, message in [
        ([], "a MODEL or --prototype must be given, and only one of them"),
        ([model, "--prototype"], "a MODEL or --prototype must be given, and only one of them"),
        ([model, "--frames", "2"], "--frames must be with --kind video, got semantic"),
        ([model, "--clicks"], "--clicks must be with --kind interactive, got semantic"),
        ([str(tmp_path / "none.npz")], "none.npz"),
    ]:
        assert main(["evaluate", *wrong]) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["evaluate", model, "--points", "few"])
    assert "'few' must look like 1,5,dense" in capsys.readouterr().err
    assert main(["train", "--preset", "tiny", "--run-dir", str(run), "--seed", "9"]) == 2
    assert "seed: 0 (run) != 9 (now)" in capsys.readouterr().err


def test_many_shots_are_learnt_once_for_all_queries_of_a_class(data, network):
    evaluation = Evaluation.of(*network, data, "semantic", role="validation", num_tasks=1, max_side=64)
    masks = evaluation.material.source.masks
    halves = split_classes(masks, num_queries=2, seed=3)
    assert halves == split_classes(masks, num_queries=2, seed=3)
    supports = {mask.id for half in halves.values() for mask in half.support}
    queries = {mask.id for half in halves.values() for mask in half.query}
    assert supports
    assert not supports & queries
    method = Known([], [])
    scores = evaluate_shots(Viewer(method, evaluation.material), halves, 2, 1)
    assert len(scores.counts) == sum(len(half.query) for half in halves.values())
    assert [len(masks) for masks in method.asked] == [min(2, len(half.support)) for half in halves.values()]
    strict = evaluate_shots(Viewer(method, evaluation.material), halves, 2, 1, threshold=1.0)
    assert strict.counts[:, :2].sum() == 0  # its logits are 1 and -1
    for function in (
        lambda: split_classes(masks, num_queries=0),
        lambda: evaluate_shots(Viewer(method, evaluation.material), halves, 0, 1),
    ):
        with pytest.raises(ValueError, match="must be at least 1, got 0"):
            function()


class Hinted(NamedTuple):
    """Logits of 5 where the support has positives, and 2 elsewhere."""

    needs_images: bool = False

    def see(self, image, features):
        return None

    def adapt(self, supports, masks, own=False):
        return masks

    def segment(self, query, task, size):
        return np.where(task[0, :, 1], 5.0, 2.0)


def test_the_threshold_for_shots_is_that_of_the_best_iu_of_all_queries(data, network):
    evaluation = Evaluation.of(*network, data, "interactive", role="validation", num_tasks=1, max_side=64)
    first, second = evaluation.material.source.masks[:2]
    viewer = Viewer(Hinted(), evaluation.material)
    halves = {1: Halves((first,), (first,)), 2: Halves((second,), (second,))}
    threshold, reached = choose_threshold(viewer, halves, 1, None)
    assert (threshold, reached) == (2, 1)  # the first that leaves only positives
    assert metrics.positive_iu(evaluate_shots(viewer, halves, 1, None, threshold=threshold).counts) == reached
    everything = metrics.positive_iu(evaluate_shots(viewer, halves, 1, None).counts)
    assert choose_threshold(viewer, halves, 1, None, thresholds=[-1.0, 0.0]) == (-1, pytest.approx(everything))
