"""MuJoCo itself, which is an extra."""

import os
from typing import Any


def import_mujoco() -> Any:
    """MuJoCo, or an ImportError that says how to get it."""
    try:
        import mujoco
        import mujoco.batch
    except ImportError as error:
        raise ImportError("MuJoCo 4 is needed: pip install 'metarl-envs[mujoco]', or uv run --extra mujoco") from error
    except (AttributeError, OSError, RuntimeError) as error:  # whatever MUJOCO_GL makes it load
        chosen = os.environ.get("MUJOCO_GL")
        raise ImportError(f"MuJoCo cannot be imported with MUJOCO_GL={chosen}: no such OpenGL library") from error
    return mujoco
