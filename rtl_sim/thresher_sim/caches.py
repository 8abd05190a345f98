"""Where Thresher and the programs that it calls keep what they make once for all projects.

zig, YoWASP, ccache and matplotlib keep a cache below XDG_CACHE_HOME or HOME, and some of them give up where
neither can be written: in containers and services HOME is often unset, read-only, or another user's.
"""

from __future__ import annotations

import functools
import os
import pwd
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

_OWN_PREFIX = "thresher-cache-"
# Enough for a full disk or a used-up quota to be noticed.
_TRIAL_BYTES = 1 << 16
# Threads that ask at the same time are to get one folder.
_ONE_AT_A_TIME = threading.Lock()


def cache_home() -> Path:
    """The folder for caches: the first of these that can be written.

    1. XDG_CACHE_HOME, where it is an absolute path.
    2. `.cache` in the user's home, where the home is there and `.cache` is this user's.
    3. A folder of this user's alone among the temporary files. Nobody else can prepare it: its name is drawn
       at random, and a later process takes it again only with this owner and the mode 0700.

    Raises:
        OSError: There is not even a folder for temporary files.
    """
    with _ONE_AT_A_TIME:
        return _cache_home(os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", ""))


def thresher_cache() -> Path:
    """The folder of Thresher's own in it, which may not be there yet."""
    return cache_home() / "thresher"


def is_own(folder: Path) -> bool:
    """Whether `cache_home` gave a folder among the temporary files, since the user has none."""
    return folder.name.startswith(_OWN_PREFIX)


def tool_environment() -> dict[str, str]:
    """The environment for programs that keep a cache: this process's, with XDG_CACHE_HOME as `cache_home`."""
    return {**os.environ, "XDG_CACHE_HOME": str(cache_home())}


@functools.cache
def _cache_home(xdg: str, home: str) -> Path:
    return next(filter(_can_be_written, _users_folders(xdg, home)), None) or _own_folder()


def _users_folders(xdg: str, home: str) -> Iterator[Path]:
    if Path(xdg).is_absolute():
        yield Path(xdg)
    place = Path(home or _home_of_account())
    if not place.is_absolute() or not os.access(place, os.X_OK):
        return
    cache = place / ".cache"
    # Programs are kept in it, so it has to be ours: after `sudo -E` it is another user's.
    if (cache if cache.exists() else place).stat().st_uid == os.geteuid():
        yield cache


def _home_of_account() -> str:
    """The home that the system knows; empty for a user without an account, as containers have them."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(_TRIAL_BYTES))
    except OSError:
        return False
    return True


def _own_folder() -> Path:
    place = Path(tempfile.gettempdir())
    for folder in sorted(place.glob(f"{_OWN_PREFIX}*")):
        if _is_private(folder) and _can_be_written(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix=_OWN_PREFIX, dir=place))


def _is_private(folder: Path) -> bool:
    """Whether it is a folder, and no link, that only this user can enter."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    is_ours = status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == stat.S_IRWXU
    return is_ours and stat.S_ISDIR(status.st_mode)


if __name__ == "__main__":
    print(cache_home())
