"""The README's examples run as they are."""

from pathlib import Path

import numpy as np
import pytest
import readmes
import skimage
from guidenet import Guidance
from PIL import Image

pytestmark = pytest.mark.wheel

SLOW = "load_benchmark("  # of blocks that draw 1600 cut-outs: half a minute
README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A directory with the photos that the README names."""
    monkeypatch.chdir(tmp_path)
    for name, source in (("photo.jpg", "chelsea.png"), ("other.jpg", "coffee.png")):
        image = Image.open(Path(skimage.__file__).parent / "data" / source)
        image.resize((300, 200)).save(name)


@pytest.mark.usefixtures("photos")
def test_examples_run(capsys):
    names: dict = {}
    for block in readmes.read_blocks(README):
        if SLOW not in block.source:
            block.run(names)
    assert names["mask"].shape == (200, 300)
    assert names["mask"][120, 180]
    assert not names["mask"][30, 40]
    assert Guidance.load("object.npz").classes == ("object",)
    assert capsys.readouterr().out == "(200, 300)\n" * 3
    assert names["logits"].shape == (1, 64, 64)
    assert np.isfinite(names["logits"]).all()


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_slow_examples_run_after_the_others():
    names: dict = {}
    readmes.run_blocks(README, names)
    assert names["episode"] is not None
