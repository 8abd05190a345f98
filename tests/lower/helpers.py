"""Running a model through import, lowering and the host, for comparison with QONNX's executor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import onnx

from thresher.ir.graph import Array, interpret
from thresher.lower import Lowered, lower
from thresher.onnx_import import Imported, import_model, parse_model
from thresher.onnx_import.host import HostModel, make_epilogue, make_prologue


@dataclass(frozen=True)
class Compiled:
    """A model, imported and lowered."""

    imported: Imported
    lowered: Lowered

    def trace(self, frames: Array) -> dict[str, Array]:
        """Every integer tensor, for frames of the model's input (integers, if the hardware takes it)."""
        entry = self.lowered.input
        if self.lowered.prologue is not None:
            frames = HostModel(make_prologue(self.imported, self.lowered.prologue)).run(frames)
        return interpret(self.lowered.graph, {entry.tensor: entry.to_stream(frames)})

    def predict(self, frames: Array) -> Array:
        """The model's output."""
        end = self.lowered.output
        integers = end.from_stream(self.trace(frames)[end.tensor])
        if self.lowered.epilogue is None:
            return integers
        return HostModel(
            make_epilogue(self.imported, self.lowered.epilogue, end.scale, end.zero, end.offset)
        ).run(integers)


def import_proto(proto: onnx.ModelProto, keep_going: bool = False) -> Imported:
    return import_model(parse_model(proto.SerializeToString(), "test.onnx"), keep_going)


def compile_proto(proto: onnx.ModelProto, **options: Any) -> Compiled:
    imported = import_proto(proto)
    return Compiled(imported, lower(imported.graph, **options))
