"""Play catch: arrow keys move the paddle, space toggles the gripper, R restarts, Q or Escape quits."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence

from metarl_envs.catcher.dynamics import CatcherEnv
from metarl_envs.catcher.options import CatcherOptions
from metarl_envs.catcher.ple import PleCatcherEnv

_FPS = {"simple": 12, "ple": 30}


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the flags."""
    parser = argparse.ArgumentParser(prog="python -m metarl_envs.catcher", description=__doc__)
    parser.add_argument("--grip", action="store_true", help="a gripper, which must be open to catch")
    parser.add_argument(
        "--distractors",
        nargs="?",
        const="episode",
        default="none",
        choices=["none", "episode", "step"],
        help="circles behind the game, others for each episode (if nothing is said) or for each step",
    )
    parser.add_argument("--physics", default="simple", choices=list(_FPS), help="ple: the paddle has momentum")
    parser.add_argument("--gripper-style", default="lid", choices=["lid", "prongs"], help="how the gripper is drawn")
    parser.add_argument("--size", type=int, default=64, choices=[64, 32], help="side of the picture in pixels")
    parser.add_argument("--fps", type=_positive, help="steps per second; 12, or 30 with --physics=ple")
    parser.add_argument("--scale", type=_positive, default=8, help="window pixels per pixel of the picture")
    parser.add_argument("--seed", type=int, default=0, help="fixes where fruits appear")
    args = parser.parse_args(argv)
    args.fps = args.fps or _FPS[args.physics]
    return args


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, got {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> None:
    """Opens the window."""
    args = parse(argv)
    try:
        import pygame

        from metarl_envs.catcher import window
    except ModuleNotFoundError as error:
        if error.name != "pygame":
            raise
        sys.exit('playing needs pygame: pip install "metarl-envs[pygame]"')
    env_type = CatcherEnv if args.physics == "simple" else PleCatcherEnv
    names = {field.name for field in dataclasses.fields(CatcherOptions)}
    env = env_type(**{name: value for name, value in vars(args).items() if name in names})
    try:
        score = window.play(env, args.fps, args.scale, args.seed)
    except pygame.error as error:
        sys.exit(f"cannot open a window: {error}")
    sys.stdout.write(f"{score}\n")


if __name__ == "__main__":
    main()
