"""ONNX's own inference of shapes, node by node, from the types of computed inputs and the constants."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

from thresher.ir.graph import Array
from thresher.ir.quant import Shape
from thresher.onnx_import.source import SourceNode

INVALID = (
    *(onnx.defs.SchemaError, onnx.checker.ValidationError, shape_inference.InferenceError),
    ValueError,
)
"""What ONNX raises for nodes that cannot be; the last for types that it does not have."""
# Only shapes, axes and the like decide on shapes; weights need not be copied.
_MOST_VALUES = 1024


def infer_shapes(
    node: SourceNode,
    opset: int,
    computed: Mapping[str, onnx.TypeProto],
    constants: Mapping[str, Array | None],
) -> dict[str, Shape]:
    """The shapes of a node's outputs; unknown ones are left out, and unknown sizes are -1.

    Raises:
        SchemaError, ValidationError, InferenceError: As `INVALID`.
    """
    schema = onnx.defs.get_schema(node.op, opset)
    known = {name: np.asarray(value) for name, value in constants.items() if value is not None}
    types = dict(computed)
    for name, value in known.items():
        types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
    data = {
        name: numpy_helper.from_array(value, name)
        for name, value in known.items()
        if value.size <= _MOST_VALUES
    }
    opsets = [helper.make_opsetid("", opset)]
    found = shape_inference.infer_node_outputs(schema, node.proto, types, data, opset_imports=opsets)
    return {
        name: tuple(d.dim_value if d.HasField("dim_value") else -1 for d in proto.tensor_type.shape.dim)
        for name, proto in found.items()
        if proto.tensor_type.HasField("shape")
    }
