"""Shows how a trained PEARL adapts to the test tasks: a table of returns by episode, and pictures.

uv run examples/evaluate_pearl.py --run_dir=runs/point-sparse-wide-v0-cpu-0 --num_episodes=21
"""

from pathlib import Path

import jax
import metarl_envs
import pearl_jax
from absl import flags
from pearl_report import report
from rlcore.experiment import from_dict, load_config, main, override, restore_latest, user_errors

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
        saved = load_config(_RUN_DIR.value)
        config = override(from_dict(pearl_jax.PearlConfig, saved["pearl"]), _OVERRIDE.value)
        benchmark = metarl_envs.benchmark(saved["benchmark"])
        agent = pearl_jax.make_agent(config, benchmark)
        num_tasks = _NUM_TASKS.value or benchmark.num_test_tasks
        if num_tasks > benchmark.num_test_tasks:
            raise ValueError(
                f"num_tasks must be at most {benchmark.num_test_tasks} for {benchmark.name}, got {num_tasks}"
            )
        template = jax.eval_shape(lambda: pearl_jax.init_state(agent, benchmark, saved["seed"]))
        state, iteration = restore_latest(_RUN_DIR.value, template)
    print(f"{benchmark.name}, iteration {iteration}, {int(state.env_steps)} env steps")
    report(
        agent,
        state.agent.average,
        benchmark,
        Path(_OUTPUT_DIR.value or _RUN_DIR.value),
        num_episodes=_NUM_EPISODES.value or config.num_test_episodes,
        seed=_SEED.value,
        num_tasks=num_tasks,
        num_trials=_NUM_TRIALS.value,
    )


if __name__ == "__main__":
    main(evaluate)
