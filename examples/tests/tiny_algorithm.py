"""The options of the tiny training, as a package of an algorithm has them."""

import dataclasses
from types import SimpleNamespace

from metarl_envs import Benchmark
from rlcore.experiment import check_at_least
from rlcore.meta import Plan

PRESETS = {"tiny": SimpleNamespace(purpose="tests")}


@dataclasses.dataclass(frozen=True)
class Part:
    start: float = 0.0


@dataclasses.dataclass(frozen=True)
class TinyConfig:
    part: Part = dataclasses.field(default_factory=Part)
    sizes: tuple[int, ...] = (8,)
    seconds: float = 0.0
    fail_at: int = 0

    def __post_init__(self) -> None:
        check_at_least("fail_at", self.fail_at, 0)


def preset(name: str, benchmark: Benchmark) -> Plan:
    return Plan(TinyConfig(), 4)


def make_learner(config: TinyConfig, benchmark: Benchmark) -> None:
    if len(config.sizes) > 2:
        raise ValueError(f"sizes must be at most 2, got {config.sizes}")
