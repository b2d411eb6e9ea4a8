"""Drawings for tests of what is composed of them."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shapes():
    """The module beside this file: tests are not imported as a package."""
    spec = importlib.util.spec_from_file_location("shapes", Path(__file__).with_name("shapes.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
