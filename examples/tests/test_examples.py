"""Every example runs with tiny flags, explains itself, and says in a line what is wrong with what it was given."""

import ast
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

SMALL = [
    "--preset=tiny",
    "--num_iterations=2",
    "--override=sac.hidden_sizes=8",
    "--override=encoder_sizes=8",
    "--override=num_updates=5",
    "--override=num_test_episodes=2",
]


@pytest.fixture(scope="module")
def finished(run, tmp_path_factory):
    """A run directory of two iterations, and what training printed."""
    directory = tmp_path_factory.mktemp("finished")
    result = run("train_pearl.py", *SMALL, "--run_dir=run", cwd=directory, alone=True)
    assert result.returncode == 0, result.stderr
    return directory / "run", result


def test_training_ends_with_the_table_and_the_pictures(finished):
    run_dir, result = finished
    assert "return by episode of a trial, mean over 20 tasks never seen" in result.stdout
    assert "iteration 2/2" in result.stderr
    for picture in ("adaptation.png", "trajectories.png"):
        assert (run_dir / picture).read_bytes().startswith(b"\x89PNG")
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == [1, 2]


def test_same_command_again_has_nothing_left_to_train_and_reports_the_same(run, finished):
    run_dir, result = finished
    again = run("train_pearl.py", *SMALL, "--run_dir=run", cwd=run_dir.parent)
    assert again.returncode == 0
    assert again.stdout == result.stdout


def test_evaluation_of_a_checkpoint(run, finished, tmp_path):
    run_dir, _ = finished
    flags = [f"--run_dir={run_dir}", "--num_tasks=3", "--num_episodes=4", f"--output_dir={tmp_path}"]
    result = run("evaluate.py", *flags, "--override=num_test_prior_episodes=2", cwd=tmp_path, alone=True)
    assert result.returncode == 0, result.stderr
    assert "iteration 2" in result.stdout
    assert "mean over 3 tasks" in result.stdout
    assert (tmp_path / "trajectories.png").exists()


@pytest.mark.slow
def test_training_from_pictures_ends_with_returns_successes_and_pictures(run, tmp_path):
    options = ["image_channels=2,2", "num_image_features=4", "sac.hidden_sizes=8", "num_test_episodes=2"]
    flags = ["--benchmark=point-image-dense-32-v1", "--preset=tiny", "--num_iterations=1", "--run_dir=run"]
    result = run("train_pearl.py", *flags, *(f"--override={option}" for option in options), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "return by episode of a trial, mean over 10 tasks never seen" in result.stdout
    assert "success at end" in result.stdout
    for picture in ("adaptation.png", "trajectories.png"):
        assert (tmp_path / "run" / picture).read_bytes().startswith(b"\x89PNG")
    row = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert {"env_steps", "test/return_1", "test/success_2", "test/found_2"} <= row.keys()
    flags = ["--run_dir=run", "--num_tasks=3", "--num_trials=2"]
    result = run("evaluate.py", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "mean over 3 tasks never seen, 2 trials each" in result.stdout
    assert "success ever" in result.stdout


def test_evaluation_of_a_run_of_the_first_version(run, finished, tmp_path):
    """That wrote the options under the algorithm's name, and of the benchmark no more than its name."""
    shutil.copytree(finished[0], tmp_path / "run")
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    config = {name: value for name, value in saved["config"].items() if "image" not in name}
    old = {"benchmark": saved["benchmark"]["name"], "seed": 0, "pearl": config}
    (tmp_path / "run" / "config.json").write_text(json.dumps(old))
    result = run("evaluate.py", "--run_dir=run", "--num_tasks=3", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "point-sparse-wide-v0, iteration 2" in result.stdout


def test_plot_of_learning_curves_of_a_run_at_home_whatever_its_name(run, finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "lr[0.1]")
    flags = ["--runs=PEARL=~/lr[0.1]", "--hline=best=16", "--point=log=9e4,3", "--log_x", "--output=~/new/curve.png"]
    result = run("plot.py", *flags, cwd=tmp_path, alone=True, HOME=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "new" / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--point=log=3", "point must look like LABEL=X,Y, got 'log=3'"),
        ("--hline=log=nan", "hline must look like LABEL=NUMBER, got 'log=nan'"),
        ("--y=test/retrun", "no rows with both env_steps and test/retrun, did you mean test/return"),
    ],
)
def test_plot_explains_what_it_cannot_draw(run, finished, tmp_path, flag, message):
    result = run("plot.py", f"--runs=PEARL={finished[0]}", flag, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr


def test_bootstrap_interval_holds_the_mean_and_shrinks_to_it_for_equal_seeds():
    from support import curves

    y = np.array([[1.0, 5.0], [2.0, 5.0], [6.0, 5.0]])
    low, high = curves.bootstrap_interval(y, 0.9)
    assert 1 <= low[0] < 3 < high[0] <= 6
    assert low[1] == high[1] == 5


@pytest.mark.parametrize("example", ["train_pearl.py", "train_baseline.py", "evaluate.py", "plot.py"])
def test_help_explains_every_flag(run, example, tmp_path):
    result = run(example, "--help", cwd=tmp_path)
    assert "uv run examples/" in result.stdout
    own = result.stdout.split("flags:", 1)[1]
    assert own.count("--") >= 5


PROGRAMS = sorted(path.name for path in Path(__file__).resolve().parents[1].glob("*.py"))


@pytest.mark.parametrize("example", PROGRAMS)
def test_ctrl_c_ends_a_program_at_once_also_while_it_imports(example):
    """JAX loses a KeyboardInterrupt that comes while it is imported."""
    tree = ast.parse((Path(__file__).resolve().parents[1] / example).read_text())
    _, imports, guard, *_ = tree.body
    assert ast.unparse(imports) == "import signal"
    assert ast.unparse(guard).splitlines()[1].strip() == "signal.signal(signal.SIGINT, signal.SIG_DFL)"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--benchmark=point-sprse-v0"], "point-sprse-v0"),
        (["--preset=huge"], "huge"),
        (["--override=batch_size=-3"], "batch_size must be positive, got -3"),
        (["--override=sac.tau=1.5"], "tau must be in (0, 1], got 1.5"),
        (["--override=sac.discount=1.5"], "discount must be in [0, 1], got 1.5"),
        (["--override=bach_size=3"], "did you mean batch_size"),
        (["--override=batch_size"], "name=value"),
        (["--num_iterations=0"], "num_iterations"),
        (["--run_dir=occupied"], "is a file"),
        (["--run_dir=/proc/here/run"], "cannot be created or written"),
        (["nonsense"], "unexpected argument 'nonsense'"),
        (["--import=nowhere.at_all"], "import must name a module, such as mine for ./mine.py, got 'nowhere.at_all'"),
        (["--import=mine.py"], "import must name a module, such as mine for ./mine.py, got 'mine.py'"),
    ],
)
def test_bad_input_gets_one_line_a_code_and_writes_nothing(run, flags, message, tmp_path):
    (tmp_path / "occupied").write_text("")
    result = run("train_pearl.py", "--run_dir=run", *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["occupied"]


def test_resuming_with_another_config_shows_the_difference(run, finished):
    run_dir, _ = finished
    before = (run_dir / "metrics.jsonl").read_bytes()
    result = run("train_pearl.py", *SMALL, "--run_dir=run", "--override=kl_coef=0.5", cwd=run_dir.parent)
    assert result.returncode != 0
    assert "config.kl_coef: 0.001 (run) != 0.5 (now)" in result.stderr
    assert "Traceback" not in result.stderr
    assert (run_dir / "metrics.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("example", "flags", "message"),
    [
        ("evaluate.py", ["--run_dir=nowhere"], "nowhere is not a run directory"),
        ("plot.py", ["--runs=PEARL=nowhere*"], "nothing matches 'nowhere*'"),
        ("evaluate.py", ["--run_dir=nowhere", f"--seed={2**32}"], "seed must be a whole number in [0, 2^32)"),
        ("plot.py", ["--runs=nowhere"], "runs must look like LABEL=VALUE, got 'nowhere'"),
        ("plot.py", ["--runs=PEARL=x", "--output=curve.xyz"], "output must end in "),
        (
            "plot.py",
            ["--runs=PEARL=x", "--output=/proc/here/curve.png"],
            "output /proc/here/curve.png cannot be written",
        ),
    ],
)
def test_evaluation_and_plots_say_what_is_missing(run, example, flags, message, tmp_path):
    result = run(example, *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
