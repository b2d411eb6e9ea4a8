"""Makes figures of the thesis: lists what they need, runs what is missing, and draws with what there is.

    uv run examples/reproduce.py                               # what all figures have and lack; nothing is run
    uv run examples/reproduce.py --figure=14 --list            # what figure 14 would run, with commands and hours
    uv run examples/reproduce.py --figure=14 --jobs=2          # runs it, two at a time, and draws
    uv run examples/reproduce.py --figure=16,17 --seeds=1 --draw_only

A need is met by what is committed in examples/results, or by a run in --runs whose own records say that it is finished.
All else is run, each job on a core of its own, with its log in RUNS/logs. Ctrl-C stops the runs, and the same command
again goes on where they were. If a run fails, the end of its log is shown, the others go on, and the exit code is 1.
Pictures go to RUNS/figures/NUMBER, also while another process runs (--draw_only), and say which seeds are in them.
Robots need `--extra mujoco`, figures 10 and 11 `--extra guidenet`.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import sys
from pathlib import Path

from absl import flags
from rlcore.experiment import RunError, check_choice, main, output_path, tell, user_errors
from support.jobs.processes import Runner
from support.thesis import FIGURES
from support.thesis.drawing import draw
from support.thesis.status import Look, count_hours, describe_figure, describe_plan

_FIGURE = flags.DEFINE_list("figure", [], f"Numbers, or all: {', '.join(FIGURES)}. None lists all and runs nothing.")
_JOBS = flags.DEFINE_integer("jobs", 1, "How many runs at a time, each on a core of its own.", lower_bound=1)
_SEEDS = flags.DEFINE_integer("seeds", None, "How many of each run, by default as the figure has.", lower_bound=1)
_RUNS = flags.DEFINE_string("runs", "runs/thesis", "Folder of runs, logs and pictures.")
_LIST = flags.DEFINE_bool("list", False, "Only say what there is and what would be run.")
_DRAW_ONLY = flags.DEFINE_bool("draw_only", False, "Run nothing, draw with what there is.")


def reproduce() -> None:
    """Lists, runs and draws."""
    chosen = dict.fromkeys(_FIGURE.value)
    with user_errors():
        for number in chosen:
            check_choice("figure", number, [*FIGURES, "all"])
        if not chosen or "all" in chosen:
            chosen = dict.fromkeys(FIGURES)
        only_list = _LIST.value or not _FIGURE.value
        if only_list and _DRAW_ONLY.value:
            raise ValueError("draw_only must have figures to draw, and not list")
        runs = Path(_RUNS.value).expanduser()
        if not only_list:
            runs = output_path("runs", runs / "figures" / "file").parents[1]
    figures = {number: FIGURES[number] for number in chosen}
    look = Look(runs, _SEEDS.value)
    for number, figure in figures.items():
        print(describe_figure(number, figure, look), flush=True)
    needs = [] if _DRAW_ONLY.value else look.plan(list(figures.values()))
    if not _FIGURE.value:
        print(
            f"to run: {len(needs)} commands, about {count_hours(needs):.0f} h on one core; see --figure=NUMBER --list"
        )
    elif not _DRAW_ONLY.value:
        print(describe_plan(needs, runs), flush=True)
    if only_list:
        return
    runner = Runner(_JOBS.value)
    runner.run([look.make_job(need) for need in needs])
    for number, figure in figures.items():
        print(describe_figure(number, figure, look) if needs else f"figure {number}")
        try:
            pictures = draw(number, figure, look)
        except RunError as error:
            runner.failed[f"figure {number}"] = str(error)
        else:
            print(f"  pictures: {', '.join(map(str, pictures)) or 'none, there is nothing to draw yet'}")
    if runner.failed:
        lines = [f"{name}: {reason}" for name, reason in runner.failed.items()]
        tell("\n  ".join(["error: not all was made:", *lines]))
        sys.exit(1)


if __name__ == "__main__":
    main(reproduce)
