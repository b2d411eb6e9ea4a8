"""The bank of distractor images: ten filled circles each.

Radii, colours and centres come from `numpy.random.RandomState`, whose stream NumPy has frozen, and are integers: the
bank is the same on every machine.
"""

import functools

import jax.numpy as jnp
import numpy as np

from metarl_envs.catcher.state import FULL_SIZE, CatcherTask

NUM_BACKGROUNDS = 256
"""Images in the bank."""

NUM_TRAIN_BACKGROUNDS = 192
"""The first ones are to train on; the other 64 are held out for tests."""

NUM_CIRCLES = 10
"""Of an image (thesis section 2.5); their sizes and colours are not given there."""

MIN_RADIUS, MAX_RADIUS = 3, 10
"""px; a radius is a whole number in this range."""

_SEED = 1337


@functools.cache
def backgrounds(size: int = FULL_SIZE) -> np.ndarray:
    """The bank: uint8 `[256, size, size, 3]`, read-only, the same array at every call.

    Args:
      size: 64, or 32 for every second pixel of every second row.
    """
    if size != FULL_SIZE:
        step = FULL_SIZE // size
        bank = np.ascontiguousarray(backgrounds()[:, ::step, ::step])
    else:
        rng = np.random.RandomState(_SEED)
        bank = np.stack([_circles(rng) for _ in range(NUM_BACKGROUNDS)])
    bank.flags.writeable = False
    return bank


def _circles(rng: np.random.RandomState) -> np.ndarray:
    """Draws circles over one another on black: uint8 `[64, 64, 3]`."""
    image = np.zeros((FULL_SIZE, FULL_SIZE, 3), np.uint8)
    y, x = np.mgrid[:FULL_SIZE, :FULL_SIZE]
    for _ in range(NUM_CIRCLES):
        radius = rng.randint(MIN_RADIUS, MAX_RADIUS + 1)
        centre_x, centre_y = rng.randint(0, FULL_SIZE, 2)
        color = rng.randint(0, 256, 3)
        # Half a pixel more than the radius, or each circle would have four spikes.
        image[(x - centre_x) ** 2 + (y - centre_y) ** 2 <= radius * (radius + 1)] = color
    return image


def train_task() -> CatcherTask:
    """Images 0 to 191."""
    return CatcherTask(jnp.array(0, jnp.int32), jnp.array(NUM_TRAIN_BACKGROUNDS, jnp.int32))


def held_out_task() -> CatcherTask:
    """Images 192 to 255."""
    num_held_out = NUM_BACKGROUNDS - NUM_TRAIN_BACKGROUNDS
    return CatcherTask(jnp.array(NUM_TRAIN_BACKGROUNDS, jnp.int32), jnp.array(num_held_out, jnp.int32))
