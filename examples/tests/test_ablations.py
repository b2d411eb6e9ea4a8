"""The ablations of PEARL and MELD train what they say, go on where they stopped, are drawn, and are evaluated."""

import dataclasses
import json

import pytest

PEARL = [
    "--benchmark=point-sparse-wide-v0",
    "--preset=tiny",
    "--num_iterations=1",
    "--override=sac.hidden_sizes=8",
    "--override=encoder_sizes=8",
    "--override=num_updates=2",
    "--override=batch_size=4",
    "--override=num_test_episodes=1",
    "--output_dir=runs",
]
TWO = ["--variants=rnn-correlated", "--variants=same-batch"]
MELD = [
    "--algorithm=meld",
    "--preset=tiny",
    "--num_iterations=2",
    "--override=model.depth=2",
    "--override=model.hidden_sizes=8",
    "--override=sac.hidden_sizes=8",
    "--override=num_joint_updates=1",
    "--override=num_initial_updates=1",
]


@pytest.fixture(scope="module")
def finished(run, tmp_path_factory):
    """A directory where two variants of PEARL were trained and drawn, and what that printed."""
    directory = tmp_path_factory.mktemp("ablations")
    result = run("ablations.py", *PEARL, *TWO, cwd=directory, alone=True)
    assert result.returncode == 0, result.stderr
    return directory, result


def _options(run_dir):
    return json.loads((run_dir / "config.json").read_text())["config"]


@pytest.mark.slow
def test_variants_are_runs_of_their_options_and_are_drawn(finished):
    directory, result = finished
    runs = directory / "runs"
    assert result.stdout.splitlines() == ["runs/rnn-correlated-0", "runs/same-batch-0", "runs/ablations.png"]
    assert (runs / "ablations.png").read_bytes().startswith(b"\x89PNG")
    correlated, same = _options(runs / "rnn-correlated-0"), _options(runs / "same-batch-0")
    different = {name for name in same if same[name] != correlated[name]}
    assert different == {"encoder", "correlated_batch", "context_sampler"}
    assert (correlated["encoder"], correlated["correlated_batch"]) == ("recurrent", True)
    assert same["context_sampler"] == "same_batch"
    assert same["batch_size"] == 4


@pytest.mark.slow
def test_same_command_again_trains_nothing_and_another_config_is_refused(run, finished):
    directory, _ = finished
    before = (directory / "runs" / "same-batch-0" / "metrics.jsonl").read_bytes()
    again = run("ablations.py", *PEARL, *TWO, cwd=directory)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("has all 1 iterations") == 2
    other = run("ablations.py", *PEARL, *TWO, "--override=latent_size=2", cwd=directory)
    assert other.returncode == 2
    assert "config.latent_size: 5 (run) != 2 (now)" in other.stderr
    assert (directory / "runs" / "same-batch-0" / "metrics.jsonl").read_bytes() == before


@pytest.mark.slow
def test_drawing_alone_takes_the_variants_that_are_there(run, finished):
    directory, _ = finished
    (directory / "runs" / "ablations.png").unlink()
    result = run("ablations.py", "--draw_only", "--output_dir=runs", cwd=directory)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["runs/ablations.png"]
    assert (directory / "runs" / "ablations.png").exists()


@pytest.mark.slow
def test_variants_of_meld_are_trained_drawn_and_evaluated(run, tmp_path):
    flags = [*MELD, "--variants=tasks-1", "--variants=batch-2", "--output_dir=out"]
    result = run("ablations.py", *flags, cwd=tmp_path, alone=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "ablations.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ablations.png", "batch-2-0", "tasks-1-0"]
    result = run("evaluate.py", "--run_dir=out/tasks-1-0", "--num_tasks=2", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "point-image-dense-32-v1:1, iteration 2" in result.stdout
    assert "mean over 2 test tasks" in result.stdout


def test_what_variants_change():
    import meld_jax
    import metarl_envs
    from support.runs import find_benchmark, restrict
    from support.variants import ABLATIONS
    from support.variants.plans import plan_variants

    benchmark = metarl_envs.benchmark("point-image-dense-32-v1")
    config, num_iterations = meld_jax.preset("cpu", benchmark)
    settings = {"benchmark_name": benchmark.name, "preset": "cpu", "overrides": [], "num_iterations": None}
    plans = plan_variants("meld", list(ABLATIONS["meld"].variants), **settings)
    for name, plan in plans.items():
        assert (plan.config == config) == (name in ("meld", "tasks-10"))
    assert plans["tasks-5"].benchmark.num_train_tasks == plans["tasks-5"].config.num_tasks_per_iteration == 5
    half = plans["latent-half"].config.model
    assert (half.z1_size, half.z2_size) == (config.model.z1_size // 2, config.model.z2_size // 2)
    twice = plans["batch-2"]
    assert twice.config.num_tasks_per_iteration == 2 * config.num_tasks_per_iteration
    assert twice.config.num_joint_updates == 2 * config.num_joint_updates
    assert twice.num_iterations == num_iterations // 2
    found = find_benchmark(plans["tasks-5"].benchmark.name)
    assert found.identity() == plans["tasks-5"].benchmark.identity() != benchmark.identity()
    assert found.identity()["test_tasks"] == benchmark.identity()["test_tasks"]
    with pytest.raises(ValueError, match="must have 31 train tasks, has 30"):
        restrict(benchmark, 31)
    settings["overrides"] = ["num_tasks_per_iteration=30"]
    most = plan_variants("meld", ["batch-2"], **settings)["batch-2"].config
    assert most.num_tasks_per_iteration == 30
    assert dataclasses.replace(most, num_tasks_per_iteration=20) == twice.config


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--variants=lstm"], "variants must be one of pearl, "),
        (["--benchmark=half-cheetah-veel-v0"], "half-cheetah-veel-v0"),
        (["--seed=-1"], "seed"),
        (["--preset=huge"], "preset must be one of tiny, "),
        (["--override=kl_coef=-1"], "kl_coef must be at least 0, got -1"),
        (["--override=test_every=2"], "num_iterations must be at least 2 for a curve of rnn-correlated, got 1"),
        (["--preset=explore"], "encoder=recurrent needs"),
        (["--draw_only"], "output_dir: runs has no runs of rnn-correlated, same-batch"),
        (["--title=nonsense"], "title"),
        (["--algorithm=meld"], "variants must be one of meld, "),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(run, flags, message, tmp_path):
    result = run("ablations.py", *PEARL, *TWO, *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_too_few_iterations_for_a_variant_that_does_more_in_one_are_refused(run, tmp_path):
    result = run("ablations.py", *MELD, "--num_iterations=1", "--variants=batch-2", cwd=tmp_path)
    assert result.returncode == 2
    assert "num_iterations must be at least 2 for a curve of batch-2, got 1" in result.stderr


def test_help_explains_every_flag(run, tmp_path):
    result = run("ablations.py", "--help", cwd=tmp_path)
    assert "uv run examples/ablations.py" in result.stdout
    text = "".join(result.stdout.split())  # lines end at hyphens too
    for variant in ("pearl", "rnn-decorrelated", "rnn-correlated", "off-policy", "same-batch", "latent-quarter"):
        assert variant in text
    assert result.stdout.split("flags:", 1)[1].count("--") >= 10
