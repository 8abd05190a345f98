"""Picking elements of a tensor: channels of every pixel, or pixels repeated; and who needs one scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from thresher.graph import consumers
from thresher.lower.branches import IntSelect, IntUpsample
from thresher.lower.forms import Namer, Pending, stream_order
from thresher.lower.integer import IntNode, Ints, TensorType
from thresher.lower.maps import as_map, pixelwise, without_offset
from thresher.lower.piecewise import piecewise
from thresher.onnx_import.custom import Custom
from thresher.onnx_import.importer import QuantGraph
from thresher.onnx_import.join_nodes import Join, Pick
from thresher.onnx_import.map_nodes import AveragePool, Conv, GlobalPool, MaxPool
from thresher.onnx_import.nodes import Elementwise, Layout, Linear, QuantNode
from thresher.onnx_import.problems import NodeError

Picked = tuple[tuple[IntNode, ...], Pending]


def pick(node: Pick, form: Pending, named: Namer) -> Picked:
    """The elements that `node` picks, if they are the same channels of every vector, or repeated pixels.

    Raises:
        NodeError: They are neither, or the model has done to them what cannot wait until after it.
    """
    repeated = _upsample(node, form, named)
    if repeated is not None:
        return repeated
    frame = _absorbed(node, form)
    frame = pixelwise(frame) or frame
    positions = frame.index.reshape(-1)[node.index]
    vector, channel = np.divmod(positions.reshape(-1), frame.channels)
    order = np.argsort(vector, kind="stable")
    if (
        len(order) % frame.vectors
        or (np.bincount(vector, minlength=frame.vectors) != len(order) // frame.vectors).any()
    ):
        raise _refused(node)
    each = channel[order].reshape(frame.vectors, -1)
    if (each != each[0]).any():
        raise _refused(node)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    index: Ints = ranks.reshape(node.index.shape)
    axes = _pixel_axes(index, frame.vectors)
    if frame.vectors == 1 and index.ndim > 1 and index.size > max(index.shape):
        raise _refused(node)
    if np.array_equal(each[0], np.arange(frame.channels)):
        return (), replace(frame, onnx_tensor=node.output, index=index, pixel_axes=axes)
    name = named("select")
    made = replace(
        frame.with_channels(each[0], axes), tensor=f"{name}_out", onnx_tensor=node.output, index=index
    )
    onnx_nodes = (*form.onnx_nodes, *node.onnx_nodes)
    ends = (name, form.tensor, made.tensor, onnx_nodes, frame.type, made.type)
    return (IntSelect(*ends, each[0]),), made


def _pixel_axes(index: Ints, vectors: int) -> tuple[int, ...]:
    """The axes along which the vectors of a frame lie, channels being on one axis of it."""
    if vectors == 1:
        return ()
    channels = index.size // vectors
    for axis in range(index.ndim):
        others = tuple(other for other in range(index.ndim) if other != axis)
        if (
            index.shape[axis] == channels
            and (np.take(index, 0, axis) // channels == _order(index, others)).all()
        ):
            return others
    return ()


def _order(index: Ints, axes: tuple[int, ...]) -> Ints:
    shape = [index.shape[axis] for axis in axes]
    return np.arange(int(np.prod(shape))).reshape(shape)


def _absorbed(node: Pick, form: Pending) -> Pending:
    """`form` without steps: what they do is in its scales and offsets."""
    if all(isinstance(step, Layout) for step in form.steps):
        return form.in_place()
    function = piecewise(form)
    if function is None or function.segments > 1 or not function.slopes.all():
        reason = f"it picks from what node '{form.steps[-1].name}' gives, which has met no quantiser"
        raise NodeError("lower", node.name, reason, "quantise that first, as Brevitas' QuantIdentity does")
    gain = np.abs(function.slopes[:, 0] / form.scale)
    return replace(
        form.in_place(),
        scale=function.slopes[:, 0],
        zero=np.zeros_like(form.zero),
        offset=function.offsets[:, 0],
        slack=None if form.slack is None else form.slack * gain,
        error=None if form.error is None else form.error * gain,
    )


def _upsample(node: Pick, form: Pending, named: Namer) -> Picked | None:
    """Pixels repeated, if that is what `node` does; the same is done to each, so what waits may wait on."""
    waiting = tuple(step for step in form.steps if not isinstance(step, Layout))
    if waiting and len(waiting) < len(form.steps):
        return None
    if not all(isinstance(step, Elementwise) for step in waiting):
        return None
    placed = form if waiting else form.in_place()
    frame = pixelwise(placed) if not waiting else placed
    if frame is None or frame.pixel_axes not in ((1,), (1, 2)) or node.index.ndim != frame.index.ndim:
        return None
    channels, *sizes = frame.index.shape
    larger = node.index.shape[1:]
    if node.index.shape[0] != channels or any(big % size for big, size in zip(larger, sizes, strict=True)):
        return None
    factors = [big // size for big, size in zip(larger, sizes, strict=True)]
    places = np.arange(frame.size).reshape(frame.index.shape)
    for axis, factor in enumerate(factors, start=1):
        places = places.repeat(factor, axis=axis)
    if not np.array_equal(places, node.index):
        return None
    vertical, horizontal = ([1, *factors])[-2:]
    height, width = ([1, *sizes])[-2:]
    first = frame.index.reshape(channels, -1)[:, 0]
    name, shape = named("upsample"), (channels, *larger)
    index = stream_order(shape, frame.pixel_axes) + (first - np.arange(channels)).reshape(
        -1, *[1] * len(larger)
    )
    made = replace(frame, tensor=f"{name}_out", onnx_tensor=node.output, index=index)
    onnx_nodes = (*form.onnx_nodes, *node.onnx_nodes)
    type_ = TensorType(frame.element, frame.vectors * vertical * horizontal, channels)
    ends = (name, form.tensor, made.tensor, onnx_nodes, frame.type, type_)
    return (IntUpsample(*ends, height, width, vertical, horizontal),), made


def in_order(node: QuantNode, form: Pending, named: Namer) -> Picked:
    """The map that `node` reads, with the channels of each pixel in the order of the model.

    Raises:
        NodeError: It is no map of integers that is sent pixel by pixel.
    """
    bare, places = as_map(node, without_offset(form))
    if np.array_equal(places, np.arange(len(places))):
        return (), form
    frame = replace(bare, offset=form.offset)
    name = named("select")
    index = stream_order(frame.index.shape, frame.pixel_axes)
    made = replace(frame.with_channels(places, frame.pixel_axes), tensor=f"{name}_out", index=index)
    ends = (name, form.tensor, made.tensor, form.onnx_nodes, frame.type, made.type)
    return (IntSelect(*ends, places),), made


def _refused(node: Pick) -> NodeError:
    reason = "it does not pick the same channels of every pixel, or repeat whole pixels"
    return NodeError("lower", node.name, reason, "slice along channels, or upsample by whole factors")


def needs_one_scale(graph: QuantGraph, tensor: str) -> bool:
    """Whether `tensor` comes to a product of all channels before it comes to a quantiser."""
    return any(
        isinstance(node, Linear) or (isinstance(node, Conv) and not node.depthwise)
        for node in _unquantised(graph, tensor)
    )


def needs_integers(graph: QuantGraph, tensor: str) -> bool:
    """Whether `tensor` comes to an operator on integers before it comes to a quantiser."""
    return any(isinstance(node, Linear | Conv | AveragePool | Custom) for node in _unquantised(graph, tensor))


def _unquantised(graph: QuantGraph, tensor: str) -> Iterator[QuantNode]:
    """What `tensor` comes to without a quantiser in between; quantisers are among it."""
    waiting, seen = [tensor], {tensor}
    while waiting:
        for node in consumers(graph, waiting.pop()):
            if isinstance(node, Elementwise | Layout | Join | Pick | MaxPool | GlobalPool):
                waiting += [name for name in node.outputs if name not in seen]
                seen.update(node.outputs)
            else:
                yield node
