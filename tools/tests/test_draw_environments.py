"""Every benchmark has a picture in the site, and is named beside it."""

from pathlib import Path

import draw_environments
import metarl_envs
from PIL import Image

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_each_benchmark_has_one_picture():
    names = [name for first, others in draw_environments.PICTURES.items() for name in (first, *others)]
    assert sorted(names) == sorted(metarl_envs.benchmark_names())


def test_pictures_are_there_and_shown():
    page = (DOCS / "environments.md").read_text()
    for name, others in draw_environments.PICTURES.items():
        (row,) = [line for line in page.splitlines() if f"(environments/{name}.webp)" in line]
        assert all(f"`{each}`" in row for each in (name, *others))
        with Image.open(DOCS / f"environments/{name}.webp") as picture:
            assert picture.height == 240


def test_a_game_is_drawn_as_it_is():
    picture = draw_environments.draw("catcher-v0")
    assert picture.size == (240, 240)
    assert len(picture.getcolors()) == 3  # background, fruit, paddle
