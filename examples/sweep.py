"""Trains an algorithm with each combination of values of some options, and each with several seeds.

    uv run examples/sweep.py --search=sac.discount:0.9,0.99 --seeds=5 --jobs=2
    uv run examples/sweep.py --search=kl_coef:0.001,0.01 --search='sac.hidden_sizes:(64,64),(128,128)'
    uv run examples/sweep.py --algorithm=rl2 --benchmark=point-sparse-v0 --preset=explore --search=credit:trial,episode
    uv run --extra sweep examples/sweep.py --search=sac.discount:0.9,0.99 --engine=ray --scheduler=asha
    uv run --extra sweep examples/sweep.py --search=sac.discount:0.9,0.99 --engine=ray --address=HEAD:6379 --gpus=1

Values are checked before anything runs. A trial is a run of the program that trains the algorithm, with the run
directory RUNS/OPTION=VALUE,...-seedN, which plot.py, evaluate.py and record_video.py read, and a log in RUNS/logs. The
same command again skips what is finished and goes on with the rest, to the same numbers; more values or seeds add
trials. At the end there is a table of a metric, also in RUNS/sweep.csv: mean, sample standard deviation and range over
seeds of its last value, where all seeds are finished. A preset may tie options together, such as num_updates and the
updates at which step sizes fall: search these together. If a trial fails, the end of its log is shown, the others go
on, and the exit code is 1.

--engine=processes runs trials on this machine, each on a core of its own. --engine=ray needs `--extra sweep`. It runs
as many trials as have room, by --cpus and --gpus, starts one again whose worker dies, and with --scheduler=asha stops
those early that lag behind. A cluster is made with `ray start`; its machines must have this checkout, its environment
and the folder of runs at the same paths.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags
from rlcore.experiment import main, output_path, tell, user_errors
from support.algorithms import ALGORITHMS
from support.runs import define_import_flag, import_modules
from support.sweep.engines import ENGINES, make_engine
from support.sweep.grid import Settings, Trial, make_points, make_trials
from support.sweep.table import format_table, summarise, write_csv

_ALGORITHM = flags.DEFINE_enum("algorithm", "pearl", list(ALGORITHMS), "What to train.")
_BENCHMARK = flags.DEFINE_string("benchmark", "point-sparse-wide-v0", "The tasks to train on.")
_PRESET = flags.DEFINE_string("preset", "cpu", "The config to start from, of those of the algorithm.")
_OVERRIDE = flags.DEFINE_multi_string("override", [], "An option of all trials, as name=value or part.name=value.")
_NUM_ITERATIONS = flags.DEFINE_integer("num_iterations", None, "To train, by default the preset's.", lower_bound=1)
_SEARCH = flags.DEFINE_multi_string(
    "search",
    [],
    "OPTION:VALUE,VALUE of the config, where a value with commas is in brackets; may be given many times.",
)
_SEEDS = flags.DEFINE_integer("seeds", 3, "How many of each combination, from 0 on.", lower_bound=1)
_METRIC = flags.DEFINE_string("metric", "test/return", "Of the table, and of the scheduler, to which more is better.")
_RUNS = flags.DEFINE_string(
    "runs", None, "Folder of run directories, by default runs/sweep-<algorithm>-<benchmark>-<preset>."
)
_ENGINE = flags.DEFINE_enum("engine", "processes", list(ENGINES), "What runs trials.")
_JOBS = flags.DEFINE_integer(
    "jobs", None, "How many trials at a time, by default 1, and of Ray as many as have room.", lower_bound=1
)
_RAY_FLAGS = {
    "address": flags.DEFINE_string("address", None, "Of a cluster of Ray, HOST:PORT; by default this machine is one."),
    "cpus": flags.DEFINE_integer("cpus", None, "Of a trial of Ray, by default 1.", lower_bound=1),
    "gpus": flags.DEFINE_float("gpus", None, "Of a trial of Ray, by default 0.", lower_bound=0),
    "scheduler": flags.DEFINE_enum("scheduler", None, ["asha"], "What stops trials of Ray early."),
}
_IMPORT = define_import_flag()


def report(trials: Sequence[Trial], runs: Path) -> None:
    """Prints the table, and writes it."""
    with user_errors():
        rows = summarise(trials, _METRIC.value)
    write_csv(rows, runs / "sweep.csv")
    print(f"last {_METRIC.value} over seeds, in {runs / 'sweep.csv'}\n{format_table(rows)}")


def sweep() -> None:
    """Plans, runs and reports."""
    import_modules(_IMPORT.value)
    with user_errors():
        default = f"runs/sweep-{_ALGORITHM.value}-{_BENCHMARK.value}-{_PRESET.value}"
        runs = Path(_RUNS.value or default).expanduser()
        lists = (tuple(_OVERRIDE.value), tuple(_IMPORT.value))
        settings = Settings(_ALGORITHM.value, _BENCHMARK.value, _PRESET.value, *lists, _NUM_ITERATIONS.value, runs)
        points = make_points(settings, _SEARCH.value)
        trials = make_trials(settings, points, _SEEDS.value)
        jobs = [trial.job for trial in trials if not trial.job.is_finished()]
        print(f"{len(points)} points, {_SEEDS.value} seeds: {len(jobs)} of {len(trials)} trials to run", flush=True)
        output_path("runs", runs / "sweep.csv")
        options = {"runs": runs, "metric": _METRIC.value, "num_iterations": points[0].num_iterations}
        ray_options = {name: flag.value for name, flag in _RAY_FLAGS.items() if flag.value is not None}
        engine = make_engine(_ENGINE.value, _JOBS.value, ray_options, **options) if jobs else None
    if engine:
        engine.run(jobs)
    report(trials, runs)
    if engine and engine.failed:
        lines = [f"{name}: {reason}" for name, reason in engine.failed.items()]
        tell("\n  ".join(["error: not all trials are finished:", *lines]))
        sys.exit(1)


if __name__ == "__main__":
    main(sweep)
