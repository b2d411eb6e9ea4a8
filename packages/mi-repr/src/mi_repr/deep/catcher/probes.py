"""Which elements of the state can be read back from features (thesis, figure 5, bottom).

In the shape descriptions `B` denotes states, `F` features, `P` probed elements.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs.catcher import CatcherEnv, CatcherState, all_states
from rlcore.networks import EnsembleMLP
from rlcore.types import Params

from mi_repr.deep.catcher.config import ProbeConfig
from mi_repr.deep.catcher.exact import without_backgrounds
from mi_repr.deep.fitting import fit
from mi_repr.deep.probing import relative_error, ridge_predictions, standardised

POSITIONS = ("paddle_x", "fruit_x", "fruit_y")
GRIPPER = "gripper"


class ProbeData(NamedTuple):
    """States to probe.

    state: `[B]`
    tested: `[B]` bool, whether a state is tested on rather than trained on. States that differ in the gripper only are
      on the same side: else a probe that cannot see the gripper would copy the label of the twin, which is wrong.
    """

    state: CatcherState
    tested: np.ndarray


def draw_states(env: CatcherEnv, config: ProbeConfig, key: chex.PRNGKey) -> ProbeData:
    """Draws states, all of them before one comes again, and a background for each; the key is consumed."""
    order_key, split_key, background_key = jax.random.split(key, 3)
    everything = all_states(without_backgrounds(env))
    total = everything.paddle_x.shape[0]
    wanted = min(config.num_states, total) if env.distractors == "none" else config.num_states
    orders = [jax.random.permutation(key, total) for key in jax.random.split(order_key, -(-wanted // total))]
    chosen = jnp.concatenate(orders)[:wanted]
    state = jax.tree.map(lambda leaf: leaf[chosen], everything)
    if env.distractors != "none":
        task = env.get_default_params()
        background = jax.random.randint(background_key, chosen.shape, 0, task.num_backgrounds) + task.first_background
        state = state._replace(background=background.astype(state.background.dtype))
    place = (np.asarray(state.paddle_x) * 1000 + np.asarray(state.fruit_x)) * 1000 + np.asarray(state.fruit_y)
    cells, cell = np.unique(place, return_inverse=True)
    num_tested = max(1, round(config.test_share * len(cells)))
    tested = np.zeros(len(cells), bool)
    tested[np.asarray(jax.random.permutation(split_key, len(cells)))[:num_tested]] = True
    return ProbeData(state, tested[cell])


def probe(
    env: CatcherEnv, config: ProbeConfig, features: chex.Array, data: ProbeData, key: chex.PRNGKey
) -> dict[str, float]:
    """Trains a linear and a small non-linear probe for each element; the key is consumed.

    Args:
      env: the game.
      config: of the probes.
      features: `[B, F]` of the states.
      data: the states.
      key: consumed.

    Returns:
      By `linear/paddle_x`, `mlp/fruit_x` and so on: the root of the mean squared error over that of the best constant,
      so 1 is chance; for `linear/gripper`, `mlp/gripper`, where there is one: accuracy, so 0.5 is chance.
    """
    names = (*POSITIONS, GRIPPER) if env.grip else POSITIONS
    targets = np.stack([np.asarray(getattr(data.state, name), np.float64) for name in names], axis=1)
    train, test = ~data.tested, data.tested
    features = standardised(features, train)
    mean, scale = targets[train].mean(axis=0), targets[train].std(axis=0)
    targets = (targets - mean) / scale
    predictions = {
        "linear": ridge_predictions(features, targets, train, config.ridge)[test],
        "mlp": np.asarray(_mlp(config, features, targets, train, key))[test],
    }
    middle = ((0.5 - mean) / scale)[-1]
    return {
        f"{kind}/{name}": _accuracy(predicted[:, i], targets[test, i], middle)
        if name == GRIPPER
        else relative_error(predicted[:, i], targets[test, i])
        for kind, predicted in predictions.items()
        for i, name in enumerate(names)
    }


def _accuracy(predicted: np.ndarray, target: np.ndarray, middle: float) -> float:
    return float(np.mean((predicted > middle) == (target > middle)))


def _mlp(
    config: ProbeConfig, features: np.ndarray, targets: np.ndarray, train: np.ndarray, key: chex.PRNGKey
) -> chex.Array:
    """Predictions `[B, P]` of one network for each element, fitted to the `train` rows; the key is consumed."""
    init_key, step_key = jax.random.split(key)
    inputs, outputs = jnp.asarray(features, jnp.float32), jnp.asarray(targets, jnp.float32)
    rows = jnp.asarray(np.flatnonzero(train))
    network = EnsembleMLP(outputs.shape[1], config.hidden_sizes, 1)

    def loss(params: Params, inputs: chex.Array, outputs: chex.Array) -> chex.Array:
        predicted = network.apply(params, inputs)[..., 0].T
        return jnp.sum(jnp.mean((predicted - outputs) ** 2, axis=0))

    @jax.jit
    def predict(inputs: chex.Array, outputs: chex.Array) -> chex.Array:
        params = fit(
            loss,
            network.init(init_key, inputs[:1]),
            inputs[rows],
            outputs[rows],
            step_key,
            num_updates=config.num_updates,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
        )
        return network.apply(params, inputs)[..., 0].T

    return predict(inputs, outputs)
