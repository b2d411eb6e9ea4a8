"""Tests packages alone: each wheel in a clean environment, with what it declares and nothing else.

uv run tools/check_package.py packages/rlcore
uv run tools/check_package.py packages/* --python 3.13
uv run tools/check_package.py packages/rlcore --resolution lowest-direct
uv run tools/check_package.py packages/rlcore --quick

Builds every package of the workspace, installs one wheel and its dependencies (at the pinned versions, or at the lowest
that it declares) and imports it; adds its extras and imports all its modules; then adds its dependency group `test` and
runs a copy of its tests, two at a time. With `--quick` it loads all tests, but runs those marked `wheel` only. Several
packages are checked two at a time, each with one test at a time; what they print comes package by package.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, sys.argv[1] + ".")]
for name in names:
    importlib.import_module(name)
print(len(names), "modules")
"""


def run(*command: str | Path, cwd: Path, output: TextIO = sys.stdout) -> None:
    """Prints and runs a command in `cwd`, where the source tree cannot be imported."""
    print("$", *command, flush=True, file=output)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=output, stderr=subprocess.STDOUT)


def build_wheels(directory: Path) -> dict[str, Path]:
    """Builds all packages; returns the wheel of each by its import name."""
    run("uv", "build", "--quiet", "--all-packages", "--no-sources", "--out-dir", directory, cwd=ROOT)
    return {wheel.name.partition("-")[0]: wheel for wheel in sorted(directory.glob("*.whl"))}


def write_constraints(path: Path, wheels: dict[str, Path], *, pinned: bool) -> None:
    """Writes constraints: this workspace's wheels rather than any index's, and the pins if `pinned`."""
    lines = [f"{name} @ {wheel.as_uri()}" for name, wheel in wheels.items()]
    if pinned:
        lines += tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    path.write_text("\n".join(lines))


def check(
    package: Path,
    wheels: dict[str, Path],
    directory: Path,
    *,
    python: str,
    resolution: str,
    quick: bool,
    num_workers: int,
    output: TextIO,
) -> None:
    """Installs, imports and tests one package in `directory`; raises CalledProcessError when a step fails."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    name = project["name"].replace("-", "_")
    directory.mkdir()
    interpreter = directory / "venv" / "bin" / "python"
    constraints = directory / "constraints.txt"
    write_constraints(constraints, wheels, pinned=resolution == "highest")
    install = ["uv", "pip", "install", "--quiet", "--no-sources", "--python", interpreter]
    install += ["--resolution", resolution, "--constraints", constraints]
    if resolution != "highest":  # what a wheel requires does not count as direct: name it
        install += ["--requirements", package / "pyproject.toml", "--all-extras"]

    run("uv", "venv", "--quiet", "--python", python, "venv", cwd=directory, output=output)
    run(*install, wheels[name], cwd=directory, output=output)
    run(interpreter, "-I", "-c", f"import {name}", cwd=directory, output=output)
    extras = ",".join(project.get("optional-dependencies", {}))
    wheel = f"{wheels[name]}[{extras}]" if extras else wheels[name]
    run(*install, wheel, cwd=directory, output=output)
    run(interpreter, "-I", "-c", IMPORT_ALL, name, cwd=directory, output=output)
    run(*install, wheel, "--group", f"{package / 'pyproject.toml'}:test", cwd=directory, output=output)
    shutil.copy(ROOT / "pyproject.toml", directory)  # pytest's settings
    shutil.copy(package / "README.md", directory)  # whose examples are tests
    (directory / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "readmes.py", directory / "tools")  # by which they are
    shutil.copytree(package / "tests", directory / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    chosen = ["-m", "wheel and not slow"] if quick else []
    run(interpreter, "-P", "-m", "pytest", "-q", "-n", str(num_workers), *chosen, "tests", cwd=directory, output=output)


def main() -> None:
    """Checks the packages named on the command line, one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+", type=Path, metavar="DIRECTORY", help="such as packages/rlcore")
    parser.add_argument("--python", default=sys.executable, help="a version or a path (default: this one)")
    parser.add_argument("--resolution", default="highest", choices=["highest", "lowest-direct"])
    parser.add_argument("--quick", action="store_true", help="of the tests, run those marked `wheel` only")
    arguments = parser.parse_args()
    num_workers = 2 if len(arguments.packages) == 1 else 1
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary).resolve()
        wheels = build_wheels(directory / "wheels")

        def check_one(package: Path) -> tuple[Path, int]:
            """Checks a package; returns where its output is, and the exit status of the step that failed or 0."""
            start, path = time.monotonic(), directory / f"{package.name}.txt"
            with path.open("w") as output:
                title = f"{package} alone, Python {arguments.python}, {arguments.resolution} versions"
                print(f"--- {title}", flush=True, file=output)
                try:
                    check(
                        package.resolve(),
                        wheels,
                        directory / package.name,
                        python=arguments.python,
                        resolution=arguments.resolution,
                        quick=arguments.quick,
                        num_workers=num_workers,
                        output=output,
                    )
                except subprocess.CalledProcessError as error:
                    print(f"--- {package}: failed (exit status {error.returncode})", file=output)
                    return path, error.returncode
                print(f"--- {package}: passed in {time.monotonic() - start:.0f} s", file=output)
            return path, 0

        with ThreadPoolExecutor(2) as pool:
            failed = False
            for path, status in pool.map(check_one, arguments.packages):
                print(path.read_text(), end="", flush=True)
                failed |= status != 0
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
