"""The command: masks out of files, broken images named and skipped, and an exit code that says so."""

import runpy
import subprocess
import sys

import numpy as np
import pytest
from guidenet import PRESETS, Guidance, GuidedNetwork, Segmenter, preset
from guidenet.cli import main, predict
from guidenet.cli.progress import report, track
from PIL import Image

RED, GREEN, BLUE = (220, 30, 30), (40, 160, 60), (30, 40, 220)


def draw(path, boxes):
    """Coloured boxes `(colour, y, x)` of 40 px on green."""
    image = np.full((100, 120, 3), GREEN, np.uint8)
    for colour, y, x in boxes:
        image[y : y + 40, x : x + 40] = colour
    Image.fromarray(image).save(path)
    return path


@pytest.fixture(scope="module")
def model():
    import jax

    network = GuidedNetwork(preset("tiny"))
    return network, network.init(jax.random.key(0))


@pytest.fixture(autouse=True)
def _small_network(monkeypatch, model):
    monkeypatch.setattr("guidenet.cli.flags.pretrained", lambda weights: model)


@pytest.fixture
def files(tmp_path):
    draw(tmp_path / "a.png", [(RED, 10, 10), (BLUE, 55, 70)])
    mask = np.zeros((100, 120), np.uint8)
    mask[10:50, 10:50] = 255
    Image.fromarray(mask).save(tmp_path / "a_mask.png")
    draw(tmp_path / "one.png", [(RED, 50, 60)])
    draw(tmp_path / "two.png", [(BLUE, 5, 5), (RED, 5, 70)])
    return tmp_path


def run(*arguments):
    return main(["predict", *map(str, arguments)])


@pytest.mark.wheel
def test_masks_of_all_images_are_written(files, capsys):
    code = run(
        "--support",
        files / "a.png",
        "--mask",
        files / "a_mask.png",
        files / "one.png",
        files / "two.png",
        "-o",
        files / "out",
    )
    assert code == 0
    assert sorted(path.name for path in (files / "out").iterdir()) == ["one.png", "two.png"]
    mask = np.asarray(Image.open(files / "out" / "one.png"))
    assert mask.shape == (100, 120)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[55:85, 65:95].mean() > 200
    assert mask[:40].mean() < 30
    assert "2/2 images" in capsys.readouterr().err


def test_broken_images_are_named_and_skipped_and_the_rest_is_done(files, capsys):
    (files / "bad.png").write_bytes(b"no image")
    images = files / "bad.png", files / "none.png", files / "one.png"
    code = run("--support", files / "a.png", "--mask", files / "a_mask.png", *images, "-o", files / "out")
    assert code == 1
    assert [path.name for path in (files / "out").iterdir()] == ["one.png"]
    errors = capsys.readouterr().err
    assert "bad.png must be a readable image" in errors
    assert "none.png" in errors
    assert "2 of 3 images could not be segmented" in errors


def test_points_and_several_classes_give_a_palette_image(files):
    points = ["red:30,30+", "blue:75,90+", "red:5,100-", "blue:5,100-"]
    flags = [flag for point in points for flag in ("--point", point)]
    assert run("--support", files / "a.png", *flags, files / "two.png", "-o", files / "out") == 0
    labels = Image.open(files / "out" / "two.png")
    assert labels.mode == "P"
    assert labels.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
    assert (files / "out" / "classes.txt").read_text() == "red\nblue\n"
    labels = np.asarray(labels)
    assert np.bincount(labels[10:40, 75:105].ravel()).argmax() == 1
    assert np.bincount(labels[10:40, 10:40].ravel()).argmax() == 2


def test_masks_of_indices_have_named_classes(files):
    labels = np.zeros((100, 120), np.uint8)
    labels[10:50, 10:50], labels[55:95, 70:110], labels[:5] = 1, 2, 255
    mask = Image.fromarray(labels)
    mask.putpalette(list(range(256)) * 3)
    mask.save(files / "labels.png")
    saved = files / "g.npz"
    support = [
        "--support",
        files / "a.png",
        "--mask",
        files / "labels.png",
        "-o",
        files / "out",
        "--save-guidance",
        saved,
    ]
    assert run(*support, "--classes", "red,blue") == 0
    guidance = Guidance.load(saved)
    assert guidance.classes == ("blue", "red")
    np.testing.assert_array_equal(guidance.weight, np.ones((2, 2)))
    assert run(*support) == 0
    assert Guidance.load(saved).classes == ("class-2", "object")


def test_saved_guidance_does_without_its_images(files, model):
    saved, out = files / "g.npz", files / "out"
    support = ["--support", files / "a.png", "--mask", files / "a_mask.png", "--save-guidance", saved]
    assert run(*support, files / "one.png", "-o", out) == 0
    first = np.asarray(Image.open(out / "one.png"))
    assert run("--guidance", saved, files / "one.png", "-o", files / "again") == 0
    np.testing.assert_array_equal(np.asarray(Image.open(files / "again" / "one.png")), first)
    segmenter = Segmenter(*model)
    segmenter.add_guidance(Guidance.load(saved))
    np.testing.assert_array_equal(segmenter.predict(np.asarray(Image.open(files / "one.png"))).labels * 255, first)


def test_max_side_bounds_what_is_seen(files, monkeypatch):
    seen = []
    monkeypatch.setattr(
        predict, "Segmenter", lambda *model, max_side: seen.append(max_side) or Segmenter(*model, max_side=max_side)
    )
    flags = ["--support", files / "a.png", "--point", "30,30+", files / "one.png", "-o", files / "out"]
    assert run(*flags, "--max-side", 64) == 0
    assert run(*flags) == 0
    assert seen == [64, 512]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["one.png"], "--support or --guidance must say what to look for"),
        (["--support", "a.png", "one.png"], "--support must have a --mask with something in it or a --point"),
        (["--support", "none.png", "--point", "1,1+", "one.png"], "none.png"),
        (["--support", "a.png", "--mask", "one_mask.png", "one.png"], "one_mask.png"),
        (["--support", "a.png", "--point", "500,1+", "one.png"], "y, x must lie in the 100 x 120 px"),
        (["--support", "a.png", "--point", "1,1+", "one.png", "sub/one.png"], "images must have different names"),
        (["--guidance", "a.png", "one.png"], "a.png must be an npz of guidance"),
        (["--support", "a.png", "--point", "1,1+", "one.png", "--max-side", "0"], "max_side must be at least 1"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(files, monkeypatch, capsys, flags, message):
    monkeypatch.chdir(files)
    assert run(*flags, "-o", "out") == 2
    assert message in capsys.readouterr().err
    assert not (files / "out").exists()


def test_images_are_never_replaced_by_their_masks(files, capsys):
    before = (files / "one.png").read_bytes()
    assert run("--support", files / "a.png", "--point", "30,30+", files / "one.png", "-o", files) == 2
    assert "--output must not be the folder of an image" in capsys.readouterr().err
    assert (files / "one.png").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--point", "1,1+"], "--point must come after the --support that it belongs to"),
        (["--support", "a.png", "--point", "1,1"], "must look like 120,80+"),
    ],
)
def test_flags_that_make_no_sense_are_explained(files, capsys, flags, message):
    with pytest.raises(SystemExit, match="2"):
        run(*flags, files / "one.png", "-o", files / "out")
    assert message in capsys.readouterr().err


@pytest.mark.wheel
def test_help_is_given_as_a_module(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["guidenet", "predict", "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("guidenet", run_name="__main__")
    printed = capsys.readouterr().out
    assert "--save-guidance" in printed
    assert "examples:" in printed


class Stream:
    def __init__(self, live):
        self.live, self.text = live, ""

    def isatty(self):
        return self.live

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@pytest.mark.parametrize(("live", "lines"), [(False, 3), (True, 25)])
def test_progress_is_a_live_line_on_a_terminal_and_now_and_then_a_line_elsewhere(live, lines):
    stream, now = Stream(live), [0.0]

    def clock():
        return now[0]

    for _ in track(list(range(25)), stream, clock):
        now[0] += 1
    assert stream.text.count("images") == lines
    assert "1000 ms each" in stream.text
    assert stream.text.count("\n") == (1 if live else 3)
    assert stream.text.split("\033[K")[-1].split("\n")[-2].startswith("25/25 images")
    report(["oops"], stream)
    assert stream.text.endswith("oops\n")
    assert list(track([], stream)) == []


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_needs_no_extra(command):
    """The choices of the flags come from the tables of the package, without what only training needs."""
    names = ["emoji", "optax", "rlcore", "scipy", "skimage"]
    code = (
        f"import sys; sys.modules |= dict.fromkeys({names}); import guidenet.cli as c; c.main(['{command}', '--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "{semantic,interactive,video}" in done.stdout
    if command == "train":
        assert all(name in done.stdout for name in PRESETS)
        assert "a smoke test" in done.stdout
