"""Reading convolutions and pools: where their windows lie, and their weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thresher.errors import NodeError
from thresher.ir.graph import Array
from thresher.ir.quant import Arithmetic, HostOnly, QuantNode, Shape
from thresher.ir.quant_maps import AveragePool, Conv, FloatConv, GlobalPool, MaxPool
from thresher.ir.window import Pair, Window
from thresher.onnx_import.linear_ops import one_per_row
from thresher.onnx_import.pads import as_it_is, unpadded
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode
from thresher.onnx_import.weight_grids import weights_on_grid

_DIMENSIONS = "use convolutions over 1 or 2 dimensions"
_SHRINK = "use a smaller kernel or dilation, or more padding"


def translate_conv(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """A convolution and, where it has a bias, an addition.

    Raises:
        NodeError: It has more than two dimensions, or its weights, groups or windows do not fit its input.
    """
    dynamic, shape = dynamic_inputs(scope, node), scope.shape(node)
    if len(dynamic) != 1 or scope.is_constant(node.inputs[0]):
        return [_host(scope, node, "Conv by weights that are computed at run time", "use constant weights")]
    quantised = scope.quantised.get(node.inputs[1])
    if len(shape) not in (3, 4):
        if quantised is None:
            return [_host(scope, node, f"Conv over {len(shape) - 2} dimensions", _DIMENSIONS)]
        reason = f"it convolves over {len(shape) - 2} dimensions"
        raise NodeError("import", node.name, reason, _DIMENSIONS)
    if quantised is None:
        quantised = weights_on_grid(scope.floats(node, 1, "weight"))
    weights = quantised.levels if quantised is not None else scope.floats(node, 1, "weight")
    groups = int(node.attributes.get("group", 1))
    _check_weights(node, weights, shape, groups)
    own = read_window(node, shape, weights.shape[2:])
    read = unpadded(scope, node, own)
    window = read.widen(own)
    kernel = (*weights.shape[:2], *window.kernel)
    unused, biased = scope.source.unused_name, len(node.inputs) > 2 and node.inputs[2]
    output = unused(f"{node.outputs[0]}/Add") if biased else node.outputs[0]
    made: QuantNode
    if quantised is None:
        reals = np.asarray(weights, np.float32).reshape(kernel)
        names = (*read.onnx_nodes, node.name)
        made = FloatConv(node.name, (read.source,), (output,), names, window, reals, groups, read.value)
    else:
        made = Conv(
            name=node.name,
            inputs=(read.source,),
            outputs=(output,),
            onnx_nodes=(*read.onnx_nodes, *quantised.onnx_nodes, node.name),
            window=window,
            weights=np.ascontiguousarray(weights).reshape(kernel),
            scale=one_per_row(node, quantised.scale, "scale"),
            zero=one_per_row(node, quantised.zero, "zero point").astype(np.int64),
            groups=groups,
            pad_value=read.value,
            rounded=quantised.rounded,
        )
    if output == node.outputs[0]:
        return [made]
    bias = scope.floats(node, 2, "bias").reshape(-1, *[1] * (len(shape) - 2))
    name = unused(f"{node.name}/Add")
    return [made, Arithmetic(name, (output,), node.outputs, (node.name,), "Add", bias, False)]


def translate_max_pool(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """The largest of every window."""
    window = _pool_window(scope, node)
    if isinstance(window, HostOnly):
        return [window]
    rows, columns = window.inside()
    if not (rows.any(axis=1).all() and columns.any(axis=1).all()):
        reason = "some of its windows hold nothing but padding"
        raise NodeError("import", node.name, reason, "use less padding than its kernel covers")
    read = unpadded(scope, node, window, fill=-math.inf)
    names = (*read.onnx_nodes, node.name)
    return [MaxPool(node.name, (read.source,), node.outputs[:1], names, read.widen(window), read.value)]


def translate_average_pool(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """The mean of every window, if all count as many elements."""
    window = _pool_window(scope, node)
    if isinstance(window, HostOnly):
        return [window]
    beyond = any(after > pad for after, pad in zip(window.after, _end_padding(node, window), strict=True))
    if beyond or (window.padded and not node.attributes.get("count_include_pad", 0)):
        reason = "AveragePool whose windows at the edge count fewer elements than the others"
        remedy = "pool without padding and ceil_mode, or set count_include_pad=True"
        return [_host(scope, node, reason, remedy)]
    read = unpadded(scope, node, window)
    if read.value != 0:
        read = as_it_is(scope, node)
    names = (*read.onnx_nodes, node.name)
    return [AveragePool(node.name, (read.source,), node.outputs, names, read.widen(window))]


def translate_global_pool(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """GlobalAveragePool and GlobalMaxPool."""
    largest = node.op == "GlobalMaxPool"
    return [
        GlobalPool(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,), largest, keep=True)
    ]


def translate_reduce(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """ReduceMean and ReduceMax over all axes of a map but batch and channels; others are the host's."""
    shape = scope.shape(node)
    axes = scope.optional(node, 1)
    listed = node.attributes.get("axes", ()) if axes is None else axes.reshape(-1).tolist()
    keep = bool(node.attributes.get("keepdims", 1))
    if len(shape) < 3 or sorted(int(axis) % len(shape) for axis in listed) != list(range(2, len(shape))):
        return [_host(scope, node, f"{node.op} over other axes than those of the map", "pool the whole map")]
    largest = node.op == "ReduceMax"
    return [GlobalPool(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,), largest, keep)]


def read_window(node: SourceNode, shape: Shape, kernel: Sequence[int]) -> Window:
    """Where the windows of `kernel` lie on maps `[1, channels, ...]` of `shape`, by the node's attributes.

    Raises:
        NodeError: An attribute is not what ONNX allows, or no window fits the map.
    """
    rank = len(shape) - 2
    sizes, kernel = shape[2:], [int(size) for size in kernel]
    strides = _attribute(node, "strides", rank, 1)
    dilations = _attribute(node, "dilations", rank, 1)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    starts, ends = _pads(node, sizes, spans, strides)
    padded = [size + start + end for size, start, end in zip(sizes, starts, ends, strict=True)]
    if any(span > size for span, size in zip(spans, padded, strict=True)):
        reason = f"its window of {_by(spans)} is larger than the padded map of {_by(padded)}"
        raise NodeError("import", node.name, reason, _SHRINK)
    outputs = [_count(node, *each) for each in zip(sizes, spans, strides, starts, ends, strict=True)]
    height, width = _pair(sizes)
    return Window(
        height, width, _pair(kernel), _pair(strides), _pair(dilations), _pair(starts, 0), _pair(outputs)
    )


def _count(node: SourceNode, size: int, span: int, stride: int, start: int, end: int) -> int:
    """Windows along one axis. With `ceil_mode` the last may reach over the end, but not begin there."""
    room = size + start + end - span
    if not node.attributes.get("ceil_mode", 0):
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + start else count


def _pads(
    node: SourceNode, sizes: Sequence[int], spans: Sequence[int], strides: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Padding before and after the map, along each axis."""
    mode = node.attributes.get("auto_pad", b"NOTSET")
    mode = mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)
    rank = len(sizes)
    if mode in ("NOTSET", ""):
        pads = _attribute(node, "pads", 2 * rank, 0, least=0)
        return pads[:rank], pads[rank:]
    if mode == "VALID":
        return [0] * rank, [0] * rank
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise NodeError("import", node.name, f"its auto_pad is {mode!r}", "export the model again")
    wanted = [
        (math.ceil(size / stride) - 1) * stride + span - size
        for size, span, stride in zip(sizes, spans, strides, strict=True)
    ]
    if min(wanted) < -1:
        # By ONNX's formula onnxruntime then cuts off the first pixels too; frameworks that export so do not.
        reason = (
            f"its auto_pad {mode} with strides {strides} cuts pixels off before its window of {_by(spans)}"
        )
        raise NodeError("import", node.name, reason, "export it with pads of its own instead of auto_pad")
    wanted = [max(0, total) for total in wanted]
    less, more = [total // 2 for total in wanted], [total - total // 2 for total in wanted]
    return (less, more) if mode == "SAME_UPPER" else (more, less)


def _pool_window(scope: Scope, node: SourceNode) -> Window | HostOnly:
    shape = scope.shape(node)
    if len(shape) not in (3, 4):
        remedy = "pool over 1 or 2 dimensions"
        return _host(scope, node, f"{node.op} over {len(shape) - 2} dimensions", remedy)
    return read_window(node, shape, _attribute(node, "kernel_shape", len(shape) - 2, None))


def _end_padding(node: SourceNode, window: Window) -> Pair:
    pads = [int(pad) for pad in node.attributes.get("pads", ())]
    if pads:
        return _pair(pads[len(pads) // 2 :], 0)
    return window.after if node.attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"") else (0, 0)


def _attribute(node: SourceNode, name: str, count: int, default: int | None, least: int = 1) -> list[int]:
    """A list of `count` numbers, none below `least`; `default` is each of them where it is left out."""
    listed = node.attributes.get(name)
    if not listed and default is not None:
        return [default] * count
    values = [int(value) for value in listed or ()]
    if len(values) != count or min(values) < least:
        reason = f"its {name} are {values}, where {count} numbers of at least {least} are needed"
        raise NodeError("import", node.name, reason, "export the model again")
    return values


def _check_weights(node: SourceNode, weights: Array, shape: Shape, groups: int) -> None:
    """Channels, groups and weights must fit each other."""
    channels, rank = shape[1], len(shape) - 2
    if weights.ndim != rank + 2 or not weights.size:
        reason = f"its weights have the shape {list(weights.shape)}, where {rank + 2} axes are needed"
        raise NodeError("import", node.name, reason, "export the model again")
    for what, count in (("input", channels), ("output", len(weights))):
        if groups < 1 or count % groups:
            reason = f"its {groups} groups do not divide its {count} {what} channels"
            raise NodeError("import", node.name, reason, "use a number of groups that divides both")
    if weights.shape[1] * groups != channels:
        seen = f"{groups} groups of {weights.shape[1]}" if groups > 1 else f"{weights.shape[1]}"
        reason = f"its weights are for {seen} input channels, and its input has {channels}"
        raise NodeError("import", node.name, reason, "mend the export")


def _host(scope: Scope, node: SourceNode, reason: str, remedy: str) -> HostOnly:
    outputs = tuple(name for name in node.outputs if name)
    return HostOnly(node.name, dynamic_inputs(scope, node), outputs, (node.name,), reason, remedy)


def _pair(values: Sequence[int], missing: int = 1) -> Pair:
    """(vertical, horizontal); one dimension is horizontal."""
    return (values[0], values[1]) if len(values) == 2 else (missing, values[0])


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(str(size) for size in sizes)
