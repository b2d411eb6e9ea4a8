"""Trains a guided network on tasks sampled from labelled images, and scores it on classes that were held out.

    uv run examples/train_guidenet.py                                            # the cut-out benchmark
    uv run examples/train_guidenet.py --kinds=semantic --fold=1
    uv run examples/train_guidenet.py --data=voc:VOCdevkit/VOC2012 --kinds=semantic
    uv run examples/train_guidenet.py --preset=late --override=network.fusion=none \
        --override=network.head.kind=concat --override=network.head.products=false   # foreground-background

It is `guidenet train` with the flags of the other trainers. The same command again goes on where it stopped. In
--run_dir are config.json, metrics.jsonl, checkpoints, model.npz, for `guidenet.load_model`, and test.json, positive IU
against the number of annotated pixels.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from pathlib import Path

from absl import flags
from guidenet import PRESETS
from guidenet.cli.train import PURPOSES, train_and_test
from guidenet.data.sources import KINDS
from guidenet.errors import UserError
from guidenet.training import Options
from rlcore.experiment import RunError, enable_compilation_cache, main

_DATA = flags.DEFINE_string(
    "data",
    "cut-outs",
    "The images: cut-outs or cut-outs:FOLDER; folder:FOLDER, with images/ and masks/ of the same names; coco:FOLDER, "
    "voc:FOLDER, fss:FOLDER or davis:FOLDER; real, photos for tests only.",
)
_FOLD = flags.DEFINE_integer("fold", 0, "Which classes are held out, 0 to 3.")
_ORACLE = flags.DEFINE_bool("oracle", False, "Hold nothing out: train on the test classes too, in other images.")
_CACHE = flags.DEFINE_string("cache", "cache", "A folder for the drawings of cut-outs.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Weights of the backbone, a file, where no package has them.")
_KINDS = flags.DEFINE_list(
    "kinds", [], f"Tasks to train on: {', '.join(KINDS)}; by default those of the preset that the data have."
)
_PRESET = flags.DEFINE_enum("preset", "cpu", list(PRESETS), f"The config to start from: {PURPOSES}.")
_SEED = flags.DEFINE_integer("seed", 0, "The seed of all randomness.", lower_bound=0)
_RUN_DIR = flags.DEFINE_string("run_dir", None, "Where everything goes. By default runs/guidenet-<preset>-<seed>.")
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "An option of the config, as part.name=value; may be given many times."
)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every",
    0,
    "Iterations between checkpoints; 0: as often as costs a twentieth of the time.",
    lower_bound=0,
)
_NUM_TEST_TASKS = flags.DEFINE_integer(
    "num_test_tasks", 200, "Held-out tasks of each kind that are scored at the end; 0 is none.", lower_bound=0
)


def run() -> None:
    """Trains and tests."""
    enable_compilation_cache()
    options = Options(
        preset=_PRESET.value,
        overrides=_OVERRIDE.value,
        kinds=_KINDS.value,
        data=_DATA.value,
        fold=_FOLD.value,
        hold_out=not _ORACLE.value,
        seed=_SEED.value,
        directory=Path(_RUN_DIR.value) if _RUN_DIR.value else None,
        checkpoint_every=_CHECKPOINT_EVERY.value,
        cache=Path(_CACHE.value),
        weights=Path(_WEIGHTS.value) if _WEIGHTS.value else None,
    )
    try:
        train_and_test(options, _NUM_TEST_TASKS.value)
    except UserError as error:
        raise RunError(str(error)) from None


if __name__ == "__main__":
    main(run)
