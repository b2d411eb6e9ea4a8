"""A clear error where a forked process would hang.

JAX, and what draws, run threads and hold locks that a forked child does not get: whatever it then asks of them never
returns. gymnasium's `AsyncVectorEnv` forks by default on Linux.
"""

import os
import sys

_USED: set[str] = set()
_LOST: set[str] = set()


def note_use(what: str) -> None:
    """Says that this process uses `what`, so that its forked children cannot."""
    _USED.add(what)


def refuse_after_fork(what: str = "JAX") -> None:
    """Raises where this process was forked from one that used `what`.

    Raises:
      RuntimeError: it was; says how to start processes that work.
    """
    if what in _LOST:
        raise RuntimeError(
            f"this process was forked from one that uses {what}, which would hang here: start it by 'spawn', with "
            "gymnasium by make_vec(..., vectorization_mode='async', vector_kwargs={'context': 'spawn'})"
        )


def _in_parent() -> None:
    if _jax_is_running():
        _USED.add("JAX")


def _in_child() -> None:
    _LOST.update(_USED)


def _jax_is_running() -> bool:
    bridge = sys.modules.get("jax._src.xla_bridge")
    # Not public; where it has gone, JAX is taken to run as soon as it is imported.
    is_running = getattr(bridge, "backends_are_initialized", lambda: bridge is not None)
    return bool(is_running())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_in_parent, after_in_child=_in_child)
