"""A unit's own project as its bench sees it: `unit.json`, and where its parts lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import UsageError
from .project import safe_name

SCHEMA = 1
MARKER = "unit.json"


@dataclass(frozen=True)
class UnitStream:
    """An AXI4-Stream of a unit, `width` bits a beat."""

    name: str
    width: int

    @property
    def bytes_per_beat(self) -> int:
        """Bytes that hold one beat, padded up with zero bits."""
        return -(-self.width // 8)

    @property
    def mask(self) -> int:
        """The largest beat."""
        return (1 << self.width) - 1

    def hex(self, beat: int) -> str:
        """A beat in hexadecimal, as many digits as the width needs."""
        return f"0x{beat:0{-(-self.width // 4)}x}"


@dataclass(frozen=True)
class UnitProject:
    """The folder that `thresher hlsc` wrote.

    Attributes:
        root: the folder.
        module: the name of the SystemVerilog module, and of its file in `rtl/`.
        stages: of its pipeline.
        inputs: the streams that it reads.
        outputs: the streams that it writes.
        include_dirs: folders for `#include`, besides `hls/`.
        hls_sha256: `headers_digest` of the C++ that the module was compiled from.
    """

    root: Path
    module: str
    stages: int
    inputs: tuple[UnitStream, ...]
    outputs: tuple[UnitStream, ...]
    include_dirs: tuple[Path, ...]
    hls_sha256: str

    @property
    def hls(self) -> Path:
        """The unit's C++."""
        return self.root / "hls"

    @property
    def stimulus(self) -> Path:
        """The user's own beats."""
        return self.root / "stimulus"

    @property
    def build(self) -> Path:
        """Where simulations are built and run."""
        return self.root / "build"


def load_unit(root: Path) -> UnitProject:
    """Read `root`/unit.json.

    Raises:
        UsageError: `root` is not a unit's project of this schema, its description is damaged, or its
            C++ has changed since it was compiled.
    """
    path = root / MARKER
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"it has schema {data['schema']}, and this bench reads schema {SCHEMA}")
        unit = _unit(root, data)
    except FileNotFoundError:
        raise UsageError(
            f"unit: '{root}' is not a unit's project: it holds no {MARKER}; "
            "name a folder that `thresher hlsc` wrote"
        ) from None
    except (OSError, KeyError, TypeError, ValueError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"unit: '{path}' is damaged: {what}; run `thresher hlsc` again") from error
    if headers_digest(unit.hls) != unit.hls_sha256:
        raise UsageError(
            f"unit: '{unit.hls}' has changed since rtl/{unit.module}.sv was compiled from it; "
            "change the original and run `thresher hlsc` again"
        )
    return unit


def headers_digest(hls: Path) -> str:
    """SHA-256 over the names and contents of all files below `hls`."""
    digest = hashlib.sha256()
    for path in sorted(path for path in hls.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(hls).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _unit(root: Path, data: Mapping[str, object]) -> UnitProject:
    return UnitProject(
        root=root,
        module=safe_name(data["module"]),
        stages=int(str(data["stages"])),
        inputs=_streams(data["inputs"]),
        outputs=_streams(data["outputs"]),
        include_dirs=tuple(root / _inside(name) for name in _names(data["include_dirs"])),
        hls_sha256=str(data["hls_sha256"]),
    )


def _streams(value: object) -> tuple[UnitStream, ...]:
    if not isinstance(value, Mapping):
        raise TypeError(f"an object was expected, not {value!r}")
    streams = tuple(UnitStream(safe_name(name), int(width)) for name, width in value.items())
    for stream in streams:
        if stream.width < 1:
            raise ValueError(f"stream '{stream.name}' has {stream.width} bits")
    return streams


def _names(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError(f"a list of names was expected, not {value!r}")
    return value


def _inside(name: str) -> str:
    """`name`, a path that stays within the project."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"the path '{name}' leads out of the project")
    return name
