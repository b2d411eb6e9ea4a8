"""A forked process says that it cannot work, where it would hang."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others do not fork by default")

PLAY = """
import multiprocessing, warnings
import gymnasium, numpy as np
import metarl_envs
warnings.simplefilter("ignore")
env_id, parent_draws, method = {env_id!r}, {parent_draws!r}, {method!r}
if parent_draws:
    env = gymnasium.make(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    env.render()
kwargs = {{"context": method}} if method else {{"context": "fork"}}
if __name__ == "__main__":
    env = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="async", vector_kwargs=kwargs)
    try:
        env.reset(seed=0)
        env.step(env.action_space.sample())
        print("PLAYED")
        env.close()
    except RuntimeError as error:
        print("REFUSED", error)
        env.close(terminate=True)
"""


def run(tmp_path, env_id, *, parent_draws=False, method=None):
    script = tmp_path / "play.py"
    script.write_text(PLAY.format(env_id=env_id, parent_draws=parent_draws, method=method), encoding="utf-8")
    return subprocess.run([sys.executable, script], check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize(
    "env_id", ["metarl_envs/PointSparse-v0", "metarl_envs/Catcher-v0", "metarl_envs/PointImageSparse-v1"]
)
def test_pure_jax_environments_refuse_to_be_forked(tmp_path, env_id):
    output = run(tmp_path, env_id)
    assert "REFUSED" in output
    assert "forked from one that uses JAX" in output
    assert "vector_kwargs={'context': 'spawn'}" in output


def test_they_play_when_spawned(tmp_path):
    assert "PLAYED" in run(tmp_path, "metarl_envs/PointSparse-v0", method="spawn")


def test_simulations_play_when_forked(tmp_path):
    pytest.importorskip("mujoco")
    assert "PLAYED" in run(tmp_path, "metarl_envs/HalfCheetahVel-v0")


@pytest.mark.usefixtures("drawing")
def test_who_has_drawn_cannot_be_forked_to_draw(tmp_path):
    output = run(tmp_path, "metarl_envs/HalfCheetahVelImage-v0", parent_draws=True)
    assert "forked from one that uses drawing" in output


ENTRANCES = """
import multiprocessing, sys, warnings
import gymnasium, jax, numpy as np
import metarl_envs
warnings.simplefilter("ignore")
key = jax.random.split(jax.random.key(0))[0]
key.block_until_ready()
point = metarl_envs.benchmark("point-sparse-v0")


class Env(gymnasium.Env):
    observation_space = action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)


class Own(metarl_envs.FunctionalFamily):
    def sample_tasks(self, key, n):
        return point.family.sample_tasks(key, n)


families = {
    "point": point.family,
    "image": metarl_envs.PointImageFamily(sparse=True),
    "catcher": metarl_envs.CatcherFamily(metarl_envs.CatcherEnv()),
    "robot": metarl_envs.benchmark("half-cheetah-vel-v0").family,
    "gymnasium": metarl_envs.from_gymnasium(lambda _: Env(), [1, 2], horizon=3),
}
refused = {f"{name} sample": lambda family=family: family.sample_tasks(key, 2) for name, family in families.items()}
for name in ("point", "image", "catcher"):
    refused[f"{name} signals"] = lambda family=families[name]: family.signals
for name in ("point-dense-v0", "point-image-sparse-v1", "catcher-v0", "catcher-ple-v0"):
    refused[f"benchmark {name}"] = lambda name=name: metarl_envs.benchmark(name)
refused |= {
    "own": lambda: Own(point.family.functional, 3),
    "ease": lambda: point.family.ease(point.test_tasks, 0.5),
    "tasks": lambda: metarl_envs.Benchmark("mine", point.family, point.test_tasks, point.test_tasks),
    "take": lambda: point.take_test_tasks([0, 1]),
    "get": lambda: metarl_envs.get_task(point.test_tasks, 0),
    "gymnasium id": lambda: gymnasium.make("metarl_envs/PointDense-v0"),
}
works = {
    "fingerprint": lambda: metarl_envs.fingerprint(point.test_tasks),
    "benchmark of a robot": lambda: metarl_envs.benchmark("half-cheetah-dir-v0").identity(),
    "robot signals": lambda: families["robot"].signals,
    "known benchmark": lambda: metarl_envs.benchmark("point-sparse-v0"),
}


def child(call, queue):
    try:
        call()
        queue.put("WORKS")
    except RuntimeError as error:
        queue.put("REFUSED" if "forked from one that uses JAX" in str(error) else repr(error))


context = multiprocessing.get_context("fork")
for name, call in (refused | works).items():
    queue = context.Queue()
    process = context.Process(target=child, args=(call, queue))
    process.start()
    process.join(20)
    print(name, "HANGS" if process.is_alive() else "DIED" if queue.empty() else queue.get(), sep=": ", flush=True)
    process.kill()
print("EXPECTED", *(f"{name}: {'REFUSED' if name in refused else 'WORKS'}" for name in refused | works), sep="|")
"""


def test_every_entrance_refuses_where_it_would_hang(tmp_path):
    pytest.importorskip("mujoco")
    script = tmp_path / "enter.py"
    script.write_text(ENTRANCES, encoding="utf-8")
    output = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True, timeout=500).stdout
    *found, expected = output.splitlines()
    assert found == expected.split("|")[1:]
