"""Linear operators on integers: matrices, convolutions, averages."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from thresher.errors import NodeError
from thresher.ir.integer import (
    Doubles,
    EdgeCorrections,
    IntDepthwise,
    IntMatMul,
    IntNode,
    Ints,
    narrowest,
    reachable,
)
from thresher.ir.quant import Arithmetic, Layout, Linear, QuantNode
from thresher.ir.quant_maps import AveragePool, Conv
from thresher.ir.window import Window
from thresher.lower.forms import Pending, rescaling, rounding_slack, stream_order
from thresher.lower.maps import as_map, in_total, window_node, without_offset
from thresher.lower.one_product import OneProduct
from thresher_sim.streams import IntType

# Neighbours of up to so many steps stay in order where each is off by three roundings.
_MOST_KNOWN = 1 << 20


def multiply(node: Linear, form: Pending, name: str) -> tuple[IntMatMul, Pending]:
    """The product `name` of all elements of a frame with a matrix.

    Raises:
        NodeError: What it reads are not integers of one scale, or not one vector in the model.
    """
    factor = rescaling(form, node)
    _check_one_scale(node, form)
    frame = form.whole()
    index = frame.final_index()
    rows, columns = node.weights.shape
    if index.shape[-1] != columns or index.size != columns:
        reason = f"its input has frames of shape {list(index.shape)}, not one vector of {columns}"
        raise NodeError("lower", node.name, reason, "flatten its input to one vector")
    weights = np.empty_like(node.weights)
    weights[:, index.reshape(-1)] = node.weights - node.zero[:, None]
    lo, hi = reachable(weights, form.element)
    scale = node.scale.astype(np.float64) * (form.scale[0] * factor)
    result = Pending(
        tensor=f"{name}_out",
        onnx_tensor=node.output,
        element=IntType(int(lo.min()), int(hi.max())),
        lo=lo,
        hi=hi,
        scale=scale,
        zero=weights @ frame.zero,
        index=stream_order((*index.shape[:-1], rows)),
        slack=rounding_slack(weights, form, scale, node.rounded),
        sums=True,
        stride=2 if form.element.bipolar else 1,
    )
    result = replace(result, product=_one_product(node, weights, form, form.scale[:1], result))
    made = IntMatMul(
        name=name,
        input=form.tensor,
        output=result.tensor,
        input_type=frame.type,
        output_type=result.type,
        onnx_nodes=(*form.onnx_nodes, *node.onnx_nodes),
        weights=weights,
        weight_type=narrowest(weights),
    )
    return made, result


def convolve(node: Conv, form: Pending, window_name: str, name: str) -> tuple[tuple[IntNode, ...], Pending]:
    """The windows `window_name`, if there need be any, and the products `name` of each with the weights.

    With groups, the channels of `form` must be in the order of the model.

    Raises:
        NodeError: What it reads are not integers of one scale, or not a map in channels-last order.
    """
    onnx_nodes = (*form.onnx_nodes, *node.onnx_nodes)
    part = node.weights.shape[1]
    frame, places = as_map(node, form)
    if not node.depthwise:
        _check_one_scale(node, frame)
    # [rows, ky, kx, part]; a group of one holds all channels, which go to their places in the stream.
    centred = (node.weights - node.zero.reshape(-1, 1, 1, 1)).transpose(0, 2, 3, 1)
    weights = np.empty_like(centred)
    weights[..., places if node.groups == 1 else np.arange(part)] = centred
    beside = _beside(node, frame)
    products = _Products(node, onnx_nodes, frame, beside, weights, node.groups, node.depthwise)
    made, result = products.lower(node.scale, window_name, name)
    x_scale = frame.scale if node.depthwise else frame.scale[:1]
    product = _one_product(node, weights.reshape(len(weights), -1), form, x_scale, result)
    return made, replace(result, product=product)


def average(
    node: AveragePool, form: Pending, window_name: str, name: str
) -> tuple[tuple[IntNode, ...], Pending]:
    """The sums of windows, which are yet to be divided by their taps; channels must be in the model's order.

    Raises:
        NodeError: What it reads are not integers, or not a map in channels-last order.
    """
    onnx_nodes = (*form.onnx_nodes, *node.onnx_nodes)
    window = node.window
    bare = form if any((*window.before, *window.after)) else without_offset(form)
    frame, places = as_map(node, bare)
    ones = np.ones((len(places), *window.kernel, 1), np.int64)
    products = _Products(node, onnx_nodes, frame, frame.zero, ones, len(places), depthwise=True)
    made, result = products.lower(np.ones(len(places)), window_name, name)
    frame = replace(frame, offset=form.offset)
    return made, in_total(result, frame, rescaling(bare, node) * window.taps)


def divide(node: QuantNode, count: int) -> Arithmetic:
    """The division by `count` that ends the operator `node`."""
    taps = np.asarray(count, np.float32)
    return Arithmetic(
        node.name, node.inputs, node.outputs, node.onnx_nodes, "Div", taps, constant_first=False
    )


@dataclass(frozen=True, eq=False)
class _Products:
    """The windows of the map `form` times `weights` `[rows, ky, kx, part]`, in `groups`.

    `beside` `[channels]` are the integers that taps outside of the map have in the model.
    """

    node: Conv | AveragePool
    onnx_nodes: tuple[str, ...]
    form: Pending
    beside: Ints
    weights: Ints
    groups: int
    depthwise: bool

    def lower(
        self, scale: npt.NDArray[np.floating], window_name: str, name: str
    ) -> tuple[tuple[IntNode, ...], Pending]:
        """The operators, and the sums that they give; `scale` is that of each row's weights."""
        node, form, window = self.node, self.form, self.node.window
        padding, edges = self._padding, _Edges.of(window)
        lo, hi = self._reach(edges)
        flat = self.weights.reshape(len(self.weights), -1)
        scales = scale.astype(np.float64) * (form.scale if self.depthwise else form.scale[0])
        shape = (len(flat), *window.output[2 - len(form.pixel_axes) :])
        result = Pending(
            tensor=f"{name}_out",
            onnx_tensor=node.output,
            element=IntType(int(lo.min()), int(hi.max())),
            lo=lo,
            hi=hi,
            scale=scales,
            zero=self._weighted(form.zero).reshape(len(flat), -1).sum(axis=1),
            index=stream_order(shape, form.pixel_axes),
            pixel_axes=form.pixel_axes,
            slack=rounding_slack(flat, form, scales, isinstance(node, Conv) and node.rounded),
            sums=True,
            # Padding is no sign, so windows that lie across an edge have sums of their own parity.
            stride=2 if form.element.bipolar and not window.padded else 1,
        )
        nodes: list[IntNode] = []
        source, tensor = form.type, form.tensor
        if not window.trivial:
            nodes.append(window_node(window_name, form, window, padding, self.onnx_nodes))
            source, tensor = nodes[0].output_type, nodes[0].output
        corrections, kind = self._corrections(edges, padding), narrowest(flat)
        ends = (name, tensor, result.tensor, self.onnx_nodes, source, result.type)
        if self.depthwise:
            nodes.append(IntDepthwise(*ends, flat, kind, corrections))
        else:
            nodes.append(IntMatMul(*ends, flat, kind, self.groups, window.taps, corrections))
        return tuple(nodes), result

    def _weighted(self, values: Ints) -> Ints:
        """The sum over channels of weights times `values` `[channels]`, at each tap: `[rows, ky, kx]`."""
        rows, part = len(self.weights), self.weights.shape[-1]
        per_row = np.repeat(values.reshape(self.groups, part), rows // self.groups, axis=0)
        result: Ints = (self.weights * per_row[:, None, None]).sum(axis=3)
        return result

    @property
    def _padding(self) -> int:
        """What padded taps are sent as: what they are where it is one value that the type has, else any."""
        element, value = self.form.element, int(self.beside[0])
        possible = value in (-1, 1) if element.bipolar else element.lo <= value <= element.hi
        if possible and (self.beside == value).all():
            return value
        return -1 if element.bipolar else min(max(0, element.lo), element.hi)

    def _reach(self, edges: _Edges) -> tuple[Ints, Ints]:
        """The lowest and highest sum of each row, wherever the window lies."""
        element, beside = self.form.element, self._weighted(self.beside)
        ends = np.stack([self.weights * element.lo, self.weights * element.hi])
        low = edges.mixed(ends.min(axis=0).sum(axis=3), beside)
        high = edges.mixed(ends.max(axis=0).sum(axis=3), beside)
        return low.min(axis=(0, 1)), high.max(axis=(0, 1))

    def _corrections(self, edges: _Edges, padding: int) -> EdgeCorrections | None:
        lacking = self._weighted(self.beside - padding)
        values = edges.mixed(np.zeros_like(lacking), lacking)
        if not values.any():
            return None
        return EdgeCorrections(edges.row_classes, edges.column_classes, values)


@dataclass(frozen=True, eq=False)
class _Edges:
    """Windows by which of their taps lie on the map: `rows` `[class, ky]` and `columns` `[class, kx]`."""

    rows: npt.NDArray[np.bool_]
    columns: npt.NDArray[np.bool_]
    row_classes: Ints
    column_classes: Ints

    @staticmethod
    def of(window: Window) -> _Edges:
        (rows, row_classes), (columns, column_classes) = (
            np.unique(inside, axis=0, return_inverse=True) for inside in window.inside()
        )
        return _Edges(rows, columns, row_classes.reshape(-1), column_classes.reshape(-1))

    def mixed(self, on_map: Ints, beside: Ints) -> Ints:
        """Sums over taps `[row class, column class, rows]` of one of two arrays `[rows, ky, kx]`."""
        inside = self.rows[:, None, :, None] & self.columns[None, :, None, :]
        taken = np.einsum("abyx,ryx->abr", inside.astype(np.int64), on_map - beside)
        result: Ints = taken + beside.sum(axis=(1, 2))
        return result


def _beside(node: Conv, form: Pending) -> Ints:
    """The integers of taps outside of the map: zero points, or what they mean that a Pad has put there.

    Raises:
        NodeError: No integers mean that.
    """
    if node.pad_value == 0:
        return form.zero
    with np.errstate(invalid="ignore"):  # Steps beyond 64 bits: what they become does not mean it either.
        filled: Ints = form.zero + np.rint(node.pad_value / form.scale).astype(np.int64)
    if (((filled - form.zero) * form.scale).astype(np.float32) != np.float32(node.pad_value)).any():
        reason = f"its input is padded with {node.pad_value:g}, which its input's scale has no integer for"
        raise NodeError(
            "lower", node.name, reason, "pad with zeros, or with a value of its input's quantiser"
        )
    return filled


def _one_product(
    node: Linear | Conv, weights: Ints, form: Pending, x_scale: Doubles, sums: Pending
) -> OneProduct | None:
    """What is known of the rows of `weights` `[rows, terms]` that have one which is not zero; None if no row.

    It takes that the model's values of `form` are known to the bit, and its weights as well. Of sums so large
    that rounding may put one above the next nothing is said, nor where rounding does nothing.
    """
    small = np.maximum(np.abs(sums.lo - sums.zero), np.abs(sums.hi - sums.zero)) < _MOST_KNOWN
    alone = (np.count_nonzero(weights, axis=1) == 1) & small
    moved = all(isinstance(step, Layout) for step in form.steps)
    known = form.slack is None and form.error is None and form.offset is None and form.product is None
    if sums.slack is None or not alone.any() or not moved or not known or node.rounded:
        return None
    single = np.where(alone, weights.sum(axis=1), 0)
    with np.errstate(over="ignore"):
        real = single.astype(np.float32) * node.scale.astype(np.float32)
    scales = np.broadcast_to(x_scale, sums.scale.shape)
    return OneProduct(single, scales, real, sums.scale, sums.zero)


def _check_one_scale(node: QuantNode, form: Pending) -> None:
    if (form.scale != form.scale[0]).any():
        reason = "per-channel input scales need a multiplier for every input, which no unit has"
        remedy = "try one scale for the whole tensor in the quantiser before it"
        raise NodeError("lower", node.name, reason, remedy)
