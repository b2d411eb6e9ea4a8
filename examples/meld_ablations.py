"""The thesis's ablations of MELD, trained one after the other and drawn: its figure 36.

    uv run examples/meld_ablations.py
    uv run examples/meld_ablations.py --variants=meld --variants=tasks-5 --seed=0 --seed=1
    uv run examples/meld_ablations.py --draw_only

How many tasks are trained on; how much is collected between updates, at the same number of updates a step; how large
the latent state is. Each run is in --output_dir/VARIANT-SEED, as train_meld.py would write it. The same command again
goes on where it stopped. At the end, and with --draw_only, ablations.png shows all the seeds that are there.
"""

from pathlib import Path

import meld_jax
import metarl_envs
from ablation_curves import draw_variants
from absl import flags
from meld_variants import FIGURES, VARIANTS, restrict, vary
from rlcore.experiment import Run, enable_compilation_cache, main, override, to_dict, user_errors

_BENCHMARK = flags.DEFINE_string("benchmark", "point-image-dense-32-v1", "The tasks to train on.")
_PRESET = flags.DEFINE_enum("preset", "cpu", list(meld_jax.PRESETS), "The config that the variants change.")
_VARIANTS = flags.DEFINE_multi_enum("variants", list(VARIANTS), list(VARIANTS), "What to train and draw, default all.")
_SEED = flags.DEFINE_multi_integer("seed", [0], "Seeds, each a run of every variant.", lower_bound=0)
_NUM_ITERATIONS = flags.DEFINE_integer(
    "num_iterations", None, "The iteration of `meld` to train up to, by default the preset's.", lower_bound=1
)
_OVERRIDE = flags.DEFINE_multi_string("override", [], "An option of every variant's config, as name=value.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Where the runs and the picture go, by default runs/meld-ablations-<benchmark>-<preset>."
)
_DRAW_ONLY = flags.DEFINE_bool("draw_only", False, "Train nothing, draw the runs that are there.")


def train_all(output_dir: Path) -> None:
    """Trains the chosen variants, seed by seed; what does not fit is refused before the first one."""
    with user_errors():
        benchmark = metarl_envs.benchmark(_BENCHMARK.value)
        start, num_iterations = meld_jax.preset(_PRESET.value, benchmark.name)
        start, num_iterations = override(start, _OVERRIDE.value), _NUM_ITERATIONS.value or num_iterations
        todo = {name: restrict(benchmark, VARIANTS[name].num_tasks) for name in _VARIANTS.value}
        configs = {name: vary(start, VARIANTS[name], tasks.num_train_tasks) for name, tasks in todo.items()}
        for name, config in configs.items():
            meld_jax.check_fits(meld_jax.make_agent(config, todo[name]), todo[name])
            least = config.test_every * VARIANTS[name].batch
            if num_iterations < least:
                raise ValueError(f"num_iterations must be at least {least} for a curve of {name}, got {num_iterations}")
    enable_compilation_cache()
    for seed in dict.fromkeys(_SEED.value):
        for name, config in configs.items():
            run_dir = output_dir / f"{name}-{seed}"
            print(run_dir, flush=True)
            options = {"benchmark": benchmark.name, "variant": name, "seed": seed, "meld": to_dict(config)}
            with user_errors():
                run = Run.open(run_dir, options, checkpoint_every=0)
            last = num_iterations // VARIANTS[name].batch
            meld_jax.train(config, todo[name], run, seed=seed, num_iterations=last)


def run_ablations() -> None:
    """Trains, unless told not to, and draws."""
    output_dir = Path(_OUTPUT_DIR.value or f"runs/meld-ablations-{_BENCHMARK.value}-{_PRESET.value}")
    if not _DRAW_ONLY.value:
        train_all(output_dir)
    with user_errors():
        draw_variants(output_dir, {name: VARIANTS[name].label for name in _VARIANTS.value}, FIGURES)


if __name__ == "__main__":
    main(run_ablations)
