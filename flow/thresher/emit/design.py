"""Everything that a project is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thresher.hardware.boards import Board
from thresher.hardware.select import Layer
from thresher.ir.hardware import HwGraph
from thresher.lower import HostLayer, Lowered


@dataclass(frozen=True)
class ModelInfo:
    """What the ONNX file was.

    `name` is safe as an identifier, and `sha256` that of the file's bytes and its external data.
    `dropped` names the ONNX nodes that were left out because that was asked for.
    """

    name: str
    sha256: str
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Design:
    """A folded network, the model that it came from, and what it is built for.

    `graph` is `layers` with what joins them, `board` where `part` is to be on it, if that is known.
    `float_layers`, `accuracy` and `verification` go into the report as they are: which float layers of the
    model were quantised, what is known of its accuracy, and what holding it to the model gave; so do
    `host_layers`, the linear layers that the host computes, and `warnings` of what is probably not meant.
    """

    model: ModelInfo
    lowered: Lowered
    layers: tuple[Layer, ...]
    graph: HwGraph
    prologue: bytes | None
    epilogue: bytes | None
    clock_mhz: float
    part: str
    board: Board | None = None
    float_layers: Mapping[str, Any] = field(default_factory=dict)
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)
    host_layers: tuple[HostLayer, ...] = ()
    warnings: tuple[str, ...] = ()
