"""A gated recurrent unit that takes one step when an agent acts, and many when it learns.

In the shape descriptions `T` denotes time steps, `N` sequences side by side, `H` the size of the state, `...` any batch
dimensions.
"""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp


class GRU(nn.Module):
    """r, u = sigmoid(gates), n = tanh(x_n + r h_n), h' = (1 - u) n + u h (Cho et al., 2014), with x = W x + b, h = U h.

    What it makes of its inputs is prepared for all steps at once, so that only the product with the state is left for
    the loop over time.

    size: `H`.
    """

    size: int

    def setup(self) -> None:
        """Makes the weights."""
        self.inputs = nn.Dense(3 * self.size)
        self.kernel = self.param("kernel", _orthogonal_gates, (self.size, 3 * self.size))

    def prepare(self, x: chex.Array) -> chex.Array:
        """`[..., 3 H]` of inputs `[..., Dx]`."""
        return self.inputs(x)

    def advance(self, state: chex.Array, prepared: chex.Array) -> chex.Array:
        """The next state `[..., H]` after one step, from prepared inputs `[..., 3 H]`."""
        return _advance(self.kernel, state, prepared)

    def scan(self, state: chex.Array, prepared: chex.Array, truncate_every: int = 0) -> chex.Array:
        """All next states `[T, N, H]`.

        Args:
          state: `[N, H]` before the first step.
          prepared: `[T, N, 3 H]`
          truncate_every: gradients do not pass the borders between so many steps; 0 lets them pass everywhere.
        """
        kernel = self.kernel

        def step(state: chex.Array, xs: tuple[chex.Array, chex.Array]) -> tuple[chex.Array, chex.Array]:
            number, x = xs
            if truncate_every:
                state = jnp.where(number % truncate_every == 0, jax.lax.stop_gradient(state), state)
            state = _advance(kernel, state, x)
            return state, state

        return jax.lax.scan(step, state, (jnp.arange(prepared.shape[0]), prepared))[1]


def _advance(kernel: chex.Array, state: chex.Array, prepared: chex.Array) -> chex.Array:
    reset_x, update_x, new_x = jnp.split(prepared, 3, axis=-1)
    reset_h, update_h, new_h = jnp.split(state @ kernel, 3, axis=-1)
    update = nn.sigmoid(update_x + update_h)
    return (1 - update) * nn.tanh(new_x + nn.sigmoid(reset_x + reset_h) * new_h) + update * state


def _orthogonal_gates(key: chex.PRNGKey, shape: tuple[int, int]) -> chex.Array:
    """An orthogonal matrix for each gate, side by side; the key is consumed."""
    orthogonal = nn.initializers.orthogonal()
    return jnp.concatenate([orthogonal(each, (shape[0], shape[0])) for each in jax.random.split(key, 3)], axis=1)
