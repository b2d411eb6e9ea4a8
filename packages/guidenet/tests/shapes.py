"""Drawings of our own for tests: 24 concepts in 12 subcategories and two styles. Run, it prints a hash of scenes."""

import hashlib

import numpy as np
from guidenet.data.composites.benchmark import Benchmark
from guidenet.data.composites.clips import ClipConfig
from guidenet.data.composites.cutouts import crop
from guidenet.data.composites.library import Library
from guidenet.data.composites.scenes import SceneConfig
from guidenet.data.composites.textured import TexturedConfig
from PIL import Image, ImageDraw

STYLES = ("flat", "outline")


def draw(corners, colour, outlined):
    image = Image.new("RGBA", (64, 64))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + (0.4 if outlined else 0.0)
    points = [(32 + 26 * np.cos(a), 32 + 26 * np.sin(a)) for a in angle]
    ImageDraw.Draw(image).polygon(points, fill=(*colour, 255), outline=(0, 0, 0, 255) if outlined else None, width=3)
    return crop(image, 48)


def make_library(**changes):
    subcategories = {f"shape-{i:02}": f"kind-{i // 2:02}" for i in range(24)}
    cut_outs = {
        (style, concept): (draw(3 + i % 5, (40 + 9 * i, 250 - 8 * i, 97 * i % 256), style == "outline"),)
        for i, concept in enumerate(subcategories)
        for style in STYLES
    }
    return Library(STYLES, subcategories, cut_outs, credits="Drawn for tests.\n", **changes)


def make_test_library():
    """Six concepts in six subcategories, to test with: one has three cut-outs in each style, the others have one."""
    whole = make_library()
    subcategories = {concept: whole.subcategories[concept] for concept in whole.concepts[:12:2]}
    cut_outs = {pair: found for pair, found in whole.cut_outs.items() if pair[1] in subcategories}
    for style in STYLES:
        cut_outs[style, "shape-00"] = tuple(whole.cut_outs[style, f"shape-{i:02}"][0] for i in (0, 21, 23))
    return Library(STYLES, subcategories, cut_outs, test_only=True, credits="Drawn for tests.\n")


def make_benchmark(library=None, **changes):
    rng = np.random.default_rng(5)
    photos = {
        role: {f"{role}-{i}": rng.integers(0, 256, (90, 120, 3)).astype(np.uint8) for i in range(2)}
        for role in ("train", "validation", "test")
    }
    scenes = SceneConfig(side=64, objects=(1, 2), appearances=2, **changes)
    clips = ClipConfig(size=(48, 64), num_frames=6, objects=(1, 1), **changes)
    return Benchmark(library or make_library(), photos, scenes, clips, TexturedConfig(side=64, **changes))


def digest(benchmark):
    """A hash of every pixel of some scenes and a clip."""
    total = hashlib.sha256()
    fold = benchmark.fold(1)
    for part in (fold.train, fold.validation, fold.test):
        for name in part.ids[::3]:
            for array in (part.image(name), part.class_labels(name), part.instance_labels(name)):
                total.update(name.encode() + array.tobytes())
    (clip,) = benchmark.clips("test", 2, 1)
    for array in (*clip.frames, *clip.annotations):
        total.update(array.tobytes())
    return total.hexdigest()


if __name__ == "__main__":
    print(digest(make_benchmark()))
