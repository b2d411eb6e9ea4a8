"""Every kind of image environment trains for a few iterations with the preset `tiny`, on small pictures."""

import json

import meld_jax
import metarl_envs
import numpy as np
import pytest
from metarl_envs import Benchmark, SimulatedFamily, take_tasks
from rlcore.experiment import override

SIMULATED = [
    "half-cheetah-vel-image-v0",
    "sawyer-reacher-v0",
    "sawyer-peg-v0",
    "sawyer-multi-peg-v0",
    "sawyer-shelf-v0",
    "sawyer-button-sparse-v0",
    "widowx-ethernet-dense-v0",
]
QUICK = ["num_initial_updates=0", "num_joint_updates=2", "model.depth=2", "model.hidden_sizes=8"]


def _shrink(name):
    """Two tasks to train on and two to test on; three steps; pictures of 16 pixels a side where they are simulated."""
    chosen = metarl_envs.benchmark(name)
    family = chosen.family
    if name in SIMULATED:
        pytest.importorskip("mujoco")
        family = SimulatedFamily(family.scenario, horizon=3, side=16)
    return Benchmark(name, family, take_tasks(chosen.train_tasks, [0, 1]), take_tasks(chosen.test_tasks, [0, 1]))


QUICK_ONES, OTHERS = ["point-image-sparse-32-v1", *SIMULATED[:2]], SIMULATED[2:]


@pytest.mark.parametrize("name", [*QUICK_ONES, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def test_trains(name, tmp_path):
    small = _shrink(name)
    config = override(meld_jax.preset("tiny", metarl_envs.benchmark(name)).config, QUICK)
    try:
        meld_jax.MeldLearner(config, small)
    except ValueError as error:
        pytest.skip(str(error)) if "no OpenGL library" in str(error) else pytest.fail(str(error))
    meld_jax.train(config, small, meld_jax.open_run(tmp_path / "run", config, small, 0), seed=0, num_iterations=2)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 2
    for row in rows:
        assert np.isfinite([row["loss/model"], row["loss/critic"], row["model/reward_rmse"], row["test/return"]]).all()
    assert rows[1]["params/norm"] != rows[0]["params/norm"]


def test_a_machine_that_cannot_draw_gets_one_line_before_anything_is_computed(monkeypatch):
    pytest.importorskip("mujoco")
    monkeypatch.setattr("metarl_envs.mujoco.rendering.backends._OPENED", set())
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    monkeypatch.setenv("METARL_ENVS_RENDERER", "osmesa")
    chosen = metarl_envs.benchmark("half-cheetah-vel-image-v0")
    config = meld_jax.preset("tiny", chosen).config
    with pytest.raises(
        ValueError, match="half-cheetah-vel-image-v0 cannot be played here: no OpenGL library"
    ) as caught:
        meld_jax.MeldLearner(config, chosen)
    assert "\n" not in str(caught.value)
