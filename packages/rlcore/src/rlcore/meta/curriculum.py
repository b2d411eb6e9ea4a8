"""When train tasks are how hard, by two options that configs of several algorithms have."""

import dataclasses
from typing import Protocol

from rlcore.experiment import check_at_least
from rlcore.meta.config import Plan


class Curriculum(Protocol):
    """Options of a config.

    ease_from_iteration, ease_until_iteration: between them the difficulty of train tasks rises linearly from 0 to 1,
      where the family has easier versions of its tasks; both 0 leave the tasks alone. Test tasks are never eased.
    """

    @property
    def ease_from_iteration(self) -> int:
        """Counted from 1."""
        ...

    @property
    def ease_until_iteration(self) -> int:
        """Counted from 1."""
        ...


def check_curriculum(config: Curriculum) -> None:
    """Raises ValueError where the options are not whole, are negative, or in the wrong order."""
    check_at_least("ease_from_iteration", config.ease_from_iteration, 0)
    check_at_least("ease_until_iteration", config.ease_until_iteration, config.ease_from_iteration)


def find_difficulty(config: Curriculum, iteration: int) -> float:
    """How hard the train tasks are, in [0, 1], at an iteration counted from 1."""
    if config.ease_until_iteration == 0:
        return 1.0
    span = max(config.ease_until_iteration - config.ease_from_iteration, 1)
    return min(max((iteration - config.ease_from_iteration) / span, 0.0), 1.0)


def ease(plan: Plan, num_iterations: int) -> Plan:
    """The plan with tasks that are easy for a tenth of a training and get harder until 55 percent of it.

    Args:
      plan: whose config has the options of a curriculum.
      num_iterations: of the training.
    """
    first, last = num_iterations // 10, 55 * num_iterations // 100
    config = dataclasses.replace(plan.config, ease_from_iteration=first, ease_until_iteration=last)
    return Plan(config, num_iterations)
