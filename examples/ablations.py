"""The thesis's ablations of PEARL, trained one after the other and drawn: its figures 16 and 17.

    uv run examples/pearl_ablations.py --seed=0 --seed=1 --seed=2
    uv run examples/pearl_ablations.py --variants=pearl --variants=off-policy --benchmark=ant-goal-v0
    uv run examples/pearl_ablations.py --draw_only

Each run is in --output_dir/VARIANT-SEED, as train_pearl.py would write it. The same command again goes on where it
stopped. At the end, and with --draw_only, ablations.png shows all the seeds that are there.
"""

from pathlib import Path
from typing import NamedTuple

import metarl_envs
import pearl_jax
from ablation_curves import draw_variants
from absl import flags
from metarl_envs import Benchmark
from rlcore.experiment import Run, enable_compilation_cache, main, override, to_dict, user_errors


class Variant(NamedTuple):
    """label: as in the thesis. options: what it changes, for `rlcore.experiment.override`."""

    label: str
    options: tuple[str, ...]


VARIANTS = {
    "pearl": Variant("PEARL", ()),
    "rnn-decorrelated": Variant("RNN de-correlated", ("encoder=recurrent",)),
    "rnn-correlated": Variant("RNN correlated", ("encoder=recurrent", "correlated_batch=true")),
    "off-policy": Variant("PEARL, off-policy", ("context_sampler=off_policy",)),
    "same-batch": Variant("PEARL, off-policy same batch", ("context_sampler=same_batch",)),
}
FIGURES = {
    "recurrent encoder (figure 16)": ("pearl", "rnn-decorrelated", "rnn-correlated"),
    "context sampling (figure 17)": ("pearl", "off-policy", "same-batch"),
}

_BENCHMARK = flags.DEFINE_string("benchmark", "half-cheetah-vel-v0", "The tasks to train on.")
_PRESET = flags.DEFINE_enum("preset", "cpu", list(pearl_jax.PRESETS), "The config that the variants change.")
_VARIANTS = flags.DEFINE_multi_enum("variants", list(VARIANTS), list(VARIANTS), "What to train and draw, default all.")
_SEED = flags.DEFINE_multi_integer("seed", [0], "Seeds, each a run of every variant.", lower_bound=0)
_NUM_ITERATIONS = flags.DEFINE_integer(
    "num_iterations", None, "The iteration to train up to, by default the preset's.", lower_bound=1
)
_OVERRIDE = flags.DEFINE_multi_string("override", [], "An option of every variant's config, as name=value.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Where the runs and the picture go, by default runs/ablations-<benchmark>-<preset>."
)
_DRAW_ONLY = flags.DEFINE_bool("draw_only", False, "Train nothing, draw the runs that are there.")


def train_all(output_dir: Path) -> None:
    """Trains the chosen variants, seed by seed; what does not fit is refused before the first one."""
    with user_errors():
        benchmark = metarl_envs.benchmark(_BENCHMARK.value)
        start, num_iterations = pearl_jax.preset(_PRESET.value, benchmark.name)
        num_iterations = _NUM_ITERATIONS.value or num_iterations
        configs = {name: override(start, [*_OVERRIDE.value, *VARIANTS[name].options]) for name in _VARIANTS.value}
        for config in configs.values():
            pearl_jax.check_fits(pearl_jax.make_agent(config, benchmark), benchmark)
            if num_iterations < config.test_every:
                raise ValueError(
                    f"num_iterations must be at least test_every={config.test_every} for a curve, got {num_iterations}"
                )
    enable_compilation_cache()
    for seed in dict.fromkeys(_SEED.value):
        for name, config in configs.items():
            _train(config, benchmark, output_dir / f"{name}-{seed}", seed, num_iterations)


def _train(config: pearl_jax.PearlConfig, benchmark: Benchmark, run_dir: Path, seed: int, num_iterations: int) -> None:
    print(run_dir, flush=True)
    options = {"benchmark": benchmark.name, "seed": seed, "pearl": to_dict(config)}
    with user_errors():
        run = Run.open(run_dir, options, checkpoint_every=0)
    pearl_jax.train(config, benchmark, run, seed=seed, num_iterations=num_iterations)


def run_ablations() -> None:
    """Trains, unless told not to, and draws."""
    output_dir = Path(_OUTPUT_DIR.value or f"runs/ablations-{_BENCHMARK.value}-{_PRESET.value}")
    if not _DRAW_ONLY.value:
        train_all(output_dir)
    with user_errors():
        draw_variants(output_dir, {name: VARIANTS[name].label for name in _VARIANTS.value}, FIGURES)


if __name__ == "__main__":
    main(run_ablations)
