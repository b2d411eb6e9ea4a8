"""Meta-trains PEARL on a benchmark, then shows how it adapts to tasks that it has never seen.

    uv run examples/train_pearl.py                                                  # wide goals, about two minutes
    uv run examples/train_pearl.py --benchmark=point-sparse-v0 --preset=explore     # narrow goals
    uv run examples/train_pearl.py --override=latent_size=3 --override=sac.discount=0.95

The same command again goes on where the run stopped. Everything is in --run_dir: config.json, metrics.jsonl,
checkpoints, and at the end adaptation.png and, for navigation, trajectories.png.
"""

import metarl_envs
import pearl_jax
from absl import flags
from pearl_report import report
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

_PURPOSES = {name: purpose for name, (_, purpose) in pearl_jax.PRESETS.items()}
_TRAINING = define_training_flags(default_benchmark="point-sparse-wide-v0", default_preset="cpu", presets=_PURPOSES)
_TENSORBOARD = flags.DEFINE_bool("tensorboard", False, "Write metrics for TensorBoard too.")


def train() -> None:
    """Trains and reports."""
    seed = _TRAINING.seed.value
    with user_errors():
        benchmark = metarl_envs.benchmark(_TRAINING.benchmark.value)
        config, num_iterations = pearl_jax.preset(_TRAINING.preset.value, benchmark.name)
        config = override(config, _TRAINING.override.value)
        agent = pearl_jax.make_agent(config, benchmark)
        pearl_jax.check_fits(agent, benchmark)
        run_dir = get_run_dir(_TRAINING)
        run = Run.open(
            run_dir,
            {"benchmark": benchmark.name, "seed": seed, "pearl": to_dict(config)},
            checkpoint_every=_TRAINING.checkpoint_every.value,
            tensorboard=_TENSORBOARD.value,
        )
    enable_compilation_cache()
    state = pearl_jax.train(
        config, benchmark, run, seed=seed, num_iterations=_TRAINING.num_iterations.value or num_iterations
    )
    report(agent, state.agent.average, benchmark, run_dir, num_episodes=config.num_test_episodes, seed=seed)


if __name__ == "__main__":
    main(train)
