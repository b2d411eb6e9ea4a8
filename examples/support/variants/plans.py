"""From the variants of an ablation to runs that can be trained."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import metarl_envs
from metarl_envs import Benchmark
from rlcore.experiment import override

from support.algorithms import ALGORITHMS
from support.runs import restrict
from support.variants import ABLATIONS


class VariantPlan(NamedTuple):
    """config: the options. benchmark: the tasks. num_iterations: to train."""

    config: Any
    benchmark: Benchmark
    num_iterations: int


def plan_variants(
    algorithm: str,
    names: Sequence[str],
    *,
    benchmark_name: str,
    preset: str,
    overrides: Sequence[str],
    num_iterations: int | None,
) -> dict[str, VariantPlan]:
    """What to train for each variant; what does not fit is refused before the first one is trained.

    Args:
      algorithm: its name.
      names: of the variants.
      benchmark_name: the tasks; some variants train on fewer of them.
      preset: that the variants change.
      overrides: of every variant's config.
      num_iterations: of the preset, None for its own number; a variant that does more in one has fewer.

    Raises:
      ValueError: something does not fit.
    """
    known = ALGORITHMS[algorithm]
    whole = metarl_envs.benchmark(benchmark_name)
    start = known.import_package().preset(preset, whole)
    plans = {}
    for name in names:
        variant = ABLATIONS[algorithm].variants[name]
        benchmark = whole if variant.num_tasks is None else restrict(whole, variant.num_tasks)
        config = variant.change(override(start.config, overrides))
        num_visited = min(config.num_tasks_per_iteration, benchmark.num_train_tasks)
        config = dataclasses.replace(config, num_tasks_per_iteration=num_visited)
        known.make_learner(config, benchmark)
        total, least = num_iterations or start.num_iterations, config.test_every * variant.batch
        if total < least:
            raise ValueError(f"num_iterations must be at least {least} for a curve of {name}, got {total}")
        plans[name] = VariantPlan(config, benchmark, total // variant.batch)
    return plans
