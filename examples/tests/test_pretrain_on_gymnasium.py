"""The example that trains on what gymnasium draws: it plays, trains, probes, and says in a line what is wrong."""

import json

import gymnasium
import numpy as np
import pytest
from support.gymnasium_frames import make_env, record

TINY = [
    "--num_steps=300",
    "--size=16",
    "--override=encoder.channels=4,4,4,4,8",
    "--override=encoder.feature_size=8",
    "--override=pretrain.num_updates=4",
    "--override=pretrain.updates_per_iteration=2",
    "--override=pretrain.num_windows=4",
    "--override=pretrain.num_warmup_updates=2",
]


def test_features_are_probed_beside_an_untrained_encoder(run, tmp_path):
    result = run("pretrain_on_gymnasium.py", *TINY, "--run_dir=run", cwd=tmp_path, alone=True)
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["updates"] for row in rows] == [2, 4]
    assert "CartPole-v1, fwd, seed 0" in result.stdout
    assert "bits" in result.stdout
    header, *lines = result.stdout.split("1 is chance\n")[1].splitlines()
    assert header.split() == ["fwd", "untrained"]
    assert [line[:24].strip() for line in lines[:4]] == [
        "cart position",
        "cart velocity",
        "pole angle",
        "pole angular velocity",
    ]
    assert "Velocities cannot be seen in one frame" in lines[4]
    again = run("pretrain_on_gymnasium.py", *TINY, "--run_dir=run", cwd=tmp_path)
    assert again.stdout == result.stdout
    other = run("pretrain_on_gymnasium.py", *TINY, "--run_dir=run", "--seed=1", cwd=tmp_path)
    assert other.returncode == 2
    assert "seed: 0 (run) != 1 (now)" in other.stderr


def test_recorded_frames_and_observations_belong_together():
    recorded = record(make_env("CartPole-v1"), num_frames=200, size=24, shortest=4, seed=3)
    assert recorded.frames.shape[1:] == (24, 24, 3)
    assert len(recorded.frames) == len(recorded.actions) == len(recorded.observations) <= 200
    assert recorded.num_actions == 2
    assert recorded.episode_ends[-1]
    # An action pushes the cart: the velocity rises with 1 and falls with 0.
    within = ~recorded.episode_ends[:-1]
    change = np.diff(recorded.observations[:, 1])[within]
    np.testing.assert_array_equal(change > 0, recorded.actions[:-1][within] == 1)
    # The track and the pole are drawn: where the cart is differs by frames, and with what the environment says.
    dark = 255 - recorded.frames[:, 17, :, 0].astype(float)
    centre = (dark * np.arange(24)).sum(axis=1) / dark.sum(axis=1)
    assert np.corrcoef(centre, recorded.observations[:, 0])[0, 1] > 0.9
    again = record(make_env("CartPole-v1"), num_frames=200, size=24, shortest=4, seed=3)
    np.testing.assert_array_equal(recorded.frames, again.frames)


def test_episodes_that_are_too_short_are_left_out():
    recorded = record(make_env("CartPole-v1"), num_frames=300, size=8, shortest=20, seed=0)
    lengths = np.diff(np.concatenate([[-1], np.flatnonzero(recorded.episode_ends)]))
    assert lengths.min() >= 20
    with pytest.raises(ValueError, match="num_steps must leave an episode of 400 frames at least, got 300"):
        record(make_env("CartPole-v1"), num_frames=300, size=8, shortest=400, seed=0)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--env_id=CartPole-v7"], "CartPole"),
        (["--env_id=Pendulum-v1"], "env_id must have discrete actions, got Box"),
        (["--objective=forward"], "forward"),
        (["--num_steps=100"], "num_steps"),
        (["--override=pretrain.num_windows=0"], "num_windows must be at least 1, got 0"),
        (["--override=pretrain.num_update=1"], "did you mean pretrain.num_updates"),
        (["--num_steps=300", "--override=pretrain.warmup_same_step_share=0.5"], "warmup_same_step_share must be 0"),
    ],
)
def test_bad_flags_are_explained_in_a_line_and_leave_nothing_behind(run, flags, message, tmp_path):
    result = run("pretrain_on_gymnasium.py", *flags, cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_environment_that_draws_nothing_is_refused():
    class Blind(gymnasium.Env):
        metadata: dict = {"render_modes": ["rgb_array"]}  # noqa: RUF012 as gymnasium has it
        action_space = gymnasium.spaces.Discrete(2)
        observation_space = gymnasium.spaces.Box(-1, 1, (2,))
        render_mode = "rgb_array"

        def __init__(self, render_mode=None):
            del render_mode

        def reset(self, seed=None, options=None):
            return np.zeros(2, np.float32), {}

        def render(self):
            return None

    gymnasium.register("Blind-v0", Blind, disable_env_checker=True, order_enforce=False)
    try:
        with pytest.raises(ValueError, match="env_id must draw images with render_mode='rgb_array', got 'Blind-v0'"):
            make_env("Blind-v0")
    finally:
        del gymnasium.registry["Blind-v0"]


def test_help_explains_every_flag(run, tmp_path):
    result = run("pretrain_on_gymnasium.py", "--help", cwd=tmp_path)
    assert "uv run --extra pygame examples/pretrain_on_gymnasium.py" in result.stdout
    assert result.stdout.split("flags:", 1)[1].count("--") >= 6
