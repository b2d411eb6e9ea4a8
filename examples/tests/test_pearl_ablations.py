"""The ablations train what they say, go on where they stopped, and are drawn."""

import json

import pytest

SMALL = [
    "--benchmark=point-sparse-wide-v0",
    "--preset=tiny",
    "--num_iterations=1",
    "--override=sac.hidden_sizes=8",
    "--override=encoder_sizes=8",
    "--override=num_updates=2",
    "--override=batch_size=4",
    "--override=num_test_episodes=1",
]
TWO = ["--variants=rnn-correlated", "--variants=same-batch"]


@pytest.fixture(scope="module")
def finished(run, tmp_path_factory):
    """A directory where two variants were trained and drawn, and what that printed."""
    directory = tmp_path_factory.mktemp("ablations")
    result = run("pearl_ablations.py", *SMALL, *TWO, "--output_dir=runs", cwd=directory, alone=True)
    assert result.returncode == 0, result.stderr
    return directory, result


def _options(run_dir):
    return json.loads((run_dir / "config.json").read_text())["pearl"]


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
    again = run("pearl_ablations.py", *SMALL, *TWO, "--output_dir=runs", cwd=directory)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("has all 1 iterations") == 2
    other = run("pearl_ablations.py", *SMALL, *TWO, "--output_dir=runs", "--override=latent_size=2", cwd=directory)
    assert other.returncode == 2
    assert "pearl.latent_size: 5 (run) != 2 (now)" in other.stderr
    assert (directory / "runs" / "same-batch-0" / "metrics.jsonl").read_bytes() == before


@pytest.mark.slow
def test_drawing_alone_takes_the_variants_that_are_there(run, finished):
    directory, _ = finished
    (directory / "runs" / "ablations.png").unlink()
    result = run("pearl_ablations.py", "--draw_only", "--output_dir=runs", cwd=directory)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["runs/ablations.png"]
    assert (directory / "runs" / "ablations.png").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--variants=lstm"], "lstm"),
        (["--benchmark=half-cheetah-veel-v0"], "half-cheetah-veel-v0"),
        (["--seed=-1"], "seed"),
        (["--override=kl_coef=-1"], "kl_coef must be at least 0, got -1"),
        (["--override=test_every=2"], "num_iterations must be at least test_every=2 for a curve, got 1"),
        (["--preset=explore"], "encoder=recurrent needs"),
        (["--draw_only"], "output_dir: runs has no runs of rnn-correlated, same-batch"),
        (["--title=nonsense"], "title"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(run, flags, message, tmp_path):
    result = run("pearl_ablations.py", *SMALL, *TWO, "--output_dir=runs", *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_explains_every_flag(run, tmp_path):
    result = run("pearl_ablations.py", "--help", cwd=tmp_path)
    assert "uv run examples/pearl_ablations.py" in result.stdout
    for variant in ("pearl", "rnn-decorrelated", "rnn-correlated", "off-policy", "same-batch"):
        assert variant in result.stdout
    assert result.stdout.split("flags:", 1)[1].count("--") >= 8
