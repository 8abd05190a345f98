"""Caches lie where they can be written, and where nobody else could have put programs into them."""

from __future__ import annotations

import errno
import os
import pwd
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from thresher_sim import caches
from thresher_sim.caches import cache_home, tool_environment
from thresher_sim.toolchain import find_clang


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files; no choice of an earlier test counts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    caches._cache_home.cache_clear()
    yield folder
    caches._cache_home.cache_clear()


def without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container: no HOME, and a user whom the system does not know."""

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_the_user_s_own_choice_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_home() == tmp_path / ".cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a" / "b"))
    assert cache_home() == tmp_path / "a" / "b"
    monkeypatch.setenv("XDG_CACHE_HOME", "a/b")
    assert cache_home() == tmp_path / ".cache"


def test_without_home_it_is_that_of_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = pwd.struct_passwd(("me", "x", 0, 0, "", str(tmp_path), ""))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: account)
    monkeypatch.setenv("HOME", "")
    assert cache_home() == tmp_path / ".cache"


@pytest.mark.parametrize("home", ["none", "missing", "a file in the way", "another user's"])
def test_where_no_home_can_be_used_it_is_a_folder_of_this_user_alone(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    without_home(monkeypatch)
    if home == "missing":
        monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    elif home != "none":
        monkeypatch.setenv("HOME", str(tmp_path))
    if home == "a file in the way":
        (tmp_path / ".cache").touch()
    if home == "another user's":
        (tmp_path / ".cache").mkdir()
        own = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)

    folder = cache_home()

    assert folder.parent == temporary
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (tmp_path / "missing").exists()
    if home != "another user's":
        caches._cache_home.cache_clear()
        assert cache_home() == folder, "a later process takes it again"


def test_a_folder_that_someone_prepared_is_not_taken(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_home(monkeypatch)
    (tmp_path / "private").mkdir(mode=0o700)
    (temporary / "thresher-cache-0").mkdir(mode=0o777)
    (temporary / "thresher-cache-1").symlink_to(tmp_path / "private")
    (temporary / "thresher-cache-2").touch(mode=0o700)
    prepared = set(temporary.iterdir())

    folder = cache_home()

    assert folder.parent == temporary and folder not in prepared


def test_a_full_cache_is_not_taken(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    plain = tempfile.TemporaryFile

    def full(*, dir: Path) -> IO[bytes]:
        if dir.parent == tmp_path:
            raise OSError(errno.ENOSPC, "No space left on device")
        return plain(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert cache_home().parent == temporary


def test_zig_has_a_cache_without_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_home(monkeypatch)
    monkeypatch.setenv("PATH", "")
    source = tmp_path / "a.cpp"
    source.write_text("int main() { return 0; }\n")
    command = [*find_clang(), "-c", str(source), "-o", str(tmp_path / "a.o")]

    alone = subprocess.run(command, capture_output=True, text=True, check=False)
    assert alone.returncode != 0 and "unable to resolve zig cache directory" in alone.stderr
    subprocess.run(command, check=True, env=tool_environment())


def test_a_script_can_ask(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "thresher_sim.caches"]
    asked = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert asked.stdout == f"{tmp_path}/.cache\n"
