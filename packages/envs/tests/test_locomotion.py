"""Locomotion against gymnasium's own models stepped by MuJoCo, with the tables of PEARL's code written out."""

import functools

import gymnasium
import jax
import metarl_envs
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from metarl_envs.locomotion import robots, rules
from metarl_envs.locomotion.tasks import MODEL_FIELDS, DynamicsTask
from metarl_envs.mujoco import RobotEnv, RobotVectorEnv

mujoco = pytest.importorskip("mujoco")

# Model, simulation steps per step, time step in s.
MODELS = {
    "half-cheetah-dir-v0": ("half_cheetah.xml", 5, 0.01),
    "half-cheetah-vel-v0": ("half_cheetah.xml", 5, 0.01),
    "ant-fwd-back-v0": ("ant.xml", 5, 0.01),
    "ant-goal-v0": ("ant.xml", 5, 0.01),
    "humanoid-dir-v0": ("humanoid.xml", 5, 0.003),
    "walker-params-v0": ("walker2d_v5.xml", 4, 0.002),
    "walker-params-reference-v0": ("walker2d_v5.xml", 4, 0.004),
    "hopper-params-v0": ("hopper.xml", 4, 0.002),
    "hopper-params-reference-v0": ("hopper.xml", 4, 0.004),
}
IDS = [
    env_id
    for env_id in gymnasium.registry
    if env_id.startswith("metarl_envs/")
    and not any(other in env_id for other in ("Point", "Catcher", "Image", "Sawyer", "WidowX"))
]
FALLS = ("walker-params-v0", "hopper-params-v0", "ant-fwd-back-v0", "humanoid-dir-v0")


@pytest.fixture(autouse=True)
def _scratch_directory(monkeypatch, tmp_path):
    """MuJoCo appends its warnings to a file in the working directory."""
    monkeypatch.chdir(tmp_path)


class Oracle:
    """gymnasium's own model, with a task's multipliers, stepped by `mj_step` from where an environment is."""

    def __init__(self, name, env):
        file, self.frame_skip, time_step = MODELS[name]
        self.model = mujoco.MjModel.from_xml_path(str(robots._assets() / file))
        self.model.opt.timestep = time_step
        self.data = mujoco.MjData(self.model)
        if isinstance(env.task, DynamicsTask):
            for field, multiplier in zip(MODEL_FIELDS.values(), env.task, strict=True):
                getattr(self.model, field)[:] *= multiplier
            mujoco.mj_setConst(self.model, self.data)
            mujoco.mj_resetData(self.model, self.data)
        data = env.simulation.materialise(0)[1]
        self.data.qpos[:], self.data.qvel[:] = data.qpos, data.qvel

    def step(self, action):
        low, high = self.model.actuator_ctrlrange.T
        self.data.ctrl[:] = low + (high - low) * (np.clip(action, -1, 1).astype(np.float64) + 1) / 2
        mujoco.mj_step(self.model, self.data, self.frame_skip)

    def derive(self):
        """All quantities of the present state, in data of their own."""
        data = mujoco.MjData(self.model)
        mujoco.mj_copyData(data, self.model, self.data)
        mujoco.mj_forward(self.model, data)
        mujoco.mj_rnePostConstraint(self.model, data)
        return data


def expected_obs(name, data):
    forces = data.cfrc_ext.ravel()
    if name.startswith("half-cheetah"):
        return np.concatenate([data.qpos[1:], data.qvel, data.body("torso").xpos])
    if name == "ant-fwd-back-v0":
        return np.concatenate([data.qpos[2:], data.qvel])
    if name == "ant-goal-v0":
        return np.concatenate([data.qpos, data.qvel, np.clip(forces, -1, 1)])
    if name == "humanoid-dir-v0":
        middle = [data.cinert.ravel(), data.cvel.ravel(), data.qfrc_actuator]
        return np.concatenate([data.qpos[2:], data.qvel, *middle, forces])
    return np.concatenate([data.qpos[1:], np.clip(data.qvel, -10, 10)])


def expected_reward(name, task, before, after, time_step, frame_skip):
    square, seconds = np.sum(after.ctrl**2), time_step * frame_skip
    contact = np.sum(np.clip(after.cfrc_ext, -1, 1) ** 2)
    velocity = (after.qpos[:2] - before.qpos[:2]) / seconds
    if name == "half-cheetah-dir-v0":
        return task.sign * velocity[0] - 0.05 * square
    if name == "half-cheetah-vel-v0":
        return -abs(velocity[0] - task.velocity) - 0.05 * square
    if name == "ant-fwd-back-v0":
        direction = np.cos(task.angle), np.sin(task.angle)
        return velocity @ direction - 0.5 * square - 5e-4 * contact + 1
    if name == "ant-goal-v0":
        return -np.abs(after.qpos[:2] - task.goal).sum() - 0.1 * square - 5e-4 * contact
    if name == "humanoid-dir-v0":
        moved = after.subtree_com[0] - before.subtree_com[0]
        along = moved[0] * np.cos(task.angle) + moved[1] * np.sin(task.angle)
        return 0.25 * along / time_step - 0.1 * square - min(5e-7 * np.sum(after.cfrc_ext**2), 10) + 5
    return velocity[0] + 1 - 1e-3 * square


@pytest.mark.parametrize("name", MODELS)
def test_motion_observations_and_rewards(name):
    bench = metarl_envs.benchmark(name)
    env = bench.family.make_env(metarl_envs.get_task(bench.test_tasks, 1))
    obs, _ = env.reset(seed=3)
    oracle = Oracle(name, env)
    after, rng = oracle.derive(), np.random.default_rng(0)
    np.testing.assert_allclose(obs, expected_obs(name, after), rtol=1e-5, atol=1e-5)
    touched = False
    for _ in range(50):
        action = rng.uniform(-1.2, 1.2, env.action_space.shape).astype(np.float32)
        obs, reward, _, truncated, _ = env.step(action)
        oracle.step(action)
        data = env.simulation.materialise(0)[1]
        np.testing.assert_allclose(data.qpos, oracle.data.qpos, atol=1e-10, rtol=0)
        np.testing.assert_allclose(data.qvel, oracle.data.qvel, atol=1e-10, rtol=0)
        before, after = after, oracle.derive()
        np.testing.assert_allclose(obs, expected_obs(name, after), rtol=1e-5, atol=1e-5)
        expected = expected_reward(name, env.task, before, after, *MODELS[name][:0:-1])
        np.testing.assert_allclose(reward, expected, atol=1e-6)
        assert not truncated
        touched |= bool(after.cfrc_ext.any())
    assert touched


# Rules; height and, of the robots in a plane, lean; whether it has fallen.
FALLEN = [
    (rules.AntDir(), (0.2, 0.0), False),
    (rules.AntDir(), (1.0, 0.0), False),
    (rules.AntDir(), (0.199, 0.0), True),
    (rules.AntDir(), (1.001, 0.0), True),
    (rules.AntGoal(), (5.0, 0.0), False),
    (rules.HalfCheetahVel(), (-5.0, 3.0), False),
    (rules.HumanoidDir(), (1.0, 0.0), False),
    (rules.HumanoidDir(), (2.0, 0.0), False),
    (rules.HumanoidDir(), (0.999, 0.0), True),
    (rules.HumanoidDir(), (2.001, 0.0), True),
    (rules.WalkerParams(), (0.801, 0.999), False),
    (rules.WalkerParams(), (1.999, -0.999), False),
    (rules.WalkerParams(), (0.8, 0.0), True),
    (rules.WalkerParams(), (2.0, 0.0), True),
    (rules.WalkerParams(), (1.2, 1.001), True),
    (rules.HopperParams(), (0.701, 0.199), False),
    (rules.HopperParams(), (0.7, 0.0), True),
    (rules.HopperParams(), (1.2, -0.2), True),
]


@pytest.mark.parametrize(("kind", "posture", "fallen"), FALLEN)
def test_terminations_at_their_thresholds(kind, posture, fallen):
    model = kind.robot.model
    fields = {"qpos": model.qpos0[None].copy(), "qvel": np.zeros((1, model.nv))}
    start = 2 if model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE else 1
    fields["qpos"][0, start : start + len(posture)] = posture
    assert kind.terminated(fields).tolist() == [fallen]


@pytest.mark.parametrize(("field", "index"), [("qpos", 3), ("qvel", 0), ("qvel", 5)])
def test_the_hopper_ends_where_its_state_is_large(field, index):
    fields = {"qpos": np.array([[1000, 1.25, 0, 0, 0, 0.0]]), "qvel": np.full((1, 6), -99.9)}
    assert not rules.HopperParams().terminated(fields).any()
    fields[field][0, index] = 100
    assert rules.HopperParams().terminated(fields).all()


def take_five(name):
    bench = metarl_envs.benchmark(name)
    return bench.family, metarl_envs.take_tasks(bench.train_tasks, np.arange(5) % bench.num_train_tasks)


def play(env, num_steps):
    """All that `reset` and `num_steps` steps return."""
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1.2, 1.2, (num_steps, *env.action_space.shape)).astype(np.float32)
    return [env.reset(seed=7)] + [env.step(action) for action in actions]


def assert_identical(actual, expected):
    actual, expected = jax.tree.map(unpack, (actual, expected))
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    jax.tree.map(np.testing.assert_array_equal, actual, expected)


def unpack(leaf):
    """Object arrays, such as final observations, become lists that a tree looks into."""
    return leaf.tolist() if isinstance(leaf, np.ndarray) and leaf.dtype == object else leaf


@pytest.mark.parametrize("name", MODELS)
def test_vector_equals_single_environments_in_gymnasiums_own_vector(name):
    family, tasks = take_five(name)

    def make_single(i):
        return TimeLimit(family.make_env(metarl_envs.get_task(tasks, i)), 25)

    sync = SyncVectorEnv([functools.partial(make_single, i) for i in range(5)], autoreset_mode=AutoresetMode.SAME_STEP)
    vector = family.make_limited_vec(tasks, 25)
    assert vector.observation_space == sync.observation_space
    assert vector.action_space == sync.action_space
    assert vector.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert_identical(play(vector, 60), play(sync, 60))


@pytest.mark.parametrize("name", ["half-cheetah-vel-v0", "ant-goal-v0", "walker-params-v0"])
def test_the_number_of_threads_changes_nothing(name):
    family, tasks = take_five(name)
    expected = play(family.make_limited_vec(tasks, 8), 20)
    for num_threads in (2, 3):
        assert_identical(play(family.make_limited_vec(tasks, 8, num_threads=num_threads), 20), expected)


def test_truncation_at_the_horizon_keeps_the_last_observation():
    bench = metarl_envs.benchmark("half-cheetah-vel-v0")
    vector = bench.family.make_vec(metarl_envs.take_tasks(bench.train_tasks, [0, 1]), seed=0)
    vector.reset()
    for t in range(200):
        obs, _, terminated, truncated, infos = vector.step(np.full((2, 6), 0.1, np.float32))
        assert not terminated.any()
        assert truncated.tolist() == [t == 199] * 2
        if t == 198:
            before = vector._simulation.materialise(0)[1].qpos[0]
    assert infos["_x_velocity"].all()
    last_x = obs[0][17]
    velocity = metarl_envs.transition_info(infos, "x_velocity")[0]
    np.testing.assert_allclose((last_x - before) / 0.05, velocity, atol=1e-3)
    first, _ = vector.reset(options={"reset_mask": np.ones(2, bool)})
    assert np.abs(first[:, 17]).max() <= 0.1


@pytest.mark.parametrize("name", FALLS[:1])
def test_masked_resets_equal_resets_in_the_same_step(name):
    family, tasks = take_five(name)
    disabled, same_step = family.make_vec(tasks), family.make_limited_vec(tasks, 200)
    assert (disabled.metadata["autoreset_mode"], disabled.horizon) == (AutoresetMode.DISABLED, 200)
    np.testing.assert_array_equal(disabled.reset(seed=0)[0], same_step.reset(seed=0)[0])
    rng, num_ended = np.random.default_rng(0), 0
    for _ in range(160):
        actions = rng.uniform(-1, 1, disabled.action_space.shape)
        obs, *rest, infos = disabled.step(actions)
        same_obs, *same_rest, same_infos = same_step.step(actions)
        kept = obs.copy()
        ended = rest[1] | rest[2]
        assert_identical(rest, same_rest)
        assert infos.keys() == {name for key in _signals(same_infos) for name in (key, f"_{key}")}
        for i in np.flatnonzero(ended):
            np.testing.assert_array_equal(obs[i], same_infos["final_obs"][i])
        if ended.any():
            num_ended += ended.sum()
            with pytest.raises(gymnasium.error.ResetNeeded, match="have ended"):
                disabled.step(actions)
            after, _ = disabled.reset(options={"reset_mask": ended})
            np.testing.assert_array_equal(obs, kept)
        else:
            after = obs
        np.testing.assert_array_equal(after, same_obs)
    assert num_ended > 3


def _signals(infos):
    both = infos.keys() | infos.get("final_info", {}).keys()
    return {name for name in both if not name.startswith(("_", "final_"))}


@pytest.mark.parametrize("name", FALLS)
def test_a_fall_terminates_and_is_no_truncation(name):
    family, tasks = take_five(name)
    results = play(family.make_limited_vec(tasks, 200), 160)[1:]
    fallen = np.stack([result[2] for result in results])
    assert fallen.any()
    assert not np.stack([result[3] for result in results]).any()
    for _, _, terminated, _, infos in results:
        assert metarl_envs.transition_info(infos, "control_cost").min() > 0
        assert infos.get("_final_obs", np.zeros(5, bool)).tolist() == terminated.tolist()


def test_a_fall_at_the_horizon_is_both():
    family, tasks = take_five("walker-params-v0")
    fallen = np.stack([result[2] for result in play(family.make_limited_vec(tasks, 200), 160)[1:]])
    horizon = int(np.argmax(fallen.any(axis=1))) + 1
    _, _, terminated, truncated, _ = play(family.make_limited_vec(tasks, horizon), horizon)[-1]
    assert terminated.tolist() == fallen[horizon - 1].tolist()
    assert truncated.all()


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasium_is_content(env_id):
    env = gymnasium.make(env_id)
    assert isinstance(env.unwrapped, RobotEnv)
    assert env.spec.max_episode_steps == 200
    check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.wheel
def test_gymnasium_makes_vector_environments():
    bench, env_id = metarl_envs.benchmark("half-cheetah-vel-v0"), "metarl_envs/HalfCheetahVel-v0"
    task = metarl_envs.get_task(bench.test_tasks, 4)
    assert gymnasium.make(env_id, task=task).unwrapped.task == task
    vector = gymnasium.make_vec(env_id, num_envs=103, num_threads=2)
    assert (type(vector), vector.horizon) == (RobotVectorEnv, 200)
    np.testing.assert_array_equal(vector.tasks.velocity[100:], bench.train_tasks.velocity[:3])
    vector = gymnasium.make_vec(env_id, num_envs=30, tasks=bench.test_tasks)
    np.testing.assert_array_equal(vector.tasks.velocity, bench.test_tasks.velocity)
    with pytest.raises(ValueError, match="30 tasks for num_envs=2"):
        gymnasium.make_vec(env_id, num_envs=2, tasks=bench.test_tasks)


def test_wrong_use_is_explained():
    family, tasks = take_five("half-cheetah-vel-v0")
    with pytest.raises(ValueError, match="num_threads=0"):
        family.make_limited_vec(tasks, 10, num_threads=0)
    with pytest.raises(ValueError, match="horizon=0"):
        family.make_limited_vec(tasks, 0)
    with pytest.raises(ValueError, match="tasks is empty"):
        family.make_vec([])
    vector = family.make_vec(tasks)
    with pytest.raises(gymnasium.error.ResetNeeded):
        vector.step(np.zeros((5, 6)))
    vector.reset()
    for shape in [(), (6,), (4, 6), (5, 1)]:
        with pytest.raises(ValueError, match="shape"):
            vector.step(np.zeros(shape))
    with pytest.raises(ValueError, match="actions is nan in environment 2"):
        vector.step(np.where(np.arange(5)[:, None] == 2, np.nan, np.zeros((5, 6))))
    for wrong in ({"seed": -1}, {"seed": 1.5}, {"options": {"task": 1}}, {"options": {"reset_mask": [True]}}):
        with pytest.raises(ValueError, match=r"seed|task|reset_mask"):
            vector.reset(**wrong)
    with pytest.raises(ValueError, match="3 tasks for num_envs=5"):
        vector.set_tasks(metarl_envs.take_tasks(tasks, [0, 1, 2]))


@pytest.mark.parametrize("shape", [(5,), (1,), ()])
def test_wrong_use_of_a_single_environment_is_explained(shape):
    env = gymnasium.make(IDS[0]).unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(6))
    env.reset()
    with pytest.raises(ValueError, match="shape"):
        env.step(np.zeros(shape))
    with pytest.raises(ValueError, match="nan"):
        env.step(np.full(6, np.nan))
    for wrong in ({"seed": -1}, {"options": {"task": 1}}):
        with pytest.raises(ValueError, match=r"seed=-1|'task'"):
            env.reset(**wrong)
