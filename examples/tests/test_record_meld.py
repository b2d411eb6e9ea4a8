"""A film of MELD has the frames that were asked for, shows what was seen, and errors are one line."""

import json

import meld_jax
import numpy as np
import pytest
from meld_jax.frames import make_trials
from metarl_envs import benchmark, get_task
from PIL import Image
from rlcore.meta import Visit
from rlcore.rollout import Trajectory
from rlcore.types import Transition
from support import film_belief, films

SMALL = [
    "--benchmark=point-image-dense-32-v1",
    "--preset=tiny",
    "--num_iterations=1",
    "--override=model.depth=2",
    "--override=model.hidden_sizes=8",
    "--override=sac.hidden_sizes=8",
    "--override=num_joint_updates=2",
    "--override=num_initial_updates=2",
]
PICTURE, CAPTION, PLOT, GAP = 192, 18, 116, 4
WIDTH = 2 * PICTURE + GAP
ROW = 2 * CAPTION + PICTURE + GAP + PLOT


@pytest.fixture(scope="module")
def meld_run(run, tmp_path_factory):
    directory = tmp_path_factory.mktemp("meld")
    result = run("train_meld.py", *SMALL, "--run_dir=run", cwd=directory, alone=True)
    assert result.returncode == 0, result.stderr
    return directory / "run"


def test_film_of_pictures_and_rewards(run, meld_run):
    result = run("record_video.py", f"--run_dir={meld_run}", "--fps=20", cwd=meld_run)
    assert result.returncode == 0, result.stderr
    with Image.open(meld_run / "adaptation.gif") as film, Image.open(meld_run / "adaptation_sheet.png") as sheet:
        assert film.n_frames == 2 * 21  # steps and the start, of two episodes
        assert film.size == (WIDTH, 3 * (ROW + GAP) - GAP)
        assert sheet.size == (4 * (film.width + GAP) - GAP, film.height)
    lines = result.stdout.splitlines()
    assert "iteration 1: returns of episodes 1 to 2" in lines[0]
    assert [line.split("m ")[0][:6] for line in lines[1:4]] == ["goal ("] * 3


@pytest.mark.slow
def test_number_of_tasks_and_episodes_frames_and_files(run, meld_run, tmp_path):
    flags = ["--num_tasks=2", "--num_episodes=1", "--every=8", "--seed=3", "--override=deterministic_test=false"]
    files = ["--output=films/film.webp", "--sheet=sheet.png"]
    result = run("record_video.py", f"--run_dir={meld_run}", *flags, *files, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    with Image.open(tmp_path / "films" / "film.webp") as film, Image.open(tmp_path / "sheet.png") as sheet:
        assert film.format == "WEBP"
        assert film.n_frames == 4  # steps 0, 8, 16 and the last, 20
        assert film.size == (WIDTH, 2 * (ROW + GAP) - GAP)
        assert sheet.size == (2 * (film.width + GAP) - GAP, 2 * (film.height + GAP) - GAP)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--num_tasks=11"], "num_tasks must be at most 10 for point-image-dense-32-v1, got 11"),
        (["--num_episodes=3"], "num_episodes must be at most the 2 that this agent was trained on, got 3"),
        (["--override=num_test_prior_episodes=5"], "got 'num_test_prior_episodes=5'"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(run, meld_run, flags, message, tmp_path):
    result = run("record_video.py", f"--run_dir={meld_run}", *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_run_of_something_else_gets_one_line(run, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"game": "catcher-v0", "seed": 0}))
    result = run("record_video.py", "--run_dir=.", cwd=tmp_path)
    assert result.returncode == 2
    assert "run_dir must be a run of train_pearl.py, train_meld.py or train_baseline.py, got ." in result.stderr
    assert "Traceback" not in result.stderr


def _make_footage(lengths, shape=(8, 8, 3)):
    """A trial whose frame `t` of episode `k` has the colour `10 k + t`, with a reward of 1 a step; `T` is 3."""
    colours = np.concatenate([10 * k + np.arange(length + 1) for k, length in enumerate(lengths)])
    first = np.concatenate([np.arange(length + 1) == 0 for length in lengths])
    pictures = np.broadcast_to(colours[:, None, None, None], (len(colours), *shape)).astype(np.uint8)
    arrivals = np.flatnonzero(~first)
    ones = np.ones((len(arrivals), 1), np.float32)
    actions = np.zeros((len(arrivals), 1, 2), np.float32)
    transition = Transition(pictures[arrivals - 1][:, None], actions, ones, ones, pictures[arrivals][:, None])
    visit = Visit(Trajectory(transition, ones == 0, {}), (first.cumsum()[arrivals] - 1)[:, None].astype(np.int32))
    trials = make_trials(meld_jax.MeldConfig(), visit, len(colours) + 2)  # two of room
    of_reward = np.linspace(0, 1, len(colours) + 2, dtype=np.float32)[None]
    image = np.pad(pictures, [(0, 2), (0, 0), (0, 0), (0, 0)])[None] / np.float32(255)
    diagnosis = meld_jax.Diagnosis(of_reward, np.full_like(of_reward, 0.25), np.ones_like(of_reward), image)
    return film_belief.develop(trials, diagnosis, len(lengths), horizon=3)


def test_the_frame_of_an_episode_that_has_ended_stays():
    footage = _make_footage([3, 1])
    np.testing.assert_array_equal(footage.images[0, :, 0, 0, 0], [0, 1, 2, 3, 10, 11, 11, 11])
    np.testing.assert_array_equal(footage.reconstructions, footage.images)
    np.testing.assert_array_equal(footage.steps[0], [0, 1, 2, 3, 0, 1, 1, 1])
    np.testing.assert_array_equal(footage.returns[0], [0, 1, 2, 3, 0, 1, 1, 1])
    np.testing.assert_array_equal(footage.reward[0], [np.nan, 1, 1, 1, np.nan, 1, np.nan, np.nan])
    np.testing.assert_allclose(footage.expected[0, 1:4], np.arange(1, 4) / 7, rtol=1e-6)
    np.testing.assert_allclose(footage.expected[0, 5], 5 / 7, rtol=1e-6)
    np.testing.assert_array_equal(footage.spread[0, 1:4], [0.5] * 3)


def test_curves_grow_with_time():
    footage = _make_footage([3, 3])
    plot = film_belief.RewardPlot(footage, 0, num_episodes=2, name="reward", width=WIDTH)
    blues = [np.asarray(plot.at(frame)).astype(int) for frame in range(8)]
    amounts = [int((picture[..., 2] - picture[..., 0] > 40).sum()) for picture in blues]
    assert blues[0].shape == (PLOT, WIDTH, 3)
    assert 0 < amounts[0] < amounts[1] < amounts[2] < amounts[3]  # the legend's is there from the start
    assert amounts[4] < amounts[5] < amounts[6] < amounts[7]


def test_pictures_of_two_cameras_are_side_by_side():
    assert film_belief.describe_observation(benchmark("sawyer-reacher-v0")) == "observation: scene, wrist camera"
    footage = _make_footage([2], shape=(64, 128, 3))
    (frame,) = film_belief.draw_film(footage, ["one"], [2], num_episodes=1, reward_name="reward", seen="both")
    assert frame.size == (2 * 2 * PICTURE + GAP, ROW)
    assert frame.getpixel((300, 100)) == frame.getpixel((700, 100)) == (2, 2, 2)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("point-image-dense-v1", "goal ("),
        ("half-cheetah-vel-image-v0", "target "),
        ("sawyer-reacher-v0", "goal ("),
        ("sawyer-multi-peg-v0", "box at ("),
        ("sawyer-shelf-v0", "mug of "),
        ("sawyer-button-dense-v0", "button "),
        ("widowx-ethernet-dense-v0", "port "),
        ("catcher-v0", "task 0"),
    ],
)
def test_tasks_have_names(name, words):
    assert films.describe(get_task(benchmark(name).test_tasks, 0), 0).startswith(words)
