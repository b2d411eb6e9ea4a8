"""The natural gradient, and TRPO's step along it (Schulman et al., 2015).

Parameters are any pytree; `P` denotes their number, of the vector that they are joined to.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import chex
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from rlcore.policy_gradient.config import TRPOConfig

Tree = TypeVar("Tree")
Scalar = Callable[[chex.Array], chex.Array]


class Step(NamedTuple):
    """How a step went. All are scalars.

    kl: nats from the old policy to the new one. improvement: by how much the loss fell. scale: the share of the longest
    step that was taken, 0 where none was good.
    """

    kl: chex.Array
    improvement: chex.Array
    scale: chex.Array


def hessian_vector_product(function: Scalar, x: chex.Array, vector: chex.Array) -> chex.Array:
    """H v, `[P]`, with H the Hessian of a scalar function at x: exact, by a derivative of the gradient along v.

    Args:
      function: of `[P]`.
      x: `[P]`
      vector: `[P]`
    """
    return jax.jvp(jax.grad(function), (x,), (vector,))[1]


def difference_product(function: Scalar, x: chex.Array, vector: chex.Array) -> chex.Array:
    """H v, `[P]`, by a symmetric difference of the gradient along v: (g(x + e v) - g(x - e v)) / 2e.

    The step e v is 1e-5 long whatever the length of v, as in ProMP's code; float32 leaves one to three digits of it.

    Args:
      function: of `[P]`.
      x: `[P]`
      vector: `[P]`
    """
    gradient, size = jax.grad(function), 1e-5 / (jnp.linalg.norm(vector) + 1e-8)
    return (gradient(x + size * vector) - gradient(x - size * vector)) / (2 * size)


PRODUCTS = {"exact": hessian_vector_product, "differences": difference_product}
"""Of a Hessian and a vector, by the name of `TRPOConfig.hessian_product`."""


def conjugate_gradient(
    product: Callable[[chex.Array], chex.Array], b: chex.Array, num_iterations: int, tolerance: float = 1e-10
) -> chex.Array:
    """An approximate solution x `[P]` of A x = b for a symmetric positive definite A (Hestenes and Stiefel, 1952).

    It stops early along a direction in which A is so flat, beside the steepest one so far, that rounding cannot tell it
    from level: a Fisher matrix is level in many, and a step along them would be as long as chance has it.

    Args:
      product: from v `[P]` to A v.
      b: `[P]`
      num_iterations: at most; P of them give the solution, but for rounding.
      tolerance: of the squared residual, at which it stops.
    """
    chex.assert_rank(b, 1)
    flat = 100 * jnp.finfo(b.dtype).eps

    def goes_on(loop: tuple[chex.Array, ...]) -> chex.Array:
        iteration, _, _, _, square, _ = loop
        return (iteration < num_iterations) & (square > tolerance)

    def step(loop: tuple[chex.Array, ...]) -> tuple[chex.Array, ...]:
        iteration, x, residual, direction, square, steepest = loop
        moved = product(direction)
        curvature, size = direction @ moved, direction @ direction
        steepest = jnp.maximum(steepest, curvature / size)
        good = curvature > flat * steepest * size
        length = jnp.where(good, square / jnp.where(good, curvature, 1), 0)
        x, residual = x + length * direction, residual - length * moved
        new_square = residual @ residual
        direction = residual + new_square / square * direction
        return iteration + 1, x, residual, direction, jnp.where(good, new_square, 0), steepest

    zero = jnp.zeros((), b.dtype)
    start = (jnp.zeros((), jnp.int32), jnp.zeros_like(b), b, b, b @ b, zero)
    return jax.lax.while_loop(goes_on, step, start)[1]


def natural_step(
    gradient: chex.Array, product: Callable[[chex.Array], chex.Array], max_kl: float, num_iterations: int
) -> chex.Array:
    """The step `[P]` of largest decrease with s F s / 2 = max_kl: -sqrt(2 max_kl / (d F d)) d with d = F^-1 g.

    Args:
      gradient: `[P]` g, of the loss.
      product: from v `[P]` to F v, with F the Fisher matrix, which is the Hessian of the KL divergence.
      max_kl: in nats.
      num_iterations: of conjugate gradient.

    Returns:
      The step; 0 where the gradient is.
    """
    direction = conjugate_gradient(product, gradient, num_iterations)
    curvature = direction @ product(direction)
    return -jnp.where(curvature > 0, jnp.sqrt(2 * max_kl / jnp.where(curvature > 0, curvature, 1)), 0) * direction


def trust_region_step(
    loss: Callable[[Tree], chex.Array],
    kl: Callable[[Tree], chex.Array],
    params: Tree,
    config: TRPOConfig,
) -> tuple[Tree, Step]:
    """Moves along the natural gradient, as far as the loss falls and the KL divergence stays within bounds.

    Args:
      loss: from parameters to the surrogate loss, a scalar.
      kl: from parameters to mean KL(old || new) in nats, a scalar, 0 at `params`.
      params: where the step begins.
      config: the options.

    Returns:
      The new parameters, and how it went; they stay where no trial is good, also where numbers are not finite.
    """
    start, to_tree = ravel_pytree(params)
    flat_loss, flat_kl = (lambda x: loss(to_tree(x))), (lambda x: kl(to_tree(x)))
    old_loss, gradient = jax.value_and_grad(flat_loss)(start)
    product = PRODUCTS[config.hessian_product]
    step = natural_step(
        gradient, lambda v: product(flat_kl, start, v) + config.damping * v, config.max_kl, config.num_iterations
    )

    def try_scale(trial: chex.Array) -> tuple[chex.Array, Step]:
        scale = config.shrink ** trial.astype(step.dtype)
        x = start + scale * step
        tried = Step(flat_kl(x), old_loss - flat_loss(x), scale)
        return (tried.improvement > 0) & (tried.kl <= config.max_kl), tried

    def goes_on(loop: tuple[chex.Array, chex.Array, Step]) -> chex.Array:
        trial, good, _ = loop
        return ~good & (trial < config.num_trials)

    def go_on(loop: tuple[chex.Array, chex.Array, Step]) -> tuple[chex.Array, chex.Array, Step]:
        return (loop[0] + 1, *try_scale(loop[0]))

    zero = jnp.zeros((), step.dtype)
    nothing = Step(zero, zero, zero)
    first = (jnp.zeros((), jnp.int32), jnp.zeros((), bool), nothing)
    _, good, tried = jax.lax.while_loop(goes_on, go_on, first)
    taken = jax.tree.map(lambda new, old: jnp.where(good, new, old), tried, nothing)
    return to_tree(jnp.where(good, start + taken.scale * step, start)), taken
