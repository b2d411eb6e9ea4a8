"""Importing is light: what saves, draws and simulates comes when it is used."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.wheel

HEAVY = [
    "distrax",
    "matplotlib",
    "mujoco",
    "orbax.checkpoint",
    "pygame",
    "tensorflow_probability",
    "tensorstore",
    "warp",
]


def test_heavy_packages_are_not_imported() -> None:
    probe = f"import json, sys, metarl_baselines\nprint(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    found = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout
    assert json.loads(found) == []
