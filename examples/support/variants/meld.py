"""The variants of the thesis's ablations of MELD, its figure 36."""

import dataclasses
from typing import NamedTuple

import meld_jax
import numpy as np
from metarl_envs import Benchmark, take_tasks


class Variant(NamedTuple):
    """label: what differs. num_tasks: to train on, None for all. batch: how often the data and updates of an iteration.

    latent_share: of the sizes of the latent state.
    """

    label: str
    num_tasks: int | None = None
    batch: int = 1
    latent_share: float = 1.0


VARIANTS = {
    "meld": Variant("as preset"),
    "tasks-1": Variant("1 task", num_tasks=1),
    "tasks-5": Variant("5 tasks", num_tasks=5),
    "tasks-10": Variant("10 tasks", num_tasks=10),
    "batch-2": Variant("2 times the data, then updates", batch=2),
    "batch-3": Variant("3 times the data, then updates", batch=3),
    "latent-quarter": Variant("a quarter of the latent state", latent_share=0.25),
    "latent-half": Variant("half of the latent state", latent_share=0.5),
}
FIGURES = {
    "training tasks": ("meld", "tasks-1", "tasks-5", "tasks-10"),
    "data between updates": ("meld", "batch-2", "batch-3"),
    "size of the latent state": ("meld", "latent-quarter", "latent-half"),
}


def vary(config: meld_jax.MeldConfig, variant: Variant, num_tasks: int) -> meld_jax.MeldConfig:
    """The config of a variant on so many tasks."""
    model = dataclasses.replace(
        config.model,
        z1_size=max(1, round(variant.latent_share * config.model.z1_size)),
        z2_size=max(1, round(variant.latent_share * config.model.z2_size)),
    )
    return dataclasses.replace(
        config,
        model=model,
        num_tasks_per_iteration=min(variant.batch * config.num_tasks_per_iteration, num_tasks),
        num_model_updates=variant.batch * config.num_model_updates,
        num_policy_updates=variant.batch * config.num_policy_updates,
        num_joint_updates=variant.batch * config.num_joint_updates,
    )


def restrict(benchmark: Benchmark, num_tasks: int | None) -> Benchmark:
    """The benchmark with the first so many of its train tasks.

    Raises:
      ValueError: it has fewer.
    """
    if num_tasks is None:
        return benchmark
    if num_tasks > benchmark.num_train_tasks:
        raise ValueError(
            f"benchmark {benchmark.name} must have {num_tasks} train tasks for --variants=tasks-{num_tasks}"
        )
    return dataclasses.replace(benchmark, train_tasks=take_tasks(benchmark.train_tasks, np.arange(num_tasks)))
