"""JAX's persistent compilation cache, so that the second start of a program does not compile again."""

import os
import tempfile
from pathlib import Path

import jax


def enable_compilation_cache() -> Path | None:
    """Keeps compiled programs in the user's cache directory, `$XDG_CACHE_HOME` or `~/.cache`.

    A cache that the user has configured already stays as it is, and a directory that cannot be written leaves JAX
    without one. Returns the directory in use, or None.
    """
    configured = jax.config.jax_compilation_cache_dir  # pyrefly: ignore[missing-attribute]
    if configured:
        return Path(configured)
    try:
        directory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rlcore" / "jax"
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except (OSError, RuntimeError):
        return None
    jax.config.update("jax_compilation_cache_dir", str(directory))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    return directory
