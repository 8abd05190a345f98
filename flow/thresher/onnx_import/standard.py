"""The whole model in standard operators, so that plain onnxruntime computes what QONNX specifies."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from thresher.ir.custom import Custom
from thresher.ir.graph import Array, interpret
from thresher.ir.quant import HostOnly
from thresher.ir.quant_joins import Pick
from thresher.onnx_import.host import HostModel
from thresher.onnx_import.importer import Imported
from thresher.onnx_import.writer import Writer

_CHUNK = 64


def run_model(imported: Imported, frames: Array) -> Array:
    """Compute the output of the model for `frames` `[N, ...]` of its input, as onnxruntime does in float32.

    Operators that onnxruntime does not have are computed by this package's interpreter, and then all are.

    Raises:
        RuntimeRefusalError: onnxruntime refuses the model.
    """
    return Runner(imported).run(frames)


class Runner:
    """An imported model, ready to compute frames; `engine` says what computes them.

    Raises:
        RuntimeRefusalError: onnxruntime refuses the model.
    """

    def __init__(self, imported: Imported) -> None:
        self._imported = imported
        special = any(isinstance(node, Custom) for node in imported.graph.nodes)
        self._model = None if special else HostModel(make_standard(imported))
        self.engine = "interpreter" if special else "onnxruntime"

    def run(self, frames: Array) -> Array:
        """Compute frames `[N, ...]`.

        Raises:
            RuntimeRefusalError: onnxruntime refuses a frame.
        """
        if self._model is not None:
            return self._model.run(frames)
        graph, typed = self._imported.graph, frames.astype(np.float32, copy=False)
        chunks = (typed[first : first + _CHUNK] for first in range(0, len(typed), _CHUNK))
        return np.concatenate(
            [interpret(graph, {graph.inputs[0]: chunk})[graph.outputs[0]] for chunk in chunks]
        )


def make_standard(imported: Imported) -> bytes:
    """Write the whole model with QONNX's quantisers in standard operators, and weights as what they mean.

    It takes any number of frames at once where all operators are known not to mix them. Nodes of custom
    domains have no standard form.
    """
    graph = imported.graph
    # What picks elements may do so by constants that name the batch.
    alone = any(isinstance(node, HostOnly | Pick) for node in graph.nodes)
    writer = Writer(imported, batched=not alone)
    for node in graph.nodes:
        writer.add(node)
    entry, output = graph.inputs[0], graph.outputs[0]
    return writer.model(
        writer.value(entry, TensorProto.FLOAT, graph.shapes[entry]),
        writer.value(output, imported.output_type, graph.shapes.get(output)),
    )
