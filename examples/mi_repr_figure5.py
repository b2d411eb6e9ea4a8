"""Runs every objective on every catcher game and draws the thesis's figures 5, 30 and 32.

    uv run examples/mi_repr_figure5.py
    uv run examples/mi_repr_figure5.py --games=catcher --objectives=fwd,inv --num_seeds=1
    uv run examples/mi_repr_figure5.py --games=catcher --objectives=fwd,fwd-thesis,multi-inv,reconstruction,bootstrap
    uv run examples/mi_repr_figure5.py --runs='runs/catcher-*' --draw_only

The same command again goes on where it stopped. Experiments that ran elsewhere, such as those of train_mi_repr.py, are
found with --runs, whatever their directories are called: their results say what they are. To use two processes, start
one with --shard=0/2 and one with --shard=1/2, and the command without --shard when both are done. The figures show what
is finished.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from collections.abc import Iterable
from pathlib import Path

from absl import flags
from mi_repr.deep import catcher
from rlcore.experiment import enable_compilation_cache, main, tell, user_errors
from support.mi_repr_experiments import Key, find_runs, load_results, make_experiments, print_table
from support.mi_repr_pictures import draw_figures

_SHOWN = ["fwd", "state", "inv", "end-to-end", "untrained"]
_GAMES = flags.DEFINE_list("games", list(catcher.GAMES), f"Of {', '.join(catcher.GAMES)}.")
_KNOWN = "; ".join(f"{name}, {text}" for name, text in catcher.REPRESENTATIONS.items())
_OBJECTIVES = flags.DEFINE_list("objectives", _SHOWN, f"Of: {_KNOWN}.")
_PRESET = flags.DEFINE_enum("preset", "cpu", list(catcher.PRESETS), "The config to start from.")
_NUM_SEEDS = flags.DEFINE_integer("num_seeds", 3, "Seeds of the games without distractors.", lower_bound=1)
_NUM_DISTRACTOR_SEEDS = flags.DEFINE_integer("num_distractor_seeds", 1, "Of those with distractors.", lower_bound=1)
_RUN_DIR = flags.DEFINE_string("run_dir", "runs/mi-repr-figure5", "Where everything goes.")
_OVERRIDE = flags.DEFINE_multi_string("override", [], "An option of every config, as part.name=value.")
_SHARD = flags.DEFINE_string("shard", "0/1", "I/N: run every N-th experiment, from the I-th on, counted from 0.")
_RUNS = flags.DEFINE_multi_string(
    "runs", [], "A pattern of directories of experiments that ran elsewhere; may be given many times."
)
_DRAW_ONLY = flags.DEFINE_bool("draw_only", False, "Draw what is finished and run nothing.")


def list_keys(found: Iterable[Key]) -> list[Key]:
    """All that is asked for, all objectives of a seed before the next seed; then further seeds that were found.

    Raises:
      ValueError: an unknown game or objective.
    """
    for option, values, allowed in (
        ("games", _GAMES.value, catcher.GAMES),
        ("objectives", _OBJECTIVES.value, catcher.REPRESENTATIONS),
    ):
        if unknown := [value for value in values if value not in allowed]:
            raise ValueError(f"{option} must be of {', '.join(allowed)}, got {unknown[0]!r}")
    num_seeds, num_distractor_seeds = _NUM_SEEDS.value, _NUM_DISTRACTOR_SEEDS.value
    asked = [
        (game, objective, seed)
        for seed in range(max(num_seeds, num_distractor_seeds))
        for game in _GAMES.value
        if seed < (num_distractor_seeds if "distractors" in game else num_seeds)
        for objective in _OBJECTIVES.value
    ]
    further = [key for key in found if key[0] in _GAMES.value and key[1] in _OBJECTIVES.value and key not in asked]
    return asked + further


def parse_shard(text: str) -> tuple[int, int]:
    """`I/N` as two numbers, 0 <= I < N.

    Raises:
      ValueError: it is not.
    """
    first, _, count = text.partition("/")
    if not (first.isdecimal() and count.isdecimal() and int(first) < int(count)):
        raise ValueError(f"shard must be I/N with 0 <= I < N, got {text!r}")
    return int(first), int(count)


def run() -> None:
    """Runs what is missing, then draws."""
    run_dir = Path(_RUN_DIR.value).expanduser()
    with user_errors():
        first, count = parse_shard(_SHARD.value)
        found = find_runs(_RUNS.value)
        experiments = make_experiments(list_keys(found), run_dir, _PRESET.value, _OVERRIDE.value, found)
        finished = load_results(experiments)
        mine = [] if _DRAW_ONLY.value else list(experiments)[first::count]
        missing = [key for key in mine if key not in finished]
        for key in missing:
            experiments[key].check()
    enable_compilation_cache()
    for key in missing:
        game, objective, seed = key
        tell(f"{game}, {objective}, seed {seed}")
        experiments[key].run()
    results = load_results(experiments)
    run_dir.mkdir(parents=True, exist_ok=True)
    print_table(results, _GAMES.value, _OBJECTIVES.value)
    draw_figures(results, _GAMES.value, _OBJECTIVES.value, run_dir)


if __name__ == "__main__":
    main(run)
