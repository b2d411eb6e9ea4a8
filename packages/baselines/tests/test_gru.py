"""The recurrent unit against its equations, step by step and many at once."""

import jax
import jax.numpy as jnp
import numpy as np
from metarl_baselines.gru import GRU

SIZE, NUM_STEPS, NUM = 3, 6, 2
GRU_UNIT = GRU(SIZE)


def _make():
    x = jax.random.normal(jax.random.key(0), (NUM_STEPS, NUM, 4))
    params = GRU_UNIT.init(jax.random.key(1), x, method="prepare")
    return params, x, jax.random.normal(jax.random.key(2), (NUM, SIZE))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_step_is_what_the_equations_say():
    params, x, state = _make()
    dense, kernel = params["params"]["inputs"], np.asarray(params["params"]["kernel"])
    bias = np.linspace(-1, 1, 3 * SIZE).astype(np.float32)
    params = {"params": {"inputs": {**dense, "bias": bias}, "kernel": kernel}}
    prepared = np.asarray(x[0]) @ np.asarray(dense["kernel"]) + bias
    recurrent = np.asarray(state) @ kernel
    reset, update = (_sigmoid((prepared + recurrent)[:, part]) for part in (slice(0, SIZE), slice(SIZE, 2 * SIZE)))
    new = np.tanh(prepared[:, 2 * SIZE :] + reset * recurrent[:, 2 * SIZE :])
    expected = (1 - update) * new + update * np.asarray(state)

    found = GRU_UNIT.apply(params, state, GRU_UNIT.apply(params, x[0], method="prepare"), method="advance")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_many_steps_at_once_are_those_steps():
    params, x, state = _make()
    prepared = GRU_UNIT.apply(params, x, method="prepare")
    for truncate_every in (0, 4):  # gradients differ, states don't
        states = GRU_UNIT.apply(params, state, prepared, truncate_every, method="scan")
        one = state
        for t in range(NUM_STEPS):
            one = GRU_UNIT.apply(params, one, prepared[t], method="advance")
            np.testing.assert_allclose(states[t], one, rtol=1e-5, atol=1e-6)


def test_gradients_do_not_pass_the_borders_of_chunks():
    params, x, state = _make()

    def last(x, truncate_every):
        prepared = GRU_UNIT.apply(params, x, method="prepare")
        return jnp.sum(GRU_UNIT.apply(params, state, prepared, truncate_every, method="scan")[-1])

    reached = {every: np.abs(jax.grad(last)(x, every)).max(axis=(1, 2)) > 0 for every in (0, 4, 1)}
    np.testing.assert_array_equal(reached[0], [True] * 6)
    np.testing.assert_array_equal(reached[4], [False] * 4 + [True] * 2)
    np.testing.assert_array_equal(reached[1], [False] * 5 + [True])


def test_each_gate_starts_orthogonal():
    params, _, _ = _make()
    kernel = np.asarray(params["params"]["kernel"])
    for gate in np.split(kernel, 3, axis=1):
        np.testing.assert_allclose(gate @ gate.T, np.eye(SIZE), atol=1e-5)
    assert not np.allclose(kernel[:, :SIZE], kernel[:, SIZE : 2 * SIZE])
