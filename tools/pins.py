"""Keeps every dependency at one version: the pins in the root pyproject.toml, between two marker comments.

uv run tools/pins.py           resolve anew, without the pins, and write the versions found
uv run tools/pins.py --check   fail when a package installed here has no pin or another version
"""

import argparse
import importlib.metadata
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "# Written by tools/pins.py: begin\n", "# Written by tools/pins.py: end\n"


def parse_pins(requirements: str) -> list[str]:
    """Turns the lines of a requirements file into sorted pins.

    A marker stays only where a package has several versions: where it has one, that one holds everywhere.
    """
    lines = [line.strip() for line in requirements.splitlines() if line.strip() and not line.startswith(("#", "-"))]
    versions = Counter(Requirement(line).name for line in lines)
    return sorted(line if versions[Requirement(line).name] > 1 else line.partition(";")[0].strip() for line in lines)


def replace_pins(pyproject: str, block: str) -> str:
    """Returns the text of a pyproject.toml with `block` between the two marker comments."""
    head, begin, rest = pyproject.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"pyproject.toml lacks the comments {BEGIN!r} and {END!r}")
    return head + begin + block + end + tail


def format_pins(option: str, pins: Iterable[str]) -> str:
    """Writes one option of `[tool.uv]`, a pin a line."""
    return f"{option} = [\n" + "".join(f'  "{pin}",\n' for pin in pins) + "]\n"


def find_mismatches(pins: Iterable[str], installed: Iterable[tuple[str, str]]) -> list[str]:
    """Says of each installed (name, version) that has no pin, or another version, what is wrong with it."""
    allowed: dict[str, Requirement] = {}
    for requirement in map(Requirement, pins):
        if requirement.marker is None or requirement.marker.evaluate():
            allowed[canonicalize_name(requirement.name)] = requirement
    mismatches: list[str] = []
    for name, version in sorted(installed):
        pin = allowed.get(canonicalize_name(name))
        if pin is None:
            mismatches.append(f"{name} {version} has no pin")
        elif not pin.specifier.contains(version, prereleases=True):
            mismatches.append(f"{name} is {version}, its pin says {pin}")
    return mismatches


def find_members() -> list[Path]:
    """The pyproject.toml of each member of the workspace: packages and examples."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    return [path for pattern in patterns for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))]


def run_uv(*arguments: str, cwd: Path) -> str:
    """Runs uv in `cwd` and returns what it prints."""
    return subprocess.run(["uv", *arguments], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


def resolve() -> tuple[list[str], list[str]]:
    """Resolves the workspace from scratch; returns the pins of all dependencies and those of the build tools."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary)
        build_requires: set[str] = set()
        for path in [ROOT / "pyproject.toml", *find_members()]:
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text()
            target.write_text(replace_pins(text, "") if path.parent == ROOT else text)
            build_requires.update(tomllib.loads(text).get("build-system", {}).get("requires", []))
        (copy / "build.in").write_text("\n".join(sorted(build_requires)))
        plain = ("--quiet", "--no-header", "--no-annotate")
        everything = ("--all-packages", "--all-extras", "--all-groups", "--no-emit-workspace", "--no-hashes")
        dependencies = run_uv("export", *plain, *everything, cwd=copy)
        build = run_uv("pip", "compile", *plain, "--universal", "--python-version=3.11", "build.in", cwd=copy)
        return parse_pins(dependencies), parse_pins(build)


def refresh() -> None:
    """Writes the pins of a new resolution into pyproject.toml."""
    dependencies, build = resolve()
    path = ROOT / "pyproject.toml"
    block = format_pins("constraint-dependencies", dependencies) + format_pins("build-constraint-dependencies", build)
    path.write_text(replace_pins(path.read_text(), block))
    print(f"{len(dependencies)} pins of dependencies, {len(build)} of build tools")


def check() -> list[str]:
    """Compares what is installed in this environment, less the workspace's own packages, with the pins."""
    projects = [tomllib.loads(path.read_text()) for path in find_members()]
    own = {canonicalize_name(project["project"]["name"]) for project in projects}
    installed = [(found.metadata["Name"], found.version) for found in importlib.metadata.distributions()]
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    return find_mismatches(pins, [item for item in installed if canonicalize_name(item[0]) not in own])


def main() -> None:
    """Refreshes or checks the pins."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; compare this environment with the pins")
    if not parser.parse_args().check:
        refresh()
    elif mismatches := check():
        sys.exit("\n".join([*mismatches, "Run `uv run tools/pins.py` and commit pyproject.toml, or `uv sync`."]))
    else:
        print("every installed package has its pinned version")


if __name__ == "__main__":
    main()
