"""Whose mistake it is: what a user can change is one line and code 2, and a mistake of ours keeps its traceback."""

import subprocess
import sys

import numpy as np
import pytest
from guidenet import Segmenter
from guidenet.cli import main
from guidenet.data.formats import davis
from guidenet.errors import FILES, UserError, user_errors
from guidenet.evaluation import Guided
from guidenet.training import Experiment, Learner, Training
from PIL import Image
from rlcore.experiment import NonFiniteError, RunError


def broken(*args, **kwargs):
    raise ValueError("operands could not be broadcast together")


@pytest.fixture
def files(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(name)
    (tmp_path / "bad.png").write_bytes(b"no image")
    monkeypatch.setattr("guidenet.cli.flags.pretrained", lambda weights: model)
    return tmp_path


@pytest.fixture
def clips(tmp_path):
    """Three clips of a square; of the first, which is for validation, a frame can be damaged."""
    root = tmp_path / "clips"
    labels = [np.zeros((48, 64), np.int16) for _ in range(3)]
    for frame, found in enumerate(labels):
        found[10:30, 8 + 6 * frame : 30 + 6 * frame] = 1
    frames = [np.repeat(np.uint8(200 * found)[..., None], 3, axis=2) for found in labels]
    for i in range(3):
        davis.write_video(root, f"clip-{i}", frames, labels)
    davis.write_names(root, "train", ["clip-0", "clip-1"])
    davis.write_names(root, "val", ["clip-2"])
    return root


PREDICT = ["predict", "--support", "a.png", "--point", "3,4+", "-o", "out"]
TRAIN = ["train", "--preset", "tiny", "--override", "num_iterations=1", "--run-dir", "run"]
EVALUATE = ["evaluate", "--prototype", "--max-side", "64", "--points", "2", "--kind", "video"]


def test_errors_are_the_users_only_where_his_input_is_read():
    with pytest.raises(UserError, match="no such number") as failure, user_errors():
        raise ValueError("no such number")
    assert isinstance(failure.value.__cause__, ValueError)
    with pytest.raises(UserError, match="first"), user_errors(), user_errors(FILES):
        raise UserError("first")
    with pytest.raises(ZeroDivisionError), user_errors():
        raise ZeroDivisionError
    with pytest.raises(ValueError, match="ours") as failure, user_errors(FILES):
        raise ValueError("ours")
    assert not isinstance(failure.value, UserError)


def test_a_mistake_in_the_segmenter_is_no_skipped_image(files, monkeypatch):
    monkeypatch.setattr(Segmenter, "predict", broken)
    with pytest.raises(ValueError, match="operands") as failure:
        main([*PREDICT, "b.png"])
    assert not isinstance(failure.value, UserError)


@pytest.mark.parametrize("name", ["add_image", "label", "click", "guidance"])
def test_a_mistake_in_the_segmenter_is_no_bad_annotation(files, monkeypatch, name):
    monkeypatch.setattr(Segmenter, name, property(broken) if name == "guidance" else broken)
    mask = np.zeros((40, 50), np.uint8)
    mask[:9] = 255
    Image.fromarray(mask).save("mask.png")
    with pytest.raises(ValueError, match="operands") as failure:
        main([*PREDICT, "--mask", "mask.png", "--save-guidance", "g.npz", "b.png"])
    assert not isinstance(failure.value, UserError)


def test_images_that_cannot_be_read_are_skipped_and_folders_that_cannot_be_written_are_told(files, capsys):
    assert main([*PREDICT, "bad.png", "b.png"]) == 1
    assert "bad.png must be a readable image" in capsys.readouterr().err
    assert main([*PREDICT[:-1], "a.png/out", "b.png"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("owner", "name"), [(Learner, "loss"), (Experiment, "_load"), (Guided, "segment")])
def test_a_mistake_in_training_keeps_its_traceback(files, clips, monkeypatch, owner, name):
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(ValueError, match="operands") as failure:
        main([*TRAIN, "--data", f"davis:{clips}"])
    assert not isinstance(failure.value, UserError)


def test_a_mistake_in_scoring_keeps_its_traceback(files, clips, monkeypatch, capsys):
    command = [*EVALUATE, "--data", f"davis:{clips}"]
    assert main(command) == 0
    assert "P     2: positive IU" in capsys.readouterr().out
    monkeypatch.setattr(Guided, "adapt", broken)
    with pytest.raises(ValueError, match="operands"):
        main(command)


@pytest.mark.parametrize(
    ("command", "damaged"), [(TRAIN, "clip-0"), (TRAIN, "clip-1"), (TRAIN, "clip-2"), (EVALUATE, "clip-2")]
)
def test_a_damaged_file_is_told_in_a_line_whenever_it_is_read(files, clips, capsys, command, damaged):
    (clips / "JPEGImages" / "480p" / damaged / "00001.png").write_bytes(b"no image")
    assert main([*command, "--data", f"davis:{clips}"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("guidenet: ")
    assert f"{damaged}/00001.png must be" in last


@pytest.fixture
def pairs(tmp_path):
    """Ten images with masks of one's own; of the first, the second and the third one are for each role."""
    for number in range(10):
        for part, values in (("images", 200), ("masks", 255)):
            pixels = np.zeros((48, 64), np.uint8)
            pixels[10:30, 5 + number : 30 + number] = values
            (tmp_path / "mine" / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / "mine" / part / f"{number}.png")
    return tmp_path / "mine"


@pytest.mark.parametrize("part", ["images", "masks"])
@pytest.mark.parametrize(("command", "number"), [(TRAIN, 0), (TRAIN, 1), (TRAIN, 2), (EVALUATE, 2)])
def test_a_damaged_file_of_ones_own_is_told_in_a_line(files, pairs, capsys, command, number, part):
    (pairs / part / f"{number}.png").write_bytes(b"no image")
    flags = ["--kind", "interactive", "--tasks", "20"] if command is EVALUATE else ["--num-test-tasks", "20"]
    assert main([*command, "--data", f"folder:{pairs}", *flags]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("guidenet: ")
    assert f"{part}/{number}.png must be" in last


@pytest.mark.parametrize(("error", "code"), [(RunError("the disk is full"), 2), (NonFiniteError("loss is nan"), 3)])
def test_what_a_run_cannot_go_on_with_is_a_line(files, clips, monkeypatch, capsys, error, code):
    def run(self):
        raise error

    monkeypatch.setattr(Training, "run", run)
    assert main([*TRAIN, "--data", f"davis:{clips}"]) == code
    assert capsys.readouterr().err == f"guidenet: {error}\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([*TRAIN, "--fold", "9"], "fold must be one of 0, 1, 2, 3, got 9"),
        ([*TRAIN, "--num-test-tasks", "-1"], "num_test_tasks must be at least 0, got -1"),
        ([*TRAIN, "--data", "davis:CLIPS", "--oracle"], "hold_out must be True with data davis"),
        ([*TRAIN, "--data", "davis:CLIPS", "--override", "batch_size=0"], "batch_size must be at least 1, got 0"),
        (
            [*TRAIN, "--data", "davis:CLIPS", "--override", "kinds=semantic"],
            "kinds must be among video with data davis",
        ),
        ([*TRAIN, "--data", "folder:mine", "--oracle"], "hold_out must be True with data folder"),
        ([*TRAIN, "--data", "folder:none"], "none/images must be a folder of images/NAME.jpg"),
        ([*TRAIN, "--data", "coco:none"], "must be COCO's instance annotations, and there is no such file"),
        ([*EVALUATE, "--data", "fss:none"], "none must be the folder of FSS-1000"),
        ([*TRAIN, "--data", "real:coins"], "data must have something to train on, got real:coins"),
        ([*EVALUATE, "--data", "davis:CLIPS", "--frames", "3"], "--frames must be below 3"),
        ([*EVALUATE[:-1], "semantic", "--frames", "2"], "--frames must be with --kind video, got semantic"),
        ([*EVALUATE, "--data", "davis:CLIPS", "--output", "none/x.json"], "--output must be a file in a folder"),
        ([*EVALUATE, "--tasks", "0"], "--tasks must be at least 1, got 0"),
        ([*EVALUATE, "--max-side", "0"], "--max-side must be at least 1, got 0"),
        ([*EVALUATE, "--part", "network"], "--part must be with --fine-tune"),
        ([*EVALUATE, "--learning-rate", "0.1"], "--learning-rate must be with --fine-tune, got 0.1 without"),
        ([*EVALUATE, "--fine-tune", "-2"], "--fine-tune must be at least 0, got -2"),
        ([*EVALUATE, "--fine-tune", "2"], "fusion must be none in a network to fine-tune, got 'late'"),
        ([*EVALUATE, "--data", "real:moon"], "data real must be one of coins, nuclei, quokka, got 'moon'"),
        ([*EVALUATE, "--data", "real:coins"], "--kind must be among interactive with --data real:coins, got video"),
        (
            ["evaluate", "--prototype", "--data", "real:coins", "--kind", "interactive", "--role", "validation"],
            "--role must be among test with --data real:coins, got validation",
        ),
        (["serve", "--port", "99999"], "--port must be from 0 to 65535, got 99999"),
        (["serve", "--port", "0", "--guidance", "bad.png"], "bad.png"),
    ],
)
def test_what_was_asked_wrongly_is_told_in_a_line_and_leaves_nothing(files, clips, capsys, command, message):
    before = set(files.iterdir())
    assert main([part.replace("CLIPS", str(clips)) for part in command]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert set(files.iterdir()) - before <= {files / "cache"}


def test_a_mistake_in_the_server_keeps_its_traceback(files, monkeypatch):
    monkeypatch.setattr("guidenet.serve.server.run", broken)
    with pytest.raises(ValueError, match="operands"):
        main(["serve", "--port", "0"])


def test_a_traceback_has_another_exit_code_than_a_refusal(files):
    code = """
import sys
from guidenet.cli import main, predict
class Segmenter:
    classes = ()
    def add_image(self, image, name):
        raise ValueError("ours")
predict.load_network = lambda arguments: (None, None)
predict.make_segmenter = lambda *_: Segmenter()
sys.exit(main(sys.argv[1:]))
"""
    command = [sys.executable, "-c", code, *PREDICT, "b.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert main([*PREDICT, "--guidance", "bad.png", "b.png"]) == 2


def test_a_reader_who_has_gone_is_no_error(files):
    code = "import sys; from guidenet.cli import main, predict; predict.run = print; sys.exit(main(sys.argv[1:]))"
    code = code.replace("predict.run = print", "predict.run = lambda arguments: print('x' * 100_000) or 0")
    command = [sys.executable, "-c", code, *PREDICT, "b.png"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 1
