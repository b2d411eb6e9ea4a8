"""A film has the tasks and the episodes that were asked for, and errors are one line."""

import pytest
from metarl_envs import benchmark, get_task
from PIL import Image

SMALL = [
    "--preset=tiny",
    "--num_iterations=1",
    "--override=sac.hidden_sizes=8",
    "--override=encoder_sizes=8",
    "--override=num_updates=5",
    "--override=num_test_episodes=1",
    "--override=num_tasks_per_iteration=2",
    "--override=num_prior_episodes=1",
    "--override=num_posterior_episodes=0",
    "--override=num_initial_episodes=1",
]
TILE_WIDTH, GAP = 240, 4


def _train(run, name, directory):
    result = run("train_pearl.py", *SMALL, f"--benchmark={name}", f"--run_dir={name}", cwd=directory)
    assert result.returncode == 0, result.stderr
    return directory / name


@pytest.fixture(scope="module")
def point_run(run, tmp_path_factory):
    return _train(run, "point-sparse-wide-v0", tmp_path_factory.mktemp("point"))


@pytest.fixture(scope="module")
def cheetah_run(run, tmp_path_factory):
    pytest.importorskip("mujoco")
    return _train(run, "half-cheetah-vel-v0", tmp_path_factory.mktemp("cheetah"))


def _has_opengl():
    env = benchmark("half-cheetah-vel-v0").family.make_env(
        get_task(benchmark("half-cheetah-vel-v0").test_tasks, 0), "rgb_array"
    )
    env.reset(seed=0)
    try:
        env.render()
    except RuntimeError:
        return False
    finally:
        env.close()
    return True


def _duration(film):
    total = 0
    for index in range(film.n_frames):
        film.seek(index)
        film.load()
        total += film.info["duration"]
    return total


def test_film_of_points(run, point_run):
    result = run("record_video.py", f"--run_dir={point_run}", "--fps=20", cwd=point_run, alone=True)
    assert result.returncode == 0, result.stderr
    with Image.open(point_run / "adaptation.gif") as film, Image.open(point_run / "adaptation_sheet.png") as sheet:
        assert film.format == "GIF"
        assert film.width == 3 * (TILE_WIDTH + GAP) - GAP  # episodes
        assert 15 <= film.n_frames <= 21  # a horizon of 20, the start; frames that are all the same are one
        assert _duration(film) == 20 * 50 + 1500
        assert sheet.size == (2 * film.width + GAP, 2 * film.height + GAP)
    lines = result.stdout.splitlines()
    assert "iteration 1: returns of episodes 1 to 3" in lines[0]
    assert [line.split("m ")[0][:6] for line in lines[1:4]] == ["goal ("] * 3


def test_number_of_tasks_and_episodes_frames_and_files(run, point_run, tmp_path):
    flags = ["--num_tasks=20", "--num_episodes=1", "--every=8", "--output=films/film.webp", "--sheet=sheet.png"]
    result = run("record_video.py", f"--run_dir={point_run}", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    with Image.open(tmp_path / "films" / "film.webp") as film:
        assert film.format == "WEBP"
        assert film.n_frames == 4  # steps 0, 8, 16 and the last, 20
        assert film.width == TILE_WIDTH
        assert (film.height + GAP) % 20 == 0
    assert (tmp_path / "sheet.png").exists()
    tasks = [line.split("m ")[0] for line in result.stdout.splitlines()[1:-1]]
    assert len(tasks) == 20


def test_film_of_a_robot(run, cheetah_run):
    if not _has_opengl():
        pytest.skip("there is no OpenGL")
    flags = ["--num_tasks=2", "--num_episodes=2", "--every=50"]
    result = run("record_video.py", f"--run_dir={cheetah_run}", *flags, cwd=cheetah_run)
    assert result.returncode == 0, result.stderr
    with Image.open(cheetah_run / "adaptation.gif") as film:
        assert film.n_frames == 5
        assert film.size == (2 * (240 + GAP) - GAP, 2 * (180 + 36 + GAP) - GAP)
        robot = film.convert("RGB").crop((0, 36, 240, 216))
        assert len(robot.getcolors(240 * 180)) > 20
    assert all(line.startswith("target ") for line in result.stdout.splitlines()[1:3])


def test_without_opengl_the_error_is_a_line(run, cheetah_run):
    result = run("record_video.py", f"--run_dir={cheetah_run}", "--output=x.gif", cwd=cheetah_run, MUJOCO_GL="none")
    assert result.returncode == 2
    assert "half-cheetah-vel-v0 cannot be drawn: " in result.stderr
    assert "OpenGL" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (cheetah_run / "x.gif").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=nowhere"], "nowhere is not a run directory"),
        (["--num_tasks=21"], "num_tasks must be at most 20 for point-sparse-wide-v0, got 21"),
        (["--output=film.mp4"], "output must end in .gif or .webp, got film.mp4"),
        (["--sheet=sheet.gif"], "sheet must end in .png, got sheet.gif"),
        (["--output=/proc/here/film.gif"], "cannot be written"),
        (["--override=num_test_prior_episodes=-1"], "num_test_prior_episodes must be at least 0, got -1"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(run, point_run, flags, message, tmp_path):
    result = run("record_video.py", f"--run_dir={point_run}", *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_explains_every_flag(run, tmp_path):
    result = run("record_video.py", "--help", cwd=tmp_path)
    assert "uv run examples/record_video.py" in result.stdout
    assert result.stdout.split("flags:", 1)[1].count("--") >= 9
