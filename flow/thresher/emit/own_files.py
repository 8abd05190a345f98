"""The user's own files in a project, which stay where the project is built again."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path, PurePosixPath

from thresher.emit.manifest import MANIFEST, read_contents, read_manifest, read_old_contents
from thresher.emit.target import show_names
from thresher.errors import UsageError


def keep_own_files(
    target: Path, new: Path, command: str = "build", force: bool = False, below: str = ""
) -> None:
    """Give what is the user's in the project `target`, all or `below` a folder, a place in `new` too.

    Files are linked, so that they lie in both, each whole, whatever becomes of one of the folders; where
    that cannot be, they are copied. With `force` what has a new file of Thresher's in its place is left out.

    Raises:
        UsageError: Something is in its place, and `force` is not given.
        OSError: A file can be neither linked nor copied.
    """
    if not target.is_dir():
        return
    own = [path for path in _own(target, new) if path.is_relative_to(below)]
    taken = [path for path in own if _is_taken(target, new, path)]
    if taken and not force:
        raise UsageError(
            f"{command}: files of yours in project '{target}' are where new ones of Thresher's must go: "
            f"{show_names(taken)}; move them, or give --force to replace them"
        )
    made: dict[Path, Path] = {}
    for path in own:
        if path not in taken and not os.path.lexists(new / path):
            made |= _make_folders(target, new, path)
            _link(target / path, new / path)
    # At last, as it may be that nothing can be put into them then.
    for folder, old in made.items():
        shutil.copystat(old, folder)


def kept_files(target: Path, new: Path) -> frozenset[PurePosixPath]:
    """What `keep_own_files` has put into `new` so far, of a file system without links too."""
    if not target.is_dir():
        return frozenset()
    return frozenset(path for path in _own(target, new) if _is_kept(target / path, new / path))


def _is_kept(old: Path, place: Path) -> bool:
    if not os.path.lexists(place):
        return False
    one, other = old.lstat(), place.lstat()
    # A copy has the time of what it was copied from, and what Thresher has just written has its own.
    return os.path.samestat(one, other) or (
        (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns) and _is_same(old, place)
    )


def _own(target: Path, new: Path) -> tuple[PurePosixPath, ...]:
    manifest = read_manifest(target)
    if manifest is not None:
        return read_contents(target, manifest).own
    names = {path.name for path in new.iterdir()} | {MANIFEST}
    return read_old_contents(target, names).own


def _is_taken(target: Path, new: Path, path: PurePosixPath) -> bool:
    """Whether a user's file cannot go to its place in `new`; a folder can where there is one."""
    for folder in path.parents:
        if os.path.lexists(new / folder) and not _is_folder(new / folder):
            return True
    place, old = new / path, target / path
    if not os.path.lexists(place) or (_is_folder(place) and _is_folder(old)):
        return False
    return not _is_same(old, place)


def _is_same(old: Path, place: Path) -> bool:
    if os.path.samestat(place.lstat(), old.lstat()):
        return True
    if old.is_symlink() or place.is_symlink():
        return old.is_symlink() and place.is_symlink() and old.readlink() == place.readlink()
    return old.is_file() and place.is_file() and filecmp.cmp(old, place, shallow=False)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _make_folders(target: Path, new: Path, path: PurePosixPath) -> dict[Path, Path]:
    """Make the folders that `path` lies in; each that was not there, with the one it is as."""
    missing = [folder for folder in reversed(path.parents) if not (new / folder).exists()]
    for folder in missing:
        (new / folder).mkdir()
    return {new / folder: target / folder for folder in missing}


def _link(old: Path, place: Path) -> None:
    if _is_folder(old):
        place.mkdir()
        shutil.copystat(old, place)
        return
    try:
        os.link(old, place, follow_symlinks=False)
    except OSError:  # a file system without links, or a file of another user's
        shutil.copy2(old, place, follow_symlinks=False)
