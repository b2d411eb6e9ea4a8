"""The choice of a backend, and pictures of a scene in which it is known what must be where."""

import numpy as np
import pytest
from metarl_envs.mujoco.rendering import (
    ENVIRONMENT_VARIABLE,
    BatchRenderer,
    RenderOptions,
    backends,
    candidates,
    opengl,
)

mujoco = pytest.importorskip("mujoco")
pytest.importorskip("mujoco.batch")

# Red above green, white between them and to the right; the second camera sees the same from the other side.
XML = """
<mujoco>
  <visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/><quality offsamples="4"/></visual>
  <worldbody>
    <camera name="front" pos="0 -3 0" xyaxes="1 0 0 0 0 1"/>
    <camera name="back" pos="0 3 0" xyaxes="-1 0 0 0 0 1"/>
    <light pos="0 -1 3" dir="0 0.3 -1" directional="true"/>
    <geom type="box" size="5 0.01 5" pos="0 4 0"/>
    <geom type="box" size="5 0.01 5" pos="0 -4 0"/>
    <body name="up" pos="0 0 0.6"><joint type="slide" axis="1 0 0"/>
      <geom type="box" size="0.3 0.3 0.3" rgba="1 0 0 1"/></body>
    <geom type="box" size="0.3 0.3 0.3" pos="0 0 -0.6" rgba="0 1 0 1"/>
    <geom type="sphere" size="0.2" pos="0.9 0 0" rgba="0 0 1 1" group="3"/>
  </worldbody>
</mujoco>
"""
MODEL = mujoco.MjModel.from_xml_string(XML)


def make_states(*offsets):
    states = []
    for offset in offsets:
        state = mujoco.MjData(MODEL)
        state.qpos[0] = offset
        mujoco.mj_forward(MODEL, state)
        states.append(state)
    return states


def check_pictures(backend):
    """Draws two states from two cameras with a backend, and looks."""
    renderer = BatchRenderer(MODEL, ["front", "back"], RenderOptions(32, 40), backend)
    images = renderer.draw(make_states(0.0, 0.8))
    assert (images.dtype, images.shape, renderer.shape) == (np.uint8, (2, 32, 80, 3), (32, 80, 3))
    reds = (images[..., 0] > 90) & (images[..., 1:].max(-1) < 60)
    greens = (images[..., 1] > 90) & (images[..., [0, 2]].max(-1) < 60)
    for i, column in enumerate((20, 20)):
        rows, columns = np.nonzero(greens[i, :, :40])
        assert rows.min() > 16
        assert abs(columns.mean() - column) < 2
    assert np.nonzero(reds[0])[0].max() < 16
    assert abs(np.nonzero(reds[0, :, :40])[1].mean() - 20) < 2
    assert np.nonzero(reds[1, :, :40])[1].mean() > 25  # moved to the right,
    assert np.nonzero(reds[1, :, 40:])[1].mean() < 15  # which is the left from behind
    assert not ((images[..., 2] > 90) & (images[..., :2].max(-1) < 60)).any()
    renderer.close()
    np.testing.assert_array_equal(renderer.draw(make_states(0.8))[0], images[1])  # opened anew
    renderer.close()
    return images


@pytest.mark.usefixtures("drawing")
def test_pictures_of_states_and_of_batches():
    images = check_pictures(None)
    batch = mujoco.batch.Batch(MODEL, 3, 1)
    batch.bind("qpos")[:, 0] = (0.0, -0.5, 0.8)
    renderer = BatchRenderer(MODEL, ["front", "back"], RenderOptions(32, 40))
    np.testing.assert_array_equal(renderer.draw_batch(batch, np.array([0, 2])), images)
    np.testing.assert_array_equal(renderer.draw_batch(batch)[[0, 2]], images)
    back = BatchRenderer(MODEL, ["back"], RenderOptions(32, 40)).draw_batch(batch, np.array([2]))
    np.testing.assert_array_equal(back[0], images[1][:, 40:])
    assert (MODEL.vis.quality.offsamples, MODEL.vis.quality.shadowsize) == (4, 4096)  # as they were


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("option", [{"geom_groups": (0, 3)}, {"multisamples": 4}, {"shadows": True}])
def test_every_option_shows(option):
    state = make_states(0.13)
    plain = BatchRenderer(MODEL, ["front"]).draw(state)
    assert not np.array_equal(BatchRenderer(MODEL, ["front"], RenderOptions(**option)).draw(state), plain)


@pytest.mark.timeout(900)  # It compiles a kernel.
def test_the_ray_tracer_draws_the_same_places():
    pytest.importorskip("mujoco_warp")
    check_pictures("warp")


@pytest.mark.usefixtures("drawing")
def test_renderers_that_are_forgotten_are_freed_and_disturb_no_other():
    kept, forgotten = BatchRenderer(MODEL, ["front"]), BatchRenderer(MODEL, ["back"])
    state = make_states(0.2)
    image = kept.draw(state)
    forgotten.draw(state)
    num_open = len(opengl._OPEN)
    del forgotten
    np.testing.assert_array_equal(kept.draw(state), image)
    if kept.backend != "warp":
        assert len(opengl._OPEN) < num_open
    kept.close()
    kept.close()


# METARL_ENVS_RENDERER, MUJOCO_GL, DISPLAY, the argument; what is tried.
CHOICES = [
    ("", "", "", None, ("egl", "osmesa", "warp")),
    ("", "", ":0", None, ("egl", "glfw", "osmesa", "warp")),
    ("auto", "", "", "auto", ("egl", "osmesa", "warp")),
    ("warp", "egl", "", None, ("warp",)),
    ("", "osmesa", "", None, ("osmesa",)),
    ("", "on", "", None, ("glfw",)),
    ("", "disabled", "", None, ("warp",)),
    ("warp", "egl", ":0", "osmesa", ("osmesa",)),
]


@pytest.mark.parametrize(("variable", "mujoco_gl", "display", "argument", "expected"), CHOICES)
def test_the_choice_of_a_backend(variable, mujoco_gl, display, argument, expected, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in ((ENVIRONMENT_VARIABLE, variable), ("MUJOCO_GL", mujoco_gl), ("DISPLAY", display)):
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    assert candidates(argument) == expected


def test_where_nothing_works_one_line_says_why_and_what_to_do(monkeypatch):
    for name in (ENVIRONMENT_VARIABLE, "MUJOCO_GL", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    monkeypatch.setattr(backends, "_OPENED", set())
    monkeypatch.setitem(__import__("sys").modules, "mujoco_warp", None)
    with pytest.raises(
        RuntimeError, match=r"libEGL is not installed; osmesa: lib.*; warp: mujoco-warp is not"
    ) as error:
        BatchRenderer(MODEL, ["front"]).draw(make_states(0.0))
    for fix in ("apt install libegl1 libgl1-mesa-dri", "pip install 'metarl-envs[warp]'"):
        assert fix in str(error.value)
    assert "\n" not in str(error.value)


def test_a_backend_that_raises_gives_way_to_the_next(monkeypatch):
    class Fake:
        def __init__(self, *args):
            self.args = args

    monkeypatch.setattr(backends, "candidates", lambda backend: ("cgl", "warp"))
    monkeypatch.setattr(backends, "RayTracer", Fake)
    monkeypatch.setattr(backends, "_OPENED", set())
    name, drawer = backends.open_drawer(MODEL, (0,), RenderOptions())
    assert (name, drawer.args[1]) == ("warp", (0,))


def test_wrong_use_is_explained(monkeypatch):
    with pytest.raises(ValueError, match="no camera 'side'; the model has front, back"):
        BatchRenderer(MODEL, ["side"])
    with pytest.raises(ValueError, match="at least one"):
        BatchRenderer(MODEL, [])
    with pytest.raises(ValueError, match="backend='vulkan'"):
        BatchRenderer(MODEL, ["front"], backend="vulkan")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "vulkan")
    with pytest.raises(ValueError, match="METARL_ENVS_RENDERER='vulkan'"):
        candidates()
    for options in ({"height": 0}, {"width": -1}, {"multisamples": -1}, {"geom_groups": (0, 6)}):
        with pytest.raises(ValueError, match=next(iter(options))):
            RenderOptions(**options)
