"""Write a project beside the one that it replaces, and exchange the two in one step.

The new project is made in the folder `.NAME.thresher-build` beside the project NAME:

    lock      held while a build runs
    project   the new project; after the exchange the old one, until it is removed
    old       the old project, where the system has no exchange and renames one after the other

So there is the old project or the new one under its name at every moment, whole, where the system has the
exchange. Where it has not, and a build is killed between two renames, the old project goes back to its place
with the next build or `load`. What a killed build left is removed by the next.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from thresher.emit.exchange import exchange
from thresher.emit.manifest import write_manifest
from thresher.emit.own_files import keep_own_files, kept_files
from thresher.emit.target import MARKER, check_target
from thresher.errors import UsageError

_LOCK, _PROJECT, _OLD = "lock", "project", "old"
# What a file system says of a full disk, a used-up quota, a limit on sizes, and of its own troubles.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
# Of locks, which not every file system has; builds at the same time are then not told apart.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL}


@contextlib.contextmanager
def replacing(
    target: Path, marker: str = MARKER, command: str = "build", force: bool = False
) -> Iterator[Path]:
    """Give a new folder to fill, which takes the place of `target` when the block ends well.

    The user's own files in `target` stay; `target` is left as it was where the block raises. Where it is a
    link, what it names is replaced.

    Raises:
        UsageError: As `check_target` and `keep_own_files`; another build writes `target`; the disk is full,
            or the folder cannot be written or replaced.
    """
    check_target(target, marker, command, force)
    place = target.resolve()
    with _staging(target, place, command) as staging:
        new = staging / _PROJECT
        new.mkdir()
        with _naming_the_disk(target, command):
            yield new
            write_manifest(new, kept_files(target, new))
            check_target(target, marker, command, force)
            keep_own_files(target, new, command, force)
            if place.exists():
                shutil.copymode(place, new)
        _replace(place, staging, command)


def restore(target: Path) -> None:
    """Put the project back to `target` that a build, killed between two renames, left without its name."""
    try:
        place = target.resolve()
    except (OSError, RuntimeError):  # A link that leads back to itself is no project.
        return
    staging = _staging_place(place)
    if not place.exists() and (staging / _OLD).is_dir():
        with contextlib.suppress(OSError), _locked(staging):
            _restore(place, staging)


def _staging_place(place: Path) -> Path:
    return place.with_name(f".{place.name}.thresher-build")


@contextlib.contextmanager
def _staging(target: Path, place: Path, command: str) -> Iterator[Path]:
    """A folder beside `place`, locked, that holds nothing besides the lock; removed at the end."""
    staging = _staging_place(place)
    with contextlib.ExitStack() as stack:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            _check_ours(staging, command)
            stack.enter_context(_locked(staging))
            _restore(place, staging)
            _clear(staging)
        except BlockingIOError:
            raise UsageError(
                f"{command}: another build is writing '{target}'; wait for it, or give another folder with -o"
            ) from None
        except OSError as error:
            raise UsageError(
                f"{command}: folder '{target}' cannot be written ({error.strerror}); give another folder "
                "with -o"
            ) from None
        try:
            yield staging
        finally:
            # The lock goes last, or the next build would find what is still being removed.
            with contextlib.suppress(OSError):
                _clear(staging)
            shutil.rmtree(staging, ignore_errors=True)


def _check_ours(staging: Path, command: str) -> None:
    """Make the folder, or find it as a killed build left it.

    Raises:
        UsageError: It is none of ours.
    """
    with contextlib.suppress(FileExistsError):
        staging.mkdir(mode=0o700)
    is_ours = not staging.is_symlink() and staging.is_dir() and staging.stat().st_uid == os.geteuid()
    if not is_ours or not {path.name for path in staging.iterdir()} <= {_LOCK, _PROJECT, _OLD}:
        raise UsageError(
            f"{command}: '{staging}' is not what a build of yours left behind, and a build needs its name; "
            "move it, or give another folder with -o"
        )


@contextlib.contextmanager
def _locked(staging: Path) -> Iterator[None]:
    """Hold the lock of a folder.

    Raises:
        BlockingIOError: Another process holds it, or has just removed the folder.
        OSError: It cannot be locked.
    """
    try:
        lock = (staging / _LOCK).open("w")
    except FileNotFoundError:
        raise BlockingIOError from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        if not _is_at(lock.fileno(), staging / _LOCK):
            raise BlockingIOError
        yield


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still has its name: the build that held a lock removes it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _restore(place: Path, staging: Path) -> None:
    if not place.exists() and (staging / _OLD).is_dir():
        (staging / _OLD).rename(place)


def _clear(staging: Path) -> None:
    """Remove all but the lock."""
    for path in staging.iterdir():
        if path.name != _LOCK:
            # The user may have closed folders to writing.
            path.chmod(0o700)
            for home, names, _ in os.walk(path):
                for folder in (Path(home, name) for name in names):
                    if not folder.is_symlink():
                        folder.chmod(0o700)
            shutil.rmtree(path)


def _replace(place: Path, staging: Path, command: str = "build") -> None:
    """Give the new project its place."""
    new, old = staging / _PROJECT, staging / _OLD
    try:
        if not place.exists() or not exchange(new, place):
            with contextlib.suppress(FileNotFoundError):
                place.rename(old)
            new.rename(place)
    except OSError as error:
        _restore(place, staging)
        raise UsageError(
            f"{command}: folder '{place}' cannot be replaced ({error.strerror}); give another folder with -o"
        ) from None


@contextlib.contextmanager
def _naming_the_disk(target: Path, command: str) -> Iterator[None]:
    """Say of a full disk and its like that the project cannot be written; let other errors pass."""
    try:
        yield
    except OSError as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise UsageError(
            f"{command}: project '{target}' cannot be written ({reason}); free space there and in "
            f"'{tempfile.gettempdir()}', or give another folder with -o"
        ) from None


def _reason(error: OSError) -> str | None:
    """What is wrong with the disk, where that is why a file could not be written."""
    # shutil keeps the errors of all files as text, numpy counts what it wrote.
    within = re.search(r"\[Errno (\d+)\]", str(error)) if isinstance(error, shutil.Error) else None
    number = int(within[1]) if within else error.errno
    if number is None and "written" in str(error):
        return str(error)
    return os.strerror(number) if number in _DISK else None
