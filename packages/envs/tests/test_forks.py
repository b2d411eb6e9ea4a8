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
