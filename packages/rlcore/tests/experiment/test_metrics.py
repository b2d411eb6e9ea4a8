"""Metrics: exact values, whole lines."""

import json
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from rlcore.experiment import NonFiniteError, Run, RunError, read_metrics
from rlcore.experiment.reporting.metrics import MetricsFile, to_scalars


def test_values_are_exact() -> None:
    scalars = to_scalars(1, {"a": jnp.float32(0.1), "b": np.float64(0.1), "c": jnp.int32(3), "d": 2, "e": True})
    assert json.dumps(scalars) == '{"a": 0.10000000149011612, "b": 0.1, "c": 3, "d": 2, "e": true}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), jnp.array(-jnp.inf), np.float16("nan")])
def test_non_finite(value: object) -> None:
    with pytest.raises(NonFiniteError, match=r"^metric loss/critic is (nan|-?inf) at iteration 7$"):
        to_scalars(7, {"loss/actor": 1.0, "loss/critic": value})


def test_only_scalars() -> None:
    with pytest.raises(ValueError, match=r"^metric a must be a scalar, got shape \(2,\)$"):
        to_scalars(1, {"a": jnp.zeros(2)})
    with pytest.raises(ValueError, match="no metric can be named 'iteration'"):
        to_scalars(1, {"iteration": 1})


@pytest.mark.parametrize("rest", ["", '{"iteration": 4, "a"', '{"iteration": 4}', "garbage\n"])
def test_truncate(tmp_path: Path, rest: str) -> None:
    lines = "".join(json.dumps({"iteration": iteration, "a": 0.5}) + "\n" for iteration in (1, 2, 2, 3))
    (tmp_path / "metrics.jsonl").write_text(lines + rest)
    metrics_file = MetricsFile(tmp_path)
    assert [entry["iteration"] for entry in read_metrics(tmp_path)] == [1, 2, 2, 3]
    metrics_file.truncate(2)
    assert [entry["iteration"] for entry in read_metrics(tmp_path)] == [1, 2, 2]
    metrics_file.write(3, {"a": 1.5})
    metrics_file.close()
    assert read_metrics(tmp_path)[-2:] == [{"iteration": 2, "a": 0.5}, {"iteration": 3, "a": 1.5}]


@pytest.mark.parametrize("line", ["garbage", "[1, 2]", '{"a": 1}', '{"iteration": "2"}'])
def test_a_damaged_line_takes_none_of_those_after_it_along(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(content := f'{{"iteration": 1}}\n{line}\n{{"iteration": 2}}\n')
    metrics_file = MetricsFile(tmp_path)
    with pytest.raises(RunError, match=r"metrics.jsonl is damaged: line 2 is no entry"):
        metrics_file.truncate(2)
    metrics_file.close()
    with pytest.raises(RunError, match=r"metrics.jsonl is damaged: line 2"):
        read_metrics(tmp_path)
    assert path.read_text() == content


def test_no_run_has_no_metrics(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run directory"):
        read_metrics(tmp_path)


@pytest.mark.wheel
def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    for iteration in (1, 2):
        with Run.open(tmp_path, {}, tensorboard=True) as run:
            run.log(iteration, {"loss/critic": 0.5})
    events = sorted((tmp_path / "tensorboard").iterdir())
    assert events
    assert any(b"loss/critic" in path.read_bytes() for path in events)


def test_tensorboard_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(RunError, match=r"pip install 'rlcore\[tensorboard\]'"):
        Run.open(tmp_path / "run", {}, tensorboard=True)
    assert not (tmp_path / "run").exists()
