"""Playing catch: pygame's picture equals the renderer's, and keys do what they should."""

import functools
import pathlib
import sys

import jax
import numpy as np
import pytest
from metarl_envs.catcher import CatcherEnv, CatcherState, __main__, all_states, render

pygame = pytest.importorskip("pygame")
window = pytest.importorskip("metarl_envs.catcher.window")

RED = (200, 0, 0)


pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(autouse=True)
def dummy_display(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.quit()


@functools.cache
def states_and_pictures(env):
    """200 states of the game and a few partly outside the picture, in front of any background."""
    rng = np.random.default_rng(0)
    states = jax.device_get(all_states(CatcherEnv(grip=env.grip)))
    chosen = rng.choice(len(states.paddle_x), 200, replace=False)
    states = [field[chosen] for field in states]
    outside = [rng.integers(0, 52, 20), rng.integers(0, 61, 20), np.arange(-5, 75, 4), rng.integers(0, 2, 20)]
    states = [np.concatenate(pair) for pair in zip(states, [*outside, np.zeros(20, int)], strict=True)]
    if env.distractors != "none":
        states[-1] = rng.integers(0, 256, 220)
    states = CatcherState(*(np.asarray(field, np.int32) for field in states))
    return states, np.asarray(jax.jit(jax.vmap(functools.partial(render, env)))(states))


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize(
    "env",
    [
        CatcherEnv(),
        CatcherEnv(grip=True, distractors="episode"),
        CatcherEnv(grip=True, gripper_style="prongs", gripper_color=RED),
        CatcherEnv(grip=True, size=32),
        CatcherEnv(grip=True, size=32, gripper_style="prongs", distractors="step"),
    ],
)
def test_the_window_shows_the_renderers_pixels(env, scale):
    states, expected = states_and_pictures(env)
    pygame.display.init()
    surface = pygame.display.set_mode((env.size * scale, env.size * scale))
    for i, image in list(enumerate(expected))[::scale]:
        window.draw(surface, env, CatcherState(*(field[i] for field in states)), scale)
        shown = pygame.surfarray.array3d(surface).swapaxes(0, 1)
        np.testing.assert_array_equal(shown, image.repeat(scale, axis=0).repeat(scale, axis=1))


def press(*keys):
    return [pygame.event.Event(pygame.KEYDOWN, key=key) for key in keys]


def release(*keys):
    return [pygame.event.Event(pygame.KEYUP, key=key) for key in keys]


def test_keys_become_actions():
    left, right, space = pygame.K_LEFT, pygame.K_RIGHT, pygame.K_SPACE
    script = [
        ([], 1),
        (press(left), 0),
        ([], 0),  # Held.
        (press(right), 1),  # Both.
        (release(left), 2),
        (press(space) + release(space), 5),
        ([], 2),  # A toggle is done once.
        (release(right), 1),
        (press(left) + release(left), 0),  # Too short to be held at a step.
        ([], 1),
        (press(space, space), 1),
        (press(pygame.K_a), 1),
    ]
    controls = window.Controls()
    for events, action in script:
        for event in events:
            controls.handle(event)
        assert controls.take_action(CatcherEnv(grip=True)) == action
    controls.handle(press(space)[0])
    assert controls.take_action(CatcherEnv()) == 1  # There is no gripper.
    for event in (*press(pygame.K_q, pygame.K_ESCAPE), pygame.event.Event(pygame.QUIT)):
        with pytest.raises(window.Quit):
            controls.handle(event)


def play(monkeypatch, argv, events_by_frame):
    """Plays with scripted events and without waiting, then quits; returns the pictures of all frames."""
    pictures = []

    def get_events():
        pictures.append(pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1))
        frame = len(pictures) - 1
        return events_by_frame.get(frame, []) if frame < max(events_by_frame) else press(pygame.K_q)

    monkeypatch.setattr(pygame.event, "get", get_events)
    monkeypatch.setattr(pygame.time, "Clock", FakeClock)
    __main__.main(argv)
    return pictures


class FakeClock:
    def tick(self, fps):
        return fps


@pytest.mark.wheel
def test_a_played_game(monkeypatch, capsys):
    titles = []
    monkeypatch.setattr(pygame.display, "set_caption", titles.append)
    argv = ["--grip", "--scale=1", "--fps=10", "--seed=3"]
    pictures = play(monkeypatch, argv, {0: press(pygame.K_RIGHT), 80: []})
    paddle = [(picture[60] == 128).all(-1).argmax() for picture in pictures]
    assert paddle[0] < paddle[1] or paddle[0] == 51
    assert paddle[20:27] == [51] * 7
    score = capsys.readouterr().out.strip()
    assert titles[-1] == f"Catcher: {score}"
    caught, missed = (int(part.split()[-1]) for part in score.split(","))
    assert caught + missed == 2  # An episode is 28 pictures and, at 10 per second, 4 of pause.
    assert titles[0] == titles[26] == "Catcher: caught 0, missed 0"
    assert titles[27] != titles[26]
    at_top = [bool((picture[:4] == [255, 255, 0]).all(-1).any()) for picture in pictures[27:34]]
    assert at_top == [False] * 4 + [True] * 2 + [False]


def test_restarting(monkeypatch, capsys):
    pictures = play(monkeypatch, ["--scale=1"], {30: press(pygame.K_r), 32: []})
    assert (pictures[31][:4] == [255, 255, 0]).all(-1).sum() == 16
    assert capsys.readouterr().out == "caught 0, missed 0\n"


def test_ple_with_distractors_at_half_size(monkeypatch):
    pictures = play(monkeypatch, ["--physics=ple", "--distractors=step", "--size=32", "--scale=2"], {3: []})
    assert all(picture.shape == (64, 64, 3) for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[1])


def test_flags():
    args = __main__.parse(["--grip", "--distractors"])
    assert (args.grip, args.distractors, args.physics, args.fps, args.scale) == (True, "episode", "simple", 12, 8)
    assert __main__.parse(["--physics=ple"]).fps == 30
    assert __main__.parse(["--fps=7", "--distractors", "step"]).distractors == "step"


@pytest.mark.parametrize("argv", [["--fps=0"], ["--scale=-1"], ["--physics=real"], ["--size=48"]])
def test_bad_flags(argv, capsys):
    with pytest.raises(SystemExit, match="2"):
        __main__.parse(argv)
    assert argv[0].split("=")[0] in capsys.readouterr().err


def test_without_pygame_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    monkeypatch.delitem(sys.modules, "metarl_envs.catcher.window")
    with pytest.raises(SystemExit, match=r'pip install "metarl-envs\[pygame\]"'):
        __main__.main([])


def test_without_a_display_it_says_so(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(SystemExit, match="cannot open a window: "):
        __main__.main([])


def test_only_the_window_imports_pygame():
    package = pathlib.Path(window.__file__).parents[1]
    sources = {path.name: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    assert {name for name, text in sources.items() if "import pygame" in text} == {"window.py", "__main__.py"}
    assert {name for name, text in sources.items() if "import window" in text} == {"__main__.py"}


def test_ctrl_c_ends_the_game_with_the_score(monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(pygame.event, "get", interrupt)
    monkeypatch.setattr(pygame.time, "Clock", FakeClock)
    __main__.main(["--scale=1"])
    assert capsys.readouterr().out == "caught 0, missed 0\n"


def test_without_a_screen_the_game_does_not_play_unseen(monkeypatch):
    monkeypatch.delenv("SDL_VIDEODRIVER")
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "offscreen")
    monkeypatch.setattr(pygame.display, "init", lambda: None)
    with pytest.raises(SystemExit, match="cannot open a window: no screen was found: set DISPLAY, or SDL_VIDEODRIVER"):
        __main__.main([])


@pytest.mark.parametrize("flag", ["--fps=x", "--fps=0", "--scale=1.5", "--scale=-2"])
def test_a_wrong_number_is_named(flag, capsys):
    with pytest.raises(SystemExit):
        __main__.parse([flag])
    name, value = flag.split("=")
    assert f"argument {name}: must be a whole number, at least 1, got '{value}'" in capsys.readouterr().err
