"""The ablations of MELD: what each variant changes, and that all of them train and are drawn."""

import pytest

SMALL = [
    "--preset=tiny",
    "--num_iterations=2",
    "--override=model.depth=2",
    "--override=model.hidden_sizes=8",
    "--override=sac.hidden_sizes=8",
    "--override=num_joint_updates=1",
    "--override=num_initial_updates=1",
]


@pytest.mark.slow
def test_variants_are_trained_and_drawn(run, tmp_path):
    flags = [*SMALL, "--variants=tasks-1", "--variants=batch-2", "--output_dir=out"]
    result = run("meld_ablations.py", *flags, cwd=tmp_path, alone=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "ablations.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ablations.png", "batch-2-0", "tasks-1-0"]


def test_what_variants_change():
    import meld_jax
    import meld_variants
    import metarl_envs

    benchmark = metarl_envs.benchmark("point-image-dense-32-v1")
    config, _ = meld_jax.preset("cpu", benchmark.name)
    for name, variant in meld_variants.VARIANTS.items():
        tasks = meld_variants.restrict(benchmark, variant.num_tasks)
        changed = meld_variants.vary(config, variant, tasks.num_train_tasks)
        meld_jax.make_agent(changed, tasks)
        assert (changed == config) == (name in ("meld", "tasks-10"))
    assert meld_variants.restrict(benchmark, 5).num_train_tasks == 5
    half = meld_variants.vary(config, meld_variants.VARIANTS["latent-half"], 30)
    assert (half.model.z1_size, half.model.z2_size) == (16, 32)
    twice = meld_variants.vary(config, meld_variants.VARIANTS["batch-2"], 30)
    assert (twice.num_tasks_per_iteration, twice.num_joint_updates) == (20, 200)
    with pytest.raises(ValueError, match="must have 31 train tasks"):
        meld_variants.restrict(benchmark, 31)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--variants=huge"], "huge"),
        (
            ["--num_iterations=1", "--variants=batch-2"],
            "num_iterations must be at least 2 for a curve of batch-2, got 1",
        ),
        (["--draw_only", "--output_dir=nowhere"], "output_dir: nowhere has no runs of meld"),
    ],
)
def test_bad_input_gets_one_line(run, flags, message, tmp_path):
    result = run("meld_ablations.py", "--preset=tiny", *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
