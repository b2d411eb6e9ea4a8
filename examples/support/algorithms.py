"""The meta-RL algorithms that examples train, evaluate and film: a record for each."""

import importlib
from types import ModuleType
from typing import Any, NamedTuple


class Algorithm(NamedTuple):
    """What the examples know of an algorithm.

    package: has `PRESETS`, `preset`, `open_run`, `train` and `load`.
    learner: the name of its `MetaLearner` there.
    program: the example that trains it.
    report: the module of `support` whose `report(trained, output_dir, options)` shows how a trained agent adapts.
    film: the module of `support` whose `prepare` films it.
    within_trained_length: whether a trial can have no more episodes than it was trained on.
    """

    package: str
    learner: str
    program: str
    report: str = "report_episodes"
    film: str = "film_episodes"
    within_trained_length: bool = False

    def import_package(self) -> ModuleType:
        """The package; examples of other algorithms need not wait for it."""
        return importlib.import_module(self.package)

    def make_learner(self, *arguments: Any, **parts: Any) -> Any:
        """The learner, which refuses with a ValueError what does not fit."""
        return getattr(self.import_package(), self.learner)(*arguments, **parts)

    def import_helper(self, name: str) -> ModuleType:
        """The module that a field of this record names, such as `report`."""
        return importlib.import_module(f"support.{getattr(self, name)}")


ALGORITHMS = {
    "pearl": Algorithm("pearl_jax", "PearlLearner", "train_pearl.py"),
    "meld": Algorithm(
        "meld_jax", "MeldLearner", "train_meld.py", "report_belief", "film_belief", within_trained_length=True
    ),
    "recurrent-sac": Algorithm("metarl_baselines.recurrent_sac", "make_learner", "train_baseline.py"),
    "rl2": Algorithm("metarl_baselines.rl2", "RL2Learner", "train_baseline.py"),
    "maml-trpo": Algorithm("metarl_baselines.maml", "MAMLLearner", "train_baseline.py"),
    "promp": Algorithm("metarl_baselines.promp", "MAMLLearner", "train_baseline.py"),
    "maesn": Algorithm("metarl_baselines.maesn", "MAESNLearner", "train_baseline.py"),
    "varibad": Algorithm("metarl_baselines.varibad", "make_learner", "train_baseline.py"),
}
"""By the name that config.json gives them."""


def make_command(name: str) -> list[str]:
    """The example that trains an algorithm, with the flag that chooses it where the example trains several."""
    program = ALGORITHMS[name].program
    shared = sum(algorithm.program == program for algorithm in ALGORITHMS.values()) > 1
    return [program, f"--algorithm={name}"] if shared else [program]
