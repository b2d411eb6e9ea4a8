"""The thesis's ablations, trained one after the other and drawn: figures 16 and 17 of PEARL, figure 36 of MELD.

    uv run examples/ablations.py --seed=0 --seed=1 --seed=2
    uv run examples/ablations.py --variants=pearl --variants=off-policy --benchmark=ant-goal-v0
    uv run examples/ablations.py --algorithm=meld --variants=meld --variants=tasks-5
    uv run examples/ablations.py --algorithm=meld --draw_only

Each run is in --output_dir/VARIANT-SEED, and evaluate.py and record_video.py read it. The same command again goes on
where it stopped. At the end, and with --draw_only, ablations.png shows all the seeds that are there.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from pathlib import Path

from absl import flags
from rlcore.experiment import check_choice, enable_compilation_cache, main, user_errors
from support.algorithms import ALGORITHMS
from support.curves import draw_variants
from support.runs import define_import_flag, import_modules
from support.variants import ABLATIONS
from support.variants.plans import plan_variants

_NAMES = "; ".join(f"{name}: {', '.join(ablation.variants)}" for name, ablation in ABLATIONS.items())
_ALGORITHM = flags.DEFINE_enum("algorithm", "pearl", list(ABLATIONS), "What is varied.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "The tasks to train on, by default the algorithm's.")
_PRESET = flags.DEFINE_string("preset", "cpu", "The config that the variants change.")
_VARIANTS = flags.DEFINE_multi_string("variants", [], f"What to train and draw, default all. {_NAMES}.")
_SEED = flags.DEFINE_multi_integer("seed", [0], "Seeds, each a run of every variant.", lower_bound=0)
_NUM_ITERATIONS = flags.DEFINE_integer(
    "num_iterations", None, "The iteration of the preset to train up to, by default its own.", lower_bound=1
)
_OVERRIDE = flags.DEFINE_multi_string("override", [], "An option of every variant's config, as name=value.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "For runs and picture, by default runs/<algorithm>-ablations-<benchmark>-<preset>."
)
_DRAW_ONLY = flags.DEFINE_bool("draw_only", False, "Train nothing, draw the runs that are there.")
_IMPORT = define_import_flag()


def train_all(names: list[str], benchmark_name: str, output_dir: Path) -> None:
    """Trains the chosen variants, seed by seed."""
    import_modules(_IMPORT.value)
    package = ALGORITHMS[_ALGORITHM.value].import_package()
    with user_errors():
        options = {"preset": _PRESET.value, "overrides": _OVERRIDE.value, "num_iterations": _NUM_ITERATIONS.value}
        plans = plan_variants(_ALGORITHM.value, names, benchmark_name=benchmark_name, **options)
    enable_compilation_cache()
    for seed in dict.fromkeys(_SEED.value):
        for name, (config, benchmark, num_iterations) in plans.items():
            run_dir = output_dir / f"{name}-{seed}"
            print(run_dir, flush=True)
            with user_errors():
                run = package.open_run(run_dir, config, benchmark, seed, checkpoint_every=0)
            package.train(config, benchmark, run, seed=seed, num_iterations=num_iterations)


def run_ablations() -> None:
    """Trains, unless told not to, and draws."""
    ablation = ABLATIONS[_ALGORITHM.value]
    names, benchmark_name = _VARIANTS.value or list(ablation.variants), _BENCHMARK.value or ablation.benchmark
    with user_errors():
        for name in names:
            check_choice("variants", name, list(ablation.variants))
    folder = f"runs/{_ALGORITHM.value}-ablations-{benchmark_name}-{_PRESET.value}"
    output_dir = Path(_OUTPUT_DIR.value or folder).expanduser()
    if not _DRAW_ONLY.value:
        train_all(names, benchmark_name, output_dir)
    with user_errors():
        draw_variants(output_dir, {name: ablation.variants[name].label for name in names}, ablation.figures)


if __name__ == "__main__":
    main(run_ablations)
