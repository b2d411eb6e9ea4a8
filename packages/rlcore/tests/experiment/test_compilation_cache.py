"""The compilation cache lies where the user keeps caches, or nowhere."""

from collections.abc import Iterator
from pathlib import Path

import jax
import pytest
from rlcore.experiment import enable_compilation_cache

OPTIONS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture(autouse=True)
def no_cache() -> Iterator[None]:
    """Starts without a cache and puts the options back."""
    before = {option: getattr(jax.config, option) for option in OPTIONS}
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for option, value in before.items():
        jax.config.update(option, value)


def test_it_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    directory = tmp_path / "rlcore" / "jax"
    assert enable_compilation_cache() == directory
    assert jax.config.jax_compilation_cache_dir == str(directory)
    assert list(directory.iterdir()) == []


def test_by_default_it_is_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert enable_compilation_cache() == tmp_path / ".cache" / "rlcore" / "jax"


def test_a_choice_of_the_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "mine"))
    assert enable_compilation_cache() == tmp_path / "mine"
    assert not (tmp_path / "xdg").exists()


def test_a_place_that_cannot_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert enable_compilation_cache() is None
    assert jax.config.jax_compilation_cache_dir is None
