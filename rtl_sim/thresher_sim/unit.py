"""A unit's own project as its bench sees it: `unit.json`, and where its parts lie."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import UsageError
from .files import read_json
from .project import safe_name
from .signals import DATA, SIDEBAND, Field, Signals, fields, wires

SCHEMA = 1
MARKER = "unit.json"


@dataclass(frozen=True)
class UnitStream:
    """An AXI4-Stream of a unit, `width` bits a beat; `signals` are those besides the data."""

    name: str
    width: int
    signals: Signals = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """All its signals, the data first."""
        return fields(self.width, self.signals)

    @property
    def wires(self) -> str:
        """A beat in SystemVerilog."""
        return wires(self.name, self.width, self.signals)

    @property
    def bytes_per_beat(self) -> int:
        """Bytes that hold one beat, padded up with zero bits."""
        return -(-self.width // 8)

    @property
    def mask(self) -> int:
        """The largest beat."""
        return (1 << self.width) - 1

    def hex(self, beat: int) -> str:
        """A beat in hexadecimal, as many digits as the width needs; by its signals, where it has more."""
        if not self.signals:
            return _hex(beat, self.width)
        return " ".join(f"{field.name}={_hex(field.of(beat), field.width)}" for field in self.fields)


@dataclass(frozen=True)
class UnitProject:
    """The folder that `thresher hlsc` wrote.

    Attributes:
        root: the folder.
        module: the name of the SystemVerilog module, and of its file in `rtl/`.
        stages: of its pipeline.
        inputs: the streams that it reads.
        outputs: the streams that it writes.
        asked: the outputs of which a step asks whether they are full.
        kept: the memories that it writes and whose first words no reset brings back.
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
    asked: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def hls(self) -> Path:
        """The unit's C++."""
        return self.root / "hls"

    def places(self, output: UnitStream) -> int:
        """The most beats that wait at an output to be taken: see `rtl/output_queue.sv`."""
        return self.stages + 1 if output.name in self.asked and self.stages > 1 else 1

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
        data = read_json(path)
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
        asked=tuple(map(safe_name, _names(data.get("asked", [])))),
        kept=tuple(map(safe_name, _names(data.get("kept", [])))),
    )


def _streams(value: object) -> tuple[UnitStream, ...]:
    if not isinstance(value, Mapping):
        raise TypeError(f"an object was expected, not {value!r}")
    streams = tuple(_stream(safe_name(name), bits) for name, bits in value.items())
    for stream in streams:
        if stream.width < 1:
            raise ValueError(f"stream '{stream.name}' has {stream.width} bits")
    return streams


def _stream(name: str, bits: object) -> UnitStream:
    """A stream by its bits, or by those of each of its signals."""
    if not isinstance(bits, Mapping):
        return UnitStream(name, int(str(bits)))
    signals = tuple((str(signal), int(width)) for signal, width in bits.items() if signal != DATA)
    for signal, width in signals:
        if signal not in SIDEBAND or width < 1:
            raise ValueError(f"stream '{name}' has {width} bits of '{signal}'")
    return UnitStream(name, int(bits[DATA]) + sum(width for _, width in signals), signals)


def _hex(value: int, width: int) -> str:
    return f"0x{value:0{-(-width // 4)}x}"


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
