"""Meta-trains PEARL from pictures: pearl-jax with rlcore's convolutional encoder, a baseline beside MELD.

    uv run examples/train_pearl_images.py                                              # 2-D navigation, dense reward
    uv run examples/train_pearl_images.py --override=next_obs_in_context=true --channels=32 --channels=64
    uv run examples/evaluate_pearl.py --run_dir=runs/point-image-dense-32-v1-cpu-0 --num_trials=10

The convolutions turn each picture into features, which take the place of the observation: the critic's loss trains
them, and task inference sees them (thesis, section 5.3.4). The same command again goes on where the run stopped.
Everything is in --run_dir: config.json, metrics.jsonl, checkpoints, and at the end adaptation.png and, for navigation,
trajectories.png. Metrics have the names of train_meld.py's, so plot.py draws both into one picture.
"""

import dataclasses

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
from rlcore.sac import SACConfig
from trained_pearl import make_obs_network

_CPU = pearl_jax.PearlConfig(
    sac=SACConfig(
        hidden_sizes=(128, 128),
        temperature=0.05,
        discount=0.9,
        tau=0.01,
        actor_learning_rate=1e-3,
        critic_learning_rate=1e-3,
    ),
    latent_size=3,
    encoder_sizes=(128, 128),
    factor="precision",
    prior_factor=True,
    kl_coef=0.01,
    kl_reduction="mean",
    meta_batch_size=8,
    batch_size=32,
    max_context_episodes=2,
    replay_capacity=3000,
    num_initial_episodes=4,
    num_tasks_per_iteration=10,
    num_prior_episodes=1,
    num_posterior_episodes=1,
    num_extra_episodes=0,
    num_updates=100,
    averaging_rate=2e-3,
    num_test_episodes=3,
    test_every=5,
)
"""As many environment steps and gradient steps in an iteration as MELD's preset of that name.

The context is one or two whole episodes of the last visit, as in a test's second and third episode.
"""

_TINY = dataclasses.replace(
    _CPU,
    sac=dataclasses.replace(_CPU.sac, hidden_sizes=(16, 16)),
    encoder_sizes=(16,),
    meta_batch_size=2,
    batch_size=4,
    replay_capacity=200,
    num_initial_episodes=1,
    num_tasks_per_iteration=2,
    num_updates=5,
    test_every=1,
)

_PRESETS = {"tiny": (_TINY, 2), "cpu": (_CPU, 200)}
"""By name: a config and how many iterations to train."""

_TRAINING = define_training_flags(
    default_benchmark="point-image-dense-32-v1",
    default_preset="cpu",
    presets={"tiny": "a smoke test of seconds", "cpu": "two cores"},
)
_CHANNELS = flags.DEFINE_multi_integer("channels", [16, 32, 32], "Channels of each convolution.", lower_bound=1)
_NUM_FEATURES = flags.DEFINE_integer("num_features", 32, "Features that they make of a picture.", lower_bound=1)
_TENSORBOARD = flags.DEFINE_bool("tensorboard", False, "Write metrics for TensorBoard too.")


def train() -> None:
    """Trains and reports."""
    seed = _TRAINING.seed.value
    with user_errors():
        benchmark = metarl_envs.benchmark(_TRAINING.benchmark.value)
        if len(benchmark.family.observation_space.shape or ()) != 3:
            raise ValueError(f"benchmark must be one of pictures, got {benchmark.name}")
        config, num_iterations = _PRESETS[_TRAINING.preset.value]
        config = override(config, _TRAINING.override.value)
        encoder = {"channels": _CHANNELS.value, "output_size": _NUM_FEATURES.value}
        network = make_obs_network(encoder)
        agent = pearl_jax.make_agent(config, benchmark, network)
        pearl_jax.check_fits(agent, benchmark)
        run_dir = get_run_dir(_TRAINING)
        run = Run.open(
            run_dir,
            {"benchmark": benchmark.name, "seed": seed, "conv_encoder": encoder, "pearl": to_dict(config)},
            checkpoint_every=_TRAINING.checkpoint_every.value,
            tensorboard=_TENSORBOARD.value,
        )
    enable_compilation_cache()
    num_iterations = _TRAINING.num_iterations.value or num_iterations
    state = pearl_jax.train(config, benchmark, run, seed=seed, num_iterations=num_iterations, obs_network=network)
    report(agent, state.agent.average, benchmark, run_dir, num_episodes=config.num_test_episodes, seed=seed)


if __name__ == "__main__":
    main(train)
