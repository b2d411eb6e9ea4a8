"""A user's own environments, registered in a module, are trained on, evaluated and filmed."""

import pytest
from PIL import Image

MODULE = '''
import gymnasium
import metarl_envs
import numpy as np


class Reach(gymnasium.Env):
    """One step from the origin to a goal on a line; ends early where it is reached."""

    observation_space = gymnasium.spaces.Box(-9, 9, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-2, 2, (1,), np.float32)
    metadata = {"render_modes": ["rgb_array"]}

    def __init__(self, goal, render_mode=None):
        self.goal, self.render_mode, self.place = goal, render_mode, 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 0.0
        return np.array([self.place], np.float32), {}

    def step(self, action):
        self.place = float(np.clip(self.place + action[0], -9, 9))
        distance = abs(self.place - self.goal)
        return np.array([self.place], np.float32), -distance, distance < 0.3, False, {"success": distance < 0.3}

    def render(self):
        return np.full((30, 40, 3), 100 + 10 * self.place, np.uint8) if self.render_mode else None


def make(render_mode):
    goals = list(np.linspace(-4, 4, 9))
    family = metarl_envs.from_gymnasium(lambda goal: Reach(goal, render_mode), goals, horizon=6)
    return metarl_envs.Benchmark(NAME, family, goals[::2], goals[1::2])


NAME = "reach-v0"
metarl_envs.register_benchmark("reach-v0", lambda: make("rgb_array"))
'''
SMALL = [
    "--preset=tiny",
    "--num_iterations=1",
    "--override=sac.hidden_sizes=8",
    "--override=encoder_sizes=8",
    "--override=num_updates=2",
    "--override=num_test_episodes=2",
]
OWN = ["--import=mine", "--benchmark=reach-v0", "--run_dir=run"]


@pytest.fixture(scope="module")
def directory(run, tmp_path_factory):
    directory = tmp_path_factory.mktemp("own")
    (directory / "mine.py").write_text(MODULE)
    result = run("train_pearl.py", *SMALL, *OWN, cwd=directory, alone=True)
    assert result.returncode == 0, result.stderr
    assert "mean over 4 tasks never seen" in result.stdout
    return directory


def test_own_families_are_evaluated(run, directory):
    flags = ["--run_dir=run", "--num_tasks=3", "--output_dir=~/out"]
    result = run("evaluate.py", "--import=mine", *flags, cwd=directory, HOME=str(directory))
    assert result.returncode == 0, result.stderr
    assert "mean over 3 tasks never seen" in result.stdout
    assert "success ever" in result.stdout
    assert (directory / "out" / "adaptation.png").exists()


def test_the_family_of_the_examples_has_choices_and_is_trained_on(run, tmp_path):
    result = run(
        "train_pearl.py", "--import=families.rooms", "--benchmark=rooms-v0", *SMALL, "--run_dir=run", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "mean over 6 tasks never seen" in result.stdout


def test_own_families_are_filmed_by_their_render(run, directory):
    result = run("record_video.py", "--import=mine", "--run_dir=run", "--num_episodes=2", cwd=directory)
    assert result.returncode == 0, result.stderr
    with Image.open(directory / "run" / "adaptation.gif") as film:
        assert film.size == (2 * (240 + 4) - 4, 3 * (180 + 36 + 4) - 4)


@pytest.mark.parametrize(
    ("example", "module", "flags", "message"),
    [
        ("evaluate.py", None, [], "one of your own comes by --import=MODULE"),
        ("evaluate.py", MODULE, ["--num_changes=1"], "num_changes must be 0 for environments whose task cannot change"),
        ("evaluate.py", MODULE.replace("4, 4, 9", "4, 4, 7"), [], "of a benchmark with train_tasks"),
        (
            "record_video.py",
            MODULE.replace('make("rgb_array")', "make(None)"),
            [],
            "reach-v0 cannot be drawn: render()",
        ),
        ("record_video.py", MODULE.replace("def render", "def draw"), [], "reach-v0 cannot be drawn"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run, directory, example, module, flags, message, tmp_path):
    imports = []
    if module is not None:
        (tmp_path / "changed.py").write_text(module)
        imports = ["--import=changed"]
    result = run(example, *imports, f"--run_dir={directory / 'run'}", *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_bug_in_a_module_keeps_its_traceback(run, tmp_path):
    (tmp_path / "mine.py").write_text("import metarl_envs.nowhere")
    result = run("train_pearl.py", "--import=mine", cwd=tmp_path)
    assert result.returncode == 1
    assert "mine.py" in result.stderr.split("Traceback")[1]


def test_a_run_directory_that_cannot_be_written_is_refused_before_anything_is_played(run, directory):
    result = run("evaluate.py", "--import=mine", "--run_dir=run", "--output_dir=/proc/here", cwd=directory)
    assert result.returncode == 2
    assert "output_dir /proc/here/adaptation.png cannot be written" in result.stderr
    assert result.stdout == ""
