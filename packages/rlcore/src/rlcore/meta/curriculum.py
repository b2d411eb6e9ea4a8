"""When train tasks are how hard, by two options that configs of several algorithms have."""

from typing import Protocol

from rlcore.experiment import check_at_least


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
