"""Training of an encoder: the warm-up, the bottleneck's weight, resuming."""

import dataclasses

import jax
import numpy as np
import pytest
from metarl_envs.catcher import CatcherEnv, CatcherState, CatcherTask, all_states, train_task
from mi_repr.deep import Encoder, EncoderConfig, Pretrainer, Setting, make_objective, train
from mi_repr.deep.catcher import CatcherPretrainConfig, CatcherSource
from mi_repr.deep.catcher.data import by_background, collect, draw_groups, sample_frames
from mi_repr.deep.catcher.source import encode_states
from rlcore.experiment import Run, read_metrics

ENV = CatcherEnv(grip=True, size=32)
ENCODER = EncoderConfig(channels=(4, 4, 4, 4, 8), feature_size=8, rank=4, inverse_hidden_sizes=(8,))
CONFIG = CatcherPretrainConfig(
    num_updates=20, updates_per_iteration=5, num_windows=4, num_warmup_updates=5, warmup_batch_size=6
)


def _trainer(objective="fwd", env=ENV, **options):
    config = dataclasses.replace(CONFIG, **options)
    encoder = Encoder(ENCODER, gaussian=objective == "inv")
    source = CatcherSource(env)
    setting = Setting(ENCODER, env.num_actions, source.image_shape, num_groups=config.num_groups)
    return Pretrainer(config, source, encoder, make_objective(objective, setting))


@pytest.fixture(scope="module")
def episodes():
    return collect(ENV, train_task(), jax.random.key(0), 8, 27)


def test_collected_episodes_are_the_games_own(episodes):
    assert episodes.action.shape == (8, 27)
    assert (np.asarray(episodes.state.fruit_y) == 2 * np.arange(28)).all()
    assert set(np.unique(episodes.action)) == set(range(6))
    moved = np.diff(np.asarray(episodes.state.paddle_x)) / 3
    free = moved != 0
    assert (moved == np.asarray(episodes.action) % 3 - 1)[free].all()
    toggled = np.diff(np.asarray(episodes.state.gripper)) != 0
    np.testing.assert_array_equal(toggled, np.asarray(episodes.action) >= 3)


def test_frames_are_runs_of_one_episode(episodes):
    env = dataclasses.replace(ENV, size=64)
    frames = sample_frames(env, episodes, jax.random.key(1), 16, 3)
    assert frames.image.shape == (16, 3, 64, 64, 3)
    yellow = (np.asarray(frames.image) == np.array([255, 255, 0])).all(-1)
    top = yellow.any(-1).argmax(-1)
    np.testing.assert_array_equal(np.diff(top), 2)


def test_window_longer_than_an_episode(episodes):
    with pytest.raises(ValueError, match="window_size must be at most 28"):
        sample_frames(ENV, episodes, jax.random.key(1), 2, 29)


@pytest.mark.parametrize("same_step_share", [0.0, 1.0])
def test_warm_up_trains_the_scorer_alone(episodes, same_step_share):
    trainer = _trainer(warmup_same_step_share=same_step_share, num_warmup_updates=40)
    before = trainer.init(jax.random.key(0))
    after, metrics = trainer.warm_up(before, episodes)
    jax.tree.map(np.testing.assert_array_equal, before.params.encoder, after.params.encoder)
    assert not np.array_equal(before.params.head["query"], after.params.head["query"])
    assert metrics["warmup/nce"] < np.log(6)


def test_warm_up_of_the_inverse_model(episodes):
    trainer = _trainer("inv", num_warmup_updates=300)
    before = trainer.init(jax.random.key(0))
    after, metrics = trainer.warm_up(before, episodes)
    jax.tree.map(np.testing.assert_array_equal, before.params.encoder, after.params.encoder)
    assert metrics["warmup/action"] < 1.7  # log 6, 1.79, is a guess


def test_step_size_of_the_warm_up(episodes):
    trainer = _trainer(num_warmup_updates=1, warmup_learning_rate=0.5)
    before = trainer.init(jax.random.key(0))
    after, _ = trainer.warm_up(before, episodes)
    shift = np.abs(np.asarray(after.params.head["query"] - before.params.head["query"]))
    assert shift.max() == pytest.approx(0.5, rel=1e-2)  # Adam's first step


def test_no_warm_up_where_it_is_off(episodes):
    trainer = _trainer(num_warmup_updates=0)
    state = trainer.init(jax.random.key(0))
    same, metrics = trainer.warm_up(state, episodes)
    assert same is state
    assert metrics == {}


def _betas(trainer, episodes):
    state, betas = trainer.init(jax.random.key(0)), []
    update = jax.jit(trainer.update)
    batch = trainer.sample(episodes, jax.random.key(1))
    for key in jax.random.split(jax.random.key(2), trainer.config.num_updates):
        state, metrics = update(state, batch, key)
        betas.append(float(metrics["information/beta"]))
    return np.array(betas)


def test_ramp_of_the_bottleneck(episodes):
    betas = _betas(_trainer("inv", bottleneck="ramp", initial_beta=1e-4, final_beta=1e-2), episodes)
    np.testing.assert_allclose(betas[:5], 1e-4, rtol=1e-5)  # constant for a fifth of the updates
    np.testing.assert_allclose(betas[7], 1e-3, rtol=1e-4)  # half-way up, geometrically
    np.testing.assert_allclose(betas[10:], 1e-2, rtol=1e-4)


def test_tuned_bottleneck_tightens_while_the_action_loss_allows(episodes):
    generous = _betas(_trainer("inv", loss_tolerance=10.0), episodes)
    np.testing.assert_allclose(generous[:7], 1e-5, rtol=1e-5)
    assert (np.diff(generous[8:]) > 0).all()


def test_tuned_bottleneck_gives_way_where_it_costs_action_loss(episodes):
    trainer = _trainer("inv", loss_tolerance=0.05)
    state = trainer.init(jax.random.key(0))._replace(
        num_updates=np.int32(15), log_beta=np.log(np.float32(1e-2)), action_loss=1.2, reference_loss=1.0
    )
    batch = trainer.sample(episodes, jax.random.key(1))
    after, _ = jax.jit(trainer.update)(state, batch, jax.random.key(2))
    assert after.action_loss > 1.05  # the average moves slowly
    np.testing.assert_allclose(after.log_beta, state.log_beta - 0.02, rtol=1e-5)


def test_gradient_is_clipped_and_the_step_size_ends_at_zero(episodes):
    trainer = _trainer(num_updates=5, updates_per_iteration=5, learning_rate=0.5, max_grad_norm=1e-30)
    state = trainer.init(jax.random.key(0))
    batch = trainer.sample(episodes, jax.random.key(1))
    update = jax.jit(trainer.update)
    after, _ = update(state, batch, jax.random.key(2))
    shift = max(np.abs(a - b).max() for a, b in zip(*map(jax.tree.leaves, (after.params, state.params)), strict=True))
    assert shift < 1e-3  # Adam would step by 0.5 but for its epsilon
    last = state._replace(
        optimiser=jax.tree.map(lambda leaf: leaf + 5 if leaf.dtype == np.int32 else leaf, state.optimiser)
    )
    stopped, _ = update(last, batch, jax.random.key(2))
    jax.tree.map(np.testing.assert_array_equal, stopped.params, state.params)


def test_states_that_repeat_are_encoded_like_states_that_do_not(episodes):
    trainer = _trainer()
    params = trainer.init(jax.random.key(0)).params.encoder
    everything = all_states(ENV)
    many = CatcherState(*(np.tile(leaf, 2)[:12_200] for leaf in everything))
    looked_up = encode_states(ENV, trainer.encoder, params, many)
    few = jax.tree.map(lambda leaf: leaf[100:110], everything)
    np.testing.assert_allclose(looked_up[100:110], encode_states(ENV, trainer.encoder, params, few), atol=1e-5)


@pytest.mark.wheel
def test_stopped_training_goes_on_to_the_same_numbers(episodes, tmp_path, stopped):
    trainer = _trainer()

    def run(name, stop_after=None):
        opened = Run.open(tmp_path / name, {})
        return train(trainer, episodes, stopped(opened, stop_after), key=jax.random.key(3))

    whole = run("whole")
    with pytest.raises(SystemExit):
        run("parts", stop_after=2)
    parts = run("parts")
    for a, b in zip(*map(jax.tree.leaves, (whole.params, parts.params)), strict=True):
        np.testing.assert_array_equal(a, b)
    bounds = [[row["information/bound"] for row in read_metrics(tmp_path / name)] for name in ("whole", "parts")]
    assert bounds[0] == bounds[1]
    assert len(bounds[0]) == 4


def test_groups_share_a_background():
    env = CatcherEnv(distractors="episode", size=32)
    few = CatcherTask(np.int32(3), np.int32(4))
    episodes = by_background(collect(env, few, jax.random.key(0), 30, 27))
    background = np.asarray(episodes.state.background)
    assert (background == background[:, :1]).all()
    assert (np.diff(background[:, 0]) >= 0).all()
    groups = np.asarray(draw_groups(episodes, jax.random.key(1), 40, 25))
    for group in background[groups, 0]:
        assert len(set(group)) == 1
    assert set(background[groups, 0].ravel()) == set(background[:, 0])
    for index in groups[:3]:  # all episodes of a background are drawn
        same = np.flatnonzero(background[:, 0] == background[index[0], 0])
        assert set(index) <= set(same)
        assert len(set(index)) > len(same) / 2
    frames = sample_frames(env, episodes, jax.random.key(2), 8, 2, num_groups=2)
    last_row = np.asarray(frames.image)[:, 0, 31]  # below the paddle: background alone
    for group in (last_row[:4], last_row[4:]):
        np.testing.assert_array_equal(group, np.broadcast_to(group[:1], group.shape))


def test_warm_up_in_groups(episodes):
    trainer = _trainer(num_groups=2, num_warmup_updates=3)
    _, metrics = trainer.warm_up(trainer.init(jax.random.key(0)), by_background(episodes))
    assert 0 < metrics["warmup/nce"] < 2 * np.log(6)
