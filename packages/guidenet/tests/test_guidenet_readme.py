"""The README's examples run as they are."""

import re
from pathlib import Path

import numpy as np
import pytest
import skimage
from guidenet import Guidance
from PIL import Image

pytestmark = pytest.mark.wheel

README = Path(__file__).parents[1] / "README.md"


def test_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, source in (("photo.jpg", "chelsea.png"), ("other.jpg", "coffee.png")):
        image = Image.open(Path(skimage.__file__).parent / "data" / source)
        image.resize((300, 200)).save(name)
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        exec(example, names)
    assert names["mask"].shape == (200, 300)
    assert names["mask"][120, 180]
    assert not names["mask"][30, 40]
    assert Guidance.load("object.npz").classes == ("object",)
    assert capsys.readouterr().out == "(90, 120)\n" * 3
    assert names["logits"].shape == (1, 64, 64)
    assert np.isfinite(names["logits"]).all()
