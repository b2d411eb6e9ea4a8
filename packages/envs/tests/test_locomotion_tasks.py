"""What a task of locomotion changes, the fixed task sets, and what needs MuJoCo or OpenGL."""

import ctypes.util
import dataclasses
import re
import subprocess
import sys

import jax
import metarl_envs
import numpy as np
import pytest
from metarl_envs.locomotion import DynamicsTask, Locomotion, VelocityTask, read_dynamics, robots, rules
from metarl_envs.locomotion.tasks import MODEL_FIELDS
from metarl_envs.mujoco import RobotVectorEnv, SimulatedFamily

mujoco = pytest.importorskip("mujoco")

# Name, tasks to train on, tasks to test on.
SETS = [
    *((f"{name}-v0", 2, 2) for name in ("half-cheetah-dir", "ant-fwd-back", "ant-fwd-back-reference")),
    *((f"{name}-v0", 100, 30) for name in ("half-cheetah-vel", "half-cheetah-vel-slow", "ant-goal", "humanoid-dir")),
    ("ant-goal-reference-v0", 150, 30),
    *((f"{name}-v0", 40, 10) for name in ("walker-params", "walker-params-reference")),
    *((f"{name}-v0", 40, 10) for name in ("hopper-params", "hopper-params-reference")),
]
WALKER = Locomotion(rules.WalkerParams(), draw_tasks=lambda rng, n: make_dynamics(robots.WALKER.model, n))
DYNAMICS_BOUNDS = {"mass": 1.5**3, "inertia": 1.5**3, "damping": 1.3**3, "friction": 1.5**3}


@pytest.fixture(autouse=True)
def _scratch_directory(monkeypatch, tmp_path):
    """MuJoCo appends its warnings to a file in the working directory."""
    monkeypatch.chdir(tmp_path)


def make_dynamics(model, num_tasks=1, **multipliers):
    """One number for each part of a `DynamicsTask`; 1 where none is given."""
    shapes = [(num_tasks, *getattr(model, field).shape) for field in MODEL_FIELDS.values()]
    ones = DynamicsTask(*(np.ones(shape, np.float32) for shape in shapes))
    return ones._replace(**{name: getattr(ones, name) * np.float32(value) for name, value in multipliers.items()})


def get_state(env, index=0):
    data = env.simulation.materialise(index)[1]
    return np.concatenate([data.qpos, data.qvel])


def test_every_locomotion_benchmark_is_pinned():
    others = ("point-", "catcher-", "sawyer-", "widowx-", "half-cheetah-vel-image-")
    assert {name for name, *_ in SETS} == {
        name for name in metarl_envs.benchmark_names() if not name.startswith(others)
    }


@pytest.mark.parametrize(("name", "num_train", "num_test"), SETS)
def test_task_sets(name, num_train, num_test):
    bench = metarl_envs.benchmark(name)
    assert (bench.num_train_tasks, bench.num_test_tasks) == (num_train, num_test)
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves((bench.train_tasks, bench.test_tasks)))
    leaves = zip(jax.tree.leaves(bench.train_tasks), jax.tree.leaves(bench.test_tasks), strict=True)
    numbers = [np.concatenate(pair).reshape(num_train + num_test, -1) for pair in leaves]
    assert len(np.unique(np.concatenate(numbers, axis=1), axis=0)) == (2 if num_train == 2 else num_train + num_test)
    assert_within_range(name, bench.train_tasks)
    assert_within_range(name, bench.test_tasks)


def assert_within_range(name, tasks):
    if name == "half-cheetah-dir-v0":
        assert set(tasks.sign.tolist()) == {1, -1}
    elif name == "ant-fwd-back-v0":
        assert set(tasks.angle.tolist()) == {0, float(np.float32(np.pi))}
    elif name.startswith("half-cheetah-vel"):
        fastest = 2 if "slow" in name else 3
        assert tasks.velocity.min() >= 0
        assert 0.8 * fastest < tasks.velocity.max() <= fastest
    elif name.startswith("ant-goal"):
        distance = np.linalg.norm(tasks.goal, axis=-1)
        assert distance.max() <= 3
        np.testing.assert_allclose(np.mean(distance <= 3 / np.sqrt(2)), 0.5, atol=0.2)  # Uniform in area.
    elif "params" in name:
        for field, bound in DYNAMICS_BOUNDS.items():
            values = getattr(tasks, field)
            assert 1 / bound * 0.999 < values.min() < 1.1 / bound
            assert bound / 1.1 < values.max() < bound * 1.001
            np.testing.assert_allclose(np.log(values).mean(), 0, atol=0.12)
    else:
        assert tasks.angle.min() >= 0
        assert tasks.angle.max() <= 2 * np.pi


@pytest.mark.parametrize("name", [name for name, *_ in SETS])
def test_draws_differ_with_the_key_and_repeat(name):
    family = metarl_envs.benchmark(name).family
    first, again, different = (family.sample_tasks(jax.random.key(seed), 200) for seed in (0, 0, 1))
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert not any(np.array_equal(a, b) for a, b in zip(first, different, strict=True))
    assert jax.tree.structure(first) == jax.tree.structure(metarl_envs.benchmark(name).train_tasks)
    assert_within_range(name, first)


def test_half_cheetah_vel_has_the_tasks_of_the_reference():
    bench = metarl_envs.benchmark("half-cheetah-vel-v0")
    np.testing.assert_allclose(bench.train_tasks.velocity[:3], [0.7861, 0.4761, 0.8344], atol=5e-5)
    np.testing.assert_allclose(bench.train_tasks.velocity.mean(), 1.5246, atol=5e-5)
    np.testing.assert_allclose(bench.test_tasks.velocity.mean(), 1.4177, atol=5e-5)
    vector = bench.family.make_vec(bench.test_tasks, seed=0)
    vector.reset()
    returns = sum(vector.step(np.zeros((30, 6), np.float32))[1] for _ in range(200))
    np.testing.assert_allclose(returns.mean(), -283.5, atol=0.6)


def test_other_velocities_in_mid_episode_change_the_reward_only():
    family = metarl_envs.benchmark("half-cheetah-vel-v0").family
    first, second = np.array([0.5, 3.0], np.float32), np.array([2.0, 1.0], np.float32)
    kept, changed = (family.make_vec(VelocityTask(first), seed=0) for _ in range(2))
    np.testing.assert_array_equal(kept.reset()[0], changed.reset()[0])
    for t, action in enumerate(np.random.default_rng(0).uniform(-1, 1, (10, 2, 6))):
        if t == 5:
            before = get_state(changed, 1)
            changed.set_tasks([VelocityTask(velocity) for velocity in second])
            np.testing.assert_array_equal(changed.tasks.velocity, second)
            np.testing.assert_array_equal(get_state(changed, 1), before)
        obs, reward, _, _, infos = changed.step(action)
        np.testing.assert_array_equal(kept.step(action)[0], obs)
        velocity, cost = infos["x_velocity"], infos["control_cost"]
        np.testing.assert_allclose(reward, -np.abs(velocity - (first if t < 5 else second)) - cost, atol=1e-6)


def test_another_body_in_mid_episode_changes_the_motion():
    model = robots.WALKER.model
    states = []
    for mass in (1, 3):
        vector = RobotVectorEnv(WALKER, make_dynamics(model), 100, seed=0)
        vector.reset()
        for _ in range(5):
            vector.step(np.full((1, 6), 0.5))
        before = get_state(vector)
        vector.set_tasks(make_dynamics(model, mass=mass))
        np.testing.assert_array_equal(get_state(vector), before)
        vector.step(np.full((1, 6), 0.5))
        states.append((before, get_state(vector)))
    np.testing.assert_array_equal(states[0][0], states[1][0])
    assert np.abs(states[0][1] - states[1][1]).max() > 1e-2


def throw_walker(**multipliers):
    """A walker at rest in the air, and its velocities to write to and to read."""
    model = robots.WALKER.model
    vector = RobotVectorEnv(WALKER, make_dynamics(model, **multipliers), 100, seed=0)
    vector.reset()
    qpos, qvel = vector.simulation.fields["qpos"], vector.simulation.fields["qvel"]
    qpos[:], qvel[:] = model.qpos0 + 0.5 * (np.arange(model.nq) == 1), 0
    return vector, qvel


@pytest.mark.parametrize("part", ["mass", "inertia"])
def test_a_heavier_body_accelerates_less(part):
    speeds = []
    for multiplier in (0.5, 1, 2):
        vector, qvel = throw_walker(**{part: multiplier})
        vector.step(np.eye(6)[:1])
        speeds.append(abs(qvel[0, 3]))
    assert speeds[0] > 1.02 * speeds[1] > 1.02**2 * speeds[2] > 0


def test_more_damping_slows_a_joint_more():
    speeds = []
    for multiplier in (0, 1, 10):
        vector, qvel = throw_walker(damping=multiplier)
        qvel[0, 5] = 5.0
        vector.step(np.zeros((1, 6)))
        speeds.append(abs(qvel[0, 5]))
    assert speeds[0] > 1.005 * speeds[1] > 1.005**2 * speeds[2]


def test_a_foot_slides_further_with_less_friction():
    model, slid = robots.WALKER.model, []
    for multiplier in (0.1, 1.0):
        vector = RobotVectorEnv(WALKER, make_dynamics(model, friction=multiplier), 100, seed=0)
        vector.reset()
        vector.simulation.fields["qvel"][:] = 2.0 * (np.arange(model.nv) == 0)
        start = vector.simulation.materialise(0)[1].body("foot").xpos[0]
        for _ in range(20):
            vector.step(np.zeros((1, 6)))
        slid.append(vector.simulation.materialise(0)[1].body("foot").xpos[0] - start)
    assert slid[0] > 1.2 * slid[1] > 0


@pytest.mark.parametrize("name", ["walker-params-v0", "hopper-params-v0"])
def test_multipliers_are_read_back_and_derived_constants_follow(name):
    bench = metarl_envs.benchmark(name)
    vector = bench.family.make_vec(bench.test_tasks)
    nominal, tasks = bench.family.scenario.rules.robot.model, bench.test_tasks
    for field, multiplier, found in zip(MODEL_FIELDS.values(), tasks, read_dynamics(vector.simulation), strict=True):
        zero = np.broadcast_to(getattr(nominal, field) == 0, multiplier.shape)
        np.testing.assert_allclose(found, np.where(zero, 1, multiplier), rtol=1e-12)
    model = mujoco.MjModel.from_xml_path(str(robots._assets() / bench.family.scenario.rules.robot.model_file))
    for field, multiplier in zip(MODEL_FIELDS.values(), tasks, strict=True):
        getattr(model, field)[:] *= multiplier[7]
    mujoco.mj_setConst(model, mujoco.MjData(model))
    derived = ("body_subtreemass", "body_invweight0", "dof_invweight0", "dof_M0", "actuator_acc0")
    for field in (*MODEL_FIELDS.values(), *derived):
        found = getattr(vector.simulation.materialise(7)[0], field)
        np.testing.assert_allclose(found, getattr(model, field), rtol=1e-12, err_msg=field)
    assert not np.allclose(model.dof_invweight0, nominal.dof_invweight0, rtol=0.1)
    other = metarl_envs.benchmark("half-cheetah-vel-v0")
    found = read_dynamics(other.family.make_vec(other.test_tasks).simulation)
    assert all((leaf == 1).all() and len(leaf) == 30 for leaf in found)


@pytest.mark.parametrize("num_steps", [0, 3])
def test_a_simulation_that_diverges_ends_its_episode_with_reward_0(num_steps):
    bench = metarl_envs.benchmark("half-cheetah-vel-v0")
    vector = bench.family.make_vec(metarl_envs.take_tasks(bench.train_tasks, [0, 1]), seed=0)
    vector.reset()
    for _ in range(num_steps):
        vector.step(np.zeros((2, 6)))
    vector.simulation.fields["qvel"][0] = 1e12
    obs, reward, terminated, truncated, _ = vector.step(np.zeros((2, 6)))
    assert (terminated.tolist(), truncated.tolist()) == ([True, False], [False, False])
    assert reward[0] == 0 > reward[1]
    assert obs in vector.observation_space


def test_another_model_is_refused():
    robot = dataclasses.replace(robots.HALF_CHEETAH, signature=1.0)
    with pytest.raises(RuntimeError, match=r"half_cheetah\.xml is not the model.*1493\.37.*must be 1\.0"):
        _ = robot.model


@pytest.mark.parametrize("field", ["body_mass", "geom_friction", "dof_damping", "actuator_gear", "jnt_range"])
def test_the_signature_sees_a_change(field):
    model = mujoco.MjModel.from_xml_path(str(robots._assets() / "hopper.xml"))
    getattr(model, field)[-1] *= 1.01
    assert not np.isclose(robots.signature(model), robots.HOPPER.signature, rtol=1e-6)


def test_without_mujoco_all_but_making_environments_works(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco", None)
    monkeypatch.setitem(sys.modules, "mujoco.batch", None)
    bench = metarl_envs.benchmark("ant-goal-v0")
    task = metarl_envs.get_task(bench.family.sample_tasks(jax.random.key(0), 1), 0)
    for make in (lambda: bench.family.make_env(task), lambda: bench.family.make_vec(bench.test_tasks)):
        with pytest.raises(ImportError, match=r"pip install 'metarl-envs\[mujoco\]'"):
            make()


@pytest.mark.parametrize("name", ["half-cheetah-dir-v0", "ant-goal-v0", "humanoid-dir-v0", "walker-params-v0"])
def test_pictures(name):
    bench = metarl_envs.benchmark(name)
    env = bench.family.make_env(metarl_envs.get_task(bench.train_tasks, 0), "rgb_array")
    env.reset(seed=0)
    try:
        image = env.render()
    except RuntimeError as error:
        pytest.skip(str(error)) if str(error).startswith("no OpenGL library") else pytest.fail(str(error))
    assert (image.dtype, image.shape) == (np.uint8, (240, 320, 3))
    assert image.std() > 5
    for _ in range(5):
        env.step(np.ones(env.action_space.shape))
    assert not np.array_equal(env.render(), image)
    env.close()
    vector = bench.family.make_vec(metarl_envs.take_tasks(bench.train_tasks, [0, 1]), seed=0)
    vector.reset()
    images = vector.render()
    np.testing.assert_array_equal(images[0], image)
    assert not np.array_equal(images[1], image)
    vector.close()
    assert bench.family.make_limited_vec(bench.train_tasks, 5).render() is None


_DRAW = """
import metarl_envs
bench = metarl_envs.benchmark("half-cheetah-dir-v0")
try:
    env = bench.family.make_env(metarl_envs.get_task(bench.train_tasks, 0), "rgb_array")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    print("played", end=", ")
    env.render()
except (ImportError, RuntimeError) as error:
    print(f"{type(error).__name__}:", error)
"""

BACKENDS = [
    ("glfw", "played, RuntimeError: no OpenGL library"),
    ("osmesa", "MUJOCO_GL=osmesa"),
    ("nonsense", "MUJOCO_GL=nonsense"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a window needs no display variable")
@pytest.mark.parametrize(("backend", "message"), BACKENDS)
def test_a_backend_that_does_not_work_is_explained(backend, message, monkeypatch):
    if backend == "osmesa" and ctypes.util.find_library("OSMesa"):
        pytest.skip("OSMesa works here")
    monkeypatch.setenv("MUJOCO_GL", backend)
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "PYOPENGL_PLATFORM"):  # PyOpenGL's may be there from other tests.
        monkeypatch.delenv(variable, raising=False)
    process = subprocess.run([sys.executable, "-c", _DRAW], check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert re.search(message, process.stdout)


def test_tasks_that_the_rules_do_not_want_are_refused_and_change_nothing():
    walkers = metarl_envs.benchmark("walker-params-v0")
    tasks = metarl_envs.take_tasks(walkers.train_tasks, [0, 1])
    env = walkers.family.make_vec(tasks, seed=0)
    hoppers = metarl_envs.take_tasks(metarl_envs.benchmark("hopper-params-v0").train_tasks, [0, 1])
    for wrong, message in [
        (hoppers, r"the mass of the tasks has shape \(2, 5\), must be \(2, 8\)"),
        (tasks._replace(mass=tasks.mass[:, :1]), r"the mass of the tasks has shape \(2, 1\)"),
        (VelocityTask(np.ones(2, np.float32)), "tasks must be of DynamicsTask, got VelocityTask"),
    ]:
        with pytest.raises(ValueError, match=message):
            env.set_tasks(wrong)
    np.testing.assert_array_equal(env.tasks.mass, tasks.mass)
    np.testing.assert_allclose(read_dynamics(env.simulation).friction, tasks.friction)
    cheetahs = metarl_envs.benchmark("half-cheetah-vel-v0").family
    with pytest.raises(ValueError, match="tasks must be of VelocityTask, got float"):
        cheetahs.make_vec([1.0, 2.0])


def test_a_family_may_step_on_more_threads_to_the_same_numbers():
    scenario = metarl_envs.benchmark("ant-goal-v0").family.scenario
    results = []
    for num_threads in (1, 2):
        family = SimulatedFamily(scenario, num_threads=num_threads)
        tasks = family.sample_tasks(jax.random.key(0), 3)
        env = family.make_vec(tasks, seed=0)
        env.reset()
        results.append(env.step(np.ones((3, 8)))[0])
    np.testing.assert_array_equal(*results)
