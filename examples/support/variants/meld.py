"""The variants of the thesis's ablations of MELD, its figure 36."""

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

from support.variants.records import Ablation, Variant

if TYPE_CHECKING:
    from meld_jax import MeldConfig


def _batch(label: str, batch: int) -> Variant:
    return Variant(label, partial(_collect_more, batch=batch), batch=batch)


def _collect_more(config: "MeldConfig", batch: int) -> "MeldConfig":
    """As much as in so many iterations before the updates of as many."""
    return dataclasses.replace(
        config,
        num_tasks_per_iteration=batch * config.num_tasks_per_iteration,
        num_model_updates=batch * config.num_model_updates,
        num_policy_updates=batch * config.num_policy_updates,
        num_joint_updates=batch * config.num_joint_updates,
    )


def _shrink(config: "MeldConfig", share: float) -> "MeldConfig":
    """A share of the latent state."""
    z1_size, z2_size = (max(1, round(share * size)) for size in (config.model.z1_size, config.model.z2_size))
    return dataclasses.replace(config, model=dataclasses.replace(config.model, z1_size=z1_size, z2_size=z2_size))


ABLATION = Ablation(
    benchmark="point-image-dense-32-v1",
    variants={
        "meld": Variant("as preset"),
        "tasks-1": Variant("1 task", num_tasks=1),
        "tasks-5": Variant("5 tasks", num_tasks=5),
        "tasks-10": Variant("10 tasks", num_tasks=10),
        "batch-2": _batch("2 times the data, then updates", 2),
        "batch-3": _batch("3 times the data, then updates", 3),
        "latent-quarter": Variant("a quarter of the latent state", partial(_shrink, share=0.25)),
        "latent-half": Variant("half of the latent state", partial(_shrink, share=0.5)),
    },
    figures={
        "training tasks": ("meld", "tasks-1", "tasks-5", "tasks-10"),
        "data between updates": ("meld", "batch-2", "batch-3"),
        "size of the latent state": ("meld", "latent-quarter", "latent-half"),
    },
)
