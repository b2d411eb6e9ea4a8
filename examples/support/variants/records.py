"""What an ablation is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


def _unchanged(config: Any) -> Any:
    return config


class Variant(NamedTuple):
    """label: what differs. change: of the config. num_tasks: to train on, None for all.

    batch: how many iterations of the preset have the data and the updates of one.
    """

    label: str
    change: Callable[[Any], Any] = _unchanged
    num_tasks: int | None = None
    batch: int = 1


class Ablation(NamedTuple):
    """benchmark: that is trained on by default. variants: by name. figures: names of variants by a panel's title."""

    benchmark: str
    variants: Mapping[str, Variant]
    figures: Mapping[str, Sequence[str]]
