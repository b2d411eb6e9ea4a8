"""The agent: it goes on after a kill, and its checkpoints are taken as often as is asked for."""

import dataclasses

import jax
import jax.numpy as jnp
import metarl_envs
import numpy as np
import pytest
from metarl_envs.catcher import CatcherEnv, held_out_task, train_task
from mi_repr.deep.catcher import Controller, Experiment, preset, true_state
from mi_repr.deep.catcher.control import learn
from mi_repr.deep.catcher.views import FrozenView
from rlcore.experiment import Run, read_metrics


def test_stopped_agent_goes_on_to_the_same_numbers(tmp_path, stopped):
    env = CatcherEnv(grip=True)
    tiny = preset("tiny", "true-state", "catcher-grip-v0")
    config = dataclasses.replace(tiny.control, num_steps=324)
    controller = Controller(env, train_task(), 27, config, tiny.sac, FrozenView(true_state(env)))

    def run(name, stop_after=None):
        opened = stopped(Run.open(tmp_path / name, {}), stop_after)
        return learn(controller, opened, key=jax.random.key(3), unseen=held_out_task())

    whole = run("whole")
    with pytest.raises(SystemExit):
        run("parts", stop_after=1)
    assert len(read_metrics(tmp_path / "parts")) == 1
    parts = run("parts")
    for a, b in zip(*map(jax.tree.leaves, (whole, parts)), strict=True):
        np.testing.assert_array_equal(_data(a), _data(b))
    rows = [[_timeless(row) for row in read_metrics(tmp_path / name)] for name in ("whole", "parts")]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 3
    assert {"test/return", "unseen/return"} <= set(rows[0][-1])


@pytest.mark.parametrize(("checkpoint_every", "kept"), [(1, {4, 5}), (3, {3, 5}), (9, {5})])
def test_checkpoints_are_taken_as_often_as_is_asked_for(tmp_path, checkpoint_every, kept):
    config = preset("tiny", "end-to-end", "catcher-v0")
    experiment = Experiment(metarl_envs.benchmark("catcher-v0"), config, 0, tmp_path, checkpoint_every)
    with experiment.open_run("agent") as run:
        for iteration in run.iterations(0, 5):
            run.finish_iteration(iteration, {"x": jnp.zeros(())}, {})
    assert {int(path.name) for path in (tmp_path / "agent" / "checkpoints").iterdir()} == kept


def _data(leaf):
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf


def _timeless(row):
    return {name: value for name, value in row.items() if not name.startswith("time/")}
