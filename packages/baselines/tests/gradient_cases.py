"""Small learners that adapt by gradient steps, and trials for them."""

import jax
import jax.numpy as jnp
import numpy as np
from metarl_baselines import maesn, maml, promp
from metarl_baselines.gradient import AdaptationConfig, Episodes
from metarl_baselines.maesn import MAESNConfig, MAESNLearner
from metarl_baselines.maml import MAMLConfig, MAMLLearner
from rlcore.policy_gradient import TRPOConfig

PACKAGES = {"maml-trpo": maml, "promp": promp, "maesn": maesn}
ADAPTATION = {"num_episodes": 2, "num_steps": 1, "num_test_steps": 1}


def make_config(name, **options):
    """A config of a small agent; options of `AdaptationConfig` as they are called there."""
    adaptation = {key: options.pop(key, value) for key, value in ADAPTATION.items()}
    sizes = {"hidden_sizes": (5,), "num_tasks_per_iteration": 3, "initial_std": 0.5, "test_every": 2}
    common = {**sizes, "adaptation": AdaptationConfig(**adaptation)}
    if name == "promp":
        common |= {"outer": "promp", "inner_objective": "likelihood_ratio"}
    else:
        common["trpo"] = TRPOConfig(num_iterations=3)
    if name == "maesn":
        return MAESNConfig(**{**common, **options})
    return MAMLConfig(**{**common, "action_scale": 1.0, **options})


def make_learner(name, benchmark, **options):
    return (MAESNLearner if name == "maesn" else MAMLLearner)(make_config(name, **options), benchmark)


def draw_trials(learner, num_tasks, key, dtype=jnp.float32):
    """Trials `[M, A, C]` of random numbers: episodes of three steps, of which the last ones do not count."""
    shape = (num_tasks, *learner.init(jax.random.key(0))[1].episodes.reward.shape[1:])
    number = jnp.broadcast_to(jnp.arange(shape[-1], dtype=jnp.int32), shape)
    obs_key, action_key, reward_key = jax.random.split(key, 3)
    size = learner.adaptation.action_size
    return Episodes(
        obs=jax.random.normal(obs_key, (*shape, learner.obs_size), dtype),
        action=jax.random.normal(action_key, (*shape, size), dtype),
        reward=jax.random.normal(reward_key, shape, dtype),
        step=number % 3,
        episode=number // 3,
        valid=number < shape[-1] // 3 * 3 - 3,
    )


def assert_same(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), one, other)
