"""A generated project as its scripts see it: `project.json`, and where its parts lie."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError
from .files import read_json
from .streams import StreamLayout

SCHEMA = 1
ROLES = ("input", "internal", "output")
RESULT_FIFO = "u_result_fifo"
"""The instance of the FIFO at the accelerator's output."""
# Names become file names and SystemVerilog identifiers, and project.json may come from anywhere.
SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Stream:
    """One AXI4-Stream that a simulation plays, records and compares.

    `producer` is the layer that writes it, None for the accelerator's input; `consumer` the one that
    reads it, None for its output; `consumer_port` says at which port where that has several. The FIFO on
    it holds `depth` beats, and at most `occupancy` by token simulation; None where there is no FIFO, or
    nothing is stated.
    """

    name: str
    layout: StreamLayout
    role: str
    producer: str | None = None
    consumer: str | None = None
    depth: int | None = None
    occupancy: int | None = None
    consumer_port: str | None = None

    @property
    def fifo(self) -> str:
        """The instance of its FIFO in the accelerator."""
        return RESULT_FIFO if self.consumer is None else fifo_instance(self.consumer, self.consumer_port)

    @property
    def layer(self) -> str:
        """The layer to name when this stream is wrong."""
        return self.producer or "(stimulus)"


@dataclass(frozen=True)
class Layer:
    """What a simulation needs to know of one layer."""

    name: str
    kernel: str
    cycles_per_frame: int


@dataclass(frozen=True)
class Estimate:
    """What token simulation states; None where it states nothing.

    A run has the rate and fills the FIFOs as stated from `settled_frames` frames on.
    """

    cycles_per_frame: int | None
    latency_cycles: int | None
    settled_frames: int | None = None


@dataclass(frozen=True)
class Project:
    """A project folder that was read and found whole: the first stream is the input, the last the output.

    `hls_sha256` is `sources.hls_digest` of the C++ that `rtl/` was compiled from; None if not stated.
    """

    root: Path
    name: str
    top: str
    clock_mhz: float
    streams: tuple[Stream, ...]
    layers: tuple[Layer, ...]
    estimate: Estimate
    hls_sha256: str | None = None

    @property
    def vectors(self) -> Path:
        """The golden vectors that the project was generated with."""
        return self.root / "sim" / "vectors"

    @property
    def build(self) -> Path:
        """Where simulations are built and run."""
        return self.root / "build"

    @property
    def input(self) -> Stream:
        """The accelerator's input stream."""
        return self.streams[0]

    @property
    def output(self) -> Stream:
        """The accelerator's output stream."""
        return self.streams[-1]


def load_project(root: Path) -> Project:
    """Read `root`/project.json.

    Raises:
        UsageError: `root` is not a project of this schema, or its description is damaged.
    """
    path = root / "project.json"
    try:
        data = read_json(path)
    except FileNotFoundError:
        raise UsageError(
            f"project: '{root}' is not a Thresher project: it holds no project.json; "
            "name a folder that `thresher build` wrote"
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"project: '{path}' cannot be read: {error}; build the project again") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else None
        raise UsageError(
            f"project: '{path}' has schema {found!r}, and this simulator reads schema {SCHEMA}; "
            "build the project again with this version"
        )
    try:
        return _project(root, data)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"project: '{path}' is damaged: {_describe(error)}; build the project again"
        ) from error


def _project(root: Path, data: Mapping[str, object]) -> Project:
    streams = tuple(_stream(entry) for entry in _entries(data["streams"]))
    roles = [stream.role for stream in streams]
    if len(roles) < 2 or roles != ["input", *["internal"] * (len(roles) - 2), "output"]:
        raise ValueError(f"streams go from one input to one output, not {roles}")
    if len({stream.name for stream in streams}) != len(streams):
        raise ValueError("two streams have the same name")
    estimate = _mapping(data.get("estimate", {}))
    return Project(
        root=root,
        name=str(data["name"]),
        top=safe_name(data["top"]),
        clock_mhz=float(str(data["clock_mhz"])),
        streams=streams,
        layers=tuple(_layer(entry) for entry in _entries(data["layers"])),
        estimate=Estimate(
            _optional_int(estimate.get("cycles_per_frame")),
            _optional_int(estimate.get("latency_cycles")),
            _optional_int(estimate.get("settled_frames")),
        ),
        hls_sha256=_optional_str(data.get("hls_sha256")),
    )


def fifo_instance(layer: str, port: str | None) -> str:
    """The instance of the FIFO in front of a layer, at one of its ports where it has several."""
    return f"u_{layer}_fifo" if port is None else f"u_{layer}_{port}_fifo"


def safe_name(value: object) -> str:
    """`value`, which can be a file name and an identifier.

    Raises:
        ValueError: it can not.
    """
    if not isinstance(value, str) or not SAFE_NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a name of letters, digits and underscores")
    return value


def _stream(entry: Mapping[str, object]) -> Stream:
    return Stream(
        name=safe_name(entry["name"]),
        layout=StreamLayout.from_json(entry),
        role=str(entry["role"]),
        producer=_optional_str(entry.get("producer")),
        consumer=_optional_name(entry.get("consumer")),
        depth=_optional_int(entry.get("depth")),
        occupancy=_optional_int(entry.get("occupancy")),
        consumer_port=_optional_name(entry.get("consumer_port")),
    )


def _layer(entry: Mapping[str, object]) -> Layer:
    return Layer(str(entry["name"]), str(entry["kernel"]), int(str(entry["cycles_per_frame"])))


def _entries(value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(f"a list was expected, not {value!r}")
    return [_mapping(entry) for entry in value]


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"an object was expected, not {value!r}")
    return value


def _optional_int(value: object) -> int | None:
    return None if value is None else int(str(value))


def _optional_name(value: object) -> str | None:
    return None if value is None else safe_name(value)


def _optional_str(value: object) -> str | None:
    return None if value is None else str(value)


def _describe(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)
