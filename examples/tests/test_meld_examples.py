"""MELD's examples run with tiny flags, explain themselves, and say in a line what is wrong with their input."""

import json
import shutil

import numpy as np
import pytest
from rlcore.meta import Outcome
from support.report_belief import print_return_to_goal

SMALL = [
    "--preset=tiny",
    "--num_iterations=1",
    "--override=model.depth=2",
    "--override=model.hidden_sizes=8",
    "--override=sac.hidden_sizes=8",
    "--override=num_joint_updates=2",
    "--override=num_initial_updates=2",
]
SECOND = ["--benchmark=point-image-sparse-32-v1"]


@pytest.fixture(scope="module")
def finished(run, tmp_path_factory):
    """A run directory of an iteration, and what training printed."""
    directory = tmp_path_factory.mktemp("finished-meld")
    result = run("train_meld.py", *SMALL, "--run_dir=run", cwd=directory, alone=True)
    assert result.returncode == 0, result.stderr
    return directory / "run", result


def test_training_ends_with_the_table_and_the_pictures(finished):
    run_dir, result = finished
    assert "by episode of a trial, mean over 10 test tasks, 1 trials each" in result.stdout
    assert "success, last step" in result.stdout
    assert "iteration 1/1" in result.stderr
    for picture in ("adaptation.png", "belief.png", "trajectories.png"):
        assert (run_dir / picture).read_bytes().startswith(b"\x89PNG")


def test_the_table_tells_how_soon_an_episode_solves_what_the_one_before_it_solved(capsys):
    steps = np.array([[9, 3], [12, 5], [8, np.nan], [np.nan, 2]])
    found = ~np.isnan(steps)
    print_return_to_goal(Outcome(steps, found, found, steps), 1)
    print_return_to_goal(Outcome(steps, found, found & False, steps), 1)
    print_return_to_goal(Outcome(steps, None, None, None), 1)
    assert capsys.readouterr().out.splitlines() == [
        "of 3 trials with success in episode 1, 67% have it in episode 2, first after 4 steps (median; before 10.5)",
        "of 0 trials with success in episode 1, none has it in episode 2",
    ]


def test_evaluation_of_a_checkpoint(run, finished, tmp_path):
    run_dir, _ = finished
    flags = [f"--run_dir={run_dir}", "--num_tasks=2", "--num_trials=2", f"--output_dir={tmp_path}"]
    result = run("evaluate.py", *flags, "--override=deterministic_test=false", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "mean over 2 test tasks, 2 trials each" in result.stdout
    assert (tmp_path / "trajectories.png").exists()


@pytest.mark.slow
def test_evaluation_of_an_ablation_of_the_first_version(run, finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    old = {"benchmark": saved["benchmark"]["name"], "variant": "tasks-5", "seed": 0, "meld": saved["config"]}
    (tmp_path / "run" / "config.json").write_text(json.dumps(old))
    result = run("evaluate.py", "--run_dir=run", "--num_tasks=2", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "mean over 2 test tasks" in result.stdout


@pytest.mark.slow
def test_evaluation_in_tasks_that_change(run, finished, tmp_path):
    run_dir, _ = finished
    flags = [f"--run_dir={run_dir}", "--num_tasks=3", "--num_changes=2", f"--output_dir={tmp_path}"]
    result = run("evaluate.py", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "success rate by step since the task changed, mean over 3 episodes" in result.stdout
    assert len([line for line in result.stdout.splitlines() if line.startswith("task ")]) == 3
    assert (tmp_path / "tracking.png").exists()


@pytest.mark.slow
def test_a_second_stage_starts_from_a_first_one_and_can_be_read_back(run, finished, tmp_path):
    run_dir, _ = finished
    result = run("train_meld.py", *SMALL, *SECOND, f"--first_stage={run_dir}", "--run_dir=second", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    result = run("evaluate.py", "--run_dir=second", "--num_tasks=2", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "point-image-sparse-32-v1, iteration 1" in result.stdout


def test_help_explains_every_flag(run, tmp_path):
    result = run("train_meld.py", "--help", cwd=tmp_path)
    assert "uv run examples/" in result.stdout
    assert result.stdout.split("flags:", 1)[1].count("--") >= 5


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--benchmark=point-sparse-v0"], "the observation space must be pictures of uint8"),
        (["--override=model.depth=0"], "depth must be positive, got 0"),
        (["--override=model.dept=2"], "did you mean model.depth"),
        (["--first_stage=nowhere"], "nowhere"),
        (["--override=num_tasks_per_iteration=31"], "at most the 30 train tasks"),
    ],
)
def test_bad_input_gets_one_line_a_code_and_writes_nothing(run, flags, message, tmp_path):
    result = run("train_meld.py", "--run_dir=run", "--preset=tiny", *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--override=model.z2_size=5"], "first_stage must have the same options of the model"),
        (["--override=num_episodes=3"], "first_stage must have trials of the same shape"),
        (["--benchmark=point-image-sparse-v1"], "first_stage must have trials of the same shape"),
    ],
)
def test_a_first_stage_that_does_not_fit_is_refused(run, finished, flags, message, tmp_path):
    run_dir, _ = finished
    arguments = [*SMALL, *SECOND, f"--first_stage={run_dir}", *flags]
    result = run("train_meld.py", "--run_dir=second", *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--num_tasks=11"], "num_tasks must be at most 10 for point-image-dense-32-v1, got 11"),
        (["--num_episodes=3"], "num_episodes must be at most the 2 that this agent was trained on, got 3"),
        (
            ["--num_tasks=2", "--num_changes=2"],
            "num_changes must be below the 2 tasks and the 20 steps of an episode, got 2",
        ),
    ],
)
def test_evaluation_refuses_what_there_is_not(run, finished, flags, message, tmp_path):
    result = run("evaluate.py", f"--run_dir={finished[0]}", *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
