"""What PEARL and MELD are compared with is trained, evaluated and filmed as they are."""

import json

import pytest
from PIL import Image

SMALL = [
    "--preset=tiny",
    "--num_iterations=2",
    "--override=memory_size=4",
    "--override=embedding_size=4",
    "--override=num_tasks_per_iteration=4",
    "--override=num_test_episodes=2",
]
OWN = {
    "rl2": ["--override=hidden_sizes=4"],
    "recurrent-sac": ["--override=sac.hidden_sizes=4", "--override=num_updates=2"],
    "varibad": ["--override=sac.hidden_sizes=4", "--override=num_updates=2"],
}


@pytest.fixture(scope="module", params=OWN)
def finished(request, run, tmp_path_factory):
    """A run directory of two iterations, under its default name, what training printed, and its flags."""
    directory, flags = (
        tmp_path_factory.mktemp("finished"),
        [f"--algorithm={request.param}", *SMALL, *OWN[request.param]],
    )
    result = run("train_baseline.py", *flags, "--track=tensorboard", cwd=directory)
    assert result.returncode == 0, result.stderr
    return directory / "runs" / f"{request.param}-point-sparse-wide-v0-tiny-0", result, flags


def test_training_ends_with_the_table_and_the_pictures_and_the_same_again_has_nothing_left(run, finished):
    run_dir, result, flags = finished
    assert "return by episode of a trial, mean over 20 tasks never seen" in result.stdout
    assert "iteration 2/2" in result.stderr
    for picture in ("adaptation.png", "trajectories.png"):
        assert (run_dir / picture).read_bytes().startswith(b"\x89PNG")
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == [1, 2]
    assert list((run_dir / "tensorboard").glob("events.*"))
    again = run("train_baseline.py", *flags, cwd=run_dir.parents[1])
    assert (again.returncode, again.stdout) == (0, result.stdout)


def test_evaluation_and_film_of_a_checkpoint(run, finished, tmp_path):
    flags = [f"--run_dir={finished[0]}", "--num_tasks=3", "--num_episodes=4", f"--output_dir={tmp_path}"]
    result = run("evaluate.py", *flags, "--override=deterministic_test=false", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "mean over 3 tasks" in result.stdout
    flags = [f"--run_dir={finished[0]}", "--num_tasks=1", "--num_episodes=2", "--every=10"]
    result = run("record_video.py", *flags, f"--output={tmp_path}/film.gif", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "film.gif").read_bytes().startswith(b"GIF8")


def read_row(result, name):
    """The numbers of a table's row."""
    return next(line for line in result.stdout.splitlines() if line.startswith(name)).removeprefix(name).split()


@pytest.mark.parametrize("algorithm", ["promp", pytest.param("maesn", marks=pytest.mark.slow)])
def test_results_of_gradient_steps_tell_how_many_episodes_were_adapted_to(run, algorithm, tmp_path):
    flags = ["--preset=tiny", "--num_iterations=1", "--override=hidden_sizes=4", f"--run_dir={tmp_path}/run"]
    result = run("train_baseline.py", f"--algorithm={algorithm}", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert read_row(result, "adapted to") == ["0", "0", "2"]
    flags = [f"--run_dir={tmp_path}/run", "--tasks=train", "--num_tasks=1", "--num_episodes=6"]
    result = run("evaluate.py", *flags, "--override=adaptation.num_test_steps=2", cwd=tmp_path)
    assert "mean over 1 tasks trained on" in result.stdout
    assert (tmp_path / "run" / "train_tasks" / "adaptation.png").exists()  # those of the tests stay as they are
    assert read_row(result, "adapted to") == ["0", "0", "2", "2", "4"]  # episodes 1, 2, 3, 4 and 6
    film = [f"--run_dir={tmp_path}/run", "--num_tasks=1", "--every=10", f"--output={tmp_path}/film.gif"]
    result = run("record_video.py", *film, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    with Image.open(tmp_path / "film.gif") as gif:
        assert 2 * 240 <= gif.width < 3 * 240  # the first episode, and the first one after the step


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--algorithm=maml"], "maml"),
        (["--benchmark=point-sprse-v0"], "point-sprse-v0"),
        (["--benchmark=catcher-v0"], "the action space must be a vector of floats"),
        (["--preset=thesis"], "thesis"),
        (["--algorithm=varibad", "--override=rl_gradient=2"], "rl_gradient must be true or false, got '2'"),
        (["--algorithm=recurrent-sac", "--benchmark=point-image-dense-32-v1"], "must be a vector of floats"),
        (["--override=memory_size=-3"], "memory_size must be positive, got -3"),
        (["--override=ppo.clip=0"], "clip must be positive, got 0"),
        (["--override=clip=0.1"], "did you mean ppo.clip"),
        (["--override=credit=step"], "credit must be one of trial, episode"),
        (["--override=num_tasks_per_iteration=101"], "num_tasks_per_iteration must be at most the 100 train tasks"),
        (["--run_dir=occupied"], "is a file"),
        (["nonsense"], "unexpected argument 'nonsense'"),
    ],
)
def test_bad_input_gets_one_line_a_code_and_writes_nothing(run, flags, message, tmp_path):
    (tmp_path / "occupied").write_text("")
    result = run("train_baseline.py", "--run_dir=run", *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["occupied"]


def test_a_run_of_another_algorithm_is_refused(run, finished):
    result = run("train_pearl.py", "--preset=tiny", f"--run_dir={finished[0]}", cwd=finished[0])
    assert result.returncode == 2
    name = finished[2][0].removeprefix("--algorithm=")
    assert f'algorithm: "{name}" (run) != "pearl" (now)' in result.stderr
