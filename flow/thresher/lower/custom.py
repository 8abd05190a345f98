"""Lowering the operators of custom domains, which say themselves what their integers mean."""

from __future__ import annotations

import numpy as np

from thresher.errors import NodeError
from thresher.ir.custom import Custom, Integers
from thresher.ir.integer import IntCustom
from thresher.ir.quant import Shape
from thresher.lower.forms import Pending, integer, rescaling, stream_order


def lower_custom(node: Custom, form: Pending, shape: Shape, name: str) -> tuple[IntCustom, Pending]:
    """The integer operator `name` for `node`, and its output, which has `shape` in the model.

    Raises:
        NodeError: What it reads are not integers of one meaning in the model's own order, or the
            operator refuses them.
    """
    factor, form = rescaling(form, node), form.whole()
    if (form.scale != form.scale[0]).any() or (form.zero != form.zero[0]).any():
        reason = "its input has scales or zero points per channel, and it takes one for the whole tensor"
        raise NodeError("lower", node.name, reason, "use one scale per tensor in the quantiser before it")
    index = form.final_index()
    if not np.array_equal(index.reshape(-1), np.arange(index.size)):
        reason = "its input is transposed, and a stream keeps the order in which it began"
        raise NodeError("lower", node.name, reason, "transpose behind it, or ahead of the first quantiser")
    source = Integers(form.element, float(form.scale[0]) * factor, int(form.zero[0]))
    given = node.output_of(index.shape, source)
    order = stream_order(shape[1:])
    scale, zero = np.full(order.shape, given.scale), np.full(order.shape, given.zero, np.int64)
    result = integer(f"{name}_out", node.output, given.element, scale, zero, order)
    made = IntCustom(
        name=name,
        input=form.tensor,
        output=result.tensor,
        input_type=form.type,
        output_type=result.type,
        onnx_nodes=(*form.onnx_nodes, *node.onnx_nodes),
        operator=node.operator,
        shape=index.shape,
    )
    return made, result
