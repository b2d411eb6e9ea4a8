"""The examples of guidenet run on clips of our own with tiny flags, go on where they were, and explain themselves."""

import dataclasses
import json
import re
import shlex

import numpy as np
import pytest
from guidenet.data.formats import davis
from guidenet.data.sources import KINDS
from guidenet.training import training_preset
from rlcore.experiment import override
from support.guidenet_files import read_file, write_file
from support.guidenet_methods import METHODS, find_networks, make_commands
from support.guidenet_scores import Scores, get_kinds, summarise_look_alikes, summarise_photos
from support.guidenet_tables import make_tables

TINY = ["--preset=tiny", "--override=num_iterations=1"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Five clips of a square that moves."""
    root = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    names = [f"clip-{i}" for i in range(5)]
    for name in names:
        labels = [np.zeros((48, 64), np.int16) for _ in range(3)]
        for frame, found in enumerate(labels):
            found[10:30, 8 + 6 * frame : 30 + 6 * frame] = 1
        frames = [
            np.where(found[..., None] == 1, [200, 40, 40], rng.integers(0, 255, (48, 64, 3))).astype(np.uint8)
            for found in labels
        ]
        davis.write_video(root, name, frames, labels)
    davis.write_names(root, "train", names[:4])
    davis.write_names(root, "val", names[4:])
    return root


def test_a_network_is_trained_scored_and_compared(run, clips, tmp_path):
    data, printed = f"--data=davis:{clips}", {}
    for name, flags in (
        ("late", []),
        ("none", ["fusion=none", "head.kind=concat", "head.products=false"]),
    ):
        overrides = [f"--override=network.{flag}" for flag in flags]
        directory = f"--run_dir=runs/{name}-seed0"
        result = run("train_guidenet.py", data, *TINY, *overrides, directory, cwd=tmp_path, alone=name == "late")
        assert result.returncode == 0, result.stderr
        printed[name] = result.stdout
    run_dir = tmp_path / "runs" / "late-seed0"
    rows = json.loads((run_dir / "test.json").read_text())["video"]
    assert [row["points"] for row in rows] == [1, 5, 25, None]
    assert f"video, P dense: positive IU {rows[-1]['positive_iu']:.3f}" in printed["late"]
    again = run("train_guidenet.py", data, *TINY, "--run_dir=runs/late-seed0", "--num_test_tasks=0", cwd=tmp_path)
    assert "has all 1 iterations" in again.stderr
    flags = [
        data,
        "--runs=runs",
        "--output=results",
        "--parts=points,frames,clicks,photos",
        "--num_tasks=10",
        "--num_steps=2",
        "--num_clips=1",
        "--methods=late,none,fine-tuned,first-frame",
    ]
    result = run("guidenet_results.py", *flags, cwd=tmp_path, alone=True)
    assert result.returncode == 0, result.stderr
    rows = json.loads((tmp_path / "results" / "points.json").read_text())
    assert {row["method"] for row in rows} == {"late", "none", "fine-tuned", "first-frame"}
    assert {row["tasks"] for row in rows} == {1}
    assert all(row["interval"][0] <= row["positive_iu"] <= row["interval"][1] for row in rows)
    frames = json.loads((tmp_path / "results" / "frames.json").read_text())
    assert {row["frames"] for row in frames} == {1, 2}
    for name in ("points.png", "times.png", "frames.png"):
        assert (tmp_path / "results" / name).read_bytes().startswith(b"\x89PNG")
    tables = (tmp_path / "results" / "tables.md").read_text()
    for title in ("video: positive IU", "video: J, F", "video, S = 2 annotated frames", "coins: F of edges"):
        assert f"## {title}" in tables
    late = next(row for row in rows if row["method"] == "late" and row["points"] == 25)
    assert f"{late['positive_iu']:.3f} (" in tables
    alone = run("guidenet_results.py", "--scores=results/scores", "--output=again", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert (tmp_path / "again" / "tables.md").read_text() == tables


def test_every_method_has_a_command_that_trains_it():
    """And its options are ones that there are."""
    commands = make_commands([], [0, 1], "runs")
    named = {re.search(r"--run_dir=runs/(.*)-seed\d", command)[1] for command in commands}
    without = {"fine-tuned", "first-frame", "prototype", "late-ridge", "decoder-ridge", "prototype-ridge"}
    assert named == set(METHODS) - without
    assert len(commands) == 2 * len(named)
    for command in commands:
        flags = shlex.split(command)
        options = [flag.removeprefix("--override=") for flag in flags if flag.startswith("--override=")]
        kinds = next(flag.removeprefix("--kinds=") for flag in flags if flag.startswith("--kinds="))
        preset = next(flag.removeprefix("--preset=") for flag in flags if flag.startswith("--preset="))
        start = dataclasses.replace(training_preset(preset), kinds=tuple(kinds.split(",")))
        config = override(start, options)
        assert ("early" in command) == (config.network.fusion == "early")
        assert ("--oracle" in flags) == ("oracle-seed" in command)
        assert bool(config.stop_after) == (config.network.fusion in ("early", "masking"))


def test_files_of_scores_are_small_and_come_back(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {"points": p, "counts": rng.integers(0, 10**5, (300, 4)).tolist(), "boundary": rng.random(300).tolist()}
        for p in (1, None)
    ]
    scores = {"name": "late-seed0", "points": rows, "look_alikes": [True, False] * 150, "images": ["a"] * 9, "none": []}
    write_file(tmp_path / "x" / "scores.npz", scores)
    found = read_file(tmp_path / "x" / "scores.npz")
    assert (tmp_path / "x" / "scores.npz").stat().st_size < len(json.dumps(scores)) / 2
    for before, after in zip(rows, found["points"], strict=True):
        np.testing.assert_allclose(before.pop("boundary"), after.pop("boundary"), atol=1e-6)
    assert found == scores
    (tmp_path / "bad.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match="must be a file of scores"):
        read_file(tmp_path / "bad.npz")


def test_tables_follow_from_counts_alone(tmp_path):
    """Two seeds of two methods, whose positive IU is known."""
    counts = {"late": [[30, 10, 10, 50]] * 10, "none": [[10, 20, 20, 50]] * 10}
    for method, each in counts.items():
        for seed in (0, 1):
            row = {"points": 5, "counts": each, "boundary": [0.25] * 10, "boundary_f": 0.25, "update_seconds": 0.002}
            scores = {"points": [row], "look_alikes": [True] * 4 + [False] * 6}
            write_file(tmp_path / f"points-{method}-seed{seed}-interactive.npz", scores)
            clicks = {"clicks_to_85": [4 + seed] * 10, "clicks_to_90": [20] * 10}
            write_file(tmp_path / f"clicks-{method}-seed{seed}-interactive.npz", {"clicks": clicks})
    tables = make_tables(Scores(tmp_path))
    assert "| late-global guidance | 2 | 0.600 (0.600 to 0.600) |" in tables
    assert "| foreground-background | 2 | 0.200 (0.200 to 0.200) |" in tables
    assert "| late-global guidance | 2 | 4.5 | 20.0 |" in tables
    assert "| late-global guidance | 2 | 2.00 |" in tables
    for words in ("with", "without"):
        assert tables.count(f"## interactive, {words} a look-alike: positive IU") == 1
    chosen = make_tables(Scores(tmp_path, ["none"], ["clicks", "pictures"]))
    assert chosen.splitlines()[0] == "## interactive: clicks"
    assert chosen.splitlines()[-1] == "| foreground-background | 2 | 4.5 | 20.0 |"
    assert chosen.count("## ") == 1
    assert "late" not in chosen
    assert [row["tasks"] for row in summarise_look_alikes(Scores(tmp_path))] == [4, 6] * 2


def test_methods_and_parts_are_chosen_of_scores(run, tmp_path):
    row = {"points": 5, "counts": [[30, 10, 10, 50]] * 10, "update_seconds": 0.002}
    for method in ("late", "none"):
        write_file(tmp_path / f"points-{method}-seed0-video.npz", {"points": [row]})
    write_file(tmp_path / "frames-late-seed0-video.npz", {"frames": [{**row, "frames": 1}]})
    flags = [f"--scores={tmp_path}", "--output=chosen", "--methods=none", "--parts=points,clicks"]
    result = run("guidenet_results.py", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert {row["method"] for row in json.loads((tmp_path / "chosen" / "points.json").read_text())} == {"none"}
    names = {path.name for path in (tmp_path / "chosen").iterdir()}
    assert names == {"points.json", "points.png", "times.png", "tables.md"}
    lacking = run("guidenet_results.py", f"--scores={tmp_path}", "--parts=frames", "--methods=none", cwd=tmp_path)
    assert f"scores must have frames of none, and {tmp_path} has none" in lacking.stderr + lacking.stdout


def test_seeds_that_were_scored_on_other_photos_are_refused(tmp_path):
    row = {"points": 5, "counts": [[1, 2, 3, 4]] * 10, "boundary": [0.5] * 10, "update_seconds": 0.1}
    for seed, photos in enumerate((["coins"] * 5 + ["quokka"] * 5, ["coins"] * 10)):
        scores = {"name": f"late-seed{seed}", "photos": [row], "images": photos}
        write_file(tmp_path / f"photos-late-seed{seed}-photos.npz", scores)
    with pytest.raises(
        ValueError, match=r"photos-late-seed1.* must be of the tasks of photos-late-seed0.*: images differ"
    ):
        summarise_photos(Scores(tmp_path))
    write_file(
        tmp_path / "photos-late-seed1-photos.npz",
        {"name": "late-seed1", "photos": [row], "images": ["coins"] * 5 + ["quokka"] * 5},
    )
    assert [(found["photo"], found["seeds"], found["tasks"]) for found in summarise_photos(Scores(tmp_path))] == [
        ("coins", 2, 5),
        ("quokka", 2, 5),
    ]


@pytest.mark.parametrize(
    ("part", "method", "kinds"),
    [
        ("points", "late", ("semantic", "interactive", "video")),
        ("points", "decoder", KINDS),
        ("points", "early-global", ("semantic", "video")),
        ("clicks", "early-local", ("interactive",)),
        ("clicks", "early-global", ()),
        ("clicks", "none", ()),
        ("shots", "fine-tuned", ("classes",)),
        ("shots", "early-local", ()),
        ("frames", "late", ("video",)),
        ("frames", "late-local", ()),
        ("photos", "late-local", ("photos",)),
        ("photos", "early-global", ()),
    ],
)
def test_methods_are_scored_on_what_they_were_trained_for(part, method, kinds):
    assert get_kinds(part, method, KINDS) == kinds
    assert "video" not in get_kinds(part, method, ("semantic", "interactive"))


def test_fine_tuning_uses_the_unguided_networks_of_its_seed(tmp_path):
    for name in ("late-seed0", "none-seed1", "none-semantic-seed0", "other-seed0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.npz").touch()
    found = {name: path and path.parent.name for name, path in find_networks(tmp_path, []).items()}
    shared = {"fine-tuned-seed1": "none-seed1", "first-frame-seed1": "none-seed1", "late-ridge-seed0": "late-seed0"}
    untrained = {"prototype-seed0": None, "prototype-ridge-seed0": None}
    own = {name: name for name in ("late-seed0", "none-seed1", "none-semantic-seed0")}
    assert found == own | shared | untrained
    assert set(find_networks(tmp_path, ["fine-tuned", "late"])) == {"fine-tuned-seed1", "late-seed0"}


@pytest.mark.parametrize(
    ("example", "flags", "message"),
    [
        (
            "train_guidenet.py",
            ["--data=imagenet"],
            "data must be one of cut-outs, voc, coco, fss, davis, folder, real, got 'imagenet'",
        ),
        ("train_guidenet.py", ["--override=network.fusion=middle"], "fusion must be one of late, early, masking, none"),
        ("train_guidenet.py", ["--override=network.fushion=late"], "did you mean network.fusion"),
        ("train_guidenet.py", ["--data=davis:CLIPS", "--kinds=semantic"], "kinds must be among video with data davis"),
        ("guidenet_results.py", ["--methods=best"], "methods must be one of decoder"),
        ("guidenet_results.py", ["--parts=all"], "parts must be one of points, frames, clicks, shots, photos"),
        ("guidenet_results.py", ["--scores=none"], "scores must be a folder of files of this program, got none"),
        ("guidenet_results.py", ["--data=davis:CLIPS"], "parts must be points with data other than cut-outs"),
    ],
)
def test_bad_flags_are_explained_in_a_line_and_leave_nothing_behind(run, clips, example, flags, message, tmp_path):
    result = run(example, *(flag.replace("CLIPS", str(clips)) for flag in flags), cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("example", ["train_guidenet.py", "guidenet_results.py"])
def test_help_explains_every_flag(run, example, tmp_path):
    result = run(example, "--help", cwd=tmp_path)
    assert f"uv run examples/{example}" in result.stdout
    assert result.stdout.split("flags:", 1)[1].count("--") >= 5
