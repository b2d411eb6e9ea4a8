"""The command: masks out of files, broken images named and skipped, and an exit code that says so."""

import dataclasses
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import guidenet
import jax
import numpy as np
import pytest
from guidenet import PRESETS, Guidance, GuidedNetwork, Segmenter, preset
from guidenet.cli import main, make_parser
from guidenet.cli.flags import load_network
from guidenet.cli.progress import report, track
from guidenet.errors import UserError
from guidenet.segmenter.pieces import MIN_AREA
from guidenet.training import Options
from PIL import Image

RED, GREEN, BLUE = (220, 30, 30), (40, 160, 60), (30, 40, 220)


def draw(path, boxes):
    """Coloured boxes `(colour, y, x)` of 40 px on green."""
    image = np.full((100, 120, 3), GREEN, np.uint8)
    for colour, y, x in boxes:
        image[y : y + 40, x : x + 40] = colour
    Image.fromarray(image).save(path)
    return path


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


def test_flags_of_the_segmenter_reach_it(files, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "guidenet.cli.flags.Segmenter", lambda *model, **options: seen.append(options) or Segmenter(*model, **options)
    )
    flags = ["--support", files / "a.png", "--point", "30,30+", files / "one.png", "-o", files / "out"]
    assert run(*flags, "--max-side", 64, "--no-edges", "--min-area", 3, "--pieces", "annotated") == 0
    assert run(*flags) == 0
    assert seen == [
        {"max_side": 64, "edges": False, "min_area": 3, "pieces": "annotated"},
        {"max_side": 512, "edges": True, "min_area": MIN_AREA, "pieces": "all"},
    ]


POINT = ["--support", "a.png", "--point", "1,1+"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["one.png"], "--support or --guidance must say what to look for"),
        (["--support", "a.png", "one.png"], "--support must have a --mask with something in it or a --point"),
        (["--support", "none.png", "--point", "1,1+", "one.png"], "none.png"),
        (["--support", "a.png", "--mask", "one_mask.png", "one.png"], "one_mask.png"),
        (
            ["--support", "a.png", "--point", "500,1+", "one.png"],
            "--point 500,1 must lie in the 100 x 120 px of a.png, its --support",
        ),
        (["--support", "a.png", "--point", "1,1+", "one.png", "sub/one.png"], "images must have different names"),
        (["--guidance", "a.png", "one.png"], "a.png must be an npz of guidance"),
        ([*POINT, "one.png", "--max-side", "0"], "max_side must be at least 1"),
        ([*POINT, "one.png", "--classes", "x"], "--classes must be with a --mask, got none"),
        ([*POINT, "one.png", "--mask-labels", "alpha"], "--mask-labels must be with a --mask, got none"),
        (
            [*POINT, "--mask", "a.png", "one.png", "--mask-labels", "binary", "--mask-colours", "red"],
            "--mask-labels must be left out with --mask-colours, got binary",
        ),
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


def write_mask(path, values, **options):
    """A mask of the two boxes of `a.png`."""
    mask = np.zeros((100, 120), values[0].dtype if isinstance(values[0], np.generic) else np.uint8)
    mask[10:50, 10:50], mask[55:95, 70:110] = values
    Image.fromarray(mask).save(path, **options)
    return path


def learn(files, *flags):
    """The guidance of supports."""
    saved = files / "learnt.npz"
    assert run(*flags, "-o", files / "out", "--save-guidance", saved) == 0
    return Guidance.load(saved)


def same(one, other):
    return one.classes == other.classes and np.array_equal(one.total, other.total)


def test_masks_of_one_class_are_the_same_whatever_their_values(files):
    expected = learn(files, "--support", files / "a.png", "--mask", write_mask(files / "m.png", (255, 255)))
    for values, flags in (
        ((1, 1), ()),
        ((3, 200), ("--mask-labels", "instances")),
        ((9, 9), ("--mask-labels", "binary")),
    ):
        mask = write_mask(files / "m.png", values)
        assert same(learn(files, "--support", files / "a.png", "--mask", mask, *flags), expected)
    mask = write_mask(files / "m.tif", (np.uint16(7), np.uint16(900)))
    assert same(learn(files, "--support", files / "a.png", "--mask", mask, "--mask-labels", "instances"), expected)


def test_classes_of_a_mask_may_be_colours_or_have_names(files):
    colours = np.zeros((100, 120, 3), np.uint8)
    colours[10:50, 10:50], colours[55:95, 70:110] = RED, BLUE
    Image.fromarray(colours).save(files / "c.png")
    flags = ["--mask", files / "c.png", "--mask-colours", "#dc1e1e, #1e28dc", "--classes", "red,blue"]
    found = learn(files, "--support", files / "a.png", *flags)
    mask = write_mask(files / "m.png", (1, 2))
    assert same(found, learn(files, "--support", files / "a.png", "--mask", mask, "--classes", "red,blue"))
    assert found.classes == ("blue", "red")


def test_masks_of_one_image_do_not_contradict_each_other(files):
    a, b = write_mask(files / "m1.png", (255, 0)), write_mask(files / "m2.png", (0, 255))
    expected = learn(files, "--support", files / "a.png", "--mask", write_mask(files / "m.png", (255, 255)))
    assert same(learn(files, "--support", files / "a.png", "--mask", a, "--mask", b), expected)
    Image.open(files / "a.png").save(files / "copy.tif")  # equal pixels
    supports = ["--support", files / "a.png", "--mask", a, "--support", files / "copy.tif", "--mask", b]
    assert same(learn(files, *supports), expected)
    assert same(learn(files, *supports[4:], "--support", files / "copy.tif", "--mask", a), expected)


@pytest.mark.parametrize("side", [2, 6])
def test_small_objects_are_learnt_where_images_are_seen_smaller(files, side):
    values = np.zeros((100, 120), np.uint8)
    values[20 : 20 + side, 21 : 21 + side] = 255
    values[:, 100:] = 128  # unknown
    Image.fromarray(np.where(values == 128, 255, values // 255 * 7)).save(files / "small.png")
    mask = ["--mask", files / "small.png", "--mask-labels", "classes", "--classes", "a,b,c,d,e,f,thing"]
    found = learn(files, "--support", files / "a.png", *mask, "--max-side", 30)
    assert found.classes == ("thing",)
    np.testing.assert_array_equal(found.count[0, 1], {2: 1, 6: 2}[side])
    assert found.count.sum() == 25 * 25


def test_images_of_16_bits_are_those_of_python(files, model):
    deep = np.asarray(Image.open(files / "one.png").convert("L")).astype(np.uint16) * 12
    Image.fromarray(deep).save(files / "deep.tif")
    saved = files / "g.npz"
    flags = ["--support", files / "a.png", "--mask", files / "a_mask.png", "--save-guidance", saved]
    assert run(*flags, files / "deep.tif", "-o", files / "out") == 0
    assert run("--guidance", saved, files / "deep.tif", "-o", files / "dark", "--intensity", "0,60000") == 0
    segmenter = Segmenter(*model)
    segmenter.add_guidance(Guidance.load(saved))
    for folder, intensity in (("out", "auto"), ("dark", (0, 60000))):
        expected = segmenter.predict(guidenet.read_image(files / "deep.tif", intensity=intensity)).labels * 255
        np.testing.assert_array_equal(np.asarray(Image.open(files / folder / "deep.png")), expected)


def test_a_page_can_be_chosen(files, capsys):
    pages = [Image.open(files / name).convert("RGB") for name in ("two.png", "one.png")]
    pages[0].save(files / "stack.tif", save_all=True, append_images=pages[1:])
    flags = ["--support", files / "a.png", "--mask", files / "a_mask.png", "-o", files / "out", files / "stack.tif"]
    assert run(*flags) == 1
    assert "stack.tif has 2 pages or frames: page (--page) must say which, 1 to 2" in capsys.readouterr().err
    assert run(*flags, files / "one.png", "--page", 2) == 0
    masks = [np.asarray(Image.open(files / "out" / name)) for name in ("stack.png", "one.png")]
    np.testing.assert_array_equal(*masks)


def test_a_limit_of_pixels_can_be_changed(files, capsys):
    flags = ["--support", files / "a.png", "--mask", files / "a_mask.png", files / "one.png", "-o", files / "out"]
    assert run(*flags, "--max-megapixels", "0.01") == 2
    assert "120 x 100 pixels, more than 0.01 million: max_pixels (--max-megapixels)" in capsys.readouterr().err
    assert run(*flags, "--max-megapixels", "0.02") == 0


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_folder_is_all_images_in_it(files):
    images = files / "images"
    for name in ("b/1.PNG", "b/._1.png", "c/1.jpeg", "2.tif"):
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        Image.open(files / "one.png").save(
            images / name, "JPEG" if name.endswith("jpeg") else "TIFF" if name.endswith("tif") else "PNG"
        )
    (images / "b/._1.png").write_bytes(b"of macOS")
    (images / "notes.txt").write_text("no image")
    flags = ["--support", files / "a.png", "--mask", files / "a_mask.png", images]
    for _ in range(2):  # masks of before are no images
        assert run(*flags, "-o", images / "out") == 0
        assert names_in(images / "out") == ["2.png", "b/1.png", "c/1.png"]
    (files / "none").mkdir()
    assert run(*flags, files / "none", "-o", files / "out") == 2


def test_images_of_one_name_may_keep_their_folders(files, capsys):
    for name in ("a", "b"):
        (files / name).mkdir()
        draw(files / name / "1.png", [(RED, 50, 60)])
    flags = ["--support", files / "a.png", "--mask", files / "a_mask.png", files / "a/1.png", files / "b/1.png"]
    assert run(*flags, "-o", files / "out") == 2
    error = capsys.readouterr().err
    assert f"got {files}/a/1.png and {files}/b/1.png: --keep-folders" in error
    assert run(*flags, "-o", files / "out", "--keep-folders") == 0
    assert names_in(files / "out") == ["a/1.png", "b/1.png"]


def test_class_names_are_utf_8_in_any_locale(files, monkeypatch):
    monkeypatch.setattr("io.text_encoding", lambda encoding, *level: encoding or "ascii")
    points = ["--point", "猫:30,30+", "--point", "dog:75,90+"]
    assert run("--support", files / "a.png", *points, files / "one.png", "-o", files / "out") == 0
    assert (files / "out" / "classes.txt").read_bytes() == "猫\ndog\n".encode()


def test_nothing_unfinished_is_left(files, monkeypatch, capsys):
    def fail(image, path, **options):
        path.write_bytes(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(Image.Image, "save", fail)
    flags = ["--support", files / "a.png", "--mask", files / "a_mask.png", files / "one.png", "-o", files / "out"]
    assert run(*flags) == 1
    assert "one.png could not be written: the disk is full" in capsys.readouterr().err
    assert names_in(files / "out") == []


def test_local_pooling_segments_supports_only(files, monkeypatch, capsys):
    config = preset("tiny")
    head = dataclasses.replace(config.head, kind="concat", products=False)
    network = GuidedNetwork(dataclasses.replace(config, pooling="local", head=head))
    params = network.init(jax.random.key(0))
    monkeypatch.setattr("guidenet.cli.flags.pretrained", lambda weights: (network, params))
    flags = ["--support", files / "a.png", "--mask", files / "a_mask.png", "-o", files / "out"]
    assert run(*flags, files / "a.png", files / "one.png") == 1
    assert "one.png must be a --support too, as the --model has local pooling" in capsys.readouterr().err
    assert names_in(files / "out") == ["a.png"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--mask", "empty.png"], "--mask empty.png must have an object in it"),
        (["--mask", "ids.png"], "--mask ids.png has the values 0, 3, 7, which may be classes, objects one by one"),
        (["--mask", "ids.png", "--classes", "a,b"], "--mask ids.png has the values 0, 3, 7"),
        (
            ["--mask", "ids.png", "--classes", "a,b", "--mask-labels", "classes"],
            "has the label 7, and --classes names 2",
        ),
        (
            ["--mask", "turned.png"],
            "must have the 100 x 120 px of a.png, its --support, got 120 x 100; EXIF data turn turned",
        ),
        (["--mask", "a.png"], "--mask a.png has the colours"),
        (["--mask", "none.png"], "--mask must be an image file, and there is no none.png"),
        (["--point", "1,1+", "--support", "one.png"], "--support must have a --mask .* after it, got none for one.png"),
        (["--point", "1,1+", "--support", "none.png"], "--support must have a --mask"),
        (["--point", "200,1+"], "--point 200,1 must lie in the 100 x 120 px of a.png"),
        (["--point", "1,1+", "--save-guidance", "none/g.npz"], "--save-guidance must be a file in a folder that is"),
        (["--point", "1,1+", "--max-megapixels", "0"], "--max-megapixels must be positive, got 0"),
        (["--mask", "loop.png"], "loop.png"),
        (
            ["--mask", "many.png", "--mask-labels", "classes", "--point", "cat:1,1+"],
            "--support and --guidance must have at most 254 classes, got 255",
        ),
    ],
)
def test_supports_that_say_nothing_are_refused(files, monkeypatch, capsys, flags, message):
    monkeypatch.chdir(files)
    write_mask("empty.png", (0, 0))
    write_mask("ids.png", (3, 7))
    exif = Image.Exif()
    exif[0x0112] = 6
    write_mask("turned.png", (255, 255), exif=exif)
    (files / "loop.png").symlink_to("loop.png")
    Image.fromarray(np.minimum(np.arange(100 * 120).reshape(100, 120) // 40, 254).astype(np.uint8)).save("many.png")
    assert run("--support", "a.png", *flags, "two.png", "-o", "out") == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (files / "out").exists()


def test_output_must_be_a_folder_and_something_must_be_done(files, capsys):
    flags = ["--support", files / "a.png", "--point", "1,1+"]
    assert run(*flags, files / "one.png", "-o", files / "two.png") == 2
    assert "--output must be a folder, got the file" in capsys.readouterr().err
    assert run(*flags, "-o", files / "out") == 2
    assert "IMAGE or --save-guidance must be given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--support", "a.png", "--intensity", "5"], "intensity must be auto, full, stretch or LOW,HIGH"),
        (["--support", "a.png", "--mask-colours", "reddish"], "must be names, #rrggbb"),
        (["--support", "a.png", "--classes", "a,,b"], "must be names with commas between them"),
        (["--support", "a.png", "--classes", "a,b,a"], "must name each class once"),
        (["--support", "a.png", "--classes", "a\nb"], "must be text that can be written in a line"),
        (["--support", "a.png", "--point", "\udcff:1,1+"], "must be text that can be written in a line"),
        (["--support", "a.png", "--mask-labels", "ids"], "auto, binary, classes, instances, alpha|invalid choice"),
        (["--point", "1,1+"], "--point must come after the --support that it belongs to"),
        (["--support", "a.png", "--point", "1,1"], "must look like 120,80+"),
        (["--support", "a.png", "--page", "0"], "'0' must be a whole number of at least 1"),
    ],
)
def test_flags_that_make_no_sense_are_explained(files, capsys, flags, message):
    with pytest.raises(SystemExit, match="2"):
        run(*flags, files / "one.png", "-o", files / "out")
    assert re.search(re.escape(message) if "|" not in message else message, capsys.readouterr().err)


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


def test_help_needs_no_extra():
    """The choices of the flags come from the tables of the package, without what only training needs."""
    names = ["emoji", "optax", "rlcore", "skimage"]
    code = f"""
import contextlib, sys
sys.modules |= dict.fromkeys({names})
from guidenet.cli import main
for command in ("train", "evaluate"):
    with contextlib.suppress(SystemExit):
        main([command, "--help"])
    print("end of help")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    train, evaluate, _ = done.stdout.split("end of help")
    for text in (train, evaluate):
        assert "{semantic,interactive,video,textured,similar}" in "".join(text.split())
    assert all(name in train for name in PRESETS)
    assert "a smoke test" in train


def test_a_network_is_trained_and_scored_on_images_of_ones_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number in range(10):
        y, x = 10 + 4 * number, 60 - 4 * number
        for part in ("images", "masks"):
            (tmp_path / "mine" / part).mkdir(parents=True, exist_ok=True)
        draw(tmp_path / f"mine/images/{number}.png", [(RED, y, x)])
        mask = np.zeros((100, 120), np.uint8)
        mask[y : y + 40, x : x + 40] = 255
        Image.fromarray(mask).save(tmp_path / f"mine/masks/{number}.png")
    flags = ["--data", "folder:mine"]
    train = ["train", "--preset", "tiny", "--override", "num_iterations=1", "--kind", "semantic", "--run-dir", "run"]
    assert main([*train, *flags, "--num-test-tasks", "4"]) == 0
    score = ["evaluate", "run/model.npz", *flags, "--points", "dense", "--tasks", "4", "--max-side", "64"]
    assert main([*score, "--output", "scores.json"]) == 0
    assert json.loads((tmp_path / "scores.json").read_text())["data"] == "folder:mine"
    (tmp_path / "mine/masks/3.png").unlink()
    capsys.readouterr()
    assert main([*score]) == 2
    assert "masks must have a mask 3 for mine/images/3.png" in capsys.readouterr().err


def test_flags_of_training_and_scoring_reach_their_functions(tmp_path, monkeypatch):
    seen = []

    def stop(*arguments, **options):
        seen.append((arguments, options))
        raise UserError("seen")

    monkeypatch.setattr("guidenet.training.set_up", stop)
    monkeypatch.setattr(
        "guidenet.cli.flags.pretrained", lambda weights: seen.append(weights) or (GuidedNetwork(preset("tiny")), None)
    )
    monkeypatch.setattr("guidenet.data.guarded.open_guarded", stop)
    common = ["--data", "voc:here", "--fold", "2", "--cache", "there", "--weights", "w.npz"]
    more = ["--kind", "video", "--preset", "tiny", "--oracle", "--seed", "7", "--run-dir", "r", "--override", "a=1"]
    assert main(["train", *common, *more, "--checkpoint-every", "5"]) == 2
    assert main(["evaluate", "--prototype", *common]) == 2
    options = Options(
        preset="tiny",
        overrides=["a=1"],
        kinds=["video"],
        data="voc:here",
        fold=2,
        hold_out=False,
        seed=7,
        directory=Path("r"),
        checkpoint_every=5,
        cache=Path("there"),
        weights=Path("w.npz"),
    )
    assert seen[0] == ((options,), {})
    assert seen[1:] == [Path("w.npz"), (("voc:here", 2, Path("there")), {})]


@pytest.mark.parametrize("name", ["predict", "serve"])
def test_the_network_is_that_of_the_flags(monkeypatch, name):
    monkeypatch.setattr("guidenet.cli.flags.pretrained", lambda weights: ("pretrained", weights))
    monkeypatch.setattr("guidenet.cli.flags.load_model", lambda model, weights: (model, weights))
    command = [name, *(["-o", "out"] if name == "predict" else []), "--weights", "w.npz"]
    for flags, expected in ([], "pretrained"), (["--model", "m.npz"], "m.npz"):
        assert load_network(make_parser().parse_args([*command, *flags])) == (expected, Path("w.npz"))


@pytest.mark.parametrize("name", ["predict", "serve", "evaluate"])
def test_ridge_regression_is_added_to_a_model_and_to_the_prototype(monkeypatch, model, name):
    monkeypatch.setattr("guidenet.cli.flags.pretrained_with_ridge", lambda weights: ("pretrained", weights))
    monkeypatch.setattr("guidenet.cli.flags.load_model", lambda path, weights: model)
    flags, named = {"predict": (["-o", "out"], ["--model", "m.npz"]), "evaluate": ([], ["m.npz"])}.get(
        name, ([], ["--model", "m.npz"])
    )
    command = [name, *flags, "--ridge"]
    assert load_network(make_parser().parse_args(command)) == ("pretrained", None)
    network, params = load_network(make_parser().parse_args([*command, *named]))
    assert network.config.head.ridge == guidenet.with_ridge(model[0]).config.head.ridge > 0
    assert params is model[1]


def test_guidance_with_ridge_regression_is_saved_and_used_again(files, monkeypatch, model, capsys):
    network = guidenet.with_ridge(model[0])
    monkeypatch.setattr("guidenet.cli.flags.pretrained_with_ridge", lambda weights: (network, model[1]))
    saved, support = files / "red.npz", ["--support", files / "a.png", "--mask", files / "a_mask.png"]
    assert run("--ridge", *support, files / "one.png", "-o", files / "out", "--save-guidance", saved) == 0
    first = (files / "out" / "one.png").read_bytes()
    assert run("--ridge", "--guidance", saved, files / "one.png", "-o", files / "again") == 0
    assert (files / "again" / "one.png").read_bytes() == first
    assert run("--guidance", saved, files / "one.png", "-o", files / "other") == 2
    assert "guidance must have the same feature_size to be joined" in capsys.readouterr().err


def test_ridge_regression_needs_guidance_that_is_a_mean(monkeypatch, capsys):
    thesis = GuidedNetwork(dataclasses.replace(preset("thesis"), fusion="none"))
    monkeypatch.setattr("guidenet.cli.flags.load_model", lambda path, weights: (thesis, {}))
    assert main(["evaluate", "m.npz", "--ridge"]) == 2
    assert "--ridge cannot be with m.npz: head.ridge must be 0 unless fusion=late" in capsys.readouterr().err
    assert main(["evaluate", "m.npz", "--ridge", "--fine-tune", "5"]) == 2
    assert "--ridge must be without --fine-tune, got 5 steps" in capsys.readouterr().err
