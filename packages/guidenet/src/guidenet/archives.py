"""Files of named arrays (npz), as guidance and trained networks are kept."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def read_arrays(path: str | Path, what: str) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an npz; no code that it may hold is run.

    Raises:
      FileNotFoundError: there is no such file; the message gives the path and `what` was expected.
      ValueError: it is no npz, or is damaged.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} must be {what}, and there is no such file")
    # numpy would take other files for pickles, and recommend to trust them.
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} must be {what}, and is no npz or is cut off")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # numpy raises several kinds for what is damaged
        raise ValueError(f"{path} must be {what}: {error}") from None
