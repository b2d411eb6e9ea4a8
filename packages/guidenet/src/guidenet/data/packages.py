"""Installed packages that have data in them; none of them is imported."""

import importlib.util
from pathlib import Path


class DataMissingError(ModuleNotFoundError):
    """A package with data is not installed; the message says how to install it."""


def find_package(name: str, install: str = '"guidenet[data]"') -> Path:
    """The folder of an installed package, which is not imported.

    Args:
      name: of the import.
      install: what pip is to install if it is missing, for the message.

    Raises:
      DataMissingError: it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise DataMissingError(f"the package {name} is needed for this data: pip install {install}")
    return Path(spec.submodule_search_locations[0])
