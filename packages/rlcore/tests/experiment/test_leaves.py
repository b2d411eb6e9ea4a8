"""Trees to host arrays and back."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rlcore.experiment.checkpoints.leaves import describe, find_mismatch, from_host, to_host


def make_tree() -> Any:
    return {
        "float": jnp.array([-0.0, jnp.nan, jnp.inf, 1e-40]),
        "bfloat16": jnp.arange(3, dtype=jnp.bfloat16),
        "uint8": jnp.arange(6, dtype=jnp.uint8).reshape(2, 3),
        "bool": jnp.array(True),
        "int": jnp.int32(2**31 - 1),
        "empty": jnp.zeros((2, 0)),
        "key": jax.random.key(1),
        "keys": jax.random.split(jax.random.key(2, impl="rbg"), 3),
        "no_keys": jax.random.split(jax.random.key(3), 0),
        "weak": jnp.asarray(0.1),
        "weak_int": jnp.asarray(3),
        "weak_array": jnp.where(jnp.arange(3) > 1, 0.3, 1.0),
        "opt_state": optax.adam(0.1).init(jnp.ones(2)),
        "numpy": np.array([2**60]),
        "numpy_empty": np.zeros((0, 3), np.uint8),
        "numpy_scalar": np.float16(0.1),
        "python": (1, 0.1, True),
    }


def test_every_kind_of_leaf_comes_back_to_the_bit(assert_same: Any) -> None:
    tree = make_tree()
    assert_same(from_host(tree, to_host(tree), describe(tree)), tree)


def test_shapes_alone_are_enough_of_a_template(assert_same: Any) -> None:
    tree = {"w": jnp.ones(3), "keys": jax.random.split(jax.random.key(0), 2)}
    template = jax.eval_shape(lambda: tree)
    assert_same(from_host(template, to_host(tree), describe(tree)), tree)


def test_what_comes_back_can_be_donated_and_does_not_recompile() -> None:
    tree = {"x": jnp.arange(4.0), "weak": jnp.asarray(1.0), "key": jax.random.key(0)}
    arrays = list(to_host(tree))
    kept = [np.array(array) for array in arrays]
    restored = from_host(tree, arrays, describe(tree))
    num_traces = 0

    def step(state: Any) -> Any:
        nonlocal num_traces
        num_traces += 1
        return {**state, "x": state["x"] + 1}

    step_fn = jax.jit(step, donate_argnums=0)
    step_fn(jax.tree.map(jnp.copy, tree))
    np.testing.assert_array_equal(step_fn(restored)["x"], np.arange(1.0, 5.0))
    assert num_traces == 1
    for array, copy in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_committed_leaves_stay_on_their_device() -> None:
    tree = {"here": jax.device_put(jnp.ones(2), jax.devices()[0]), "anywhere": jnp.ones(2)}
    restored = from_host(tree, to_host(tree), describe(tree))
    assert restored["here"].committed
    assert not restored["anywhere"].committed


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"w": jnp.ones(4)}, "state['w'] is float32[3] there and float32[4] here"),
        ({"w": jnp.ones(3, jnp.int32)}, "state['w'] is float32[3] there and int32[3] here"),
        ({"v": jnp.ones(3)}, "state['v'] is missing there and float32[3] here"),
        ({}, "state['w'] is float32[3] there and missing here"),
        ({"w": jnp.asarray([1.0, 2.0, 3.0])}, None),
    ],
)
def test_mismatch(template: Any, message: str | None) -> None:
    assert find_mismatch(template, describe({"w": jnp.ones(3)})) == message


def test_records_are_refused() -> None:
    with pytest.raises(TypeError, match=r"a checkpoint holds arrays and numbers$"):
        describe({"a": np.zeros(2, [("x", "f4")])})


def test_text_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^state\['a'\]\[0\] is a str: a checkpoint holds arrays and numbers$"):
        describe({"a": ["x"]})
