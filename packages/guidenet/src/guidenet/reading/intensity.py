"""Grey of more than 8 bits, whole numbers or fractions, as grey of 8 bits.

In the shape descriptions `H, W` denote pixels.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from guidenet.reading.decoding import Decoded
from guidenet.reading.errors import AmbiguousError, ReadError

Intensity = str | tuple[float, float]
"""`auto`, `full`, `stretch`, or the values that are black and white."""

DEPTHS = (8, 10, 12, 14, 16, 24, 32)
"""Bits that sensors and files have."""

_ROUNDING = 1e-4
"""How far fractions may be beyond 0 and 1."""

_REMEDY = "intensity (--intensity) must be stretch, or the values that are black and white, LOW,HIGH"


def parse_intensity(text: str) -> Intensity:
    """`auto`, `full`, `stretch` or `LOW,HIGH` of a command line.

    Raises:
      ValueError: it is none of these.
    """
    if text in ("auto", "full", "stretch"):
        return text
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"intensity must be auto, full, stretch or LOW,HIGH with LOW below HIGH, got {text!r}")
    return low, high


def check_intensity(intensity: Intensity) -> Intensity:
    """The same if it is one. Raises as `parse_intensity`."""
    if isinstance(intensity, str):
        return parse_intensity(intensity)
    try:
        return parse_intensity(",".join(map(str, intensity)))
    except TypeError:  # no pair: parsing it says what is allowed
        return parse_intensity(str(intensity))


def samples(decoded: Decoded) -> npt.NDArray[Any]:
    """`[H, W]` numbers of a file with one channel, as they are meant."""
    values = np.asarray(decoded.image)
    if decoded.largest:
        top = 255 if values.dtype == np.uint8 else 65535
        return np.round(values * (decoded.largest / top)).astype(values.dtype)
    if decoded.image.mode == "L" and decoded.signed:
        return values.view(np.int8).astype(np.int16)
    if decoded.image.mode == "I" and not decoded.signed and decoded.bits == 32:
        return values.view(np.uint32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def to_grey(decoded: Decoded, intensity: Intensity) -> npt.NDArray[np.uint8]:
    """`[H, W]` of one channel of more than 8 bits, or of signed numbers, see `read_image`.

    Raises:
      ReadError: some are no numbers, or which of them are black and white does not go without saying.
    """
    values = samples(decoded)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ReadError(decoded.name, "must have finite values, and has nan or inf")
    low, high = _limits(decoded, values, intensity)
    if values.dtype == np.uint16:
        table = np.clip((np.arange(1 << 16) - low) * (255 / (high - low)), 0, 255)
        grey = np.round(table).astype(np.uint8)[values]
    else:
        grey = np.round(np.clip((values - np.float64(low)) * (255 / (high - low)), 0, 255)).astype(np.uint8)
    return 255 - grey if decoded.white_is_zero else grey


def _limits(decoded: Decoded, values: npt.NDArray[Any], intensity: Intensity) -> tuple[float, float]:
    """The values that are black and white."""
    if not isinstance(intensity, str):
        return intensity
    least, most = (values.min().item(), values.max().item()) if values.size else (0, 0)
    if intensity == "stretch":
        return least, most if most > least else least + 1
    if decoded.largest:
        return 0, decoded.largest
    if intensity == "full":
        return _range(decoded, values.dtype.kind)
    if values.dtype.kind == "f" and least >= -_ROUNDING and most <= 1 + _ROUNDING:
        return 0, 1
    if least < 0:
        problem = f"has values from {least:g} to {most:g}, and which are black and white is not said"
        raise AmbiguousError(decoded.name, problem, _REMEDY, ("stretch",))
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        problem = f"has fractions from {least:g} to {most:g}, not 0 to 1, and which are black and white is not said"
        raise AmbiguousError(decoded.name, problem, _REMEDY, ("stretch", "0,255"))
    bits = next((bits for bits in DEPTHS if most < 1 << bits), None)
    if bits is None:
        raise AmbiguousError(decoded.name, f"has values up to {most:g}, more than 32 bits", _REMEDY, ("stretch",))
    return 0, (1 << bits) - 1


def _range(decoded: Decoded, kind: str) -> tuple[float, float]:
    if kind == "f":
        return 0, 1
    bits = decoded.bits or 32
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if decoded.signed else (0, (1 << bits) - 1)
