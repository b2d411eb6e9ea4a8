"""The objectives as losses, one function for each equation.

In the shape descriptions `B` denotes the samples of a batch, `F` features, `A` actions, `R` the rank of a scorer.
"""

import chex
import jax
import jax.numpy as jnp


def info_nce(scores: chex.Array) -> chex.Array:
    """Mean of -log softmax of the true pair's score, a scalar (van den Oord et al., 2018; thesis A.2.0.2).

        log B - loss <= I(later; earlier)

    Args:
      scores: `[B, B]`, row `i` scores every candidate for sample `i`; its own is on the diagonal.
    """
    chex.assert_rank(scores, 2)
    return -jnp.mean(jnp.diagonal(jax.nn.log_softmax(scores, axis=-1)))


def nce_accuracy(scores: chex.Array) -> chex.Array:
    """Share of samples whose true candidate scores highest, a scalar; scores: `[B, B]` as for `info_nce`."""
    return jnp.mean(jnp.argmax(scores, axis=-1) == jnp.arange(scores.shape[0]))


def inverse_loss(logits: chex.Array, action: chex.Array) -> chex.Array:
    """Mean cross-entropy of the actions taken, a scalar in nats (thesis A.2.0.2).

        H(A) - loss <= I(A; Z_t+k | Z_t)   where the action does not depend on the state

    Args:
      logits: `[B, A]`
      action: `[B]` int.
    """
    chex.assert_rank([logits, action], [2, 1])
    log_probs = jax.nn.log_softmax(logits, axis=-1)
    return -jnp.mean(jnp.take_along_axis(log_probs, action[:, None], axis=-1))


def gaussian_rate(mean: chex.Array, std: chex.Array) -> chex.Array:
    """Mean of KL(N(mean, std^2) || N(0, I)), a scalar in nats: an upper bound on I(Z; S) (Alemi et al., 2017).

    Args:
      mean: `[B, F]`
      std: `[B, F]`, positive.
    """
    chex.assert_equal_shape([mean, std])
    return jnp.mean(jnp.sum(0.5 * (mean**2 + std**2 - 1) - jnp.log(std), axis=-1))


def shared_variance(features: chex.Array) -> chex.Array:
    """Variance of the groups' means over the variance within groups, a scalar: how much features tell of the group.

    Args:
      features: `[G, B, F]`, `B` samples of each of `G` groups.
    """
    chex.assert_rank(features, 3)
    means = features.mean(axis=1)
    within = jnp.mean((features - means[:, None]) ** 2)
    return jnp.mean((means - means.mean(axis=0)[None]) ** 2) / within


def per_action_bilinear(
    query_matrices: chex.Array, key_matrix: chex.Array, features: chex.Array, action: chex.Array, later: chex.Array
) -> chex.Array:
    """Scores (W_a z) . (U z') of all pairs, `[B, C]`: a matrix of rank `R` for each action.

    Args:
      query_matrices: `[F, A, R]`, W.
      key_matrix: `[F, R]`, U.
      features: `[B, F]`, z.
      action: `[B]` int.
      later: `[C, F]`, the candidates z'.
    """
    chex.assert_rank([query_matrices, key_matrix, features, action, later], [3, 2, 2, 1, 2])
    size, num_actions, rank = query_matrices.shape
    queries = (features @ query_matrices.reshape(size, -1)).reshape(-1, num_actions, rank)
    query = jnp.take_along_axis(queries, action[:, None, None], axis=1)[:, 0]
    return query @ (later @ key_matrix).T


def concat_bilinear(matrix: chex.Array, features: chex.Array, action: chex.Array, later: chex.Array) -> chex.Array:
    """Scores [z, a]^T W z' of all pairs, `[B, C]`, the action one-hot (thesis A.2.0.2).

    Additive in z and a, so it cannot express what depends on both, such as a toggle.

    Args:
      matrix: `[F + A, F]`, W.
      features: `[B, F]`, z.
      action: `[B]` int.
      later: `[C, F]`, the candidates z'.
    """
    chex.assert_rank([matrix, features, action, later], [2, 2, 1, 2])
    num_actions = matrix.shape[0] - features.shape[-1]
    inputs = jnp.concatenate([features, jax.nn.one_hot(action, num_actions)], axis=-1)
    return inputs @ matrix @ later.T


def squared_error(decoded: chex.Array, image: chex.Array) -> chex.Array:
    """Mean of (decoded - image)^2 over everything, a scalar; both of one shape, or the former of sides of 1."""
    chex.assert_equal_rank([decoded, image])
    return jnp.mean((decoded - image) ** 2)


def bernoulli_error(logits: chex.Array, image: chex.Array) -> chex.Array:
    """Mean of -x log p - (1 - x) log(1 - p) over everything, a scalar: p = sigmoid(logits), intensities x in [0, 1]."""
    chex.assert_equal_shape([logits, image])
    return jnp.mean(jax.nn.softplus(logits) - image * logits)


def cosine_error(predicted: chex.Array, target: chex.Array) -> chex.Array:
    """Mean of 1 - cos(predicted, target), a scalar in [0, 2]: half of Grill et al. (2020), equation 2.

    Args:
      predicted: `[..., F]`
      target: `[..., F]`
    """
    chex.assert_equal_shape([predicted, target])
    return jnp.mean(1 - jnp.sum(normalised(predicted) * normalised(target), axis=-1))


def spread(features: chex.Array) -> chex.Array:
    """How far features have not collapsed, a scalar: 1 where they point anywhere, 0 where all point the same way.

    The root of the variance of normalised features `[..., F]`, summed over `F`.
    """
    rows = normalised(features.reshape(-1, features.shape[-1]))
    return jnp.sqrt(jnp.sum(jnp.var(rows, axis=0)))


def normalised(features: chex.Array) -> chex.Array:
    """Features `[..., F]` of length 1."""
    # The small number keeps the gradient finite where all features are 0.
    return features * jax.lax.rsqrt(jnp.sum(features**2, axis=-1, keepdims=True) + 1e-12)
