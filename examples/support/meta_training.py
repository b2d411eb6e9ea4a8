"""The program that meta-trains: one for all algorithms."""

from collections.abc import Callable, Sequence
from typing import Any

import metarl_envs
from absl import flags
from metarl_envs import Benchmark
from rlcore.experiment import (
    TRACKERS,
    define_training_flags,
    enable_compilation_cache,
    get_run_dir,
    override,
    user_errors,
)

from support.algorithms import ALGORITHMS
from support.reports import ReportOptions
from support.runs import define_import_flag, import_modules

flags.disclaim_key_flags()  # `--help` shows what is defined here as the flags of the program that asks for it


def define_training(
    choices: str | Sequence[str],
    *,
    default_benchmark: str,
    default_preset: str = "cpu",
    make_parts: Callable[[Any, Benchmark], dict[str, Any]] = lambda config, benchmark: {},
) -> Callable[[], None]:
    """Defines the flags of a program that meta-trains an algorithm, evaluates it and reports.

    Args:
      choices: a name of `ALGORITHMS`; or several, whose presets have the same names: then there is a flag
        `--algorithm`, and the default of `--run_dir` begins with its value.
      default_benchmark: of the flag `--benchmark`.
      default_preset: of the flag `--preset`.
      make_parts: from config and benchmark to what the algorithm's learner, `open_run` and `train` take besides.

    Returns:
      The program, for `rlcore.experiment.main`.
    """
    names = [choices] if isinstance(choices, str) else list(choices)
    presets = ALGORITHMS[names[0]].import_package().PRESETS
    purposes = {name: preset.purpose for name, preset in presets.items()}
    chosen = flags.DEFINE_enum("algorithm", names[0], names, "What to train.") if choices == names else None
    training = define_training_flags(
        default_benchmark=default_benchmark, default_preset=default_preset, presets=purposes
    )
    imports = define_import_flag()
    tensorboard = flags.DEFINE_bool("tensorboard", False, "The same as --track=tensorboard.")
    track = flags.DEFINE_multi_enum(
        "track", [], list(TRACKERS), "Where metrics go too, beside metrics.jsonl; may be given several times."
    )

    def train() -> None:
        name = names[0] if chosen is None else chosen.value
        algorithm, seed = ALGORITHMS[name], training.seed.value
        package = algorithm.import_package()
        import_modules(imports.value)
        with user_errors():
            benchmark = metarl_envs.benchmark(training.benchmark.value)
            plan = package.preset(training.preset.value, benchmark)
            config = override(plan.config, training.override.value)
            parts = make_parts(config, benchmark)
            run_dir = get_run_dir(training, prefix="" if chosen is None else f"{name}-")
            run = package.open_run(
                run_dir,
                config,
                benchmark,
                seed,
                checkpoint_every=training.checkpoint_every.value,
                tensorboard=tensorboard.value,
                trackers=track.value,
                **parts,
            )
        enable_compilation_cache()
        num_iterations = training.num_iterations.value or plan.num_iterations
        package.train(config, benchmark, run, seed=seed, num_iterations=num_iterations, **parts)
        trained = package.load(run_dir, benchmark=benchmark)
        algorithm.import_helper("report").report(trained, run_dir, ReportOptions(seed))

    return train
