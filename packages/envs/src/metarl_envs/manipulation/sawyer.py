"""The Sawyer arm from primitive shapes: the real joints' axes, offsets and ranges, and the real links' masses."""

from typing import NamedTuple

import numpy as np

from metarl_envs.manipulation.mjcf import numbers

NUM_JOINTS = 7

HOME = (-0.25855, -1.43818, -0.0496, 1.46357, 0.00656, 1.54556, 3.00824)
"""rad; the hand points down, 17 cm below it a point at (0.55, 0, 0.4) m from the base."""

LOW_HOME = (-0.23456, -1.4134, -0.10232, 1.82647, 0.01748, 1.15858, 2.97349)
"""rad; the same with that point at (0.52, 0, 0.25) m."""

_STIFFNESS, _DAMPING, _ARMATURE = 800.0, 80.0, 0.1
_GREY, _RED, _DARK = "0.62 0.64 0.68 1", "0.62 0.12 0.14 1", "0.2 0.2 0.22 1"


class _Link(NamedTuple):
    """A link and the joint that turns it about its own z axis.

    position: m from the previous link's frame. quaternion: from it. mass: kg. torque: N m at most. range: rad.
    capsules: start and end in m, radius in m. color: of all of them.
    """

    position: tuple[float, ...]
    quaternion: tuple[float, ...]
    mass: float
    torque: float
    range: tuple[float, float]
    capsules: tuple[tuple[tuple[float, ...], tuple[float, ...], float], ...]
    color: str


_O = (0.0, 0.0, 0.0)
_TURN, _BACK = (0.5**0.5, 0.5**0.5, 0.0, 0.0), (0.5**0.5, -(0.5**0.5), 0.0, 0.0)
_LINKS = (
    _Link(
        (0.0, 0.0, 0.08),
        (1.0, 0.0, 0.0, 0.0),
        5.32,
        80.0,
        (-3.0503, 3.0503),
        (((0.0, 0.0, -0.08), (0.0, 0.0, 0.24), 0.075), ((0.0, 0.0, 0.237), (0.081, 0.0, 0.237), 0.065)),
        _DARK,
    ),
    _Link(
        (0.081, 0.05, 0.237),
        (0.5, -0.5, 0.5, 0.5),
        4.5,
        80.0,
        (-3.8095, 2.2736),
        ((_O, (0.0, 0.0, 0.1425), 0.065), ((0.0, 0.0, 0.1425), (0.0, -0.1, 0.1425), 0.06)),
        _GREY,
    ),
    _Link((0.0, -0.14, 0.1425), _TURN, 1.75, 40.0, (-3.0426, 3.0426), ((_O, (0.0, 0.0, 0.26), 0.052),), _RED),
    _Link(
        (0.0, -0.042, 0.26),
        _BACK,
        2.51,
        40.0,
        (-3.0439, 3.0439),
        ((_O, (0.0, 0.0, -0.1265), 0.052), ((0.0, 0.0, -0.1265), (0.0, -0.1, -0.1265), 0.047)),
        _GREY,
    ),
    _Link((0.0, -0.125, -0.1265), _TURN, 1.11, 9.0, (-2.9761, 2.9761), ((_O, (0.0, 0.0, 0.275), 0.043),), _RED),
    _Link(
        (0.0, 0.031, 0.275),
        _BACK,
        1.56,
        9.0,
        (-2.9761, 2.9761),
        ((_O, (0.0, 0.0, 0.1053), 0.043), ((0.0, 0.0, 0.1053), (0.0, -0.08, 0.1053), 0.042)),
        _GREY,
    ),
    _Link(
        (0.0, -0.11, 0.1053),
        (0.0616248, 0.06163, -0.704416, 0.704416),
        0.33,
        9.0,
        (-4.7124, 4.7124),
        ((_O, (0.0, 0.0, 0.02), 0.038),),
        _DARK,
    ),
)

LOWEST, HIGHEST = np.array([link.range for link in _LINKS]).T
"""rad; ranges of the joints, `[7]` each."""


def arm(hand: str) -> str:
    """The arm's bodies; weight is compensated, as on the real arm, but for what the hand lets feel it.

    Args:
      hand: what the last link carries: geoms, sites, cameras and bodies in the frame of the hand, z along the tool.
    """
    tool = f'<body name="hand" pos="0 0 0.0245" quat="0.707107 0 0 0.707107" gravcomp="1">{hand}</body>'
    for i in reversed(range(NUM_JOINTS)):
        link = _LINKS[i]
        share = link.mass / len(link.capsules)
        geoms = "".join(
            f'<geom type="capsule" fromto="{numbers([*start, *end])}" size="{radius}" mass="{share:g}"'
            f' rgba="{link.color}"/>'
            for start, end, radius in link.capsules
        )
        tool = (
            f'<body name="link{i}" pos="{numbers(link.position)}" quat="{numbers(link.quaternion)}" gravcomp="1">'
            f'<joint name="joint{i}" axis="0 0 1" range="{numbers(link.range)}" damping="{_DAMPING}"'
            f' armature="{_ARMATURE}"/>{geoms}{tool}</body>'
        )
    return tool


def actuators() -> str:
    """Position servos, joint by joint."""
    return "".join(
        f'<position joint="joint{i}" kp="{_STIFFNESS}" ctrlrange="{numbers(link.range)}"'
        f' forcerange="{-link.torque} {link.torque}"/>'
        for i, link in enumerate(_LINKS)
    )
