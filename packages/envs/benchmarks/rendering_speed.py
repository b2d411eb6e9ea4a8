"""How fast pictures are drawn: our settings beside MuJoCo's own renderer as it comes, on one core.

    export MUJOCO_GL=egl LP_NUM_THREADS=1    # EGL for MuJoCo's default too, software on one thread
    taskset -c 0 uv run packages/envs/benchmarks/rendering_speed.py --benchmark=half-cheetah-vel-image-v0

For each benchmark and backend: 64 x 64 pictures per second of processor time, so that other load on the machine does
not count. MuJoCo's default is `mujoco.Renderer` at the same size: shadows, reflections, multisampling. Medians over
repeats, which take turns.
"""

import statistics
import time
from collections.abc import Callable

import metarl_envs
import mujoco
import numpy as np
from absl import app, flags
from metarl_envs.mujoco import SimulatedFamily, Simulation
from metarl_envs.mujoco.rendering import BatchRenderer

_BENCHMARK = flags.DEFINE_multi_string("benchmark", ["half-cheetah-vel-image-v0"], "Whose cameras draw.")
_BACKEND = flags.DEFINE_string("backend", None, "As for BatchRenderer; by default what is installed.")
_NUM_SIMULATIONS = flags.DEFINE_integer("num_simulations", 8, "Drawn in one call.", lower_bound=1)
_NUM_REPEATS = flags.DEFINE_integer("num_repeats", 5, "Repeats of which the median is taken.", lower_bound=1)
_DEFAULT = flags.DEFINE_bool("default", True, "Whether MuJoCo's default is measured too (OpenGL only).")


def measure(draw: Callable[[], int]) -> float:
    """Pictures per second of processor time."""
    start = time.process_time()
    num_pictures = draw()
    return num_pictures / (time.process_time() - start)


def run(name: str) -> None:
    """Measures one benchmark and prints a row."""
    bench = metarl_envs.benchmark(name)
    family = bench.family
    if not isinstance(family, SimulatedFamily) or not family.scenario.pictures:
        raise app.UsageError(f"{name} has no cameras")
    scenario = family.scenario
    indices = np.arange(_NUM_SIMULATIONS.value)
    tasks = metarl_envs.take_tasks(bench.train_tasks, indices % bench.num_train_tasks)
    simulation = Simulation(scenario, tasks)
    simulation.reset(indices, [np.random.default_rng(i) for i in indices])
    renderer = BatchRenderer(scenario.model, scenario.cameras, backend=_BACKEND.value)
    num_pictures = _NUM_SIMULATIONS.value * len(scenario.cameras)

    def draw_ours() -> int:
        renderer.draw_batch(simulation.batch)
        return num_pictures

    def draw_default() -> int:
        for name in scenario.cameras:
            default.update_scene(data, camera=name)
            default.render()
        return len(scenario.cameras)

    draws = {"ours": draw_ours}
    if _DEFAULT.value:
        default, data = mujoco.Renderer(scenario.model, 64, 64), mujoco.MjData(scenario.model)
        simulation.batch.get_data(0, data)
        mujoco.mj_forward(scenario.model, data)
        draws["default"] = draw_default
    rates: dict[str, list[float]] = {kind: [] for kind in draws}
    for draw in draws.values():
        draw()
    for _ in range(_NUM_REPEATS.value):
        for kind, draw in draws.items():
            rates[kind].append(measure(draw))
    median = {kind: statistics.median(values) for kind, values in rates.items()}
    cells = [name, renderer.backend, f"{median['ours']:.0f}"]
    if _DEFAULT.value:
        cells += [f"{median['default']:.1f}", f"{median['ours'] / median['default']:.0f}x"]
    print(f"| {' | '.join(cells)} |")


def main(_: list[str]) -> None:
    columns = ["benchmark", "backend", "pictures/s"] + ["MuJoCo's default", "ratio"] * _DEFAULT.value
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for name in _BENCHMARK.value:
        run(name)


if __name__ == "__main__":
    app.run(main)
