"""Robot arms: real kinematics, tasks that only who knows them can do, and the physics of doing them."""

import jax
import metarl_envs
import numpy as np
import pytest
from metarl_envs.locomotion import robots
from metarl_envs.manipulation import expert_action
from metarl_envs.manipulation.ethernet import PORT_DEPTH, EthernetTask, WidowXEthernet
from metarl_envs.manipulation.peg import BOX_HEIGHT, PegTask, SawyerPeg
from metarl_envs.manipulation.reacher import HIGH, LOW, SawyerReacher
from metarl_envs.manipulation.rewards import pose_reward, reference_reward, thesis_reward, turn_angle
from metarl_envs.manipulation.shelf import SawyerShelf, ShelfTask
from metarl_envs.mujoco import Simulation

mujoco = pytest.importorskip("mujoco")

SCENES = [
    "sawyer-reacher-v0",
    "sawyer-peg-v0",
    "sawyer-multi-peg-v0",
    "sawyer-shelf-v0",
    "sawyer-button-sparse-v0",
    "widowx-ethernet-sparse-v0",
]


@pytest.fixture(autouse=True)
def _scratch_directory(monkeypatch, tmp_path):
    """MuJoCo appends its warnings to a file in the working directory."""
    monkeypatch.chdir(tmp_path)


def start(scene, tasks):
    simulation = Simulation(scene, tasks)
    num = metarl_envs.num_tasks(tasks)
    simulation.reset(np.arange(num), [np.random.default_rng(0)] * num)
    return simulation


def play(scene, simulation, choose, num_steps=40):
    for _ in range(num_steps):
        outcome = simulation.step(choose(scene, simulation))
        assert not outcome.terminated.any()
    return outcome


# A change of masses, lengths, dampings and so on takes new versions of the benchmarks.
SIGNATURES = {
    "sawyer-reacher-v0": 752.288294,
    "sawyer-peg-v0": 677.87213,
    "sawyer-multi-peg-v0": 689.975598,
    "sawyer-shelf-v0": 750.596585,
    "sawyer-button-sparse-v0": 1355.072139,
    "widowx-ethernet-sparse-v0": 99.666714,
}


@pytest.mark.parametrize("name", SCENES)
def test_models_are_those_of_their_version(name):
    model = metarl_envs.benchmark(name).family.scenario.model
    np.testing.assert_allclose(robots.signature(model), SIGNATURES[name], rtol=1e-6)


def test_the_arms_reach_where_the_real_ones_do():
    # With all joints at zero Sawyer's hand is, by its maker's model, at (1.015, 0.160, 0.317) m.
    for scene, name, expected in (
        (SawyerReacher(), "hand", (1.0148, 0.1603, 0.317)),
        (WidowXEthernet(), "turn", (0.04825 + 0.14203 + 0.0715, 0, 0.125 + 0.14203)),
    ):
        data = mujoco.MjData(scene.model)
        mujoco.mj_forward(scene.model, data)
        np.testing.assert_allclose(data.body(name).xpos, expected, atol=1e-3)


@pytest.mark.parametrize("name", SCENES)
def test_who_knows_the_task_does_it_and_who_acts_at_random_does_not(name):
    bench = metarl_envs.benchmark(name)
    scene = bench.family.scenario
    simulation = start(scene, bench.test_tasks)
    outcome = play(scene, simulation, expert_action)
    assert outcome.signals["success"].all()
    assert outcome.signals["sparse_reward"].tolist() == [1.0] * bench.num_test_tasks
    np.testing.assert_array_equal(outcome.reward, outcome.signals["sparse_reward" if scene.sparse else "dense_reward"])
    best = outcome.signals["dense_reward"].mean()
    simulation = start(scene, bench.test_tasks)
    rng = np.random.default_rng(0)
    outcome = play(
        scene, simulation, lambda scene, simulation: rng.uniform(-1, 1, (bench.num_test_tasks, scene.action_size))
    )
    assert outcome.signals["success"].mean() <= 0.1
    assert outcome.signals["dense_reward"].mean() < best - 1


# Distance in m; the two rewards of equation 35 and of the code.
REWARDS = [(0.0, 11.512925, 3.375), (0.03, 3.505325, 0.000125), (0.1, 2.292485, -1.272957), (1.0, -1.00001, -28.02294)]


@pytest.mark.parametrize(("distance", "thesis", "reference"), REWARDS)
def test_rewards_by_hand(distance, thesis, reference):
    np.testing.assert_allclose(thesis_reward(np.array([distance])), [thesis], atol=2e-4)
    np.testing.assert_allclose(reference_reward(np.array([distance])), [reference], atol=2e-4)
    np.testing.assert_allclose(pose_reward(np.array([distance]), np.array([-0.5])), [-10 * distance - 0.5])
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(turn_angle(np.stack([quarter, np.eye(3)]), np.stack([np.eye(3)] * 2)), [np.pi / 2, 0])


def test_the_shaping_is_an_option():
    bench = metarl_envs.benchmark("sawyer-reacher-reference-v0")
    simulation = start(bench.family.scenario, bench.test_tasks)
    outcome = simulation.step(np.zeros((10, 7)))
    np.testing.assert_allclose(outcome.reward, reference_reward(outcome.signals["distance"]))
    with pytest.raises(ValueError, match="shaping='paper'"):
        SawyerReacher(shaping="paper")


# Benchmark, numbers of the first two tasks to train on.
FIRST_TASKS = [
    ("sawyer-reacher-v0", [[0.789304, -0.20479, 0.411251], [0.818898, -0.1074, 0.507357]]),
    (
        "sawyer-peg-v0",
        [
            [0.44262, -0.078983, 0.441587, 0.072624, 0.607239, -0.077192, 0.60793, 0.074851, 0.0],
            [0.442781, -0.072809, 0.444593, 0.070583, 0.603515, -0.072051, 0.609097, 0.0764, 1.0],
        ],
    ),
    ("sawyer-shelf-v0", [[0.462025, -0.050066], [0.358684, 0.077288]]),
    ("sawyer-button-dense-v0", [[0.735721, 0.0], [0.729521, 1.0]]),
    ("widowx-ethernet-dense-v0", [[3.0, 0.08086, 0.005787], [1.0, 0.082133, -0.003005]]),
    ("half-cheetah-vel-image-v0", [[0.786074], [0.476052]]),
]


@pytest.mark.parametrize(("name", "expected"), FIRST_TASKS)
def test_tasks_are_fixed(name, expected):
    tasks = metarl_envs.take_tasks(metarl_envs.benchmark(name).train_tasks, [0, 1])
    found = np.concatenate([np.asarray(leaf, np.float64).reshape(2, -1) for leaf in tasks], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_tasks_are_drawn_from_what_is_promised():
    key = jax.random.key(0)
    goal = metarl_envs.benchmark("sawyer-reacher-v0").family.sample_tasks(key, 200).goal
    assert (goal >= LOW).all()
    assert (goal <= HIGH).all()
    dense, sparse = (metarl_envs.benchmark(f"sawyer-button-{kind}-v0") for kind in ("dense", "sparse"))
    for one, other in zip(dense.train_tasks, sparse.train_tasks, strict=True):  # One stage warm-starts the other.
        np.testing.assert_array_equal(one, other)
    for name in ("sawyer-peg-v0", "sawyer-button-dense-v0", "widowx-ethernet-dense-v0"):
        tasks = metarl_envs.benchmark(name).train_tasks
        goals = tasks.goal if isinstance(tasks, PegTask) else tasks[1] if len(tasks) == 2 else tasks[0]
        assert set(goals.tolist()) == set(range(max(goals) + 1))
    ethernet = metarl_envs.benchmark("widowx-ethernet-dense-v0").train_tasks
    assert np.abs(ethernet.turn).max() <= np.deg2rad(8)
    assert np.abs(ethernet.shift).max() <= 0.01
    assert metarl_envs.benchmark("sawyer-multi-peg-v0").test_tasks.goal.tolist() == [0, 1, 2]


def test_all_actions_at_zero_keep_an_arm_still_and_one_action_turns_one_joint():
    for scene, tasks in (
        (SawyerReacher(), metarl_envs.benchmark("sawyer-reacher-v0").test_tasks),
        (WidowXEthernet(), metarl_envs.benchmark("widowx-ethernet-dense-v0").test_tasks),
    ):
        tasks, size = metarl_envs.take_tasks(tasks, [0, 1]), scene.action_size
        simulation = start(scene, tasks)
        before = simulation.fields["qpos"].copy()
        simulation.step(np.zeros((2, size)))
        np.testing.assert_allclose(simulation.fields["qpos"][:, :size], before[:, :size], atol=2e-3)
        action = np.zeros((2, size))
        action[0, 0], action[1, 0] = 7.0, -0.5
        simulation.step(action)
        moved = simulation.fields["qpos"][:, 0] - before[:, 0]
        assert 0.6 * scene.reach < moved[0] < 1.1 * scene.reach
        np.testing.assert_allclose(moved[1], -moved[0] / 2, rtol=0.1)


class Aside(SawyerPeg):
    """Pushes down on a wall of the goal."""

    def guide(self, fields, tasks):
        return super().guide(fields, tasks) + np.array([0.025, 0, 0])


def test_a_peg_beside_the_hole_stays_out_and_in_another_box_it_does_not_count():
    boxes = np.array([[[0.445, -0.075], [0.445, 0.075], [0.605, -0.075], [0.605, 0.075]]], np.float32)
    tasks, scene = PegTask(boxes, np.array([1], np.int32)), Aside()
    simulation = start(scene, tasks)
    outcome = play(scene, simulation, expert_action)
    assert scene.site(simulation.fields, "tip")[0, 2] > BOX_HEIGHT - 0.005
    assert not outcome.signals["success"][0]
    scene = SawyerPeg()
    simulation = start(scene, tasks)
    other = Simulation(scene, PegTask(boxes, np.array([3], np.int32)))
    play(scene, simulation, expert_action)
    other.fields["qpos"][:] = simulation.fields["qpos"]
    outcome = other.step(np.zeros((1, 7)))
    assert scene.site(other.fields, "tip")[0, 2] < 0.01
    assert not outcome.signals["success"][0]
    assert outcome.signals["depth"][0] == 0


def test_a_heavier_mug_pulls_the_arm_down_further():
    tasks = ShelfTask(np.array([0.2, 1.2], np.float32), np.zeros(2, np.float32))
    scene = SawyerShelf()
    simulation = start(scene, tasks)
    height = scene.site(simulation.fields, "tip")[:, 2].copy()
    mug = scene.model.body("mug").id
    np.testing.assert_allclose([simulation.batch.get_model(i).body_mass[mug] for i in (0, 1)], tasks.mass)
    play(scene, simulation, lambda scene, simulation: np.zeros((2, 7)), 5)
    sunk = height - scene.site(simulation.fields, "tip")[:, 2]
    assert 0 < sunk[0] < sunk[1] / 3
    simulation.set_tasks(ShelfTask(tasks.mass[::-1].copy(), tasks.target))
    np.testing.assert_allclose([simulation.batch.get_model(i).body_mass[mug] for i in (0, 1)], tasks.mass[::-1])


def test_another_button_does_not_count():
    bench = metarl_envs.benchmark("sawyer-button-sparse-v0")
    scene, tasks = bench.family.scenario, metarl_envs.take_tasks(bench.test_tasks, [0, 1, 2])
    simulation = start(scene, tasks)
    play(scene, simulation, expert_action)
    simulation.set_tasks(tasks._replace(button=(tasks.button + 1) % 3))
    outcome = simulation.step(np.zeros((3, 7)))
    assert (simulation.fields["qpos"][:, 7:].min(1) < -0.012).all()
    assert outcome.reward.tolist() == [0.0] * 3


def test_motors_take_the_switch_to_its_task():
    port = np.zeros(2, np.int32)
    tasks = EthernetTask(port, np.array([0.13, -0.13], np.float32), np.array([-0.009, 0.009], np.float32))
    scene = WidowXEthernet()
    simulation = start(scene, tasks)
    place = simulation.fields["qpos"][:, 5:]
    np.testing.assert_allclose(place, np.stack([tasks.shift, tasks.turn], axis=1), atol=2e-3)
    simulation.set_tasks(EthernetTask(port, -tasks.turn, -tasks.shift))
    np.testing.assert_allclose(place[:, 0], tasks.shift, atol=2e-3)  # It takes its time,
    play(scene, simulation, lambda scene, simulation: np.zeros((2, 5)), 6)
    np.testing.assert_allclose(place, np.stack([-tasks.shift, -tasks.turn], axis=1), atol=2e-3)  # but gets there.


class BetweenPorts(WidowXEthernet):
    """Pushes down between two ports."""

    def guide(self, fields, tasks):
        return super().guide(fields, tasks) + np.array([0, 0.01, 0])


def test_a_plug_between_two_ports_stays_out():
    tasks = EthernetTask(np.array([1], np.int32), np.zeros(1, np.float32), np.zeros(1, np.float32))
    scene = BetweenPorts()
    simulation = start(scene, tasks)
    outcome = play(scene, simulation, expert_action)
    assert not outcome.signals["success"][0]
    assert outcome.signals["distance"][0] > PORT_DEPTH - 0.002


def test_wrong_tasks_are_refused_and_change_nothing():
    bench = metarl_envs.benchmark("sawyer-peg-v0")
    tasks = metarl_envs.take_tasks(bench.train_tasks, [0, 1])
    simulation = Simulation(bench.family.scenario, tasks)
    with pytest.raises(ValueError, match="must be of PegTask"):
        simulation.set_tasks(metarl_envs.take_tasks(metarl_envs.benchmark("sawyer-reacher-v0").train_tasks, [0, 1]))
    with pytest.raises(ValueError, match="3 tasks for num_envs=2"):
        simulation.set_tasks(metarl_envs.take_tasks(bench.train_tasks, [0, 1, 2]))
    np.testing.assert_array_equal(simulation.tasks.boxes, tasks.boxes)
    with pytest.raises(ValueError, match="num_threads=0"):
        Simulation(bench.family.scenario, tasks, 0)
