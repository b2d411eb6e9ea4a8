"""The examples of mi-repr run with tiny flags, go on where they were, and say in a line what is wrong."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from mi_repr.deep import catcher
from rlcore.experiment import to_dict
from support.curves import t_interval
from support.mi_repr_experiments import find_runs, load_results, make_experiments
from support.mi_repr_pictures import _STYLES

EXPERIMENTS = Path(__file__).parents[1] / "results" / "mi-repr" / "experiments"


@pytest.mark.slow
def test_figures_are_drawn_from_what_is_finished_and_nothing_runs_twice(run, tmp_path):
    flags = ["--preset=tiny", "--games=catcher", "--objectives=fwd,end-to-end", "--num_seeds=1", "--run_dir=runs"]
    first = run("mi_repr_figure5.py", *flags, cwd=tmp_path, alone=True)
    assert first.returncode == 0, first.stderr
    assert "catcher, end-to-end, seed 0" in first.stderr
    assert "agent: iteration 2/2" in first.stderr
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


def _results(objective="fwd", seed=0, game="catcher", preset="tiny", score=0.5):
    config = to_dict(catcher.preset(preset, objective, f"{game}-v0"))
    del config["encoder"]["projection_size"]  # as in results of before
    return {
        "benchmark": f"{game}-v0",
        "seed": seed,
        "representation": objective,
        "config": config,
        "information": {"information": 3 * math.log(2), "exact": 4 * math.log(2)},
        "probe": {f"mlp/{name}": 0.5 for name in ("paddle_x", "fruit_x", "fruit_y")},
        "regression": {"return": 0.1, "q_error": 0.2},
        "agent": {"test/return": score, "test/catch_rate": (1 + score) / 2},
    }


def _write(directory, results):
    (directory / "agent").mkdir(parents=True)
    (directory / "results.json").write_text(json.dumps(results))
    row = {"iteration": 1, "env_steps": 100, "test/return": results["agent"]["test/return"]}
    (directory / "agent" / "metrics.jsonl").write_text(json.dumps(row) + "\n")


@pytest.mark.parametrize("text", ["{}", "no JSON", "[1]"])
def test_results_that_are_none_are_named(tmp_path, text):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "results.json").write_text(text)
    with pytest.raises(ValueError, match=r"mine.results.json holds no results of an experiment"):
        find_runs([str(tmp_path / "*")])


def test_experiments_that_ran_elsewhere_are_found_by_their_results(run, tmp_path):
    for number, (objective, seed, score) in enumerate(
        [("fwd", 0, 0.5), ("fwd", 7, 0.7), ("multi-inv", 0, 0.1), ("reconstruction", 0, 0.2), ("fwd-thesis", 0, 0.3)]
    ):
        _write(tmp_path / "elsewhere" / f"run{number}", _results(objective, seed, score=score))
    asked = "--objectives=fwd,multi-inv,reconstruction,fwd-thesis,bootstrap"
    flags = ["--preset=tiny", "--games=catcher", asked, "--num_seeds=1", "--draw_only", "--run_dir=figures"]
    drawn = run("mi_repr_figure5.py", *flags, "--runs=elsewhere/*", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    lines = {line.split()[1]: line.split() for line in drawn.stdout.splitlines() if line.startswith("catcher ")}
    assert set(lines) == {"fwd", "multi-inv", "reconstruction", "fwd-thesis"}
    # 0.6 +- 12.706 * 0.1, two seeds.
    assert lines["fwd"][2:6] == ["2", "[-0.67,", "1.87]", "0.600"]
    assert lines["multi-inv"][2:4] == ["1", "0.100"]
    assert lines["fwd"][-2:] == ["3.000", "4.000"]
    assert (tmp_path / "figures" / "figure5.png").read_bytes().startswith(b"\x89PNG")
    other = run("mi_repr_figure5.py", *flags, "--runs=elsewhere/*", "--override=probe.ridge=0.5", cwd=tmp_path)
    assert other.returncode == 2
    assert "probe.ridge: 0.001 (run) != 0.5 (now)" in other.stderr
    _write(tmp_path / "again", _results("fwd", 7))
    twice = run("mi_repr_figure5.py", *flags, "--runs=elsewhere/*", "--runs=again", cwd=tmp_path)
    assert "again both hold catcher, fwd, seed 7" in twice.stderr
    none = run("mi_repr_figure5.py", *flags, "--runs=nowhere/*", cwd=tmp_path)
    assert "runs: nothing that matches 'nowhere/*' has a results.json" in none.stderr
    assert none.returncode == twice.returncode == 2


def test_every_representation_has_a_name_and_a_colour_in_pictures():
    assert set(_STYLES) == set(catcher.REPRESENTATIONS)
    assert len({style for _, style in _STYLES.values()}) == len(_STYLES)


def test_published_results_load_as_those_of_todays_presets():
    found = find_runs([str(EXPERIMENTS / "*")])
    assert len(found) > 30
    results = load_results(make_experiments(found, EXPERIMENTS, "cpu", [], found))
    assert set(results) == set(found)


def test_interval_of_the_mean():
    assert t_interval(np.array([0.5, 0.7])) == pytest.approx((0.6 - 1.2706, 0.6 + 1.2706), abs=1e-3)
    assert t_interval(np.array([0.5])) is None


def test_one_experiment_prints_what_it_found(run, tmp_path):
    flags = ["--game=catcher-grip", "--objective=inv", "--preset=tiny", "--run_dir=run", "--noagent"]
    result = run("train_mi_repr.py", *flags, cwd=tmp_path, alone=True)
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert f"linear/gripper {found['probe']['linear/gripper']:.3f}" in result.stdout
    bits = found["information"]["information"] / math.log(2)
    assert f"information {bits:.3f} of 2.511 bits\n" in result.stdout
    assert (tmp_path / "run" / "results.png").read_bytes().startswith(b"\x89PNG")
    assert "encoder: iteration 2/2" in result.stderr
    assert re.search(r"^data: 20 random episodes\n(.*\n)*probes: .*\nregression: ", result.stderr, re.MULTILINE)


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
