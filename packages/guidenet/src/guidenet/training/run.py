"""Training by names, as the command and the example do."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rlcore.experiment import override

from guidenet.data.collections.record import Data
from guidenet.data.guarded import open_guarded
from guidenet.training.config import training_preset
from guidenet.training.experiment import Experiment


class Training(NamedTuple):
    """A training whose options, weights and directory have been checked.

    experiment: its options and where it is kept.
    data: what it is trained on.
    """

    experiment: Experiment
    data: Data

    def run(self) -> Path:
        """Loads the images, trains from the newest checkpoint on, and returns where the network was written.

        Raises:
          UserError: a file of the data is not as it must be.
          RunError: there is not enough memory, or as `Experiment.run`.
          NonFiniteError: as `Experiment.run`.
        """
        experiment, kinds = self.experiment, self.experiment.config.kinds
        train, validation = (
            experiment.load([self.data.source(kind, role) for kind in kinds]) for role in ("train", "validation")
        )
        return experiment.run(train, validation)


@dataclasses.dataclass(frozen=True)
class Options:
    """What is trained, by names.

    preset: one of `guidenet.PRESETS`.
    overrides: `name=value` of its options, as `optimiser.learning_rate=3e-4`.
    kinds: of tasks. Empty is the kinds of the preset that the data have; if they have none of those, all of theirs.
    data: see `open_data`.
    fold: classes that are held out.
    hold_out: False trains an oracle, on the test classes too, in other images.
    seed: of all randomness.
    directory: of the run; None is runs/guidenet-<preset>-<seed>.
    checkpoint_every: iterations; 0 takes them as often as costs a twentieth of the time.
    cache: of cut-outs.
    weights: of the backbone, a file; None is the installed ones.
    """

    preset: str = "cpu"
    overrides: Sequence[str] = ()
    kinds: Sequence[str] = ()
    data: str = "cut-outs"
    fold: int = 0
    hold_out: bool = True
    seed: int = 0
    directory: str | Path | None = None
    checkpoint_every: int = 0
    cache: str | Path | None = None
    weights: str | Path | None = None


def set_up(options: Options) -> Training:
    """Checks the options of a training, opens its data, and looks at its directory; nothing is computed yet.

    Raises:
      ValueError, OSError: an option, the data or the weights are not as they must be.
      ModuleNotFoundError: data or weights are not installed.
      RunError: the directory cannot be used.
    """
    config = training_preset(options.preset)
    if options.kinds:  # first: an option may be for some kinds only
        config = dataclasses.replace(config, kinds=tuple(options.kinds))
    config = override(config, options.overrides)
    overridden = any(assignment.partition("=")[0].strip() == "kinds" for assignment in options.overrides)
    if options.kinds and overridden:
        raise ValueError(f"kinds must be given once, got {', '.join(options.kinds)} and an override of kinds")
    asked = config.kinds if options.kinds or overridden else ()
    found = open_guarded(options.data, options.fold, options.cache, hold_out=options.hold_out)
    if "train" not in found.roles:
        raise ValueError(f"data must have something to train on, got {options.data}, which is for tests only")
    wanted = asked or tuple(kind for kind in config.kinds if kind in found.kinds) or found.kinds
    for kind in wanted:
        if kind not in found.kinds:
            raise ValueError(f"kinds must be among {', '.join(found.kinds)} with data {options.data}, got {kind}")
    config = dataclasses.replace(config, kinds=wanted)
    weights = None if options.weights is None else Path(options.weights)
    directory = Path(options.directory or Path("runs") / f"guidenet-{options.preset}-{options.seed}").expanduser()
    experiment = Experiment(config, found.name, options.seed, directory, options.checkpoint_every, weights)
    experiment.check()
    return Training(experiment, found)
