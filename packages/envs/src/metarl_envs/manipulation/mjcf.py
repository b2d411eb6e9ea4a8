"""Pieces of MuJoCo models in XML, from primitive shapes."""

from collections.abc import Sequence

import numpy as np

OPTIONS = """
  <compiler angle="radian" autolimits="true"/>
  <option timestep="0.0025" integrator="implicitfast" cone="elliptic" iterations="50"/>
  <visual><headlight ambient="0.45 0.45 0.45" diffuse="0.5 0.5 0.5" specular="0 0 0"/></visual>
  <default>
    <geom contype="0" conaffinity="0" group="1"/>
    <default class="solid"><geom contype="1" conaffinity="1" friction="0.4 0.005 0.0001"/></default>
    <default class="goal"><geom group="3" rgba="1 0.8 0.1 0.6"/></default>
  </default>
"""
"""Time step 2.5 ms (thesis, table 2). Only geoms of class `solid` touch each other; those of class `goal` are drawn in
films and hidden from observations."""

GROUND = """
    <light pos="0.4 -0.6 2" dir="0 0.25 -1" directional="true" diffuse="0.5 0.5 0.5" specular="0 0 0"/>
    <geom type="plane" size="2 2 0.1" pos="0 0 -0.4" rgba="0.32 0.36 0.42 1"/>
    <geom class="solid" type="box" size="0.75 0.7 0.02" pos="0.55 0 -0.02" rgba="0.72 0.6 0.45 1"/>
"""
"""A floor, and a table whose top is at height 0."""


def numbers(values: Sequence[float] | np.ndarray) -> str:
    """Numbers as an attribute."""
    return " ".join(f"{value:.6g}" for value in values)


def camera(name: str, position: Sequence[float], target: Sequence[float], fovy: float = 45.0) -> str:
    """A camera at `position` that looks at `target`, m in the frame of its body; `fovy` in degrees.

    The vertical of the picture is z, or x where it looks along z.
    """
    back = np.subtract(position, target)
    back = back / np.linalg.norm(back)
    up = np.array([0.0, 0.0, 1.0]) if abs(back[2]) < 0.99 else np.array([1.0, 0.0, 0.0])
    right = np.cross(up, back)
    right = right / np.linalg.norm(right)
    axes = numbers([*right, *np.cross(back, right)])
    return f'<camera name="{name}" pos="{numbers(position)}" xyaxes="{axes}" fovy="{fovy:g}"/>'
