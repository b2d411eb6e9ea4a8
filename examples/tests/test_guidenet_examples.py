"""The examples of guidenet run on clips of our own with tiny flags, go on where they were, and explain themselves."""

import json

import numpy as np
import pytest
from guidenet.data.formats import davis
from support.guidenet_scores import KINDS, get_kinds

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
        "--parts=points,clicks",
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
    for name in ("points.png", "times.png"):
        assert (tmp_path / "results" / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("part", "method", "kinds"),
    [
        ("points", "late", KINDS),
        ("points", "early-global", ("semantic", "video")),
        ("clicks", "early-local", ("interactive",)),
        ("clicks", "early-global", ()),
        ("clicks", "none", ()),
        ("shots", "fine-tuned", ("classes",)),
        ("shots", "early-local", ()),
    ],
)
def test_methods_are_scored_on_what_they_were_trained_for(part, method, kinds):
    assert get_kinds(part, method, KINDS) == kinds
    assert "video" not in get_kinds(part, method, ("semantic", "interactive"))


@pytest.mark.parametrize(
    ("example", "flags", "message"),
    [
        (
            "train_guidenet.py",
            ["--data=imagenet"],
            "data must be one of cut-outs, voc, coco, fss, davis, folder, got 'imagenet'",
        ),
        ("train_guidenet.py", ["--override=network.fusion=middle"], "fusion must be one of late, early, masking, none"),
        ("train_guidenet.py", ["--override=network.fushion=late"], "did you mean network.fusion"),
        ("train_guidenet.py", ["--data=davis:CLIPS", "--kinds=semantic"], "kinds must be among video with data davis"),
        ("guidenet_results.py", ["--methods=best"], "methods must be one of late"),
        ("guidenet_results.py", ["--parts=all"], "parts must be one of points, clicks, shots, pictures, got 'all'"),
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
