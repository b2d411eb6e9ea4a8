"""PEARL from pictures as a program: it trains, reports, and its run is evaluated like any other."""

import json

import pytest

SMALL = ["--preset=tiny", "--channels=2", "--channels=2", "--num_features=4", "--override=num_test_episodes=2"]


@pytest.fixture(scope="module")
def finished(run, tmp_path_factory):
    """A run directory of two iterations, and what training printed."""
    directory = tmp_path_factory.mktemp("finished")
    result = run("train_pearl_images.py", *SMALL, "--run_dir=run", cwd=directory, alone=True)
    assert result.returncode == 0, result.stderr
    return directory / "run", result


def test_training_ends_with_returns_successes_and_pictures(finished):
    run_dir, result = finished
    assert "return by episode of a trial, mean over 10 tasks never seen" in result.stdout
    assert "success at end" in result.stdout
    for picture in ("adaptation.png", "trajectories.png"):
        assert (run_dir / picture).read_bytes().startswith(b"\x89PNG")
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert {"env_steps", "test/return_1", "test/success_2", "test/found_2"} <= rows[-1].keys()


def test_evaluation_builds_the_network_of_the_run(run, finished, tmp_path):
    run_dir, _ = finished
    flags = [f"--run_dir={run_dir}", "--num_tasks=3", "--num_trials=2", f"--output_dir={tmp_path}"]
    result = run("evaluate_pearl.py", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "mean over 3 tasks never seen, 2 trials each" in result.stdout
    assert "success ever" in result.stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--benchmark=point-sparse-v0"], "benchmark must be one of pictures, got point-sparse-v0"),
        (["--channels=0"], "channels"),
        (["--override=batch_size=-3"], "batch_size must be positive, got -3"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(run, flags, message, tmp_path):
    result = run("train_pearl_images.py", "--run_dir=run", *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_explains_every_flag(run, tmp_path):
    result = run("train_pearl_images.py", "--help", cwd=tmp_path)
    assert "uv run examples/train_pearl_images.py" in result.stdout
    assert result.stdout.split("flags:", 1)[1].count("--") >= 5
