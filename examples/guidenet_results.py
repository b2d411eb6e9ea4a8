"""Scores trained networks on held-out classes, against annotation, shots and time, and draws the curves.

    uv run examples/guidenet_results.py --commands --methods=late,none,early-global   # how to train what is compared
    uv run examples/train_guidenet.py --run_dir=runs/guidenet/late-seed0              # the first of them
    uv run examples/guidenet_results.py
    uv run examples/guidenet_results.py --scores=examples/results/guidenet/scores     # tables and curves of these alone

Networks are in --runs, one in each folder <method>-seed<number>, see METHODS in guidenet_methods.py. Scores go to
--output, a small file for each part, network and kind of tasks, with the pixel counts of every task; what is there
already is not computed again, and tables (tables.md) and pictures are made of all of it:

- points: positive IU and F of edges against P for semantic, interactive and video tasks, and update times (thesis
  figures 10, 11); objects with another object of their class in the image apart from those without;
- frames: S annotated frames of a clip times P points (thesis figure 11, right);
- clicks: how many clicks objects take, each set where the mask found so far is most wrong;
- photos: points on the real photos that are installed, see `guidenet.data.real`;
- pictures: what decoder-seed0 finds in the first tasks;
- shots: one to hundreds of annotated images of subcategories, by networks that were trained on concepts or on single
  objects only (thesis 4.4.2, 4.4.3). For each number of images and points every method has the threshold that is best
  for it on the subcategories of validation.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from pathlib import Path

from absl import flags
from guidenet.data.guarded import open_guarded
from guidenet.errors import UserError
from rlcore.experiment import RunError, check_choice, enable_compilation_cache, main, user_errors
from support.guidenet_methods import METHODS, find_networks, make_commands, make_method
from support.guidenet_pictures import draw_scores, draw_tasks
from support.guidenet_scorer import Scorer
from support.guidenet_scores import PARTS as SCORED
from support.guidenet_scores import Scores

PARTS = (*SCORED, "pictures")

_RUNS = flags.DEFINE_string("runs", "runs/guidenet", "Folder of the trained networks.")
_OUTPUT = flags.DEFINE_string("output", "runs/guidenet-results", "Folder for scores, tables and pictures.")
_SCORES = flags.DEFINE_string(
    "scores",
    None,
    "Folder of scores: nothing is computed, tables and curves are made of those of --methods and --parts.",
)
_COMMANDS = flags.DEFINE_bool("commands", False, "Only print the commands that train the networks of --methods.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "How many of each method --commands is for.", lower_bound=1)
_DATA = flags.DEFINE_string(
    "data",
    "cut-outs",
    "The images: cut-outs; cut-outs, folder, coco, voc, fss or davis with :FOLDER; or real, photos for tests only.",
)
_CACHE = flags.DEFINE_string("cache", "cache", "Folder for the drawings of cut-outs.")
_PARTS = flags.DEFINE_list("parts", list(PARTS), f"What to compute, or to show of --scores: {', '.join(PARTS)}.")
_METHODS = flags.DEFINE_list(
    "methods", [], "Methods to compute, or to show of --scores; by default all whose networks or scores are there."
)
_NUM_TASKS = flags.DEFINE_integer("num_tasks", 300, "Semantic and interactive tasks.", lower_bound=1)
_NUM_CLIPS = flags.DEFINE_integer("num_clips", 30, "Video tasks, at most.", lower_bound=1)
_NUM_STEPS = flags.DEFINE_integer("num_steps", 100, "Gradient steps of fine-tuning.", lower_bound=1)
_FOLD = flags.DEFINE_integer("fold", 0, "Which classes are held out, 0 to 3.")


def run() -> None:
    """Computes what is missing and draws everything."""
    folder = Path(_OUTPUT.value).expanduser()
    with user_errors():
        for method in _METHODS.value:
            check_choice("methods", method, list(METHODS))
        for part in _PARTS.value:
            check_choice("parts", part, PARTS)
    if _COMMANDS.value:
        print("\n".join(make_commands(_METHODS.value, range(_SEEDS.value), _RUNS.value)))
        return
    if _SCORES.value is not None:
        scores = Path(_SCORES.value).expanduser()
        with user_errors():
            if Scores(scores).is_empty():
                raise ValueError(f"scores must be a folder of files of this program, got {_SCORES.value}")
            chosen = Scores(scores, _METHODS.value, _PARTS.value)
            if chosen.is_empty():
                wanted = f"{', '.join(_PARTS.value)} of {', '.join(_METHODS.value) or 'some method'}"
                raise ValueError(f"scores must have {wanted}, and {_SCORES.value} has none")
            draw_scores(chosen, folder)
        return
    with user_errors():
        if "shots" in _PARTS.value and _DATA.value != "cut-outs":
            raise ValueError(f"parts must be points with data other than cut-outs, got shots with {_DATA.value}")
        data = open_guarded(_DATA.value, _FOLD.value, _CACHE.value)
    enable_compilation_cache()
    scorer = Scorer(data, _FOLD.value, _CACHE.value, _NUM_TASKS.value, _NUM_CLIPS.value, _NUM_STEPS.value)
    networks = find_networks(Path(_RUNS.value).expanduser(), _METHODS.value)
    try:
        for part in _PARTS.value:
            if part != "pictures":
                scorer.write_scores(part, networks, folder / "scores")
    except UserError as error:  # a file of the data
        raise RunError(str(error)) from None
    with user_errors():
        draw_scores(Scores(folder / "scores"), folder)
    if "pictures" in _PARTS.value and (network := networks.get("decoder-seed0")):
        method = make_method("decoder-seed0", network, _NUM_STEPS.value)
        for kind in ("semantic", "interactive"):
            if kind in data.kinds:
                draw_tasks(method, scorer.get_evaluation(kind, method), folder / f"{kind}-decoder-seed0.png")


if __name__ == "__main__":
    main(run)
