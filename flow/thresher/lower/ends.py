"""The ends of the integer network: where it leaves the hardware, and what the integers mean there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thresher.errors import NodeError, UnsupportedModelError, UsageError
from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, TensorType
from thresher.ir.quant import Arithmetic, InputScaled, QuantGraph
from thresher.lower.forms import Chosen, OnHost, Pending
from thresher.lower.lowered import Endpoint
from thresher.lower.lowering import Lowering
from thresher_sim.streams import IntType

_ONE_WAY = "let all that it reads pass through quantised layers"


def finish(lowering: Lowering, argmax: bool) -> Endpoint:
    """Decide what leaves the hardware, adding an IntArgMax where `argmax` asks for it.

    Raises:
        UnsupportedModelError: Nothing was lowered, the rest needs more than one tensor, or the class
            index cannot be found on integers.
    """
    graph = lowering.graph
    if lowering.entry is None or not lowering.nodes:
        raise _nothing(graph)
    form = lowering.forms[graph.outputs[0]]
    if argmax and not isinstance(form, Chosen):
        form = lowering.forms[graph.outputs[0]] = _choose(lowering, form)
        return _class_index(graph, form, (1,))
    if isinstance(form, Chosen):
        return _class_index(graph, form, graph.shapes[graph.outputs[0]])
    last = _last(lowering)
    if last.tensor == lowering.entry.tensor:
        raise _nothing(graph)
    _check_width(lowering, last)
    return endpoint(last)


def _nothing(graph: QuantGraph) -> UnsupportedModelError:
    scaled = [node for node in graph.nodes if isinstance(node, InputScaled)]
    if scaled:
        reason = f"{scaled[-1].reason}, so nothing is left for hardware"
        return NodeError("lower", scaled[-1].name, reason, scaled[-1].remedy)
    return UnsupportedModelError(
        "lower: the model: no quantised layer follows a quantiser of its input, so there is nothing to "
        "build; quantise activations and weights, as Brevitas' QuantIdentity and QuantLinear do"
    )


def _check_width(lowering: Lowering, last: Pending) -> None:
    """Raises `NodeError` where the host, which takes int32, could not read the integers that leave."""
    if last.element.lo < -(1 << 31) or last.element.hi >= 1 << 31:
        writer = next(node for node in lowering.graph.nodes if last.onnx_tensor in node.outputs)
        reason = f"its integers have {last.element.bits} bits, and leave for a host that takes 32"
        remedy = "quantise what it reads to fewer bits, or what it gives"
        raise NodeError("lower", writer.name, reason, remedy)


def needed(nodes: Sequence[IntNode], tensor: str) -> tuple[IntNode, ...]:
    """The nodes that `tensor` depends on, in order."""
    wanted, kept = {tensor}, []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def endpoint(pending: Pending) -> Endpoint:
    """What the integers of `pending` mean in the model, before any step behind its ONNX tensor.

    A scale or offset that float32 does not hold is infinite, as what the model has there is.
    """
    channel = pending.index % pending.channels
    factor, zero = unfinished(pending), pending.zero[channel]
    with np.errstate(over="ignore"):
        scale = (pending.scale[channel] * factor).astype(np.float32)
        wide = np.zeros(()) if pending.offset is None else pending.offset[channel] * factor
        offset = wide.astype(np.float32)
    natural = np.array_equal(pending.index.reshape(-1), np.arange(pending.size))
    return Endpoint(
        tensor=pending.tensor,
        type=pending.type,
        onnx_tensor=pending.onnx_tensor,
        onnx_shape=(1, *pending.index.shape),
        scale=_shared(scale),
        zero=_shared(zero),
        offset=_shared(offset),
        order=None if natural else pending.index.reshape(-1),
    )


def unfinished(pending: Pending) -> float:
    """What the sums of an average are yet to be multiplied by to be the ONNX tensor, else 1."""
    if not pending.steps or pending.steps[0].output != pending.onnx_tensor:
        return 1.0
    division = pending.steps[0]
    assert isinstance(division, Arithmetic) and division.rescale is not None
    return division.rescale


def _choose(lowering: Lowering, form: Pending | OnHost) -> Chosen:
    reason = "the largest of its outputs cannot be told from the integers before them"
    if isinstance(form, OnHost):
        cause = form.cause
        why = f": node '{cause.name}' is computed on the host" if cause is not None else ""
        raise UnsupportedModelError(f"lower: the class index: {reason}{why}; build without argmax")
    chosen = lowering.choose(form, None)
    if chosen is None:
        why = f": from '{form.onnx_tensor}' on, they are not one rising function for all classes"
        raise UnsupportedModelError(f"lower: the class index: {reason}{why}; build without argmax")
    return chosen


def _class_index(graph: QuantGraph, form: Chosen, shape: tuple[int, ...]) -> Endpoint:
    return Endpoint(
        tensor=form.tensor,
        type=TensorType(form.element, vectors=1, channels=1),
        onnx_tensor=graph.outputs[0],
        onnx_shape=shape,
        scale=np.ones((), np.float32),
        zero=np.zeros((), np.int64),
        offset=np.zeros((), np.float32),
    )


def _shared(values: Array) -> Array:
    """One value where all are equal."""
    first: Array = values.reshape(-1)[:1]
    return first.reshape(()) if (values == first).all() else values


def _last(lowering: Lowering) -> Pending:
    """The integers that leave the hardware: the only ones that the rest of the model reads.

    Raises:
        NodeError: It reads others as well, or the model's input.
    """
    graph = lowering.graph
    writers = {tensor: node for node in graph.nodes for tensor in node.outputs}
    places = {tensor: place for place, tensor in enumerate(writers)}
    found: dict[str, Pending] = {}
    wanted, seen = [graph.outputs[0]], {graph.outputs[0]}
    while wanted:
        tensor = wanted.pop()
        form = lowering.forms[tensor]
        if isinstance(form, Pending):
            other = found.setdefault(form.tensor, form)
            # Of several tensors that are the same integers the others come of the first.
            found[form.tensor] = min(other, form, key=lambda each: places.get(each.onnx_tensor, -1))
            continue
        node = writers[tensor]
        if isinstance(form, OnHost) and not form.after_hardware:
            reason = "the rest of the model reads what the host computes ahead of the hardware as well"
            raise NodeError("lower", node.name, reason, _ONE_WAY)
        if len(found) > 1 or graph.inputs[0] in node.inputs:
            reason = "it reads the model's input past the hardware"
            raise NodeError("lower", node.name, reason, _ONE_WAY)
        wanted += [name for name in node.inputs if name not in seen]
        seen.update(node.inputs)
    if len(found) > 1:
        names = " and ".join(f"'{form.onnx_tensor}'" for form in found.values())
        reason = f"the host would need several tensors of the hardware, {names}"
        raise NodeError("lower", writers[graph.outputs[0]].name, reason, "join them by quantised layers")
    (last,) = found.values()
    return last


def check_scale(input_type: IntType | None, input_scale: float | None) -> float:
    """The scale of the hardware's own input, 1 where none is given.

    Raises:
        UsageError: It is not a positive number, or comes without `input_type`.
    """
    if input_scale is None:
        return 1.0
    if input_type is None:
        raise UsageError("lower: the input scale: there is no input type that it belongs to; give both")
    with np.errstate(over="ignore", under="ignore"):
        in_float32 = float(np.float32(input_scale))
    if not (np.isfinite(in_float32) and in_float32 > 0):
        raise UsageError(
            f"lower: the input scale: {input_scale} is not a positive number of float32; "
            "give one, such as 1/255"
        )
    return input_scale
