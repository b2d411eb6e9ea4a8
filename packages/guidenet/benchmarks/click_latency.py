"""Milliseconds of a new image and of a click, to mask, on this machine.

    uv run packages/guidenet/benchmarks/click_latency.py
    uv run packages/guidenet/benchmarks/click_latency.py --side=320 --clicks=500

A click is everything between `click` and the mask of the image at its own size. Needs the extra `weights`.
"""

import json
import time
from collections.abc import Callable

import guidenet
import numpy as np
from absl import app, flags

_SIDE = flags.DEFINE_integer("side", 512, "Of the image, px.", lower_bound=1)
_CLICKS = flags.DEFINE_integer("clicks", 300, "How many are timed.", lower_bound=1)
_IMAGES = flags.DEFINE_integer("images", 20, "How many are timed.", lower_bound=1)
_CLASSES = flags.DEFINE_integer("classes", 1, "How many are annotated.", lower_bound=1)


def measure(function: Callable[[int], object], repeats: int) -> dict[str, float]:
    """Median and 95th percentile in ms of `function(i)`, after one call that is not counted."""
    function(repeats)
    times = []
    for i in range(repeats):
        start = time.perf_counter()
        function(i)
        times.append(1e3 * (time.perf_counter() - start))
    return {"median": round(float(np.median(times)), 2), "p95": round(float(np.percentile(times, 95)), 2)}


def main(argv: list[str]) -> None:
    """Times and prints."""
    del argv
    rng = np.random.default_rng(0)
    side = _SIDE.value
    images = rng.integers(0, 256, (_IMAGES.value + 1, side, side, 3), np.uint8)
    start = time.perf_counter()
    segmenter = guidenet.Segmenter()
    names = [segmenter.add_image(images[-1])]
    for i in range(_CLASSES.value):
        segmenter.click(names[0], i % side, i % side, cls=f"class {i}")
    _ = segmenter.predict(names[0]).labels
    print(f"first mask after start, with compilation: {time.perf_counter() - start:.2f} s")

    def add(i: int) -> None:
        name = segmenter.add_image(images[i])
        _ = segmenter.predict(name).labels

    def click(i: int) -> None:
        segmenter.click(
            names[0], int(rng.integers(side)), int(rng.integers(side)), i % 2 == 0, f"class {i % _CLASSES.value}"
        )
        _ = segmenter.predict(names[0]).labels

    results = {"new image, ms": measure(add, _IMAGES.value), "click, ms": measure(click, _CLICKS.value)}
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    app.run(main)
