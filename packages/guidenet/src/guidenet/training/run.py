"""Training by names, as the command and the example do."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rlcore.experiment import override

from guidenet.data.catalogue import open_data
from guidenet.data.material import Material
from guidenet.training.config import training_preset
from guidenet.training.experiment import Experiment


class Training(NamedTuple):
    """A training that is set up: whatever is wrong with what the user asked for has been said.

    experiment: its options and where it is kept.
    train, validation: the images that it needs.
    """

    experiment: Experiment
    train: Sequence[Material]
    validation: Sequence[Material]

    def run(self) -> Path:
        """Trains, or goes on, and returns where the network was written. Raises as `Experiment.run`."""
        return self.experiment.run(self.train, self.validation)


def set_up(
    preset: str = "cpu",
    overrides: Sequence[str] = (),
    *,
    kinds: Sequence[str] = (),
    data: str = "cut-outs",
    fold: int = 0,
    seed: int = 0,
    directory: str | Path,
    checkpoint_every: int = 0,
    cache: str | Path | None = None,
    weights: str | Path | None = None,
) -> Training:
    """Checks the options of a training and loads its data.

    Args:
      preset: one of `guidenet.PRESETS`.
      overrides: `name=value` of its options, as `optimiser.learning_rate=3e-4`.
      kinds: of tasks; empty is those of the preset that the data have, or else all that they have.
      data: see `open_data`.
      fold: classes that are held out.
      seed: of all randomness.
      directory: of the run.
      checkpoint_every: iterations; 0 takes them as often as costs a twentieth of the time.
      cache: of cut-outs.
      weights: of the backbone, a file; None is the installed ones.

    Raises:
      ValueError: an option, the data or the weights are not as they must be; nothing was computed.
      RunError: the directory cannot be used, or there is not enough memory.
    """
    config = training_preset(preset)
    if kinds:  # first: an option may be for some kinds only
        config = dataclasses.replace(config, kinds=tuple(kinds))
    config = override(config, overrides)
    found = open_data(data, fold, cache)
    if "train" not in found.roles:
        raise ValueError(f"data must have something to train on, got {data}, which is for tests only")
    wanted = tuple(kinds) or tuple(kind for kind in config.kinds if kind in found.kinds) or found.kinds
    for kind in wanted:
        if kind not in found.kinds:
            raise ValueError(f"kinds must be among {', '.join(found.kinds)} with data {data}, got {kind}")
    config = dataclasses.replace(config, kinds=wanted)
    weights = None if weights is None else Path(weights)
    experiment = Experiment(config, found.name, seed, Path(directory), checkpoint_every, weights)
    experiment.check()
    sets = [experiment.load([found.source(kind, role) for kind in wanted]) for role in ("train", "validation")]
    return Training(experiment, *sets)
