"""The WidowX arm (Mark II) from primitive shapes: five joints with the real offsets and ranges, velocity control."""

from metarl_envs.manipulation.mjcf import numbers

NUM_JOINTS = 5

HOME = (0.0, -0.1, -0.3, 1.7, 0.0)
"""rad; the tool points down but for 15 degrees, its tip 21 cm in front of the base and 17 cm above the table."""

TOOL_LENGTH = 0.095
"""m from the joint that turns the tool to its tip."""

_GAIN, _TORQUE, _ARMATURE = 20.0, 8.0, 0.02
_DARK, _LIGHT = "0.13 0.13 0.15 1", "0.3 0.3 0.33 1"

# Name, m from the previous joint, axis, range in rad, shapes of the link behind it with their masses.
_LINKS = (
    (
        "waist",
        (0.0, 0.0, 0.07),
        "0 0 1",
        (-2.617, 2.617),
        f'<geom type="cylinder" size="0.03 0.028" pos="0 0 0.027" mass="0.2" rgba="{_DARK}"/>',
    ),
    (
        "shoulder",
        (0.0, 0.0, 0.055),
        "0 1 0",
        (-1.571, 1.571),
        f'<geom type="capsule" fromto="0 0 0 0 0 0.142" size="0.02" mass="0.25" rgba="{_DARK}"/>'
        f'<geom type="capsule" fromto="0 0 0.142 0.04825 0 0.14203" size="0.018" mass="0.1" rgba="{_LIGHT}"/>',
    ),
    (
        "elbow",
        (0.04825, 0.0, 0.14203),
        "0 1 0",
        (-1.571, 1.571),
        f'<geom type="capsule" fromto="0 0 0 0.14203 0 0" size="0.018" mass="0.2" rgba="{_DARK}"/>',
    ),
    (
        "wrist",
        (0.14203, 0.0, 0.0),
        "0 1 0",
        (-1.745, 1.745),
        f'<geom type="capsule" fromto="0 0 0 0.0715 0 0" size="0.016" mass="0.15" rgba="{_LIGHT}"/>',
    ),
    ("turn", (0.0715, 0.0, 0.0), "1 0 0", (-2.617, 2.617), ""),
)


def arm(hand: str) -> str:
    """The arm's bodies, their weight compensated.

    Args:
      hand: what the last link carries, in its frame: x along the tool.
    """
    tool = hand
    for name, position, axis, limits, geoms in reversed(_LINKS):
        tool = (
            f'<body name="{name}" pos="{numbers(position)}" gravcomp="1"><joint name="{name}" axis="{axis}"'
            f' range="{numbers(limits)}" damping="0.5" armature="{_ARMATURE}"/>{geoms}{tool}</body>'
        )
    return f'<geom type="cylinder" size="0.05 0.035" pos="0 0 0.035" rgba="{_DARK}"/>{tool}'


def actuators() -> str:
    """Velocity servos, joint by joint."""
    return "".join(f'<velocity joint="{name}" kv="{_GAIN}" forcerange="{-_TORQUE} {_TORQUE}"/>' for name, *_ in _LINKS)
