"""Playing catch with the keyboard, in a window of pygame.

The drawing is pygame's own, not the renderer's: quick to draw at any scale, and a check of the renderer.
"""

import dataclasses
import functools
import math
import os

import jax
import numpy as np
import pygame

from metarl_envs.adapters.functional_env import advance, begin, env_key
from metarl_envs.catcher.backgrounds import backgrounds
from metarl_envs.catcher.dynamics import CatcherEnv
from metarl_envs.catcher.options import CatcherOptions, Color
from metarl_envs.catcher.ple import PleCatcherEnv
from metarl_envs.catcher.render import CLOSED_GRIPPER, GRIPPER_HEIGHT, PRONG_WIDTH
from metarl_envs.catcher.state import (
    FRUIT_COLOR,
    FRUIT_SIZE,
    FULL_SIZE,
    OPEN,
    PADDLE_COLOR,
    PADDLE_HEIGHT,
    PADDLE_WIDTH,
    PADDLE_Y,
    CatcherState,
)

PAUSE = 0.4
"""s that the end of an episode stays on the screen."""

_INVISIBLE = ("dummy", "offscreen")
"""Drivers without a screen."""

_begin = jax.jit(begin, static_argnums=0)
_advance = jax.jit(advance, static_argnums=0)


def draw(surface: pygame.Surface, env: CatcherOptions, state: CatcherState, scale: int = 1) -> None:
    """Draws what `metarl_envs.catcher.render` draws, each pixel as a square of `scale` pixels.

    Args:
      surface: is painted from its upper left corner on.
      env: whose options say what is drawn.
      state: of integers; NumPy's are quicker to read than JAX's.
      scale: at least 1.
    """
    paddle_x, fruit_x, fruit_y, gripper, background = (int(value) for value in state)
    if env.distractors == "none":
        surface.fill((0, 0, 0))
    else:
        image = _background(env.size, background)
        surface.blit(pygame.transform.scale(image, (env.size * scale, env.size * scale)), (0, 0))
    box = functools.partial(_draw_box, surface, FULL_SIZE // env.size, scale)
    box(PADDLE_COLOR, paddle_x, PADDLE_Y, PADDLE_WIDTH, PADDLE_HEIGHT)
    if env.grip:
        height = GRIPPER_HEIGHT[env.gripper_style]
        start, width = CLOSED_GRIPPER[env.gripper_style]
        if gripper == OPEN:
            box(env.gripper_color, paddle_x, PADDLE_Y - height, PRONG_WIDTH, height)
            box(env.gripper_color, paddle_x + PADDLE_WIDTH - PRONG_WIDTH, PADDLE_Y - height, PRONG_WIDTH, height)
        else:
            box(env.gripper_color, paddle_x + start, PADDLE_Y - height, width, height)
    box(FRUIT_COLOR, fruit_x, fruit_y, FRUIT_SIZE, FRUIT_SIZE)


@functools.cache
def _background(size: int, index: int) -> pygame.Surface:
    # Its first axis is x.
    return pygame.surfarray.make_surface(backgrounds(size)[index].swapaxes(0, 1))


def _draw_box(surface: pygame.Surface, step: int, scale: int, color: Color, x: int, y: int, w: int, h: int) -> None:
    """Fills a rectangle given in px of the 64 x 64 picture, of which every `step`-th pixel is shown."""
    left, top, right, bottom = (math.ceil(edge / step) * scale for edge in (x, y, x + w, y + h))
    pygame.draw.rect(surface, color, (left, top, right - left, bottom - top))


class Quit(Exception):  # noqa: N818 (not an error)
    """The player wants to stop."""


@dataclasses.dataclass
class Controls:
    """What the keys ask for; a key that is pressed and released between two steps counts.

    Attributes:
      held: arrow keys that are down.
      tapped: arrow keys pressed since the last step.
      toggle: whether the next step toggles the gripper.
      restart: whether the player wants to begin again.
    """

    held: set[int] = dataclasses.field(default_factory=set)
    tapped: set[int] = dataclasses.field(default_factory=set)
    toggle: bool = False
    restart: bool = False

    def handle(self, event: pygame.event.Event) -> None:
        """Notes an event; raises `Quit` where it asks for that."""
        if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key in (pygame.K_q, pygame.K_ESCAPE)):
            raise Quit
        if event.type == pygame.KEYUP:
            self.held.discard(event.key)
        elif event.type == pygame.KEYDOWN:
            self.toggle ^= event.key == pygame.K_SPACE
            self.restart |= event.key == pygame.K_r
            if event.key in (pygame.K_LEFT, pygame.K_RIGHT):
                self.held.add(event.key)
                self.tapped.add(event.key)

    def take_action(self, env: CatcherOptions) -> int:
        """The action of the next step; forgets what was only tapped."""
        pressed = self.held | self.tapped
        move = 1 + (pygame.K_RIGHT in pressed) - (pygame.K_LEFT in pressed)
        action = move + 3 * self.toggle if env.grip else move
        self.tapped, self.toggle = set(), False
        return action


@dataclasses.dataclass
class Score:
    """Fruits since the last restart."""

    caught: int = 0
    missed: int = 0

    def __str__(self) -> str:
        return f"caught {self.caught}, missed {self.missed}"


def play(env: CatcherEnv | PleCatcherEnv, fps: int, scale: int, seed: int) -> Score:
    """Opens the window and plays until the player quits.

    Args:
      env: the game.
      fps: steps per second.
      scale: window pixels per pixel of the picture.
      seed: fixes where fruits appear.

    Returns:
      The score, which the window's title shows while one plays.

    Raises:
      pygame.error: there is no screen.
    """
    pygame.display.init()
    try:
        driver = pygame.display.get_driver()
        if driver in _INVISIBLE and os.environ.get("SDL_VIDEODRIVER", "") != driver:  # SDL's choice, not the user's
            raise pygame.error(f"no screen was found: set DISPLAY, or SDL_VIDEODRIVER={driver} to play unseen")
        surface = pygame.display.set_mode((env.size * scale, env.size * scale))
        return _play(env, surface, fps, scale, seed)
    finally:
        pygame.quit()


def _play(env: CatcherEnv | PleCatcherEnv, surface: pygame.Surface, fps: int, scale: int, seed: int) -> Score:
    clock, controls, score, episode = pygame.time.Clock(), Controls(), Score(), 0
    task = env.get_default_params()
    while True:
        episode_key = jax.random.fold_in(env_key(np.uint32(seed % 2**32)), episode)
        state, _ = _begin(env, task, episode_key)
        count, terminated, pause = 0, False, round(PAUSE * fps)
        while not (terminated and pause == 0):
            draw(surface, env, jax.device_get(env.seen(state)), scale)
            pygame.display.set_caption(f"Catcher: {score}")
            pygame.display.flip()
            try:
                clock.tick(fps)
                for event in pygame.event.get():
                    controls.handle(event)
            except (Quit, KeyboardInterrupt):  # Ctrl-C in the terminal is one more way to stop
                return score
            if controls.restart:
                controls, score = Controls(), Score()
                break
            if terminated:
                pause -= 1
                continue
            count += 1
            state, step = _advance(env, task, state, np.int32(controls.take_action(env)), episode_key, count)
            terminated = bool(step.terminated)
            score.caught += int(step.reward > 0)
            score.missed += int(step.reward < 0)
        episode += 1
