"""Shows how a trained MELD adapts to the test tasks: a table by episode, what its belief holds, and pictures.

    uv run examples/evaluate_meld.py --run_dir=runs/point-image-dense-32-v1-cpu-0 --num_trials=10
    uv run examples/evaluate_meld.py --run_dir=runs/half-cheetah-vel-image-v0-cpu-0 --num_changes=2

With --num_changes the task changes so many times within an episode, without notice, and tracking.png shows how MELD
follows (thesis, appendix D.4.2).
"""

from pathlib import Path

from absl import flags
from checks import check_num_tasks
from meld_changes import report_changes
from meld_report import report
from rlcore.experiment import main, user_errors
from trained_meld import load_trained

_RUN_DIR = flags.DEFINE_string("run_dir", None, "The run directory that train_meld.py wrote.", required=True)
_NUM_TASKS = flags.DEFINE_integer("num_tasks", None, "Test tasks, by default all.", lower_bound=1)
_NUM_TRIALS = flags.DEFINE_integer("num_trials", None, "Trials of each task, by default the run's.", lower_bound=1)
_NUM_CHANGES = flags.DEFINE_integer("num_changes", 0, "Changes of the task within an episode.", lower_bound=0)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the trials.", lower_bound=0)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Where the pictures go, by default the run directory.")
_OVERRIDE = flags.DEFINE_multi_string("override", [], "A test option of the config, such as deterministic_test=false.")


def evaluate() -> None:
    """Plays the trials and reports."""
    with user_errors():
        trained = load_trained(_RUN_DIR.value, _OVERRIDE.value)
        benchmark = trained.benchmark
        num_tasks = _NUM_TASKS.value or benchmark.num_test_tasks
        check_num_tasks(num_tasks, benchmark)
        if _NUM_CHANGES.value >= min(num_tasks, benchmark.family.horizon):
            most = f"{num_tasks} tasks and the {benchmark.family.horizon} steps of an episode"
            raise ValueError(f"num_changes must be below the {most}, got {_NUM_CHANGES.value}")
    state = trained.state
    print(f"{benchmark.name}, iteration {trained.iteration}, {int(state.env_steps)} env steps")
    output_dir = Path(_OUTPUT_DIR.value or _RUN_DIR.value)
    params = state.agent.average
    if _NUM_CHANGES.value:
        report_changes(
            trained.agent,
            params,
            benchmark,
            output_dir,
            num_tasks=num_tasks,
            num_changes=_NUM_CHANGES.value,
            seed=_SEED.value,
        )
        return
    report(
        trained.agent,
        params,
        benchmark,
        output_dir,
        seed=_SEED.value,
        num_tasks=num_tasks,
        num_trials=_NUM_TRIALS.value,
    )


if __name__ == "__main__":
    main(evaluate)
