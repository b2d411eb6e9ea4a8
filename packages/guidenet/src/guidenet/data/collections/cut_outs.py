"""The benchmark of composites of cut-outs as data."""

import functools
from collections.abc import Sequence

from guidenet.checks import check_choice
from guidenet.data.collections.record import Data, Wish
from guidenet.data.composites.benchmark import FOLDS, MIN_AREA, Benchmark, load_benchmark
from guidenet.data.composites.scenes import SceneSet
from guidenet.data.dataset import Dataset, in_memory, join
from guidenet.data.footage import Footage
from guidenet.data.sources import (
    KINDS,
    Source,
    interactive_source,
    semantic_source,
    similar_source,
    video_source,
)


def open_cut_outs(wish: Wish) -> Data:
    """`cut-outs` and `cut-outs:FOLDER`."""
    benchmark = load_benchmark(folder=wish.folder) if wish.folder else load_benchmark(cache=wish.cache)
    check_choice("fold", wish.fold, benchmark.folds)
    if not wish.hold_out and "train" not in benchmark.roles:
        raise ValueError(f"hold_out must be True with data {wish.name}, which is for tests only, got False")
    return cut_outs(benchmark, wish.fold, wish.name, hold_out=wish.hold_out)


def cut_outs(benchmark: Benchmark, fold: int, name: str = "cut-outs", *, hold_out: bool = True) -> Data:
    """Tasks of the cut-out benchmark; its scenes and clips are drawn once and kept.

    Args:
      benchmark: as from `load_benchmark`.
      fold: 0 to 3.
      name: what to call it.
      hold_out: as for `open_data`.
    """

    @functools.cache
    def scenes(role: str) -> SceneSet:
        oracle = role == "train" and not hold_out
        found = benchmark.oracle() if oracle else benchmark.role(role, fold)
        return found._replace(dataset=in_memory(found.dataset))

    @functools.cache
    def clips(role: str) -> Sequence[Footage]:
        if role != "train" or hold_out:
            return benchmark.clips(role, fold)
        # Each fold's clips lack its own concepts, so those of two have all.
        return (*benchmark.clips(role, fold), *benchmark.clips(role, (fold + 1) % len(FOLDS)))

    @functools.cache
    def textured(role: str) -> Dataset:
        oracle = role == "train" and not hold_out
        folds = (fold, (fold + 1) % len(FOLDS)) if oracle else (fold,)  # the silhouettes of two have all concepts
        return in_memory(join([benchmark.textured(role, number) for number in folds]))

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, KINDS)
        if kind == "video":
            return video_source(clips(role))
        if kind == "similar":
            return similar_source(textured(role), MIN_AREA)
        if kind == "textured":
            return interactive_source(textured(role), MIN_AREA, kind)
        dataset, styles = scenes(role)
        if kind == "semantic":
            return semantic_source(dataset, styles, MIN_AREA)
        return interactive_source(dataset, MIN_AREA)

    return Data(f"{name}, fold {fold}", KINDS, source, clips, benchmark.roles)
