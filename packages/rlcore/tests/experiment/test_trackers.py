"""Trackers beside metrics.jsonl: told the same numbers, one run across restarts, never the end of a training."""

import contextlib
import importlib.machinery
import sys
import types
from pathlib import Path

import pytest
from rlcore.experiment import TRACKERS, Run, RunError, read_metrics
from rlcore.experiment.reporting.trackers import Kind

CONFIG = {"seed": 3, "config": {"sac": {"discount": 0.9}, "empty": {}}}


def install(monkeypatch, name, **members):
    """A module of that name for this test."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__dict__.update(members)
    monkeypatch.setitem(sys.modules, name, module)
    return module


@pytest.fixture
def begun(monkeypatch):
    """What Weights & Biases was told: of each `init` its options, of each `log` what and when."""
    told = {"init": [], "log": [], "ended": []}

    class Told:
        def log(self, scalars, step):
            told["log"].append((step, scalars))

        def finish(self, exit_code):
            told["ended"].append(exit_code)

    def init(**options):
        told["init"].append(options)
        return Told()

    install(monkeypatch, "wandb", init=init)
    return told


def test_weights_and_biases_gets_what_the_file_gets_and_a_restart_goes_on_in_its_run(tmp_path, begun, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    for iteration in (1, 2):
        with Run.open(tmp_path / "run", CONFIG, trackers=["wandb"]) as run:
            assert len(begun["init"]) == iteration - 1  # nothing is begun before there is something to tell
            run.log(iteration, {"loss/critic": 0.5 * iteration})
    assert begun["log"] == [(1, {"loss/critic": 0.5}), (2, {"loss/critic": 1.0})]
    assert begun["ended"] == [0, 0]
    first, second = begun["init"]
    assert first == second
    assert (first["project"], first["name"], first["resume"], first["config"]) == ("mine", "run", "allow", CONFIG)
    with Run.open(tmp_path / "other", CONFIG, trackers=["wandb"]) as run:
        run.log(1, {})
    assert begun["init"][2]["id"] != first["id"]
    with contextlib.suppress(KeyError), Run.open(tmp_path / "other", CONFIG, trackers=["wandb"]) as run:
        run.log(2, {})
        raise KeyError
    assert begun["ended"] == [0, 0, 0, 1]


class Entity(tuple):
    def __new__(cls, *values):
        return super().__new__(cls, values)


def test_mlflow_gets_options_by_their_whole_names_and_one_run(tmp_path, monkeypatch):
    runs, experiments = {}, {}

    class Client:
        def get_experiment_by_name(self, name):
            return experiments.get(name)

        def create_experiment(self, name):
            experiments[name] = types.SimpleNamespace(experiment_id=name)
            return name

        def create_run(self, experiment, run_name):
            runs[f"id-{len(runs)}"] = {"experiment": experiment, "name": run_name, "metrics": [], "params": []}
            return types.SimpleNamespace(info=types.SimpleNamespace(run_id=f"id-{len(runs) - 1}"))

        def log_batch(self, run_id, metrics=(), params=()):
            runs[run_id]["metrics"] += [(name, value, step) for name, value, _, step in metrics]
            runs[run_id]["params"] += params

        def update_run(self, run_id, status):
            runs[run_id]["status"] = status

    entities = install(monkeypatch, "mlflow.entities", Metric=Entity, Param=Entity)
    install(monkeypatch, "mlflow", MlflowClient=Client, entities=entities, __path__=[])
    ends = {SystemExit: "KILLED", ValueError: "FAILED", None: "FINISHED"}
    for iteration, (error, status) in enumerate(ends.items()):
        with contextlib.suppress(BaseException), Run.open(tmp_path / "run", CONFIG, trackers=["mlflow"]) as run:
            run.log(iteration, {"a": 0.5})
            assert runs["id-0"]["status"] == "RUNNING"
            if error is not None:
                raise error
        assert runs["id-0"]["status"] == status
    assert list(runs) == ["id-0"]
    told = runs["id-0"]
    assert told["metrics"] == [("a", 0.5, 0), ("a", 0.5, 1), ("a", 0.5, 2)]
    assert told["params"][:3] == [("seed", "3"), ("config.sac.discount", "0.9"), ("config.empty", "{}")]
    assert (told["experiment"], told["name"]) == ("rlcore", "run")


@pytest.mark.parametrize("fails_at", ["write", "close"])
def test_a_tracker_that_fails_is_told_of_once_and_the_run_goes_on(tmp_path, monkeypatch, capsys, fails_at):
    class Failing:
        def write(self, iteration, scalars):
            if fails_at == "write":
                raise OSError("the service is away")

        def close(self, end):
            raise OSError("the service is away")

    monkeypatch.setitem(TRACKERS, "mine", Kind(lambda run_dir, config: Failing(), "json", "mine"))
    with Run.open(tmp_path, {}, trackers=["mine"]) as run:
        for iteration in (1, 2):
            run.log(iteration, {"a": 0.5})
    assert [row["iteration"] for row in read_metrics(tmp_path)] == [1, 2]
    assert capsys.readouterr().err.count("tracker mine is left out from here on, metrics.jsonl goes on: the serv") == 1


def test_what_is_no_tracker_or_not_installed_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch):
    with pytest.raises(ValueError, match="trackers must be one of tensorboard, wandb, mlflow, got 'comet'"):
        Run.open(tmp_path / "run", {}, trackers=["comet"])
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(RunError, match="tracker wandb needs a package: pip install wandb"):
        Run.open(tmp_path / "run", {}, trackers=["wandb"])
    assert not (tmp_path / "run").exists()
