"""Convolutions and their transposes that learn fast on a CPU.

What JAX derives of XLA's convolutions is slow on a CPU: the gradient of a kernel takes many times as long as the
forward pass, inside of a loop a hundred times as long, and a transpose multiplies by the zeros that it puts between
cells. Here the gradient of a kernel is a product of matrices for each of its places, of a few images at a time that
stay in the cache, and transposes compute the cells of each phase for themselves. On other devices all is XLA's. On a
CPU there is no forward-mode derivative of them (`jax.jvp`), but of their gradients.

In the shape descriptions `N` denotes images, `H, W` their sides, `h, w` those of what a stride makes of them, `C, D`
channels, `K, L` the sides of a kernel.
"""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import chex
import jax
import jax.numpy as jnp

Padding = tuple[tuple[int, int], tuple[int, int]]
"""Zeros before and after rows, and columns."""

_CHUNK_BYTES = 1_000_000
"""Of what a product sees at a time: about a core's cache."""
_FEW_CHANNELS = 16
"""Fewer are copied together into longer rows, which products are faster with."""


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis so that `ceil(size / stride)` come out; the odd one is put after it."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def transposed_low(kernel: int, stride: int) -> int:
    """Zeros before an axis whose cells a transpose has spread out, so that `size * stride` come out."""
    return kernel - 1 if stride > kernel - 1 else -(-(kernel + stride - 2) // 2)


def convolve(x: chex.Array, kernel: chex.Array, stride: int = 1) -> chex.Array:
    """y[i] = sum_t k[t] x[stride i + t - low], `[N, H, W, C] -> [N, h, w, D]` with h = ceil(H / stride).

    Args:
      x: images or what was made of them.
      kernel: `[K, L, C, D]`
      stride: on both axes.
    """
    rows, columns = (
        same_padding(side, size, stride) for side, size in zip(x.shape[1:3], kernel.shape[:2], strict=True)
    )
    return (_fast if _on_cpu() else _convolve)(x, kernel, stride, (rows, columns))


def convolve_transpose(x: chex.Array, kernel: chex.Array, stride: int = 1) -> chex.Array:
    """y[n] = sum_t k[t] x[(n + t - low) / stride] where that is whole, `[N, h, w, C] -> [N, stride h, stride w, D]`.

    Args:
      x: `[N, h, w, C]`
      kernel: `[K, L, C, D]`
      stride: on both axes.
    """
    if _on_cpu():
        return _fast_transpose(x, kernel, stride)
    return jax.lax.conv_transpose(x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def has_slow_convolutions(jaxpr: Any) -> bool:
    """Whether a traced function has convolutions of the kind that XLA is slow at inside of loops on a CPU.

    These are gradients of kernels, whose kernel is as large as an image, and those with zeros between cells.
    """
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            dilations = (*equation.params["lhs_dilation"], *equation.params["rhs_dilation"])
            if max(dilations) > 1 or equation.params["dimension_numbers"].lhs_spec != (0, 3, 1, 2):
                return True
        for value in equation.params.values():
            for part in value if isinstance(value, (tuple, list)) else [value]:
                inner = getattr(part, "jaxpr", part)
                if hasattr(inner, "eqns") and has_slow_convolutions(inner):
                    return True
    return False


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _fast(x: chex.Array, kernel: chex.Array, stride: int, padding: Padding) -> chex.Array:
    return _convolve(x, kernel, stride, padding)


def _fast_forward(
    x: chex.Array, kernel: chex.Array, stride: int, padding: Padding
) -> tuple[chex.Array, tuple[chex.Array, chex.Array]]:
    return _convolve(x, kernel, stride, padding), (x, kernel)


def _fast_backward(
    stride: int, padding: Padding, kept: tuple[chex.Array, chex.Array], gradient: chex.Array
) -> tuple[chex.Array, chex.Array]:
    x, kernel = kept
    low = [low for low, _ in padding]
    mirrored = [size - 1 - before for size, before in zip(kernel.shape[:2], low, strict=True)]
    into_x = _spread(gradient, _mirror(kernel), stride, mirrored, x.shape[1:3])
    return into_x, _correlate(x, gradient, kernel.shape[:2], stride, low)


_fast.defvjp(_fast_forward, _fast_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _fast_transpose(x: chex.Array, kernel: chex.Array, stride: int) -> chex.Array:
    low = [transposed_low(size, stride) for size in kernel.shape[:2]]
    return _spread(x, kernel, stride, low, [stride * side for side in x.shape[1:3]])


def _fast_transpose_forward(
    x: chex.Array, kernel: chex.Array, stride: int
) -> tuple[chex.Array, tuple[chex.Array, chex.Array]]:
    return _fast_transpose(x, kernel, stride), (x, kernel)


def _fast_transpose_backward(
    stride: int, kept: tuple[chex.Array, chex.Array], gradient: chex.Array
) -> tuple[chex.Array, chex.Array]:
    x, kernel = kept
    low = [size - 1 - transposed_low(size, stride) for size in kernel.shape[:2]]
    sides = zip(x.shape[1:3], gradient.shape[1:3], kernel.shape[:2], low, strict=True)
    # What is read beyond the last row and column, or left unread before them.
    padding = [(before, stride * (few - 1) + size - before - many) for few, many, size, before in sides]
    into_x = _convolve(gradient, _mirror(kernel), stride, (padding[0], padding[1]))
    return into_x, _mirror(_correlate(gradient, x, kernel.shape[:2], stride, low))


_fast_transpose.defvjp(_fast_transpose_forward, _fast_transpose_backward)


def _convolve(x: chex.Array, kernel: chex.Array, stride: int, padding: Padding) -> chex.Array:
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _spread(x: chex.Array, kernel: chex.Array, stride: int, low: Sequence[int], sides: Sequence[int]) -> chex.Array:
    """y[n] = sum_t k[t] x[(n + t - low) / stride] where that is whole, `[N, h, w, C] -> [N, *sides, D]`.

    The cells n of each phase, n mod stride, see a kernel of their own, the places t that hit.
    """
    if stride == 1:
        (rows, columns) = (
            (before, side + size - 1 - before - few)
            for before, side, size, few in zip(low, sides, kernel.shape[:2], x.shape[1:3], strict=True)
        )
        return _convolve(x, kernel, 1, (rows, columns))
    number, channels = len(x), kernel.shape[-1]
    rows, columns = (-(-side // stride) for side in sides)
    phases = [_find_phases(size, stride, before) for size, before in zip(kernel.shape[:2], low, strict=True)]
    if channels < _FEW_CHANNELS:
        y = _spread_together(x, kernel, phases, (rows, columns))
    else:
        each = [_spread_phase(x, kernel, (up, across), (rows, columns)) for up, across in itertools.product(*phases)]
        y = jnp.stack(each, axis=3).reshape(number, rows, columns, stride, stride, channels)
    y = y.swapaxes(2, 3).reshape(number, rows * stride, columns * stride, channels)
    return y[:, : sides[0], : sides[1]]


Phase = list[tuple[int, int]]
"""Places of a kernel that hit, and how many cells after its own the one is that each of them sees."""


def _find_phases(size: int, stride: int, low: int) -> list[Phase]:
    """For each phase of an axis."""
    return [
        [(place, (phase + place - low) // stride) for place in range(size) if (phase + place - low) % stride == 0]
        for phase in range(stride)
    ]


def _spread_phase(x: chex.Array, kernel: chex.Array, phase: tuple[Phase, Phase], sides: tuple[int, int]) -> chex.Array:
    """The cells of a phase, `[N, *sides, D]`: a convolution with the places that hit."""
    if not all(phase):
        return jnp.zeros((len(x), *sides, kernel.shape[-1]), x.dtype)
    for axis, hits in enumerate(phase):
        first, step = hits[0][0], hits[1][0] - hits[0][0] if len(hits) > 1 else 1
        kernel = jax.lax.slice_in_dim(kernel, first, hits[-1][0] + 1, step, axis)
    rows, columns = (
        _pad_to_see(hits[0][1], hits[-1][1], side, few)
        for hits, side, few in zip(phase, sides, x.shape[1:3], strict=True)
    )
    return _convolve(x, kernel, 1, (rows, columns))


def _spread_together(
    x: chex.Array, kernel: chex.Array, phases: Sequence[list[Phase]], sides: tuple[int, int]
) -> chex.Array:
    """The cells of all phases, `[N, *sides, stride, stride, D]`, by one convolution: for few channels."""
    stride, channels = len(phases[0]), kernel.shape[-1]
    seen = [sorted({cell for hits in phase for _, cell in hits}) for phase in phases]
    blank = jnp.zeros((kernel.shape[2], channels), kernel.dtype)
    places = [[{cell: place for place, cell in hits} for hits in phase] for phase in phases]
    wide = jnp.stack(
        [
            kernel[up[i], across[j]] if i in up and j in across else blank
            for i in range(seen[0][0], seen[0][-1] + 1)
            for j in range(seen[1][0], seen[1][-1] + 1)
            for up, across in itertools.product(*places)
        ]
    )
    spans = [cells[-1] - cells[0] + 1 for cells in seen]
    wide = wide.reshape(*spans, stride * stride, kernel.shape[2], channels).swapaxes(2, 3)
    rows, columns = (
        _pad_to_see(cells[0], cells[-1], side, few) for cells, side, few in zip(seen, sides, x.shape[1:3], strict=True)
    )
    y = _convolve(x, wide.reshape(*spans, kernel.shape[2], -1), 1, (rows, columns))
    return y.reshape(*y.shape[:3], stride, stride, channels)


def _pad_to_see(first: int, last: int, side: int, few: int) -> tuple[int, int]:
    """Zeros before and after an axis of `few` cells, so that each of `side` sees the `first` to the `last` after it."""
    return -first, side + last - few


def _correlate(
    wide: chex.Array, narrow: chex.Array, size: Sequence[int], stride: int, low: Sequence[int]
) -> chex.Array:
    """g[t] = sum_i wide[stride i + t - low]^T narrow[i], `[K, L, C, D]`: the gradient of a kernel.

    Args:
      wide: `[N, H, W, C]`
      narrow: `[N, h, w, D]`
      size: `K, L`.
      stride: on both axes.
      low: zeros before rows and columns of `wide`.
    """
    number, rows, columns, depth = narrow.shape
    channels, places = wide.shape[-1], list(itertools.product(*map(range, size)))
    padding = [
        (before, max(0, stride * (few - 1) + width - before - many))
        for before, few, many, width in zip(low, narrow.shape[1:3], wide.shape[1:3], size, strict=True)
    ]
    wide = jnp.pad(wide, ((0, 0), *padding, (0, 0)))
    num_parts = -(-number * 4 * rows * columns * len(places) * channels // _CHUNK_BYTES)
    chunk = max(1, -(-number // max(1, num_parts)))
    together = channels < _FEW_CHANNELS

    def add(total: chex.Array, images: tuple[chex.Array, chex.Array]) -> tuple[chex.Array, None]:
        wide, narrow = images
        seen = [
            wide[:, i : i + stride * (rows - 1) + 1 : stride, j : j + stride * (columns - 1) + 1 : stride]
            for i, j in places
        ]
        narrow = narrow.reshape(-1, depth)
        if together:
            return total + jnp.concatenate(seen, axis=-1).reshape(len(narrow), -1).T @ narrow, None
        return total + jnp.concatenate([x.reshape(len(narrow), -1).T @ narrow for x in seen]), None

    fill = [(0, -number % chunk), (0, 0), (0, 0), (0, 0)]  # images of zeros, which add nothing
    parts = [jnp.pad(x, fill).reshape(-1, chunk, *x.shape[1:]) for x in (wide, narrow)]
    total, _ = jax.lax.scan(add, jnp.zeros((len(places) * channels, depth), narrow.dtype), (parts[0], parts[1]))
    return total.reshape(*size, channels, depth)


def _mirror(kernel: chex.Array) -> chex.Array:
    """`[K, L, C, D] -> [K, L, D, C]`, its places in the opposite order."""
    return kernel[::-1, ::-1].swapaxes(2, 3)


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"
