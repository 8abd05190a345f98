"""A compiler launcher that compiles Verilator's own run-time once for all models of a user.

Verilator's makefiles put `$OBJCACHE` before each call of the compiler. Most of the time of a small model's
build goes into files that are the same for every model (`verilated*.cpp`); their objects are kept in
the user's cache folder. Everything else is compiled as it stands. Removing the folder is always safe.

It is run as a file, apart from its package.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path


def launcher() -> str:
    """The value for `OBJCACHE`."""
    return shlex.join([sys.executable, str(Path(__file__).resolve())])


def cache_folder() -> Path:
    """Where objects are kept: `thresher/objects` in XDG_CACHE_HOME, which `caches.tool_environment` sets."""
    return Path(os.environ["XDG_CACHE_HOME"]) / "thresher" / "objects"


def compile_once(command: Sequence[str]) -> int:
    """Run a compiler's command, or give its object from the cache; the exit status."""
    source, target = _source_and_target(command)
    if source is None or target is None:
        return subprocess.run(command, check=False).returncode
    kept = cache_folder() / f"{source.stem}-{_fingerprint(command, source)}.o"
    if kept.is_file():
        shutil.copyfile(kept, target)
        return 0
    status = subprocess.run(command, check=False).returncode
    if status == 0:
        _keep(target, kept)
    return status


def _source_and_target(command: Sequence[str]) -> tuple[Path | None, Path | None]:
    """The run-time's source and its object, if that is what `command` compiles."""
    sources = [Path(word) for word in command if word.endswith(".cpp")]
    if len(sources) != 1 or not sources[0].name.startswith("verilated") or "-o" not in command[:-1]:
        return None, None
    return sources[0], Path(command[command.index("-o") + 1])


def _fingerprint(command: Sequence[str], source: Path) -> str:
    """A hash of the command, the compiler, and all sources that the object can depend on."""
    compiler = Path(shutil.which(command[0]) or command[0]).resolve()
    status = compiler.stat()
    digest = hashlib.sha256(f"{compiler} {status.st_size} {status.st_mtime_ns}".encode())
    digest.update("\0".join(command).encode())
    for path in (source, *sorted(source.parent.rglob("*.h"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _keep(target: Path, kept: Path) -> None:
    """Copy an object into the cache; where that cannot be written, do without."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as beside:
            beside.write(target.read_bytes())
        Path(beside.name).replace(kept)
    except OSError as error:
        print(f"objcache: {kept}: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(compile_once(sys.argv[1:]))
