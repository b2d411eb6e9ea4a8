"""Regression of Q from a representation onto Q*, and the policy that follows (thesis, A.2.1, figure 30).

In the shape descriptions `B` denotes states, `F` features and `A` actions.
"""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs.catcher import CatcherEnv, CatcherState, CatcherTask
from rlcore.networks import MLP
from rlcore.types import Params

from mi_repr.deep.catcher.config import ControlConfig
from mi_repr.deep.catcher.control import play
from mi_repr.deep.catcher.features import FrozenFeatures
from mi_repr.deep.fitting import fit


def regress(
    config: ControlConfig,
    hidden_sizes: tuple[int, ...],
    features: chex.Array,
    q_star: np.ndarray,
    key: chex.PRNGKey,
) -> tuple[Params, dict[str, float]]:
    """Fits Q by least squares; the key is consumed.

    Args:
      config: of the regression.
      hidden_sizes: of the network.
      features: `[B, F]`
      q_star: `[B, A]`
      key: consumed.

    Returns:
      The network's parameters, and, on the states that it was fitted to, `q_error`: the root of the mean squared error
        over that of the best constant for each action; `advantage_error`: the same of Q less its mean over actions,
        which is what decides.
    """
    target = jnp.asarray(q_star, jnp.float32)
    params = _fit(config, hidden_sizes, features, target, key)
    predicted = np.asarray(MLP(hidden_sizes, target.shape[1]).apply(params, features), np.float64)
    return params, {
        "q_error": _relative(predicted, q_star, q_star.mean(axis=0)),
        "advantage_error": _relative(_centred(predicted), _centred(q_star), _centred(q_star).mean(axis=0)),
    }


def play_greedily(
    env: CatcherEnv,
    task: CatcherTask,
    horizon: int,
    features: FrozenFeatures,
    params: Params,
    hidden_sizes: tuple[int, ...],
    key: chex.PRNGKey,
    num_episodes: int,
) -> dict[str, float]:
    """The `return` and `catch_rate` of the policy that maximises a fitted Q; the key is consumed."""

    @jax.jit
    def run(params: Params, features_params: chex.ArrayTree, key: chex.PRNGKey) -> dict[str, chex.Array]:
        def policy(state: CatcherState, key: chex.PRNGKey) -> chex.Array:
            del key
            network = MLP(hidden_sizes, env.num_actions)
            return jnp.argmax(network.apply(params, features.apply(features_params, state)), axis=-1)

        return play(env, task, horizon, policy, key, num_episodes)

    return {name: float(value) for name, value in run(params, features.params, key).items()}


@functools.partial(jax.jit, static_argnums=(0, 1))
def _fit(
    config: ControlConfig, hidden_sizes: tuple[int, ...], features: chex.Array, target: chex.Array, key: chex.PRNGKey
) -> Params:
    init_key, step_key = jax.random.split(key)
    network = MLP(hidden_sizes, target.shape[1])

    def loss(params: Params, features: chex.Array, target: chex.Array) -> chex.Array:
        return jnp.mean((network.apply(params, features) - target) ** 2)

    return fit(
        loss,
        network.init(init_key, features[:1]),
        features,
        target,
        step_key,
        num_updates=config.num_regression_updates,
        batch_size=config.regression_batch_size,
        learning_rate=config.regression_learning_rate,
    )


def _centred(q: np.ndarray) -> np.ndarray:
    return q - q.mean(axis=1, keepdims=True)


def _relative(predicted: np.ndarray, target: np.ndarray, constant: np.ndarray) -> float:
    return float(np.sqrt(np.mean((predicted - target) ** 2) / np.mean((target - constant) ** 2)))
