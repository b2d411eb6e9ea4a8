"""Training on frames of one's own: what is learned, what is kept back, going on, and what is refused."""

import dataclasses

import jax
import numpy as np
import pytest
from mi_repr.deep import (
    Encoder,
    EncoderConfig,
    PretrainConfig,
    Pretrainer,
    Setting,
    linear_probe,
    make_objective,
    pretrain,
)
from mi_repr.deep.recordings import RecordingSource, make_recordings
from rlcore.experiment import RunError, read_metrics


def ring(num_frames, seed=0, num_places=6):
    """A bright bar on a ring of places, which actions 0 and 1 move back and forth: frames, actions, places."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, 2, num_frames)
    places = (np.cumsum(np.concatenate([[0], 2 * actions[:-1] - 1])) + 2) % num_places
    frames = np.zeros((num_frames, 8, 2 * num_places, 1), np.uint8)
    for offset in (0, 1):
        frames[np.arange(num_frames), :, 2 * places + offset] = 255
    return frames, actions, places


FRAMES, ACTIONS, PLACES = ring(600)
ENCODER = EncoderConfig(channels=(8, 8, 8, 8, 16), feature_size=16, rank=8, inverse_hidden_sizes=(16,))
CONFIG = PretrainConfig(
    num_updates=40,
    updates_per_iteration=20,
    num_windows=16,
    learning_rate=1e-2,
    num_warmup_updates=20,
    warmup_batch_size=32,
)
OPTIMISE = True


def _train(objective="fwd", **options):
    return pretrain(FRAMES, ACTIONS, objective, **{"encoder": ENCODER, "config": CONFIG, **options})


@pytest.fixture(scope="module")
def trained():
    return _train(config=dataclasses.replace(CONFIG, num_updates=300, updates_per_iteration=100))


def test_the_place_is_learned_and_read_back(trained):
    # I(S'; S, A) of six places is log 6.
    assert 0.8 * np.log(6) < trained.information <= np.log(6) + 0.05
    one_hot = np.eye(6)[PLACES]
    tested = np.arange(600) >= 500
    assert linear_probe(trained.encode(FRAMES), one_hot, tested).max() < 0.3


def test_what_comes_back_is_complete(trained):
    assert trained.objective == "fwd"
    assert (trained.encoder_config, trained.config.num_windows) == (ENCODER, 16)
    assert [row["updates"] for row in trained.metrics] == [100, 200, 300]
    assert "warmup/nce" in trained.metrics[0]
    assert trained.held_out["information/bound"] == trained.information
    assert not np.allclose(trained.untrained.encode(FRAMES[:2]), trained.encode(FRAMES[:2]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        trained.objective = "inv"


def test_images_are_encoded_in_batches_of_any_shape(trained):
    many = np.concatenate([FRAMES, FRAMES[::-1]])
    features = trained.encode(many)
    assert features.shape == (1200, 16)
    assert features.dtype == np.float32
    np.testing.assert_allclose(trained.encode(many[700]), features[700], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(trained.encode(many.reshape(3, 400, 8, 12, 1))[1, 5], features[405], atol=1e-4)
    assert trained.encode(FRAMES[:0]).shape == (0, 16)


def test_other_images_are_refused(trained):
    with pytest.raises(ValueError, match=r"images must be \[..., 8, 12, 1\] uint8, got \[5, 12, 8, 1\] uint8"):
        trained.encode(np.zeros((5, 12, 8, 1), np.uint8))
    with pytest.raises(ValueError, match=r"got \[8, 12, 1\] float32"):
        trained.encode(np.zeros((8, 12, 1), np.float32))


def test_the_action_is_learned():
    trained = _train("inv", config=dataclasses.replace(CONFIG, num_updates=300, updates_per_iteration=100))
    assert trained.information > 0.8 * np.log(2)
    assert {"information/rate", "information/accuracy"} <= set(trained.held_out)


def _train_other(objective, **options):
    encoder = dataclasses.replace(ENCODER, decoder_channels=(16, 16), projection_size=16, transition_hidden_sizes=(16,))
    config = dataclasses.replace(CONFIG, num_updates=300, updates_per_iteration=100, max_steps_ahead=2, window_size=3)
    return _train(
        objective,
        encoder=dataclasses.replace(encoder, reconstruction="bernoulli"),
        config=dataclasses.replace(config, **options),
    )


def test_first_actions_of_two_steps_are_learned():
    # Two steps that lead back say nothing of the first; that is half of them.
    assert 0.6 * np.log(2) < _train_other("multi-inv").information < 0.76 * np.log(2)


def test_images_are_reconstructed():
    trained = _train_other("reconstruction")
    assert trained.information is None
    assert trained.held_out["reconstruction/explained"] > 0.9


def test_bootstrap_predicts_without_collapse_and_says_so_where_it_collapses():
    trained = _train_other("bootstrap", learning_rate=2e-3, average_rate=0.05)
    assert trained.information is None
    assert trained.held_out["loss/bootstrap"] < 0.5 * trained.metrics[0]["loss/bootstrap"]
    assert trained.held_out["collapse/spread"] > 0.4
    assert linear_probe(trained.encode(FRAMES), np.eye(6)[PLACES], np.arange(600) >= 500).max() < 0.1
    # With steps so large the average follows into one point.
    assert _train_other("bootstrap", learning_rate=1e-2, average_rate=0.05).held_out["collapse/spread"] < 0.1


def test_the_average_follows_at_its_rate():
    source = RecordingSource((8, 12, 1), 2)
    config = dataclasses.replace(CONFIG, average_rate=0.25, window_size=4)
    setting = Setting(ENCODER, 2, (8, 12, 1), max_steps_ahead=3)
    trainer = Pretrainer(config, source, Encoder(ENCODER), make_objective("bootstrap", setting))
    state = trainer.init(jax.random.key(0))
    jax.tree.map(np.testing.assert_array_equal, state.average, state.params)
    data = jax.tree.map(np.asarray, make_recordings(FRAMES, ACTIONS, np.zeros(600, bool), 4)[0])
    batch = trainer.sample(data, jax.random.key(1))
    after, _ = jax.jit(trainer.update)(state, batch, jax.random.key(2))
    for average, new, old in zip(*map(jax.tree.leaves, (after.average, after.params, state.params)), strict=True):
        np.testing.assert_allclose(average, 0.25 * new + 0.75 * old, rtol=1e-4, atol=1e-6)


def test_a_run_directory_keeps_metrics_and_goes_on_to_the_same_numbers(tmp_path):
    alone = _train(seed=3)
    kept = _train(seed=3, run_dir=tmp_path / "run")
    again = _train(seed=3, run_dir=tmp_path / "run")
    assert [row["information/bound"] for row in kept.metrics] == [row["information/bound"] for row in alone.metrics]
    assert kept.metrics == again.metrics == read_metrics(tmp_path / "run")
    assert kept.held_out == again.held_out == alone.held_out
    np.testing.assert_array_equal(kept.encode(FRAMES[:9]), again.encode(FRAMES[:9]))
    with pytest.raises(RunError, match=r"seed: 3 \(run\) != 4 \(now\)"):
        _train(seed=4, run_dir=tmp_path / "run")
    with pytest.raises(RunError, match=r"data: .* \(run\) != "):
        pretrain(FRAMES[::-1], ACTIONS, encoder=ENCODER, config=CONFIG, seed=3, run_dir=tmp_path / "run")


def test_runs_stay_within_episodes_and_the_last_of_them_are_kept_back():
    ends = np.zeros(600, bool)
    ends[[99, 199, 379, 569]] = True
    train, held_out = make_recordings(FRAMES, ACTIONS, ends, 4)
    for part in (train, held_out):
        for begin, episode in zip(part.begin, part.episode, strict=True):
            assert not ends[begin : begin + 3].any()
            assert episode == ends[:begin].sum()
    assert train.begin.max() == 566
    assert held_out.begin.min() == 570
    assert len(train.begin) + len(held_out.begin) == 600 - 5 * 3
    source = RecordingSource((8, 12, 1), 2)
    batch = source.draw(jax.tree.map(np.asarray, held_out), jax.random.key(0), 5, 4, 1)
    assert batch.image.shape == (5, 4, 8, 12, 1)
    first = [next(b for b in held_out.begin if np.array_equal(FRAMES[b : b + 4], image)) for image in batch.image]
    assert len(first) == 5


@pytest.mark.parametrize(("ends", "boundary"), [([], 570), ([199], 570), ([199, 549], 550), ([560, 575], 576)])
def test_a_twentieth_is_kept_back_whole_episodes_where_that_fits(ends, boundary):
    marks = np.isin(np.arange(600), ends)
    train, held_out = make_recordings(FRAMES, ACTIONS, marks, 4)
    assert train.begin.max() + 4 <= boundary == held_out.begin.min()


def test_groups_are_of_one_episode():
    ends = np.arange(600) % 60 == 59
    train, _ = make_recordings(FRAMES, ACTIONS, ends, 2)
    data = train._replace(frame=np.broadcast_to(np.arange(600, dtype=np.int32)[:, None, None, None], (600, 1, 1, 1)))
    image = RecordingSource((1, 1, 1), 2).draw(jax.tree.map(np.asarray, data), jax.random.key(0), 40, 2, 4).image
    episode = np.asarray(image)[:, 0, 0, 0, 0] // 60
    for group in episode.reshape(4, 10):
        assert len(set(group)) == 1
    trained = _train(episode_ends=ends, config=dataclasses.replace(CONFIG, num_groups=4))
    assert "information/shared" in trained.held_out


def test_actions_that_were_never_taken_can_be_counted():
    trained = _train(num_actions=5)
    assert trained.encoder.feature_size == 16
    uneven = np.where(np.arange(600) % 3 == 0, 1, 0)
    found = pretrain(FRAMES, uneven, "inv", encoder=ENCODER, config=CONFIG)
    entropy = -(np.log(1 / 3) / 3 + 2 * np.log(2 / 3) / 3)
    assert found.information == pytest.approx(entropy - found.held_out["loss/action"], abs=1e-5)


def test_defaults_fit_a_recording():
    assert PretrainConfig().warmup_same_step_share == 0
    with pytest.raises(ValueError, match="frames must be uint8"):
        pretrain(FRAMES / 255, ACTIONS, "fwd")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "forward"}, "objective must be one of fwd, state, inv.*, got 'forward'"),
        ({"frames": FRAMES.astype(np.float32)}, "frames must be uint8, from 0 to 255, got float32"),
        ({"frames": FRAMES[..., 0]}, r"frames must be \[N, H, W, C\], got shape .*: grey images have one channel"),
        ({"frames": FRAMES[None]}, r"frames must be \[N, H, W, C\], got shape \(1, 600, 8, 12, 1\)"),
        ({"frames": FRAMES[:, :7]}, r"with H and W at least 8, got shape \(600, 7, 12, 1\)"),
        ({"frames": FRAMES.transpose(0, 3, 1, 2)}, r"with H and W at least 8, got shape \(600, 1, 8, 12\)"),
        ({"frames": [FRAMES, FRAMES]}, "frames must be one array .* got a list: join episodes"),
        ({"actions": ACTIONS[:-1]}, r"actions must have shape \(600,\), .* got \(599,\)"),
        ({"actions": np.eye(2)[ACTIONS]}, r"actions must have shape \(600,\), .* got \(600, 2\)"),
        ({"actions": ACTIONS.astype(float)}, "actions must be integers, from 0 on, got float64"),
        ({"actions": ACTIONS - 1}, "actions must be at least 0, got -1"),
        ({"actions": 0 * ACTIONS + 1}, "actions must take two values at least, got 1 everywhere"),
        ({"num_actions": 1}, "actions must be below num_actions=1, got 1"),
        ({"num_actions": 2.5}, "num_actions must be a whole number, got 2.5"),
        ({"config": {"num_updates": 3}}, "config must be of type PretrainConfig, got {'num_updates': 3}"),
        ({"encoder": "conv"}, "encoder must be of type EncoderConfig, got 'conv'"),
        ({"seed": "x"}, r"seed must be a whole number in \[0, 2\^32\), got 'x'"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2\^32\), got -1"),
        ({"episode_ends": np.array([99, 199])}, r"episode_ends must be bool of shape \(600,\), .* got int64 \(2,\)"),
        ({"episode_ends": np.arange(600) == 1}, "episodes of window_size=4 frames at least, got 2 from frame 0 on"),
        ({"episode_ends": np.arange(600) == 597}, "episodes of window_size=4 frames at least, got 2 from frame 598 on"),
        ({"frames": FRAMES[:6], "actions": ACTIONS[:6]}, "frames must have runs of window_size=4 .* got 6 frames"),
        ({"frames": FRAMES[:0], "actions": ACTIONS[:0]}, r"frames must be .*, got shape \(0, 8, 12, 1\)"),
        ({"config": PretrainConfig(warmup_same_step_share=0.7)}, "warmup_same_step_share must be 0 with frames of"),
        ({"config": PretrainConfig(num_groups=4)}, "num_groups must be 1 with a single episode, got 4"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(changes, message):
    arguments = {"frames": FRAMES, "actions": ACTIONS, "encoder": ENCODER, "config": CONFIG, **changes}
    with pytest.raises(ValueError, match=message) as error:
        pretrain(arguments.pop("frames"), arguments.pop("actions"), **arguments)
    assert "\n" not in str(error.value)
