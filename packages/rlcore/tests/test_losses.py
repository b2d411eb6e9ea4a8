"""Every equation against numbers computed by hand, jitted and not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore.sac import losses

ALPHA = 0.5

TABLE = {
    # q - alpha log_prob
    "soft_value": (losses.soft_value, ([1.0, -2.0], [-2.0, 4.0], ALPHA), [2.0, -4.0]),
    # reward + discount * next_value; a terminated step keeps its reward alone
    "bellman_target": (
        losses.bellman_target,
        ([1.0, 2.0, -1.0], [0.9, 0.0, 0.5], [10.0, 10.0, -4.0]),
        [10.0, 2.0, -3.0],
    ),
    # ((1-2)^2 + (3-2)^2 + (2-4)^2 + (4-4)^2) / 2 states
    "critic_loss": (losses.critic_loss, ([[1.0, 2.0], [3.0, 4.0]], [2.0, 4.0]), 3.0),
    # state 0 sums to 2, state 1 to 4: (0.5 * 2 + 2 * 4) / 2
    "critic_loss, weighted": (losses.critic_loss, ([[1.0, 2.0], [3.0, 4.0]], [2.0, 4.0], [0.5, 2.0]), 4.5),
    "critic_loss, one critic": (losses.critic_loss, ([[1.0, 2.0]], [2.0, 4.0]), 2.5),
    # (1 + 9) / 2
    "value_loss": (losses.value_loss, ([1.0, 2.0], [0.0, 5.0]), 5.0),
    "value_loss, weighted": (losses.value_loss, ([1.0, 2.0], [0.0, 5.0], [3.0, 1.0]), 6.0),
    # -(2 - 4) / 2
    "actor_loss": (losses.actor_loss, ([1.0, -2.0], [-2.0, 4.0], ALPHA), 1.0),
    "actor_loss, weighted": (losses.actor_loss, ([1.0, -2.0], [-2.0, 4.0], ALPHA, [3.0, 1.0]), -1.0),
    # -2 * mean(-1 - 2, 3 - 2)
    "temperature_loss": (losses.temperature_loss, (np.log(2.0), [-1.0, 3.0], -2.0), 2.0),
    "temperature_loss, weighted": (losses.temperature_loss, (np.log(2.0), [-1.0, 3.0], -2.0, [2.0, 1.0]), 5.0),
    "weighted_mean": (losses.weighted_mean, ([1.0, 2.0, 6.0], None), 3.0),
    "weighted_mean, weighted": (losses.weighted_mean, ([1.0, 2.0, 6.0], [3.0, 0.0, 1.0]), 3.0),
}


@pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize(("function", "arguments", "expected"), TABLE.values(), ids=TABLE)
def test_losses_are_the_numbers_computed_by_hand(function, arguments, expected, jit):
    arguments = [a if a is None else jnp.asarray(a, jnp.float32) for a in arguments]
    result = (jax.jit(function) if jit else function)(*arguments)
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


B, B1 = jnp.ones(3), jnp.ones((3, 1))
Q = jnp.ones((2, 3))
SCALAR = jnp.ones(())
MISMATCHES = {
    "soft_value, q is a column": (losses.soft_value, (B1, B, SCALAR)),
    "soft_value, temperature for each sample": (losses.soft_value, (B, B, B)),
    "bellman_target, reward is a column": (losses.bellman_target, (B1, B, B)),
    "bellman_target, discount is a scalar": (losses.bellman_target, (B, SCALAR, B)),
    "bellman_target, value is a column": (losses.bellman_target, (B, B, B1)),
    "critic_loss, target is a column": (losses.critic_loss, (Q, B1)),
    "critic_loss, target for each critic": (losses.critic_loss, (Q, Q)),
    "value_loss, value is a column": (losses.value_loss, (B1, B)),
    "actor_loss, log_prob is a column": (losses.actor_loss, (B, B1, SCALAR)),
    "temperature_loss, log_temperature for each sample": (losses.temperature_loss, (B, B, -1.0)),
}


@pytest.mark.parametrize(("function", "arguments"), MISMATCHES.values(), ids=MISMATCHES)
def test_mismatched_shapes_are_refused(function, arguments):
    with pytest.raises(AssertionError):
        function(*arguments)


def test_weights_broadcast_over_samples_and_are_not_normalised():
    value, target = jnp.arange(6.0).reshape(2, 3), jnp.zeros((2, 3))
    for_each_task = losses.value_loss(value, target, jnp.asarray([[0.0], [2.0]]))
    np.testing.assert_allclose(for_each_task, 2 * (9 + 16 + 25) / 6, rtol=1e-6)


def test_temperature_falls_where_entropy_exceeds_its_target_and_rises_below():
    for log_prob, sign in ((-3.0, 1), (3.0, -1)):
        gradient = jax.grad(losses.temperature_loss)(jnp.zeros(()), jnp.full(4, log_prob), 1.0)
        assert np.sign(gradient) == sign
