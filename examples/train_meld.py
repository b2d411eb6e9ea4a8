"""Meta-trains MELD from images, then shows how it adapts to tasks that it has never seen.

    uv run examples/train_meld.py                                                       # 2-D navigation, dense reward
    uv run examples/train_meld.py --benchmark=point-image-sparse-32-v1 \
        --first_stage=runs/point-image-dense-32-v1-cpu-0                                # then sparse reward
    uv run examples/train_meld.py --benchmark=half-cheetah-vel-image-v0                 # MuJoCo, from a camera
    uv run examples/train_meld.py --override=model.reward_evidence=false                # SLAC: no task inference

The same command again goes on where the run stopped. Everything is in --run_dir: config.json, metrics.jsonl,
checkpoints, and at the end adaptation.png, belief.png and, for navigation, trajectories.png.

With sparse reward it takes two stages (thesis, appendix D.3): --first_stage is a finished run on the same tasks with
dense reward, whose trials and whose model the second stage starts from.
"""

import meld_jax
import metarl_envs
from absl import flags
from meld_report import report
from rlcore.experiment import (
    Run,
    define_training_flags,
    enable_compilation_cache,
    get_run_dir,
    main,
    override,
    to_dict,
    user_errors,
)
from trained_meld import load_first_stage

_PURPOSES = {name: purpose for name, (_, purpose) in meld_jax.PRESETS.items()}
_TRAINING = define_training_flags(default_benchmark="point-image-dense-32-v1", default_preset="cpu", presets=_PURPOSES)
_FIRST_STAGE = flags.DEFINE_string("first_stage", None, "Run directory of a first stage with dense reward.")
_TENSORBOARD = flags.DEFINE_bool("tensorboard", False, "Write metrics for TensorBoard too.")


def train() -> None:
    """Trains and reports."""
    seed = _TRAINING.seed.value
    with user_errors():
        benchmark = metarl_envs.benchmark(_TRAINING.benchmark.value)
        config, num_iterations = meld_jax.preset(_TRAINING.preset.value, benchmark.name)
        config = override(config, _TRAINING.override.value)
        agent = meld_jax.make_agent(config, benchmark)
        meld_jax.check_fits(agent, benchmark, with_expert=_FIRST_STAGE.value is not None)
        first_stage = load_first_stage(_FIRST_STAGE.value, agent, benchmark) if _FIRST_STAGE.value else None
        num_expert_trials = first_stage.data.replay.capacity if first_stage else 0
        run_dir = get_run_dir(_TRAINING)
        run = Run.open(
            run_dir,
            {
                "benchmark": benchmark.name,
                "seed": seed,
                "first_stage": {"run_dir": _FIRST_STAGE.value, "num_trials": num_expert_trials},
                "meld": to_dict(config),
            },
            checkpoint_every=_TRAINING.checkpoint_every.value,
            tensorboard=_TENSORBOARD.value,
        )
    enable_compilation_cache()
    num_iterations = _TRAINING.num_iterations.value or num_iterations
    state = meld_jax.train(config, benchmark, run, seed=seed, num_iterations=num_iterations, first_stage=first_stage)
    report(agent, state.agent.average, benchmark, run_dir, seed=seed)


if __name__ == "__main__":
    main(train)
