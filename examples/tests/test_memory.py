"""What a run says of memory before it begins is what it takes: within a quarter, at its highest."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

# All that a long run holds, but fewer updates and, on half-cheetah, fewer first trials.
CASES = {
    "half-cheetah": ("pearl_jax", "half-cheetah-vel-v0", "num_updates=20", "num_initial_episodes=1"),
    "pictures": ("pearl_jax", "point-image-dense-32-v1", "num_updates=10"),
    "navigation": ("meld_jax", "point-image-dense-32-v1", "num_initial_updates=20", "num_joint_updates=10"),
    "arm": ("meld_jax", "sawyer-reacher-v0", "num_initial_updates=20", "num_joint_updates=10"),  # 64 x 128 pixels
}

MEASURED = """
import importlib, sys, tempfile
import metarl_envs
from rlcore.experiment import override

package, benchmark = importlib.import_module(sys.argv[1]), metarl_envs.benchmark(sys.argv[2])
config = override(package.preset("cpu", benchmark).config, [*sys.argv[3:], "test_every=1"])
with tempfile.TemporaryDirectory() as directory:
    run = package.open_run(directory, config, benchmark, seed=0)
    package.train(config, benchmark, run, seed=0, num_iterations=2)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("name", CASES)
def test_what_is_announced_is_what_is_taken(name):
    done = subprocess.run([sys.executable, "-c", MEASURED, *CASES[name]], capture_output=True, text=True, check=True)
    announced = float(re.search(r"; ([\d.]+) GB in all", done.stderr)[1])
    taken = int(done.stdout) * 1024 / 1e9
    print(f"{name}: announced {announced:.2f} GB, taken {taken:.2f} GB")
    assert announced == pytest.approx(taken, rel=0.25)
