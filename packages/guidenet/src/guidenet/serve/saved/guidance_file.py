"""Guidance as the bytes of an npz file, which may come from anywhere."""

import io
import tempfile
import zipfile
from pathlib import Path

from guidenet.segmenter.guidance import Guidance
from guidenet.serve.limits import Limits, TooLargeError, check_class_name, check_file_size, check_unpacked_size

_UNPACKED = 16


def dump_guidance(guidance: Guidance) -> bytes:
    """What `Guidance.save` writes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "guidance.npz"
        guidance.save(path)
        return path.read_bytes()


def parse_guidance(name: str, data: bytes, limits: Limits) -> Guidance:
    """Reads an npz.

    Args:
      name: of the file, for messages.
      data: its bytes.
      limits: what is taken.

    Raises:
      TooLargeError: it is too large, packed or unpacked.
      ValueError: it is no guidance, or names a class as none can be named; the message has the name.
    """
    check_file_size(name, len(data), limits.guidance_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_unpacked_size(name, archive, _UNPACKED * limits.guidance_bytes)
    except TooLargeError:
        raise
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise ValueError(f"{name} is no guidance: it must be an npz that was saved as such") from None
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "guidance.npz"
        path.write_bytes(data)
        try:
            guidance = Guidance.load(path)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), name)) from None
    for cls in guidance.classes:
        if check_class_name(cls) != cls:
            raise ValueError(f"{name} must name classes without spaces around them, got {cls!r}")
    return guidance
