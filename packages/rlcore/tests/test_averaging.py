"""Averages of parameters."""

import jax.numpy as jnp
import numpy as np
import pytest
from rlcore.averaging import average_params


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(1.0, [1, 3, 8]), (1e-3, [1, 2, 4]), (0.5, [1, 2, 5]), (0.75, [1, 2.5, 6.625])],
)
def test_it_is_a_mean_at_first_and_then_follows_at_its_rate(rate, expected):
    average = {"w": jnp.full(2, 99.0)}  # random parameters, of which nothing is left
    for count, (value, wanted) in enumerate(zip([1, 3, 8], expected, strict=True)):
        average = average_params(average, {"w": jnp.full(2, float(value))}, rate, jnp.asarray(count))
        np.testing.assert_allclose(average["w"], wanted, rtol=1e-6)
