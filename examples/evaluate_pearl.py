"""Shows how a trained PEARL adapts to the test tasks: a table of returns by episode, and pictures.

uv run examples/evaluate_pearl.py --run_dir=runs/point-sparse-wide-v0-cpu-0 --num_episodes=21
"""

from pathlib import Path

from absl import flags
from checks import check_num_tasks
from pearl_report import report
from rlcore.experiment import main, user_errors
from trained_pearl import load_trained

_RUN_DIR = flags.DEFINE_string("run_dir", None, "The run directory that train_pearl.py wrote.", required=True)
_NUM_TASKS = flags.DEFINE_integer("num_tasks", None, "Test tasks, by default all.", lower_bound=1)
_NUM_EPISODES = flags.DEFINE_integer("num_episodes", None, "Episodes of a trial, by default the run's.", lower_bound=1)
_NUM_TRIALS = flags.DEFINE_integer(
    "num_trials", 1, "Trials of each task, over which returns are averaged.", lower_bound=1
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the trials.", lower_bound=0)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Where the pictures go, by default the run directory.")
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "A test option of the config, such as num_test_prior_episodes=5 or deterministic_test=false."
)


def evaluate() -> None:
    """Plays the trials and reports."""
    with user_errors():
        trained = load_trained(_RUN_DIR.value, _OVERRIDE.value)
        benchmark = trained.benchmark
        num_tasks = _NUM_TASKS.value or benchmark.num_test_tasks
        check_num_tasks(num_tasks, benchmark)
    print(f"{benchmark.name}, iteration {trained.iteration}, {trained.env_steps} env steps")
    report(
        trained.agent,
        trained.params,
        benchmark,
        Path(_OUTPUT_DIR.value or _RUN_DIR.value),
        num_episodes=_NUM_EPISODES.value or trained.agent.config.num_test_episodes,
        seed=_SEED.value,
        num_tasks=num_tasks,
        num_trials=_NUM_TRIALS.value,
    )


if __name__ == "__main__":
    main(evaluate)
