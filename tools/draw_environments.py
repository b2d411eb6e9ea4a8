"""Draws a picture of every environment for the site: `uv run tools/draw_environments.py docs/environments`.

An environment stands for all benchmarks that look like it: `PICTURES` says which. Each is played for some steps at
random.
"""

import argparse
from pathlib import Path

import gymnasium
import metarl_envs  # noqa: F401 (registers the environments)
import numpy as np
from metarl_envs.benchmarks import gymnasium_id
from PIL import Image

PICTURES: dict[str, tuple[str, ...]] = {
    "point-sparse-v0": ("point-sparse-wide-v0", "point-sparse-reference-v0"),
    "point-dense-v0": (),
    "point-image-dense-v1": (
        *("point-image-sparse-v1", "point-image-dense-32-v1", "point-image-sparse-32-v1"),
        *("point-image-dense-v0", "point-image-sparse-v0", "point-image-dense-32-v0", "point-image-sparse-32-v0"),
    ),
    "catcher-v0": (),
    "catcher-grip-v0": (),
    "catcher-distractors-v0": (),
    "catcher-grip-distractors-v0": (),
    "catcher-ple-v0": (),
    "half-cheetah-vel-v0": ("half-cheetah-vel-slow-v0", "half-cheetah-dir-v0"),
    "ant-fwd-back-v0": ("ant-fwd-back-reference-v0", "ant-goal-v0", "ant-goal-reference-v0"),
    "humanoid-dir-v0": (),
    "walker-params-v0": ("walker-params-reference-v0",),
    "hopper-params-v0": ("hopper-params-reference-v0",),
    "half-cheetah-vel-image-v0": ("half-cheetah-vel-image-reference-v0",),
    "sawyer-reacher-v0": ("sawyer-reacher-reference-v0",),
    "sawyer-peg-v0": ("sawyer-peg-reference-v0",),
    "sawyer-shelf-v0": ("sawyer-shelf-reference-v0",),
    "sawyer-button-dense-v0": (
        *("sawyer-button-sparse-v0", "sawyer-button-dense-reference-v0", "sawyer-button-sparse-reference-v0"),
    ),
    "sawyer-multi-peg-v0": (),
    "widowx-ethernet-dense-v0": ("widowx-ethernet-sparse-v0",),
}
"""The benchmark that is drawn, and those that look the same."""

_STEPS, _HEIGHT = 8, 240


def draw(name: str) -> Image.Image:
    """Plays a benchmark's first train task and draws where that has led, 240 px high."""
    env = gymnasium.make(gymnasium_id(name), render_mode="rgb_array").unwrapped
    env.reset(seed=0)
    env.action_space.seed(0)
    pixels = env.render()
    for _ in range(_STEPS):
        env.step(env.action_space.sample())
        pixels = env.render()
    env.close()
    image = Image.fromarray(np.asarray(pixels, np.uint8))
    small = image.height < _HEIGHT
    size = (round(image.width * _HEIGHT / image.height), _HEIGHT)
    return image.resize(size, Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS)


def main() -> None:
    """Draws all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="of benchmarks; all of them if none is given")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or PICTURES:
        path = arguments.folder / f"{name}.webp"
        draw(name).save(path, quality=80, method=6)
        print(f"{path}: {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
