"""The examples of mi-repr run with tiny flags, go on where they were, and say in a line what is wrong."""

import json

import pytest


@pytest.mark.slow
def test_figures_are_drawn_from_what_is_finished_and_nothing_runs_twice(run, tmp_path):
    flags = ["--preset=tiny", "--games=catcher", "--objectives=fwd,end-to-end", "--num_seeds=1", "--run_dir=runs"]
    first = run("mi_repr_figure5.py", *flags, cwd=tmp_path, alone=True)
    assert first.returncode == 0, first.stderr
    assert "catcher, end-to-end, seed 0" in first.stderr
    for name in ("figure5.png", "figure30.png"):
        assert (tmp_path / "runs" / name).read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "runs" / "figure32.png").exists()
    again = run("mi_repr_figure5.py", *flags, cwd=tmp_path)
    assert again.stdout == first.stdout
    assert "seed 0" not in again.stderr
    other = run("mi_repr_figure5.py", *flags, "--override=probe.ridge=0.5", cwd=tmp_path)
    assert other.returncode == 2
    assert "holds results of another config" in other.stderr
    assert "probe.ridge: 0.001 (run) != 0.5 (now)" in other.stderr


def test_experiments_are_all_checked_before_the_first_isrun(run, tmp_path):
    flags = ["--preset=tiny", "--games=catcher", "--num_seeds=1", "--run_dir=runs"]
    last = tmp_path / "runs" / "catcher-end-to-end-0" / "agent"
    last.mkdir(parents=True)
    (last / "notes.txt").touch()
    result = run("mi_repr_figure5.py", "--objectives=fwd,end-to-end", *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert "catcher-end-to-end-0/agent is not empty and not a run" in result.stderr
    assert "catcher, fwd, seed 0" not in result.stderr
    drawn = run("mi_repr_figure5.py", "--objectives=end-to-end", "--draw_only", *flags, cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr


def test_one_experiment_prints_what_it_found(run, tmp_path):
    flags = ["--game=catcher-grip", "--objective=inv", "--preset=tiny", "--run_dir=run", "--noagent"]
    result = run("train_mi_repr.py", *flags, cwd=tmp_path, alone=True)
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert f"linear/gripper {found['probe']['linear/gripper']:.3f}" in result.stdout
    assert f"information {found['information']['information']:.3f} nats of 1.740\n" in result.stdout


@pytest.mark.parametrize(
    ("example", "flags", "message"),
    [
        ("train_mi_repr.py", ["--game=pong"], "pong"),
        ("train_mi_repr.py", ["--objective=forward"], "forward"),
        ("train_mi_repr.py", ["--override=encoder.rank=0"], "rank must be at least 1, got 0"),
        (
            "train_mi_repr.py",
            ["--override=representation=inv"],
            "override must leave representation alone: --objective",
        ),
        ("train_mi_repr.py", ["--override=pretrain.num_update=3"], "did you mean pretrain.num_updates"),
        ("mi_repr_figure5.py", ["--games=pong"], "games must be of catcher, catcher-grip"),
        ("mi_repr_figure5.py", ["--objectives=forward"], "objectives must be of fwd, state, inv"),
        ("mi_repr_figure5.py", ["--override=representation=inv"], "override must leave representation alone"),
        ("mi_repr_figure5.py", ["--shard=2/2"], "shard must be I/N with 0 <= I < N, got '2/2'"),
    ],
)
def test_bad_flags_are_explained_in_a_line_and_leave_nothing_behind(run, example, flags, message, tmp_path):
    result = run(example, *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("example", ["train_mi_repr.py", "mi_repr_figure5.py"])
def test_help_explains_every_flag(run, example, tmp_path):
    result = run(example, "--help", cwd=tmp_path)
    assert f"uv run examples/{example}" in result.stdout
    assert result.stdout.split("flags:", 1)[1].count("--") >= 5
