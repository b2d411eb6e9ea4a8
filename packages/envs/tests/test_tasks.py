"""Tasks in either form, benchmarks and their registry."""

import dataclasses
import json
import subprocess
import sys

import gymnasium
import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from gymnasium import spaces

PYTREE = {"goal": np.arange(6.0).reshape(3, 2), "mass": np.arange(3.0)}
LIST = ["left", "right", "up"]


@pytest.mark.parametrize("tasks", [PYTREE, LIST, jax.tree.map(jnp.asarray, PYTREE)])
def test_both_forms_of_tasks_are_counted_and_indexed(tasks):
    assert metarl_envs.num_tasks(tasks) == 3
    taken = metarl_envs.take_tasks(tasks, [2, 0, 2, 1])
    assert metarl_envs.num_tasks(taken) == 4
    for position, index in enumerate([2, 0, 2, 1]):
        jax.tree.map(
            np.testing.assert_array_equal,
            metarl_envs.get_task(taken, position),
            metarl_envs.get_task(tasks, index),
        )


def test_take_tasks_can_be_traced():
    tasks = jax.tree.map(jnp.asarray, PYTREE)
    taken = jax.jit(metarl_envs.take_tasks)(tasks, jnp.array([1, 1]))
    np.testing.assert_array_equal(taken["goal"], [[2, 3], [2, 3]])


TASKS = [PYTREE, LIST, jax.tree.map(jnp.asarray, PYTREE), range(3)]


@pytest.mark.parametrize("tasks", TASKS)
@pytest.mark.parametrize("index", [-1, 3, 1.0, True, None, "1", np.array([1])])
def test_a_task_that_is_not_there_is_refused(tasks, index):
    with pytest.raises(ValueError, match="index"):
        metarl_envs.get_task(tasks, index)


@pytest.mark.parametrize("tasks", TASKS)
@pytest.mark.parametrize(
    "indices", [[-1], [0, 3], [0.5], [1.0], [True, False, True], 1, None, "12", [[0]], [[0], [1, 2]], np.array([2.0])]
)
def test_tasks_that_are_not_there_are_refused(tasks, indices):
    with pytest.raises(ValueError, match="indices"):
        metarl_envs.take_tasks(tasks, indices)


@pytest.mark.parametrize("tasks", TASKS)
def test_indices_of_any_kind_of_whole_number_are_right(tasks):
    for indices in ((2, 0), np.array([2, 0], np.uint8), jnp.array([2, 0]), [np.int64(2), 0], range(2, -1, -2)):
        taken = metarl_envs.take_tasks(tasks, indices)
        expected = metarl_envs.get_task(tasks, 2)
        jax.tree.map(np.testing.assert_array_equal, metarl_envs.get_task(taken, np.int32(0)), expected)
    assert metarl_envs.num_tasks(metarl_envs.take_tasks(tasks, [])) == 0


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "-a", ".", "..", "a\n", None, 3, ("a",)])
@pytest.mark.usefixtures("scratch_registry")
def test_names_that_are_no_names_are_refused(name):
    with pytest.raises(ValueError, match="benchmark name="):
        metarl_envs.register_benchmark(name, lambda: metarl_envs.benchmark("point-dense-v0"))


@pytest.mark.usefixtures("scratch_registry")
def test_what_makes_no_benchmark_is_refused():
    with pytest.raises(ValueError, match="make=3 must be a function"):
        metarl_envs.register_benchmark("mine-v0", 3)
    metarl_envs.register_benchmark("mine-v0", lambda: None)
    with pytest.raises(ValueError, match="'mine-v0': what was registered makes a NoneType"):
        metarl_envs.benchmark("mine-v0")
    with pytest.raises(ValueError, match="unknown benchmark name=None"):
        metarl_envs.benchmark(None)
    for wrong in ([], {}, ["point-dense-v0"], 3):
        with pytest.raises(ValueError, match="unknown benchmark name="):
            metarl_envs.benchmark(wrong)
    point = metarl_envs.benchmark("point-dense-v0")
    with pytest.raises(ValueError, match=r"^benchmark 'given-v0': make must be a function .*, got the Benchmark$"):
        metarl_envs.register_benchmark("given-v0", point)
    metarl_envs.register_benchmark("other-v0", lambda: point)
    with pytest.raises(ValueError, match="'other-v0': what was registered makes one of the name 'point-dense-v0'"):
        metarl_envs.benchmark("other-v0")


def test_what_is_no_family_or_name_is_refused():
    family = metarl_envs.PointFamily(sparse=True)
    tasks = family.sample_tasks(jax.random.key(0), 2)
    for wrong, message in (
        ({"name": ""}, "name=''"),
        ({"name": None}, "name=None"),
        ({"family": None}, "family must be a TaskFamily, got None"),
        ({"family": metarl_envs.PointFamily}, "family must be a TaskFamily"),
        ({"train_tasks": (1, 2)}, "'mine': train_tasks: tasks must be a list"),
        ({"test_tasks": None}, "'mine': test_tasks: tasks must be a list"),
    ):
        with pytest.raises(ValueError, match=message):
            metarl_envs.Benchmark(
                **{"name": "mine", "family": family, "train_tasks": tasks, "test_tasks": tasks, **wrong}
            )


@pytest.mark.parametrize("tasks", [{"a": np.zeros(2), "b": np.zeros(3)}, np.float32(1), ()])
def test_tasks_without_one_leading_dimension_are_refused(tasks):
    with pytest.raises(ValueError, match="leading dimension"):
        metarl_envs.num_tasks(tasks)


@pytest.mark.parametrize("field", ["train_tasks", "test_tasks"])
def test_a_benchmark_needs_tasks(field):
    family = metarl_envs.PointFamily(sparse=True)
    tasks = family.sample_tasks(jax.random.key(0), 2)
    sets = {"train_tasks": tasks, "test_tasks": tasks, field: []}
    with pytest.raises(ValueError, match=f"'mine': {field} is empty"):
        metarl_envs.Benchmark("mine", family, **sets)


def test_every_registered_benchmark_is_made_once_and_bears_its_name():
    assert metarl_envs.benchmark_names() == tuple(sorted(metarl_envs.benchmark_names()))
    for name in metarl_envs.benchmark_names():
        bench = metarl_envs.benchmark(name)
        assert bench.name == name
        assert bench is metarl_envs.benchmark(name)


def test_an_unknown_benchmark_is_named_with_what_is_allowed():
    with pytest.raises(ValueError, match=r"name='point-spars-v0'; did you mean 'point-sparse-v0'\?.*point-dense-v0, "):
        metarl_envs.benchmark("point-spars-v0")
    with pytest.raises(ValueError, match=r"name='xyz'; allowed: .*point-dense-v0"):
        metarl_envs.benchmark("xyz")


@pytest.mark.usefixtures("scratch_registry")
def test_users_register_benchmarks_under_free_names():
    bench = dataclasses.replace(metarl_envs.benchmark("point-dense-v0"), name="mine-v0")
    metarl_envs.register_benchmark("mine-v0", lambda: bench)
    assert "mine-v0" in metarl_envs.benchmark_names()
    assert metarl_envs.benchmark("mine-v0") is bench
    with pytest.raises(ValueError, match="name='mine-v0' is taken"):
        metarl_envs.register_benchmark("mine-v0", lambda: bench)


@pytest.mark.wheel
def test_import_needs_no_simulator():
    code = "import sys; sys.modules.update(mujoco=None, pygame=None); import metarl_envs; metarl_envs.benchmark_names()"
    subprocess.run([sys.executable, "-c", code], check=True)


POINT = metarl_envs.PointFamily(sparse=True)
GOAL = np.array([0.5, 0.5], np.float32)
POINTS = metarl_envs.PointTask(np.stack([GOAL, -GOAL, 2 * GOAL]), np.full(3, 0.2, np.float32))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (POINTS._replace(goal=POINTS.goal[:, :1]), "numbers of the shapes.*got.*1"),
        (POINTS._replace(goal=POINTS.goal[:, None]), "numbers of the shapes"),
        (POINTS._replace(radius=np.ones((3, 1))), "numbers of the shapes"),
        (POINTS._replace(goal=POINTS.goal[:2]), "leading dimension"),
        (POINTS._replace(goal=POINTS.goal.astype(str)), "numbers of the shapes.*got PointTask"),
        (POINTS._replace(goal=POINTS.goal.astype(object)), "numbers of the shapes"),
        (POINTS._replace(goal=np.where([True, False], np.nan, POINTS.goal)), "got nan in .goal"),
        (POINTS._replace(radius=jnp.full(3, jnp.nan)), "got nan in .radius"),
        (POINTS.goal, "numbers of the shapes"),
        (tuple(POINTS), "numbers of the shapes"),
        (POINTS._asdict(), "numbers of the shapes"),
        ([1.0, 2.0], "numbers of the shapes"),
        (["a", "b"], "numbers of the shapes"),
        ([GOAL], "numbers of the shapes"),
        ([metarl_envs.PointTask(GOAL, np.float32(0.2)), 5], "numbers of the shapes"),
        ([metarl_envs.PointTask(GOAL * np.nan, np.float32(0.2))], "got nan"),
        (range(3), "numbers of the shapes"),
    ],
)
@pytest.mark.parametrize("field", ["train_tasks", "test_tasks"])
def test_wrong_tasks_of_a_pure_jax_family_are_refused(wrong, message, field):
    with pytest.raises(ValueError, match=f"'mine': {field}: .*{message}"):
        metarl_envs.Benchmark(
            **{"name": "mine", "family": POINT, "train_tasks": POINTS, "test_tasks": POINTS, field: wrong}
        )
    with pytest.raises(ValueError, match=message):
        POINT.make_vec(wrong)


def test_a_list_of_good_tasks_is_what_their_arrays_are():
    bench = metarl_envs.Benchmark("mine", POINT, [metarl_envs.get_task(POINTS, i) for i in range(3)], POINTS)
    assert isinstance(bench.train_tasks, metarl_envs.PointTask)
    jax.tree.map(np.testing.assert_array_equal, bench.take_train_tasks([0, 2]), bench.take_test_tasks([0, 2]))
    assert bench.identity()["train_tasks"] == bench.identity()["test_tasks"]


def test_wrong_tasks_of_a_simulated_family_are_refused():
    good = metarl_envs.benchmark("half-cheetah-vel-v0")
    tasks = good.test_tasks
    for wrong, message in (
        (tasks._replace(velocity=np.asarray(tasks.velocity)[:, None]), "velocity of the tasks has shape"),
        (tasks._replace(velocity=np.asarray(tasks.velocity).astype(str)), "velocity of the tasks has dtype"),
        (tasks._replace(velocity=np.full(3, np.nan)), "velocity of the tasks is nan, must be finite"),
        (tasks._replace(velocity=np.full(3, np.inf)), "velocity of the tasks is inf, must be finite"),
        ([1.0, 2.0], "must be of VelocityTask, got float"),
        (range(3), "must be of VelocityTask, got int"),
        (np.ones(3), "must be of VelocityTask, got ndarray"),
    ):
        with pytest.raises(ValueError, match=f"'mine': test_tasks: .*{message}"):
            metarl_envs.Benchmark("mine", good.family, tasks, wrong)
    listed = [metarl_envs.get_task(tasks, i) for i in range(metarl_envs.num_tasks(tasks))]
    assert (
        metarl_envs.Benchmark("mine", good.family, listed, listed).identity()["test_tasks"]
        == good.identity()["test_tasks"]
    )


def gym_benchmark(horizon=5, **of_env):
    class Env(gymnasium.Env):
        observation_space = action_space = spaces.Box(-1, 1, (2,), np.float32)

    for name, value in of_env.items():
        setattr(Env, name, value)
    return metarl_envs.Benchmark("mine", metarl_envs.from_gymnasium(lambda _: Env(), [1], horizon=horizon), [1], [1])


WIDE = np.ones(2000, np.float32)


def dented(i):
    high = WIDE.copy()
    high[i] = 2
    return spaces.Box(-high, high)


SPACES = [
    spaces.Box(-1, 1, (2,), np.float64), spaces.Box(-1, 2, (2,), np.float32), spaces.Box(-2, 1, (2,), np.float32),
    spaces.Box(-1, 1, (1, 2), np.float32), spaces.Box(-np.inf, np.inf, (2,), np.float32), dented(1000), dented(1001),
    spaces.Box(0, 255, (2,), np.uint8), spaces.Discrete(2), spaces.Discrete(3), spaces.Discrete(2, start=1),
    spaces.MultiDiscrete([2, 3]), spaces.MultiDiscrete([3, 2]), spaces.MultiBinary(2), spaces.MultiBinary(3),
    spaces.Dict(a=dented(1000)), spaces.Dict(a=dented(1001)), spaces.Dict(b=dented(1000)), spaces.Tuple([dented(1000)]),
    spaces.Text(3), spaces.Text(4), spaces.Text(4, charset="ab"), spaces.Sequence(spaces.Discrete(2)),
]  # fmt: skip


def test_the_identity_of_a_benchmark_knows_horizon_and_spaces():
    usual = gym_benchmark().identity()
    assert {name: usual[name] for name in ("name", "horizon")} == {"name": "mine", "horizon": 5}
    assert usual["action_space"].startswith("Box(2,) float32 ")
    assert json.loads(json.dumps(usual)) == usual == gym_benchmark().identity()
    others = [
        gym_benchmark(horizon=6),
        *(gym_benchmark(**{kind: s}) for s in SPACES for kind in ("observation_space", "action_space")),
    ]
    found = [usual, *(other.identity() for other in others)]
    assert len({json.dumps(one) for one in found}) == len(found)
    assert all(len(value) < 100 for one in found for value in one.values() if isinstance(value, str))


def test_random_numbers_of_a_space_are_not_part_of_an_identity():
    bench = gym_benchmark()
    before = bench.identity()
    bench.family.action_space.seed(3)
    bench.family.action_space.sample()
    assert bench.identity() == before


def test_the_identity_of_a_benchmark_is_that_of_other_machines():
    assert metarl_envs.benchmark("point-sparse-v0").identity() == {
        "name": "point-sparse-v0",
        "train_tasks": "79e26011a45219be",
        "test_tasks": "33a0cdc01cad2ff2",
        "horizon": 20,
        "observation_space": "Box(2,) float32 ff6aefe73334a429",
        "action_space": "Box(2,) float32 01efba22d6069e77",
    }
