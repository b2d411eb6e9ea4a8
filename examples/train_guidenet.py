"""Trains a guided network on tasks sampled from labelled images, and scores it on classes that were held out.

    uv run examples/train_guidenet.py                                            # the cut-out benchmark
    uv run examples/train_guidenet.py --kinds=semantic --fold=1
    uv run examples/train_guidenet.py --data=voc:VOCdevkit/VOC2012 --kinds=semantic
    uv run examples/train_guidenet.py --override=network.fusion=none --override=network.head.kind=concat \
        --override=network.head.products=false                                   # foreground-background

The same command again goes on where it stopped. In --run_dir are config.json, metrics.jsonl, checkpoints, model.npz,
for `guidenet.load_model`, and test.json, positive IU against the number of annotated pixels.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import json
from pathlib import Path

from absl import flags
from guidenet import load_model
from guidenet.data.catalogue import open_data
from guidenet.evaluation import Evaluation, Guided
from guidenet.training import PRESETS, set_up
from rlcore.experiment import enable_compilation_cache, main, user_errors

_PURPOSES = "; ".join(f"{name}, {purpose}" for name, (_, purpose) in PRESETS.items())
_DATA = flags.DEFINE_string(
    "data",
    "cut-outs",
    "The images: cut-outs or cut-outs:FOLDER; folder:FOLDER, with images/ and masks/ of the same names; coco:FOLDER, "
    "voc:FOLDER, fss:FOLDER or davis:FOLDER.",
)
_FOLD = flags.DEFINE_integer("fold", 0, "Which classes are held out, 0 to 3.")
_CACHE = flags.DEFINE_string("cache", "cache", "A folder for the drawings of cut-outs.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Weights of the backbone, a file, where no package has them.")
_KINDS = flags.DEFINE_list(
    "kinds", [], "Tasks to train on: semantic, interactive, video; by default those of the preset that the data have."
)
_PRESET = flags.DEFINE_enum("preset", "cpu", list(PRESETS), f"The config to start from: {_PURPOSES}.")
_SEED = flags.DEFINE_integer("seed", 0, "The seed of all randomness.", lower_bound=0)
_RUN_DIR = flags.DEFINE_string("run_dir", None, "Where everything goes. By default runs/guidenet-<preset>-<seed>.")
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "An option of the config, as part.name=value; may be given many times."
)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every",
    0,
    "Iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.",
    lower_bound=0,
)
_NUM_TEST_TASKS = flags.DEFINE_integer(
    "num_test_tasks", 200, "Held-out tasks of each kind that are scored at the end; 0 is none.", lower_bound=0
)

_TEST_POINTS = (1, 5, 25, None)


def test(model: Path, kinds: list[str]) -> dict[str, list[dict[str, object]]]:
    """Scores of the network on held-out tasks of each kind, at several numbers of points; None is dense."""
    network, params = load_model(model, _WEIGHTS.value)
    method, data = Guided(network, params), open_data(_DATA.value, _FOLD.value, _CACHE.value)
    scores: dict[str, list[dict[str, object]]] = {}
    for kind in kinds:
        evaluation = Evaluation.of(
            network, params, data, kind, num_tasks=_NUM_TEST_TASKS.value, with_images=method.needs_images
        )
        scores[kind] = [evaluation.score(method, points) for points in _TEST_POINTS]
        for row in scores[kind]:
            del row["counts"]
            print(f"{kind}, P {row['points'] or 'dense'}: positive IU {row['positive_iu']:.3f}", flush=True)
    return scores


def run() -> None:
    """Trains and tests."""
    directory = Path(_RUN_DIR.value or f"runs/guidenet-{_PRESET.value}-{_SEED.value}").expanduser()
    enable_compilation_cache()
    with user_errors():
        training = set_up(
            _PRESET.value,
            _OVERRIDE.value,
            kinds=_KINDS.value,
            data=_DATA.value,
            fold=_FOLD.value,
            seed=_SEED.value,
            directory=directory,
            checkpoint_every=_CHECKPOINT_EVERY.value,
            cache=_CACHE.value,
            weights=_WEIGHTS.value,
        )
    model = training.run()
    if _NUM_TEST_TASKS.value:
        kinds = json.loads((directory / "config.json").read_text())["training"]["kinds"]
        (directory / "test.json").write_text(json.dumps(test(model, kinds), indent=1) + "\n")


if __name__ == "__main__":
    main(run)
