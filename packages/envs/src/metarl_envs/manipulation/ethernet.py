"""Ethernet insertion: the thesis's experiment on a real WidowX, as a simulation (section 5.3.3, appendix D.5).

A network switch stands on a rail. One motor moves it along the rail and another turns it: that is how tasks are reset,
here as there. The ports face upwards; all lengths are in m.
"""

import dataclasses
from typing import ClassVar, NamedTuple

import numpy as np

from metarl_envs.manipulation import widowx
from metarl_envs.manipulation.mjcf import GROUND, camera, numbers
from metarl_envs.manipulation.rewards import pose_reward, turn_angle
from metarl_envs.manipulation.scene import Fields, Scene

NUM_PORTS, PITCH = 4, 0.02
"""Ports in a row, and m between them."""

WIDEST_TURN, WIDEST_SHIFT = np.deg2rad(8.0), 0.01
"""rad and m to either side: the thesis's 16 degrees and 2 cm."""

PORT_HALF_SIZE, PORT_DEPTH = (0.0055, 0.00725), 0.012
"""m across and along the row; a plug of 8 x 11.7 mm has a millimetre and a half of play."""

SLACK = 0.003
"""m from the bottom of the port within which the plug is fully inserted."""

_PLUG_HALF_SIZE = (0.01, 0.00585, 0.004)
_SWITCH_X, _TOP = 0.22, 0.04
_SITE_DOWN = 'quat="0 0 1 0"'


class EthernetTask(NamedTuple):
    """Which port, and where the switch is. port: int32 scalar, 0 to 3. turn: float32, rad. shift: float32, m."""

    port: np.ndarray
    turn: np.ndarray
    shift: np.ndarray


def _hand() -> str:
    middle = widowx.TOOL_LENGTH - _PLUG_HALF_SIZE[0]
    return (
        '<geom type="box" size="0.025 0.03 0.014" pos="0.025 0 0" mass="0.1" rgba="0.2 0.2 0.22 1"/>'
        '<geom type="box" size="0.016 0.004 0.01" pos="0.062 0.01 0" mass="0.02" rgba="0.3 0.3 0.32 1"/>'
        '<geom type="box" size="0.016 0.004 0.01" pos="0.062 -0.01 0" mass="0.02" rgba="0.3 0.3 0.32 1"/>'
        f'<geom class="solid" type="box" contype="4" conaffinity="4" size="{numbers(_PLUG_HALF_SIZE)}"'
        f' pos="{middle} 0 0" mass="0.01" rgba="0.2 0.55 0.9 1"/>'
        '<geom type="capsule" fromto="0.06 0 -0.012 0.0 0 -0.05" size="0.004" mass="0.01" rgba="0.2 0.55 0.9 1"/>'
        # The tip's z points along the tool and its x back along the hand's z.
        f'<site name="tip" pos="{widowx.TOOL_LENGTH} 0 0" quat="0.707107 0 0.707107 0"/>'
        + camera("wrist", (-0.02, 0.0, 0.07), (0.11, 0.0, 0.0), 60)
    )


def _switch() -> str:
    across, along = PORT_HALF_SIZE
    length, height = NUM_PORTS * PITCH / 2 + 0.006, PORT_DEPTH / 2
    solid = 'class="solid" contype="4" conaffinity="4" type="box"'
    middle = _TOP - height
    parts = [f'<geom {solid} size="0.022 {length} {(_TOP - PORT_DEPTH) / 2}" pos="0 0 {(_TOP - PORT_DEPTH) / 2}"/>']
    wall = (0.022 - across) / 2
    for side in (-1, 1):
        parts.append(f'<geom {solid} size="{wall} {length} {height}" pos="{side * (across + wall)} 0 {middle}"/>')
    for i in range(NUM_PORTS + 1):
        place = (i - NUM_PORTS / 2) * PITCH
        parts.append(f'<geom {solid} size="{across} {PITCH / 2 - along} {height}" pos="0 {place} {middle}"/>')
    for i in range(NUM_PORTS):
        place = (i - (NUM_PORTS - 1) / 2) * PITCH
        parts.append(
            f'<geom type="box" size="{across} {along} 0.0005" pos="0 {place} {_TOP - PORT_DEPTH}" mass="0"'
            f' rgba="0.95 0.8 0.3 1"/><site name="port{i}" pos="0 {place} {_TOP - PORT_DEPTH}" {_SITE_DOWN}/>'
        )
    return "".join(parts)


@dataclasses.dataclass(frozen=True)
class WidowXEthernet(Scene):
    """A plug into one port of a switch that is moved and turned, under joint velocities at 3.3 Hz.

    An action of 1 is 0.2 rad/s. The dense reward is `pose_reward` of the plug's tip to the bottom of the right port;
    the sparse one, and `success`, are 1 where the plug is in that port to within 3 mm of its bottom. Signals:
    `distance` in m, `turn` in rad, `success`, `dense_reward`, `sparse_reward`. A reset puts the arm and the switch to
    their home, then lets the motors take the switch to its task; `set_tasks` in mid-episode starts them at once.

    sparse: which of the two is the reward.
    """

    sparse: bool = False

    action_size = widowx.NUM_JOINTS
    more_signals = ("turn",)
    frame_skip = 120
    settle_steps = 400
    reach = 0.06
    turning_weight = 0.1
    fastest: ClassVar[float] = 0.2
    """rad/s of an action of 1."""

    def xml(self) -> str:
        """See `Scene`."""
        start = numbers([*widowx.HOME, 0.0, 0.0])
        rail = '<geom type="box" size="0.012 0.09 0.003" pos="0.22 0 0.003" rgba="0.75 0.75 0.78 1"/>'
        return (
            f"<worldbody>{GROUND}{camera('scene', (0.44, -0.22, 0.26), (0.2, 0.0, 0.08), 36)}"
            f'{widowx.arm(_hand())}{rail}<body name="carriage" pos="{_SWITCH_X} 0 0.006">'
            '<joint name="rail" type="slide" axis="0 1 0" damping="60"/>'
            '<geom type="cylinder" size="0.02 0.002" pos="0 0 0.001" mass="0.3" rgba="0.2 0.6 0.4 1"/>'
            '<body name="switch"><joint name="housing" axis="0 0 1" damping="0.4" armature="0.002"/>'
            f'{_switch()}</body></body><body name="goal" mocap="true"><geom class="goal" type="sphere" size="0.004"/>'
            f"</body></worldbody><actuator>{widowx.actuators()}"
            '<position joint="rail" kp="1500" ctrlrange="-0.02 0.02"/>'
            '<position joint="housing" kp="20" ctrlrange="-0.3 0.3"/></actuator>'
            f'<keyframe><key qpos="{start}"/></keyframe>'
        )

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> EthernetTask:
        """Ports, turns and shifts at random."""
        port = rng.randint(NUM_PORTS, size=n).astype(np.int32)
        turn, shift = rng.uniform(-WIDEST_TURN, WIDEST_TURN, n), rng.uniform(-WIDEST_SHIFT, WIDEST_SHIFT, n)
        return EthernetTask(port, turn.astype(np.float32), shift.astype(np.float32))

    def command(self, fields: Fields, action: np.ndarray) -> None:
        """See the class."""
        fields["ctrl"][:, : widowx.NUM_JOINTS] = self.fastest * action

    def arrange(self, fields: Fields, tasks: EthernetTask) -> None:
        """Tells the motors where to go, and puts the goal's mark where the port will be."""
        fields["ctrl"][:, widowx.NUM_JOINTS] = tasks.shift
        fields["ctrl"][:, widowx.NUM_JOINTS + 1] = tasks.turn
        place = (tasks.port - (NUM_PORTS - 1) / 2) * PITCH
        across, along = _SWITCH_X - place * np.sin(tasks.turn), tasks.shift + place * np.cos(tasks.turn)
        marks = np.stack([across, along, np.full(len(place), _TOP + 0.01)], axis=-1)
        fields["mocap_pos"].reshape(-1, 3)[:] = marks

    def _port(self, fields: Fields, tasks: EthernetTask) -> tuple[np.ndarray, np.ndarray]:
        """Where the right port's bottom is, `[N, 3]` m, and its axes as the columns of `[N, 3, 3]`."""
        places = np.stack([self.site(fields, f"port{i}") for i in range(NUM_PORTS)], axis=1)
        axes = np.stack([self.site_axes(fields, f"port{i}") for i in range(NUM_PORTS)], axis=1)
        each = np.arange(len(tasks.port))
        return places[each, tasks.port], axes[each, tasks.port]

    def judge(self, fields: Fields, tasks: EthernetTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        place, axes = self._port(fields, tasks)
        offset = self.site(fields, "tip") - place
        distance = np.linalg.norm(offset, axis=-1)
        turn = turn_angle(self.site_axes(fields, "tip"), axes)
        across, along, down = np.einsum("nij,ni->jn", axes, offset)
        inside = (np.abs(across) < PORT_HALF_SIZE[0]) & (np.abs(along) < PORT_HALF_SIZE[1])
        inserted = inside & (-down < SLACK)
        dense, sparse = pose_reward(distance, turn), inserted.astype(np.float64)
        signals = {"distance": distance, "turn": turn, "success": inserted}
        return sparse if self.sparse else dense, signals | {"dense_reward": dense, "sparse_reward": sparse}

    def guide(self, fields: Fields, tasks: EthernetTask) -> np.ndarray:
        """Over the right port first, then down into it."""
        tip, (goal, axes) = self.site(fields, "tip"), self._port(fields, tasks)
        aside = np.linalg.norm(tip[:, :2] - goal[:, :2], axis=-1)
        turned = turn_angle(self.site_axes(fields, "tip"), axes) > 0.04
        inside = tip[:, 2] < goal[:, 2] + PORT_DEPTH
        above = np.where(inside, aside > 0.004, (aside > 0.0008) | turned)
        return goal + above[:, None] * np.array([0, 0, PORT_DEPTH + 0.012])

    def guide_axes(self, fields: Fields, tasks: EthernetTask) -> np.ndarray:
        """Those of the port."""
        return self._port(fields, tasks)[1]
