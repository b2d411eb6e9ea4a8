"""Lower bounds on the objectives that a trained encoder and its head reach, on episodes kept back from training.

They hold in expectation whatever encoder and head are, as long as these did not see the episodes: the contrastive one
because p(s') below is the true marginal, uniform over the states that a step can lead to; that of J_inv because the
actions are uniform whatever came before. The transitions of an episode depend on each other, so the error of the mean
is that of the number of episodes. What training logs as `information/bound`, log B less the contrastive loss, is a
bound for independent candidates only; those of a batch come in runs of frames, and in groups with one background. It
tells whether training goes well, no more.

In the shape descriptions `B` denotes transitions, `C` candidates and `F` features. All in nats.
"""

import functools

import chex
import jax
import jax.numpy as jnp
from metarl_envs.catcher import CatcherEnv, all_states, state_index
from metarl_envs.catcher.state import CLOSED, OPEN
from rlcore.types import Params

from mi_repr.deep.catcher.data import Episodes, render_many
from mi_repr.deep.catcher.source import encode_states
from mi_repr.deep.encoders import Encoder
from mi_repr.deep.objectives import Contrastive, EncodedFrames, Inverse, MultiInverse, Objective
from mi_repr.deep.training import PretrainParams

_NUM_EPISODES = 56
"""Of those kept back, 27 transitions each."""


def information_bounds(
    env: CatcherEnv,
    encoder: Encoder,
    objective: Objective,
    params: PretrainParams,
    held_out: Episodes,
    key: chex.PRNGKey,
) -> dict[str, float]:
    """What the representation is shown to know of its objective; the key is consumed.

    Args:
      env: the game.
      encoder: the network.
      objective: what it was trained on.
      params: of both.
      held_out: episodes that training did not see.
      key: consumed.

    Returns:
      For J_inv, of one step or of several, `information`: log A less the cross-entropy of the actions, z sampled. For
      the contrastive objectives, in a game without backgrounds and one step ahead, `information`: as below, which no
      batch size caps; and with a gripper `twin_accuracy`: how often the true next state scores above the one that
      differs in the gripper only (0.5: it is ignored; a tie is half).

        I(S'; Z, A) >= E[f(z, a, s')] - E[log sum over s' of p(s') exp f(z, a, s')]

      Nothing for contrastive objectives elsewhere, nor for objectives that are no information.
    """
    episodes = jax.tree.map(lambda leaf: leaf[:_NUM_EPISODES], held_out)
    if isinstance(objective, Inverse | MultiInverse):
        return {"information": float(_inverse(env, encoder, objective, params, episodes, key))}
    if not isinstance(objective, Contrastive) or env.distractors != "none":
        return {}
    if objective.span != 1 or objective.setting.num_groups != 1:
        return {}
    candidates = jax.tree.map(lambda leaf: leaf[_reachable(env)], all_states(env))
    keys = encode_states(env, encoder, params.encoder, candidates)
    features = encode_states(env, encoder, params.encoder, episodes.state)
    index = jnp.cumsum(_reachable(env))[state_index(env, episodes.state)] - 1
    twin = episodes.state._replace(gripper=OPEN + CLOSED - episodes.state.gripper)
    twin_index = jnp.cumsum(_reachable(env))[state_index(env, twin)] - 1 if env.grip else index
    size = features.shape[-1]
    true, above = _contrastive(
        objective,
        params.head,
        features[:, :-1].reshape(-1, size),
        episodes.action.reshape(-1),
        keys,
        index[:, 1:].reshape(-1),
        twin_index[:, 1:].reshape(-1),
    )
    return {"information": float(true)} | ({"twin_accuracy": float(above)} if env.grip else {})


def _reachable(env: CatcherEnv) -> chex.Array:
    """Which states a step can lead to: all but those where the fruit has not fallen yet; equally often."""
    return all_states(env).fruit_y > 0


@functools.partial(jax.jit, static_argnums=0)
def _contrastive(
    objective: Contrastive,
    head: Params,
    features: chex.Array,
    action: chex.Array,
    candidates: chex.Array,
    true: chex.Array,
    twin: chex.Array,
) -> tuple[chex.Array, chex.Array]:
    """The bound, and how often `true: [B]` scores above `twin: [B]`, among `candidates: [C, F]`; a tie is half."""
    scores = objective.scores(head, features, action, candidates)
    of_true = jnp.take_along_axis(scores, true[:, None], axis=1)[:, 0]
    of_twin = jnp.take_along_axis(scores, twin[:, None], axis=1)[:, 0]
    log_mean = jax.nn.logsumexp(scores, axis=1) - jnp.log(scores.shape[1])
    return jnp.mean(of_true - log_mean), jnp.mean((of_true > of_twin) + 0.5 * (of_true == of_twin))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _inverse(
    env: CatcherEnv,
    encoder: Encoder,
    objective: Inverse | MultiInverse,
    params: PretrainParams,
    episodes: Episodes,
    key: chex.PRNGKey,
) -> chex.Array:
    image = render_many(env, episodes.state)
    action = jnp.concatenate([episodes.action, episodes.action[:, -1:]], axis=1)
    frames = EncodedFrames(image, action, encoder.apply(params.encoder, image))
    _, metrics = objective.loss(params.head, frames, key, jnp.zeros(()))
    return metrics["information/bound"]
