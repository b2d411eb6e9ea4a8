"""Shows how a trained PEARL, MELD or baseline adapts to the test tasks: a table by episode of a trial, and pictures.

    uv run examples/evaluate.py --run_dir=runs/point-sparse-wide-v0-cpu-0 --num_episodes=21
    uv run examples/evaluate.py --run_dir=runs/point-image-dense-32-v1-cpu-0 --num_trials=10
    uv run examples/evaluate.py --run_dir=runs/half-cheetah-vel-image-v0-cpu-0 --num_changes=2
    uv run examples/evaluate.py --run_dir=runs/rl2-point-sparse-wide-v0-cpu-0
    uv run examples/evaluate.py --run_dir=runs/rl2-point-sparse-wide-v0-cpu-0 --tasks=train  # what it was trained on
    uv run examples/evaluate.py --run_dir=runs/promp-point-sparse-wide-v0-cpu-0 --override=adaptation.num_test_steps=2
    uv run examples/evaluate.py --import=mine --run_dir=runs/mine-v0-cpu-0

Of MELD it also shows what the belief holds. With --num_changes the task changes so many times within an episode,
without notice, and tracking.png shows how the agent follows (thesis, appendix D.4.2).
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from absl import flags
from rlcore.experiment import check_seed, main, output_path, user_errors
from support.changes import check_changes, report_changes
from support.reports import ReportOptions
from support.runs import check_sizes, define_import_flag, import_modules, load_run, with_train_tasks

_RUN_DIR = flags.DEFINE_string("run_dir", None, "The run directory that training wrote.", required=True)
_TASKS = flags.DEFINE_enum("tasks", "test", ["test", "train"], "Tasks never seen, or those that it was trained on.")
_NUM_TASKS = flags.DEFINE_integer("num_tasks", None, "How many of them, by default all.", lower_bound=1)
_NUM_EPISODES = flags.DEFINE_integer("num_episodes", None, "Episodes of a trial, by default the run's.", lower_bound=1)
_NUM_TRIALS = flags.DEFINE_integer(
    "num_trials", None, "Trials of each task, over which results are averaged; by default the run's.", lower_bound=1
)
_NUM_CHANGES = flags.DEFINE_integer("num_changes", 0, "Changes of the task within an episode.", lower_bound=0)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the trials.", lower_bound=0)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Where the pictures go, by default the run directory, of train tasks its folder train_tasks."
)
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "A test option of the config, such as num_test_prior_episodes=5 or deterministic_test=false."
)
_IMPORT = define_import_flag()


def evaluate() -> None:
    """Plays the trials and reports."""
    import_modules(_IMPORT.value)
    with user_errors():
        check_seed(_SEED.value)
        algorithm, trained = load_run(_RUN_DIR.value, _OVERRIDE.value)
        output_dir = _RUN_DIR.value
        if _TASKS.value == "train":
            trained, output_dir = with_train_tasks(trained), f"{output_dir}/train_tasks"
        check_sizes(algorithm, trained, _NUM_TASKS.value, _NUM_EPISODES.value)
        if _NUM_CHANGES.value:
            check_changes(trained, _NUM_TASKS.value, _NUM_CHANGES.value)
        output_dir = output_path("output_dir", f"{_OUTPUT_DIR.value or output_dir}/adaptation.png").parent
    print(f"{trained.benchmark.name}, iteration {trained.iteration}, {trained.env_steps} env steps")
    options = ReportOptions(_SEED.value, _NUM_TASKS.value, _NUM_EPISODES.value, _NUM_TRIALS.value)
    if _NUM_CHANGES.value:
        report_changes(trained, output_dir, options, _NUM_CHANGES.value)
    else:
        algorithm.import_helper("report").report(trained, output_dir, options)


if __name__ == "__main__":
    main(evaluate)
