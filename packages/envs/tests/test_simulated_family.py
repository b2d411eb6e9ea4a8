"""What all families of simulated robots keep to, and the one walk that registers benchmarks."""

import gymnasium
import metarl_envs
import numpy as np
import pytest
from metarl_envs.benchmarks import gymnasium_id
from metarl_envs.locomotion import Locomotion, SignTask, rules
from metarl_envs.locomotion.benchmarks import draw_goals
from metarl_envs.mujoco import SimulatedFamily, Simulation
from metarl_envs.mujoco.rendering import BatchRenderer

SIMULATED = [
    name for name in metarl_envs.benchmark_names() if isinstance(metarl_envs.benchmark(name).family, SimulatedFamily)
]
FALLS = ("ant-fwd-back", "humanoid", "walker", "hopper")


@pytest.fixture(autouse=True)
def _scratch_directory(monkeypatch, tmp_path):
    """MuJoCo appends its warnings to a file in the working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", metarl_envs.benchmark_names())
def test_gymnasium_knows_every_benchmark_with_its_horizon(name):
    spec = gymnasium.spec(gymnasium_id(name))
    assert spec.kwargs == {"benchmark_name": name}
    assert spec.max_episode_steps == metarl_envs.benchmark(name).family.horizon


def test_names_of_gymnasium():
    names = ("half-cheetah-vel-v0", "widowx-ethernet-dense-v0", "point-image-dense-32-v1")
    assert [gymnasium_id(name).removeprefix("metarl_envs/") for name in names] == [
        "HalfCheetahVel-v0",
        "WidowXEthernetDense-v0",
        "PointImageDense32-v1",
    ]


@pytest.mark.parametrize("name", SIMULATED)
def test_the_traits_are_what_a_step_says(name):
    pytest.importorskip("mujoco")
    bench = metarl_envs.benchmark(name)
    simulation = Simulation(bench.family.scenario, metarl_envs.take_tasks(bench.train_tasks, [0, 1, 0]))
    rng = np.random.default_rng(0)
    simulation.reset(np.arange(3), [rng] * 3)
    shape = (3, *bench.family.action_space.shape)
    outcomes = [simulation.step(rng.uniform(-1, 1, shape)) for _ in range(160 if name.startswith(FALLS) else 10)]
    assert all(bench.family.signals == tuple(sorted(outcome.signals)) for outcome in outcomes)
    ended = any(outcome.terminated.any() for outcome in outcomes)
    assert bench.family.terminates == name.startswith(FALLS) == ended


@pytest.mark.usefixtures("drawing")
def test_no_picture_is_drawn_that_nobody_sees(monkeypatch):
    drawn, draw = [], BatchRenderer.draw_batch

    def record(self, batch, indices=None):
        drawn.append((np.arange(batch.nsim) if indices is None else indices).tolist())
        return draw(self, batch, indices)

    monkeypatch.setattr(BatchRenderer, "draw_batch", record)
    bench = metarl_envs.benchmark("half-cheetah-vel-image-v0")
    tasks = metarl_envs.take_tasks(bench.train_tasks, [0, 1, 2])
    vector = bench.family.make_limited_vec(tasks, 10, "rgb_array", side=16)
    vector.set_tasks(tasks)
    assert drawn == []
    first, _ = vector.reset(seed=0)
    assert drawn == [[0, 1, 2]]
    vector.step(np.zeros((3, 6)))
    assert drawn == [[0, 1, 2]] * 2
    vector.render()
    vector.simulation.reset(np.array([1]), [np.random.default_rng(i) for i in range(3)])
    assert drawn == [[0, 1, 2]] * 2
    np.testing.assert_array_equal(vector.simulation.observe(np.array([1])), first[[1]])
    assert drawn == [[0, 1, 2], [0, 1, 2], [1]]
    vector.close()


def test_a_robot_that_is_seen_through_its_camera_moves_as_it_does_unseen():
    pytest.importorskip("mujoco")
    seen, unseen = (SimulatedFamily(Locomotion(rules.AntGoal(), draw_goals, 30, pictures=p)) for p in (True, False))
    assert (seen.horizon, SimulatedFamily(unseen.scenario, 7).horizon) == (30, 7)
    assert (seen.observation_space.shape, unseen.observation_space.shape) == ((64, 64, 3), (113,))
    assert (seen.action_space, seen.signals, seen.terminates) == (unseen.action_space, unseen.signals, False)
    rewards = []
    for family in (seen, unseen):
        simulation = Simulation(family.scenario, draw_goals(np.random.RandomState(0), 2))
        simulation.reset(np.arange(2), [np.random.default_rng(i) for i in range(2)])
        rewards.append(simulation.step(np.ones((2, 8))).reward)
    np.testing.assert_array_equal(*rewards)


def test_only_who_sees_vectors_gets_a_window():
    pytest.importorskip("mujoco")
    for name, modes in (("ant-goal-v0", ["rgb_array", "human"]), ("sawyer-peg-v0", ["rgb_array"])):
        bench = metarl_envs.benchmark(name)
        task = metarl_envs.get_task(bench.train_tasks, 0)
        env = bench.family.make_env(task)
        assert env.metadata["render_modes"] == modes
        with pytest.raises(ValueError, match=f"render_mode='film' must be None or one of {', '.join(modes)}$"):
            bench.family.make_env(task, "film")
        env.close()


@pytest.mark.parametrize("name", ["half-cheetah-vel-v0", "ant-goal-v0", "sawyer-peg-v0", "widowx-ethernet-dense-v0"])
def test_tasks_of_other_shapes_or_kinds_are_refused_and_change_nothing(name):
    pytest.importorskip("mujoco")
    bench = metarl_envs.benchmark(name)
    tasks = metarl_envs.take_tasks(bench.train_tasks, [0, 1])
    simulation, first = Simulation(bench.family.scenario, tasks), type(tasks)._fields[0]
    alone = [metarl_envs.get_task(tasks, i) for i in range(2)]
    for wrong, message in [
        (tasks._replace(**{first: getattr(tasks, first)[..., None]}), f"the {first} of the tasks has shape"),
        ([alone[0], alone[1]._replace(**{first: getattr(alone[1], first)[None]})], f"the {first} of a task has shape"),
        ([alone[0], SignTask(np.float32(1))], f"tasks must be of {type(tasks).__name__}, got SignTask"),
    ]:
        with pytest.raises(ValueError, match=message):
            simulation.set_tasks(wrong)
    simulation.set_tasks(alone)
    assert all(np.array_equal(*leaves) for leaves in zip(simulation.tasks, tasks, strict=True))
    getattr(tasks, first)[:] = 7  # What was handed over is copied.
    assert not (getattr(simulation.tasks, first) == 7).all()
    with pytest.raises(ValueError, match="tasks is empty"):
        Simulation(bench.family.scenario, metarl_envs.take_tasks(bench.train_tasks, []))
