"""What presets of all algorithms have in common."""

import jax
import pytest
from metarl_baselines import maesn, maml, promp, recurrent_sac, rl2, varibad
from metarl_baselines.traits import read_traits
from metarl_envs import benchmark
from rlcore.experiment import num_bytes

PACKAGES = {
    maesn: "MAESNLearner",
    maml: "MAMLLearner",
    promp: "MAMLLearner",
    recurrent_sac: "make_learner",
    rl2: "RL2Learner",
    varibad: "make_learner",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_goals_are_wide_at_first_where_they_are_narrow_at_the_end(package):
    chosen = benchmark("point-sparse-v0")
    config, num_iterations = package.preset("explore", chosen)
    assert 0 < config.ease_from_iteration < config.ease_until_iteration < num_iterations
    learner = getattr(package, PACKAGES[package])(config, chosen)
    assert [learner.difficulty(i) for i in (1, num_iterations)] == [0.0, 1.0]
    usual = getattr(package, PACKAGES[package])(package.preset("cpu", chosen).config, chosen)
    assert usual.difficulty(1) == 1.0
    with pytest.raises(ValueError, match="ease_until_iteration must be at least 5, got 4"):
        type(config)(ease_from_iteration=5, ease_until_iteration=4)


def test_all_have_presets_of_the_same_names():
    for package in PACKAGES:
        assert list(package.PRESETS) == ["tiny", "cpu", "explore", "reference"]


@pytest.mark.parametrize("package", [recurrent_sac, varibad])
@pytest.mark.parametrize("preset", ["cpu", "explore"])
def test_replays_for_two_cores_are_small_and_hold_what_is_collected(package, preset):
    for name in ("point-sparse-v0", "ant-goal-v0", "humanoid-dir-v0"):
        chosen = benchmark(name)
        config, num_iterations = package.preset(preset, chosen)
        assert config.replay_capacity >= config.num_initial_trials
        rows = package.make_learner(config, chosen).init
        trials = jax.eval_shape(lambda key, rows=rows: rows(key)[1], jax.random.key(0)).data
        assert num_bytes(trials) < 2.2e9
        num_kept = chosen.num_train_tasks * config.replay_capacity * config.num_episodes
        assert num_bytes(trials) == num_kept * read_traits(chosen).episode_bytes
        if name == "point-sparse-v0":
            mean = 1 + num_iterations * config.num_tasks_per_iteration / chosen.num_train_tasks
            assert config.replay_capacity > mean
