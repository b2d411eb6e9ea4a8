"""The single and the vector environment of pure JAX families, on an environment in which everything is random."""

import functools
from typing import NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from gymnasium.experimental.functional import FuncEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from metarl_envs import FunctionalEnv, FunctionalVectorEnv
from metarl_envs.adapters.functional_env import env_key
from metarl_envs.point import PointTask

HORIZON = 5


class Countdown(NamedTuple):
    """A task: how many steps there are before the end."""

    length: jax.Array


class State(NamedTuple):
    count: jax.Array
    noise: jax.Array


class CountdownEnv(FuncEnv):
    """Terminates after `length` steps; start, noise, observation and reward are random."""

    observation_space = gymnasium.spaces.Dict(
        {
            "count": gymnasium.spaces.Box(0, 100, (), np.int32),
            "noise": gymnasium.spaces.Box(-100, 100, (2,), np.float32),
        }
    )
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self):
        super().__init__()
        self.num_traces = 0

    def initial(self, rng, params=None):
        return State(jnp.zeros((), jnp.int32), jax.random.uniform(rng, (2,)))

    def transition(self, state, action, rng, params=None):
        self.num_traces += 1
        return State(state.count + 1, state.noise + action * jax.random.uniform(rng, (2,)))

    def observation(self, state, rng, params=None):
        return {"count": state.count, "noise": state.noise + jax.random.uniform(rng, (2,))}

    def reward(self, state, action, next_state, rng, params=None):
        return state.count + jax.random.uniform(rng)

    def terminal(self, state, rng, params=None):
        return state.count >= params.length

    def transition_info(self, state, action, next_state, params=None):
        return {"left": params.length - next_state.count, "noise": next_state.noise}


ENV = CountdownEnv()
LENGTHS = Countdown(jnp.array([2, 5, 9, 3], jnp.int32))  # Two terminate early, one on the horizon, one is truncated.


def assert_same(actual, expected):
    actual, expected = jax.tree.map(unpack, (actual, expected))
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-6), actual, expected)


def unpack(leaf):
    """Object arrays, such as final observations, become lists that a tree looks into."""
    return leaf.tolist() if isinstance(leaf, np.ndarray) and leaf.dtype == object else leaf


def play(env, num_steps, seed=None):
    """All that `reset` and `num_steps` steps return."""
    rng = np.random.default_rng(0)
    return [env.reset(seed=seed)] + [env.step(rng.integers(0, 2, env.num_envs)) for _ in range(num_steps)]


def make_single(i):
    return TimeLimit(FunctionalEnv(ENV, metarl_envs.get_task(LENGTHS, i)), HORIZON)


def play_disabled(env, num_steps, seed=None):
    """As `play`, in autoreset mode DISABLED; with each step go the observations after the reset where one ended."""
    rng = np.random.default_rng(0)
    results = [env.reset(seed=seed)]
    for _ in range(num_steps):
        results.append(env.step(rng.integers(0, 2, env.num_envs)))
        ended = results[-1][2] | results[-1][3]
        if ended.any():
            results.append(env.reset(options={"reset_mask": ended}))
    return results


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_vector_equals_single_environments_in_gymnasiums_own_vector(mode):
    sync = SyncVectorEnv([functools.partial(make_single, i) for i in range(4)], autoreset_mode=mode)
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON, autoreset_mode=mode)
    assert vector.observation_space == sync.observation_space
    assert vector.action_space == sync.action_space
    assert vector.metadata["autoreset_mode"] == mode
    play_all = play if mode == AutoresetMode.SAME_STEP else play_disabled
    for actual, expected in zip(play_all(vector, 23, seed=7), play_all(sync, 23, seed=7), strict=True):
        assert_same(actual, expected)
        assert actual[0] in vector.observation_space


def test_families_leave_the_reset_to_whoever_steps_and_gymnasium_does_not():
    bench = metarl_envs.benchmark("point-dense-v0")
    assert bench.family.make_vec(bench.test_tasks).metadata["autoreset_mode"] == AutoresetMode.DISABLED
    vector = gymnasium.make_vec("metarl_envs/PointDense-v0", num_envs=2)
    assert vector.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert FunctionalVectorEnv.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP


def make_disabled(tasks=LENGTHS, seed=None):
    return FunctionalVectorEnv(ENV, tasks, HORIZON, seed, autoreset_mode="DISABLED")


def test_a_masked_reset_leaves_the_others_where_they_are():
    vector, kept = make_disabled(seed=3), make_disabled(seed=3)
    for env in (vector, kept):
        env.reset()
        before, *_ = env.step(np.ones(4, int))
    obs, info = vector.reset(options={"reset_mask": np.array([False, True, False, True])})
    assert info == {}
    np.testing.assert_array_equal(obs["count"], [1, 0, 1, 0])
    np.testing.assert_array_equal(obs["noise"][::2], before["noise"][::2])
    after, expected = vector.step(np.ones(4, int)), kept.step(np.ones(4, int))
    assert_same([leaf[::2] for leaf in after[:3][1:]], [leaf[::2] for leaf in expected[:3][1:]])
    np.testing.assert_array_equal(after[0]["count"], [2, 1, 2, 1])


def test_a_masked_reset_may_seed_anew():
    vector = make_disabled(seed=3)
    first, _ = vector.reset()
    vector.reset(seed=9)
    obs, _ = vector.reset(seed=3, options={"reset_mask": np.array([True, False, False, True])})
    np.testing.assert_array_equal(obs["noise"][[0, 3]], first["noise"][[0, 3]])
    assert not np.isclose(obs["noise"][[1, 2]], first["noise"][[1, 2]]).any()


def test_seeds_may_be_listed():
    vector = make_disabled()
    listed, _ = vector.reset(seed=[5, 6, 7, 8])
    assert_same(vector.reset(seed=5)[0], listed)
    assert not np.allclose(vector.reset(seed=[5, 6, 7, 80])[0]["noise"][3], listed["noise"][3])


def test_an_ended_episode_must_be_reset_before_the_next_step():
    vector = make_disabled()
    vector.reset(seed=0)
    for _ in range(2):
        ended = vector.step(np.zeros(4, int))[2]
    assert ended.tolist() == [True, False, False, False]
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"\[0\] have ended.*reset_mask"):
        vector.step(np.zeros(4, int))
    vector.reset(options={"reset_mask": ended})
    vector.step(np.zeros(4, int))


class Counting(CountdownEnv):
    """Counts, on the host, the first observations that are computed."""

    def __init__(self):
        super().__init__()
        self.starts = 0

    def initial(self, rng, params=None):
        jax.debug.callback(self._count, jax.random.key_data(rng))
        return super().initial(rng, params)

    def _count(self, _):
        self.starts += 1


def test_a_masked_reset_computes_only_what_is_reset():
    env = Counting()
    vector = FunctionalVectorEnv(env, LENGTHS, HORIZON, seed=0, autoreset_mode=AutoresetMode.DISABLED)
    vector.reset()
    jax.effects_barrier()
    assert env.starts == 4
    for mask, expected in (([1, 0, 0, 0], 5), ([0, 1, 1, 1], 8), ([1, 1, 1, 1], 12)):
        vector.reset(options={"reset_mask": np.array(mask, bool)})
        jax.effects_barrier()
        assert env.starts == expected
    vector.step(np.zeros(4, int))
    jax.effects_barrier()
    assert env.starts == 12


def test_episodes_terminate_and_truncate():
    results = play(FunctionalVectorEnv(ENV, LENGTHS, HORIZON), 5, seed=0)[1:]
    terminated = np.stack([result[2] for result in results], axis=1)
    truncated = np.stack([result[3] for result in results], axis=1)
    np.testing.assert_array_equal(terminated, [[0, 1, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
    np.testing.assert_array_equal(truncated, [[0] * 5, [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5])


def test_the_last_observation_is_kept_when_the_next_episode_begins():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    obs, _, _, _, infos = play(vector, 2, seed=0)[-1]
    np.testing.assert_array_equal(obs["count"], [0, 2, 2, 2])
    np.testing.assert_array_equal(infos["_final_obs"], [True, False, False, False])
    assert infos["final_obs"][0]["count"] == 2
    assert infos["final_obs"][1] is None


def test_transition_info_reads_signals_at_every_step():
    vector = FunctionalVectorEnv(ENV, Countdown(jnp.array([2, 3, 2, 3], jnp.int32)), HORIZON)
    infos = [result[-1] for result in play(vector, 6, seed=0)[1:]]
    left = [metarl_envs.transition_info(info, "left").tolist() for info in infos]
    assert left == [pair * 2 for pair in ([1, 2], [0, 1], [1, 0], [0, 2], [1, 1], [0, 0])]
    assert "left" not in infos[-1]  # All ended: gymnasium's convention has nothing else to tell.
    with pytest.raises(ValueError, match="no name='lef'; they report: left, noise"):
        metarl_envs.transition_info(infos[1], "lef")
    with pytest.raises(ValueError, match="report: nothing"):
        metarl_envs.transition_info({}, "left")


def test_seeds_fix_everything():
    first = play(FunctionalVectorEnv(ENV, LENGTHS, HORIZON, seed=3), 12)
    assert_same(play(FunctionalVectorEnv(ENV, LENGTHS, HORIZON), 12, seed=3), first)
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON, seed=8)
    other = play(vector, 12)
    assert not np.allclose(other[0][0]["noise"], first[0][0]["noise"])
    assert_same(play(vector, 12, seed=3), first)


def test_without_a_seed_every_episode_and_every_environment_differs():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    starts = [vector.reset()[0]["noise"] for _ in range(3)]
    starts += [FunctionalVectorEnv(ENV, LENGTHS, HORIZON).reset()[0]["noise"]]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 16
    single = make_single(0)
    assert not np.allclose(single.reset()[0]["noise"], single.reset()[0]["noise"])


def test_where_an_episode_starts_does_not_depend_on_the_episodes_before():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    play(vector, 1, seed=4)
    after_one_step = vector.reset()[0]
    vector.reset(seed=4)
    assert_same(vector.reset()[0], after_one_step)


def test_nothing_is_compiled_twice():
    env = CountdownEnv()
    for length in (2, 7):
        vector = FunctionalVectorEnv(env, Countdown(jnp.full(3, length)), HORIZON)
        play(vector, 12)
        vector.set_tasks(Countdown(np.full(3, 4, np.int32)))
        play(vector, 2, seed=1)
    assert env.num_traces == 1
    vector = FunctionalVectorEnv(env, Countdown(jnp.full(3, 2)), HORIZON, autoreset_mode="DISABLED")
    play_disabled(vector, 12)
    assert env.num_traces == 2


def test_results_are_the_users_to_change():
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    for result in play(vector, 5, seed=0)[1:]:
        arrays = [leaf for leaf in jax.tree.leaves(result) if isinstance(leaf, np.ndarray)]
        assert all(array.flags.writeable for array in arrays)
        assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


def test_set_tasks_in_mid_episode_keeps_the_state_and_holds_from_the_next_step():
    kept, changed = (FunctionalVectorEnv(ENV, Countdown(np.full(4, 9, np.int32)), HORIZON) for _ in range(2))
    with pytest.raises(gymnasium.error.ResetNeeded):
        changed.step(np.zeros(4, int))
    for vector in (kept, changed):
        vector.reset(seed=0)
        vector.step(np.zeros(4, int))
    changed.set_tasks([Countdown(np.int32(length)) for length in (2, 3, 9, 1)])
    assert_same(changed.tasks, Countdown(np.array([2, 3, 9, 1], np.int32)))
    _, reward, terminated, _, infos = changed.step(np.ones(4, int))
    obs, kept_reward, _, _, _ = kept.step(np.ones(4, int))
    assert terminated.tolist() == [True, False, False, True]
    np.testing.assert_array_equal(reward, kept_reward)
    np.testing.assert_array_equal(infos["final_obs"][0]["noise"], obs["noise"][0])
    assert metarl_envs.transition_info(infos, "left").tolist() == [0, 1, 7, -1]


@pytest.mark.parametrize("horizon", [0, -1, 2.5, 2.0, True, None, "5"])
def test_a_wrong_horizon_is_refused(horizon):
    with pytest.raises(ValueError, match="horizon="):
        FunctionalVectorEnv(ENV, LENGTHS, horizon)


@pytest.mark.parametrize("seed", [-1, 0.5, 2**32, True, "a", np.float64(1), [1, 2], [1, 2, 3, -4], [None] * 4])
def test_a_wrong_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed"):
        make_disabled().reset(seed=seed)
    if not isinstance(seed, list):
        with pytest.raises(ValueError, match="seed="):
            FunctionalVectorEnv(ENV, LENGTHS, HORIZON, seed=seed)
        with pytest.raises(ValueError, match="seed="):
            FunctionalEnv(ENV, metarl_envs.get_task(LENGTHS, 0)).reset(seed=seed)


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), np.array(3)])
def test_a_seed_may_be_any_whole_number(seed):
    expected = make_disabled().reset(seed=3)[0]
    assert_same(make_disabled().reset(seed=seed)[0], expected)
    assert_same(make_disabled(seed=seed).reset()[0], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": 1}, "'task'.*set_tasks"),
        ({"start": 1}, "'start'"),
        ({"reset_mask": [True] * 3}, r"reset_mask must be bool \[4\]"),
        ({"reset_mask": np.ones(4, int)}, "reset_mask must be bool"),
        ({"reset_mask": np.zeros(4, bool)}, "False everywhere"),
        ({"reset_mask": np.ones(4, bool), "task": 1}, "'task'"),
        (3, "must be a dict"),
    ],
)
def test_unknown_options_of_reset_are_refused(options, message):
    vector = make_disabled()
    vector.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        vector.reset(options=options)


def test_options_that_are_none_are_fine():
    single = FunctionalEnv(ENV, metarl_envs.get_task(LENGTHS, 0))
    with pytest.raises(ValueError, match="'task'"):
        single.reset(options={"task": 2})
    for env in (make_disabled(), single):
        env.reset(seed=0, options={})
    options = {"reset_mask": np.ones(4, bool)}
    make_disabled().reset(options=options)
    assert options.keys() == {"reset_mask"}
    with pytest.raises(gymnasium.error.ResetNeeded, match="first reset"):
        make_disabled().reset(options={"reset_mask": np.array([True, False, False, False])})


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros(3, int), r"shape \(3,\), must be \(4,\)"),
        (np.zeros((4, 1), int), "shape"),
        ([0, 1, 2, 0], "must be in"),
        ([0, -1, 0, 0], "must be in"),
        (np.zeros(4), "dtype float64, must be int64"),
        (np.array(["a"] * 4), "dtype <U1"),
        ([0, [1], 0, 0], "shape"),
        (None, "got NoneType"),
    ],
)
def test_wrong_actions_are_refused_and_change_nothing(actions, message):
    vector = make_disabled(seed=0)
    vector.reset()
    with pytest.raises(ValueError, match=message):
        vector.step(actions)
    np.testing.assert_array_equal(vector.step(np.zeros(4, int))[0]["count"], 1)


def test_actions_that_are_nan_name_their_environment():
    bench = metarl_envs.benchmark("point-dense-v0")
    vector = bench.family.make_vec(bench.test_tasks, seed=0)
    vector.reset()
    actions = np.zeros((20, 2), np.float32)
    actions[7, 1] = np.nan
    with pytest.raises(ValueError, match="actions is nan in environment 7"):
        vector.step(actions)
    for one in (jnp.asarray(actions[7]), [0.0, float("nan")], np.zeros(3), "left", np.zeros(2, complex)):
        single = bench.family.make_env(metarl_envs.get_task(bench.test_tasks, 0))
        single.reset()
        with pytest.raises(ValueError, match="the action"):
            single.step(one)


def test_tasks_that_are_not_alike_are_refused():
    with pytest.raises(ValueError, match="tasks is empty"):
        FunctionalVectorEnv(ENV, [], HORIZON)
    for wrong in ([Countdown(2), {"length": 3}], [Countdown(2), Countdown(np.zeros(2))], [Countdown("a")], ["a", "b"]):
        with pytest.raises(ValueError, match="tasks must be pytrees of numbers that are alike"):
            FunctionalVectorEnv(ENV, wrong, HORIZON)
    vector = make_disabled()
    for wrong in (
        {"length": LENGTHS.length},
        Countdown(np.zeros(4, np.float32)),
        Countdown(np.zeros((4, 1), np.int32)),
        range(4),
        LENGTHS.length,
    ):
        with pytest.raises(ValueError, match="the tasks must be like those before"):
            vector.set_tasks(wrong)
    assert_same(vector.tasks, LENGTHS)


@pytest.mark.parametrize(
    "name", ["point-dense-v0", "point-image-dense-32-v1", "catcher-v0", "ant-goal-v0", "sawyer-peg-v0"]
)
def test_a_wrong_number_of_sampled_tasks_is_refused(name):
    family = metarl_envs.benchmark(name).family
    for n in (0, -1, 2.0, True, None):
        with pytest.raises(ValueError, match="n="):
            family.sample_tasks(jax.random.key(0), n)
    assert metarl_envs.num_tasks(family.sample_tasks(jax.random.key(0), np.int64(3))) == 3


@pytest.mark.parametrize("env_id", ["metarl_envs/PointSparse-v0", "metarl_envs/Catcher-v0"])
@pytest.mark.parametrize(
    "task", [3, "left", None, {"goal": np.zeros(2)}, np.zeros(2), PointTask(np.zeros(3), 0.2), PointTask("a", 0.2)]
)
def test_a_task_of_another_kind_is_refused(env_id, task):
    family = metarl_envs.benchmark(gymnasium.spec(env_id).kwargs["benchmark_name"]).family
    if task is not None:  # which is the first to train on
        with pytest.raises(ValueError, match="a task must be numbers of the shapes"):
            gymnasium.make(env_id, task=task)
    for tasks in ([task], [task, task], {"goal": np.zeros((2, 2))}, range(2)):
        with pytest.raises(ValueError, match=r"a task must be numbers of the shapes|tasks must be"):
            family.make_vec(tasks)
    with pytest.raises(ValueError, match=r"a task must be numbers of the shapes|tasks must be"):
        gymnasium.make_vec(env_id, num_envs=2, tasks=[task, task])


def test_tasks_of_doubles_or_in_a_list_are_fine():
    family = metarl_envs.PointFamily(sparse=True)
    tasks = [PointTask(np.array([1.0, 0.0]), 0.2), PointTask(jnp.array([0, 1]), np.float64(0.2))]
    family.make_vec(tasks, seed=0).reset()
    family.make_env(tasks[0]).reset()


def test_wrong_use_is_explained():
    for mode in ("next_step", "NEXT_STEP", AutoresetMode.NEXT_STEP, None):
        with pytest.raises(ValueError, match="autoreset_mode="):
            FunctionalVectorEnv(ENV, LENGTHS, HORIZON, autoreset_mode=mode)
    for make in (FunctionalEnv, functools.partial(FunctionalVectorEnv, horizon=3)):
        with pytest.raises(ValueError, match="render_mode='human'"):
            make(ENV, LENGTHS, render_mode="human")
    vector = FunctionalVectorEnv(ENV, LENGTHS, HORIZON)
    with pytest.raises(ValueError, match="3 tasks for num_envs=4"):
        vector.set_tasks(metarl_envs.take_tasks(LENGTHS, [0, 1, 2]))
    with pytest.raises(gymnasium.error.ResetNeeded):
        FunctionalEnv(ENV, metarl_envs.get_task(LENGTHS, 0)).step(0)


def test_vector_equals_a_scan_over_the_functional_environment():
    bench = metarl_envs.benchmark("point-dense-v0")
    env, tasks = bench.family.functional, bench.test_tasks
    actions = np.random.default_rng(0).uniform(-1.5, 1.5, (20, 20, 2)).astype(np.float32)

    def rollout(task, start, actions, key):
        def step(state, action):
            next_state = env.transition(state, action, key, task)
            info = env.transition_info(state, action, next_state, task)
            return next_state, (next_state, env.reward(state, action, next_state, key, task), info)

        return jax.lax.scan(step, start, actions)[1]

    vector = bench.family.make_vec(tasks, seed=5)
    start, _ = vector.reset()
    np.testing.assert_allclose(start[3], vector.func_env.initial(first_key(seed=5 + 3)), atol=1e-6)
    obs, reward, info = jax.vmap(rollout, in_axes=(0, 0, 1, None))(tasks, start, actions, jax.random.key(0))
    for t in range(20):
        vector_obs, vector_reward, terminated, truncated, infos = vector.step(actions[t])
        np.testing.assert_allclose(vector_obs, obs[:, t], atol=1e-6)
        np.testing.assert_allclose(vector_reward, reward[:, t], atol=1e-6)
        for name in ("dense_reward", "sparse_reward"):
            np.testing.assert_allclose(metarl_envs.transition_info(infos, name), info[name][:, t], atol=1e-6)
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (t == 19)


def first_key(seed):
    """What the module's docstring says that the first episode's `initial` draws from."""
    return jax.random.split(jax.random.fold_in(jax.random.fold_in(env_key(seed), 0), 0))[0]


def test_gymnasium_makes_single_and_vector_environments():
    bench = metarl_envs.benchmark("point-sparse-v0")
    single = gymnasium.make("metarl_envs/PointSparse-v0")
    np.testing.assert_array_equal(single.unwrapped.task.goal, bench.train_tasks.goal[0])
    task = metarl_envs.get_task(bench.test_tasks, 4)
    single = gymnasium.make("metarl_envs/PointSparse-v0", task=task)
    np.testing.assert_array_equal(single.unwrapped.task.goal, task.goal)
    single.reset(seed=0)
    assert [single.step(np.zeros(2, np.float32))[3] for _ in range(20)] == [False] * 19 + [True]

    vector = gymnasium.make_vec("metarl_envs/PointSparse-v0", num_envs=103)
    assert isinstance(vector, FunctionalVectorEnv)
    assert vector.horizon == 20
    np.testing.assert_array_equal(vector.tasks.goal[100:], bench.train_tasks.goal[:3])
    vector = gymnasium.make_vec("metarl_envs/PointSparse-v0", num_envs=20, tasks=bench.test_tasks)
    np.testing.assert_array_equal(vector.tasks.goal, bench.test_tasks.goal)
    with pytest.raises(ValueError, match="20 tasks for num_envs=2"):
        gymnasium.make_vec("metarl_envs/PointSparse-v0", num_envs=2, tasks=bench.test_tasks)


def test_vector_draws_each_environment_with_its_own_trail():
    bench = metarl_envs.benchmark("point-sparse-v0")
    vector = bench.family.make_vec(metarl_envs.take_tasks(bench.test_tasks, [0, 1]), seed=0)
    vector.reset()
    first = vector.render()
    assert len(first) == 2
    assert not np.array_equal(first[0], first[1])
    for _ in range(19):
        vector.step(np.ones((2, 2), np.float32))
    assert not np.array_equal(vector.render()[0], first[0])
    vector.step(np.ones((2, 2), np.float32))
    last = vector.render()
    vector.reset(options={"reset_mask": np.array([True, False])})  # The trail begins anew.
    np.testing.assert_array_equal(vector.render()[0], first[0])
    np.testing.assert_array_equal(vector.render()[1], last[1])
    assert FunctionalVectorEnv(ENV, LENGTHS, HORIZON).render() is None


@pytest.mark.usefixtures("scratch_registry")
def test_families_that_gymnasium_cannot_make_are_refused(monkeypatch):
    family = metarl_envs.from_gymnasium(lambda _: gymnasium.make("CartPole-v1"), [0])
    metarl_envs.register_benchmark(
        "cartpole-test-v0", lambda: metarl_envs.Benchmark("cartpole-test-v0", family, [0], [0])
    )
    monkeypatch.setattr(gymnasium.envs.registration, "registry", {})
    metarl_envs.register_with_gymnasium("test/CartPole-v0", "cartpole-test-v0", 5)
    with pytest.raises(ValueError, match="'cartpole-test-v0' makes no environments for gymnasium"):
        gymnasium.make("test/CartPole-v0")
