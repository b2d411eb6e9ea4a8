"""What the first command installs is little, and READMEs say how to install one package."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import readmes
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
MAX_PACKAGES, MAX_BYTES = 70, 800e6
INSTALLS = [
    command
    for path in sorted(ROOT.glob("packages/*/README.md"))
    for command in readmes.read_commands(path, "pip install")
    if "--no-deps" not in command.words  # of other projects
]
FIRST = {command.path: command for command in reversed(INSTALLS)}  # of each README


def run_uv(*arguments):
    """What uv prints; it must succeed."""
    uv = os.environ.get("UV") or shutil.which("uv")
    result = subprocess.run([uv, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def write_pins(directory):
    """The pins as a file of constraints, so that a newer release of something else breaks no test."""
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    path = directory / "constraints.txt"
    path.write_text("\n".join(pins))
    return path


def test_the_first_command_installs_little():
    options = ("--quiet", "--no-hashes", "--no-annotate", "--no-header", "--no-emit-workspace")
    required = [Requirement(line) for line in run_uv("export", "--package=metarl-examples", *options).splitlines()]
    names = [found.name for found in required if found.marker is None or found.marker.evaluate()]
    names += ["meld-jax", "metarl-baselines", "metarl-envs", "mi-repr", "pearl-jax", "rlcore"]
    assert {"jaxlib", "matplotlib"} <= set(names)
    assert len(names) <= MAX_PACKAGES
    files = [
        Path(str(file.locate()))
        for name in names
        for file in importlib.metadata.files(name) or []
        if file.suffix != ".pyc"
    ]
    assert sum(file.stat().st_size for file in files if file.is_file()) <= MAX_BYTES


def test_every_package_says_how_to_install_it():
    assert set(FIRST) == set(ROOT.glob("packages/*/README.md"))


@pytest.mark.parametrize("command", INSTALLS, ids=lambda command: f"{command.path.parent.name}-{command.line}")
def test_the_command_of_a_readme_resolves(command, tmp_path):
    paths = command.words[2:]
    assert f"./packages/{command.path.parent.name}" in [path.partition("[")[0] for path in paths]
    constraints = ["--constraints", write_pins(tmp_path), "--python", sys.executable]
    target = ["--target", tmp_path / "target"]
    run_uv("pip", "install", "--dry-run", "--no-sources", *constraints, *target, *paths)  # as pip does, without sources


@pytest.mark.slow
@pytest.mark.parametrize("command", FIRST.values(), ids=lambda command: command.path.parent.name)
def test_the_first_command_of_a_readme_installs(command, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--constraint", write_pins(tmp_path)]
    subprocess.run([*pip, *command.words[2:]], cwd=ROOT, check=True)
    project = tomllib.loads((command.path.parent / "pyproject.toml").read_text())["project"]
    subprocess.run([python, "-I", "-c", f"import {project['name'].replace('-', '_')}"], cwd=tmp_path, check=True)
