"""Scores trained networks on held-out classes, against annotation, shots and time, and draws the curves.

    uv run examples/train_guidenet.py --run_dir=runs/guidenet/late-seed0
    uv run examples/train_guidenet.py --run_dir=runs/guidenet/none-seed0 --override=network.fusion=none \
        --override=network.head.kind=concat --override=network.head.products=false --override=num_iterations=10
    uv run examples/guidenet_results.py

Networks are in --runs, one in each folder <method>-seed<number>, see METHODS in guidenet_scores.py. Scores go to
--output, a file for each part, network and kind of tasks; what is there already is not computed again, and pictures are
drawn of all of it:

- points: positive IU against P for semantic, interactive and video tasks, and update times (thesis figures 10, 11);
  look-alikes.json has objects with another object of their class in the image apart from those without;
- clicks: how many clicks objects take, each set where the mask found so far is most wrong;
- pictures: what late-seed0 finds in the first tasks;
- shots: one to hundreds of annotated images of subcategories, by networks that were trained on concepts or on single
  objects only (thesis 4.4.2, 4.4.3). For each number of images and points every method has the threshold that is best
  for it on the subcategories of validation.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from pathlib import Path

from absl import flags
from guidenet.data.catalogue import open_data
from rlcore.experiment import check_choice, enable_compilation_cache, main, user_errors
from support.guidenet_pictures import draw_scores, draw_tasks
from support.guidenet_scorer import Scorer, find_networks
from support.guidenet_scores import METHODS

PARTS = ("points", "clicks", "shots", "pictures")

_RUNS = flags.DEFINE_string("runs", "runs/guidenet", "Folder of the trained networks.")
_OUTPUT = flags.DEFINE_string("output", "runs/guidenet-results", "Folder for scores and pictures.")
_DATA = flags.DEFINE_string(
    "data", "cut-outs", "The images: cut-outs, or cut-outs, folder, coco, voc, fss or davis with :FOLDER."
)
_CACHE = flags.DEFINE_string("cache", "cache", "Folder for the drawings of cut-outs.")
_PARTS = flags.DEFINE_list("parts", list(PARTS), f"What to compute: {', '.join(PARTS)}.")
_METHODS = flags.DEFINE_list("methods", [], "Methods to compute, by default all whose networks are there.")
_NUM_TASKS = flags.DEFINE_integer("num_tasks", 300, "Semantic and interactive tasks.", lower_bound=1)
_NUM_CLIPS = flags.DEFINE_integer("num_clips", 30, "Video tasks, at most.", lower_bound=1)
_NUM_STEPS = flags.DEFINE_integer("num_steps", 100, "Gradient steps of fine-tuning.", lower_bound=1)
_FOLD = flags.DEFINE_integer("fold", 0, "Which classes are held out, 0 to 3.")


def run() -> None:
    """Computes what is missing and draws everything."""
    with user_errors():
        for part in _PARTS.value:
            check_choice("parts", part, PARTS)
        for method in _METHODS.value:
            check_choice("methods", method, list(METHODS))
        if "shots" in _PARTS.value and _DATA.value != "cut-outs":
            raise ValueError(f"parts must be points with data other than cut-outs, got shots with {_DATA.value}")
        data = open_data(_DATA.value, _FOLD.value, _CACHE.value)
    enable_compilation_cache()
    scorer = Scorer(data, _FOLD.value, _CACHE.value, _NUM_TASKS.value, _NUM_CLIPS.value, _NUM_STEPS.value)
    networks = find_networks(Path(_RUNS.value).expanduser(), _METHODS.value)
    folder = Path(_OUTPUT.value).expanduser()
    for part in _PARTS.value:
        if part != "pictures":
            scorer.write_scores(part, networks, folder / "scores")
    with_look_alikes = "points" in _PARTS.value and "interactive" in data.kinds
    draw_scores(folder, data.source("interactive", "test") if with_look_alikes else None)
    if "pictures" in _PARTS.value and (network := networks.get("late-seed0")):
        method = scorer.make_method("late-seed0", network)
        for kind in ("semantic", "interactive"):
            if kind in data.kinds:
                draw_tasks(method, scorer.get_evaluation(kind, method), folder / f"{kind}-late-seed0.png")


if __name__ == "__main__":
    main(run)
