"""Importing is light: what is heavy comes when it is used."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.wheel

HEAVY = ["distrax", "orbax.checkpoint", "tensorflow_probability", "tensorstore", "tensorboardX", "scipy.linalg"]
PROBE = "import json, sys, {name}\nprint(json.dumps([each for each in {heavy} if each in sys.modules]))"


@pytest.mark.parametrize(
    ("name", "heavy"),
    [("rlcore", HEAVY), ("rlcore.experiment", [*HEAVY, "flax", "optax"]), ("rlcore.sac", HEAVY)],
)
def test_heavy_packages_are_not_imported(name: str, heavy: list[str]) -> None:
    probe = PROBE.format(name=name, heavy=heavy)
    found = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout
    assert json.loads(found) == []


def test_the_probe_finds_what_is_imported() -> None:
    probe = PROBE.format(name="orbax.checkpoint", heavy=HEAVY)
    found = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout
    assert "orbax.checkpoint" in json.loads(found)
