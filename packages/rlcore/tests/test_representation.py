"""The representations that rlcore brings."""

import jax
import jax.numpy as jnp
import numpy as np
from rlcore.networks import MLP, ConvEncoder
from rlcore.representation import EndToEnd, Identity
from rlcore.sac import SAC, ContinuousHead, SACConfig
from rlcore.types import Transition


def make_batch(obs, next_obs):
    size = obs.shape[0]
    return Transition(obs, jnp.full((size, 1), 0.3), jnp.ones(size), jnp.ones(size), next_obs)


def test_identity_passes_observations_through_and_has_nothing_to_train():
    batch = make_batch(jnp.ones((4, 3)), jnp.zeros((4, 3)))
    params = Identity().init(jax.random.key(0), batch)
    out = Identity().apply(params, batch, jax.random.key(1))
    assert out.obs is batch.obs
    assert out.next_obs is batch.next_obs
    assert (jax.tree.leaves(params), out.loss, out.metrics, out.weight) == ([], 0, {}, None)


def test_encoder_applies_one_network_to_both_observations():
    batch = make_batch(jnp.ones((4, 3)), jnp.zeros((4, 3)))
    network = MLP((5,), 2)
    encoder = EndToEnd(network)
    params = encoder.init(jax.random.key(0), batch)
    out = encoder.apply(params, batch, jax.random.key(1))
    np.testing.assert_array_equal(out.obs, network.apply(params, batch.obs))
    np.testing.assert_array_equal(out.next_obs, network.apply(params, batch.next_obs))
    assert (out.loss, out.metrics, out.weight) == (0, {}, None)


def test_from_images_the_convolutions_learn_from_the_critic_alone():
    images = jax.random.randint(jax.random.key(0), (2, 4, 8, 8, 3), 0, 256).astype(jnp.uint8)
    batch = make_batch(*images)
    config = SACConfig(hidden_sizes=(8,))
    sac = SAC(config, ContinuousHead(config, 1), EndToEnd(ConvEncoder(channels=(4,), output_size=6)))
    state = jax.jit(sac.init)(jax.random.key(1), batch)

    def losses(representation):
        params = state.params._replace(representation=representation)
        metrics = sac.loss(params, state.target, batch, jax.random.key(2))[1]
        return metrics["loss/critic"], metrics["loss/actor"]

    critic, actor = jax.jit(jax.jacrev(losses))(state.params.representation)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(critic))
    assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(actor))

    after, _ = jax.jit(sac.update)(state, batch, jax.random.key(2))
    moves = jax.tree.map(lambda a, b: np.abs(a - b).max(), after.params.representation, state.params.representation)
    convolutions = [move for path, move in jax.tree_util.tree_leaves_with_path(moves) if "Conv" in str(path)]
    assert len(convolutions) == 2  # kernel and bias
    assert min(convolutions) > 0
