"""Picking elements of a tensor: channels of every pixel, or pixels repeated; and who needs one scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.custom import Custom
from thresher.ir.graph import consumers
from thresher.ir.integer import Doubles, IntNode, Ints
from thresher.ir.integer_branches import IntSelect, IntUpsample
from thresher.ir.quant import Elementwise, Layout, Linear, QuantGraph, QuantNode
from thresher.ir.quant_joins import Join, Pick
from thresher.ir.quant_maps import AveragePool, Conv, GlobalPool, MaxPool
from thresher.lower.forms import Namer, Pending, Repeat, stream_order, zero_or_offset
from thresher.lower.maps import as_map, pixelwise, without_offset
from thresher.lower.piecewise import Piecewise, piecewise

Picked = tuple[tuple[IntNode, ...], Pending]


def pick(node: Pick, form: Pending, named: Namer) -> Picked:
    """The elements that `node` picks: the same channels of every vector, or repeated pixels, or all elements.

    Raises:
        NodeError: They are none of these, or the model has done to them what cannot wait until after it.
    """
    frame = _absorbed(node, form)
    if isinstance(node, Repeat):
        return upsample(node, frame, (*form.onnx_nodes, *node.onnx_nodes), named)
    frame = pixelwise(frame) or frame
    positions = frame.index.reshape(-1)[node.index]
    if np.array_equal(np.sort(positions, axis=None), np.arange(frame.size)):
        return (), _moved(replace(frame, onnx_tensor=node.output), positions)
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
    if axes is None or (frame.vectors == 1 and index.ndim > 1 and index.size > max(index.shape)):
        raise _refused(node)
    name = named("select")
    made = replace(
        frame.with_channels(each[0], axes), tensor=f"{name}_out", onnx_tensor=node.output, index=index
    )
    onnx_nodes = (*form.onnx_nodes, *node.onnx_nodes)
    ends = (name, form.tensor, made.tensor, onnx_nodes, frame.type, made.type)
    return (IntSelect(*ends, each[0]),), made


def _moved(frame: Pending, index: Ints) -> Pending:
    """The integers of `frame` where `index` says; each is a channel of its own where vectors fall apart."""
    axes = _pixel_axes(index, frame.vectors)
    if axes is None:
        return replace(frame.whole(), index=index)
    return replace(frame, index=index, pixel_axes=axes)


def _pixel_axes(index: Ints, vectors: int) -> tuple[int, ...] | None:
    """The axes along which the vectors of a frame lie, in the order of the stream, channels being on another.

    None where there are several vectors, and they lie otherwise.
    """
    if vectors == 1:
        return ()
    channels = index.size // vectors
    for axes in itertools.permutations(range(index.ndim), index.ndim - 1):
        (axis,) = set(range(index.ndim)) - set(axes)
        if index.shape[axis] != channels:
            continue
        lines = np.transpose(index, (*axes, axis)).reshape(vectors, channels)
        if np.array_equal(
            lines - lines[:1], np.repeat(np.arange(vectors)[:, None] * channels, channels, axis=1)
        ):
            return axes
    return None


def absorbs(form: Pending) -> bool:
    """Whether all that the model has done to the integers can be told by scales and offsets."""
    return all(isinstance(step, Layout) for step in form.steps) or _line(form.by_vector()) is not None


def _line(form: Pending) -> Piecewise | None:
    """The linear function that the steps are, None where they are none or switch a channel off."""
    form = form.by_vector()
    function = piecewise(form)
    if function is None:
        return None
    function = function.on(form.lo, form.hi)
    return function if function.segments == 1 and function.slopes.all() else None


def _absorbed(node: Pick, form: Pending) -> Pending:
    """`form` without steps: what they do is in its scales and offsets, and each may have rounded."""
    if all(isinstance(step, Layout) for step in form.steps):
        return form.in_place()
    form = form.by_vector()
    function = _line(form)
    if function is None:
        reason = f"it picks from what node '{form.steps[-1].name}' gives, which has met no quantiser"
        raise NodeError("lower", node.name, reason, "quantise that first, as Brevitas' QuantIdentity does")
    slopes, offsets = function.slopes[:, 0], function.offsets[:, 0]
    gain = function.gains(form.scale)
    ends = np.stack([form.lo, form.hi])
    rounded: Doubles = (
        (1 + len(form.steps)) * 2.0**-24 * (np.abs(slopes * ends).max(axis=0) + np.abs(offsets))
    )
    zero, offset = zero_or_offset(slopes, offsets)
    return replace(
        form.in_place(),
        scale=slopes,
        zero=zero,
        offset=offset,
        slack=rounded if form.slack is None else rounded + form.slack * gain,
        error=None if form.error is None else form.error * gain,
        product=None,
    )


def repeating(node: Pick, shape: tuple[int, ...], axes: tuple[int, ...]) -> Pick:
    """`node` as a `Repeat`, if it repeats the pixels of frames of `shape`, which lie along `axes`."""
    larger = node.index.shape
    if len(larger) != len(shape) or any(big % size for big, size in zip(larger, shape, strict=True)):
        return node
    factors = tuple(big // size for big, size in zip(larger, shape, strict=True))
    if any(factor > 1 and axis not in axes for axis, factor in enumerate(factors)):
        return node
    places = np.arange(math.prod(shape)).reshape(shape)
    for axis, factor in enumerate(factors):
        places = places.repeat(factor, axis=axis)
    if not np.array_equal(places, node.index) or places.size == math.prod(shape):
        return node
    return Repeat(node.name, node.inputs, node.outputs, node.onnx_nodes, node.index, factors)


def upsample(node: Repeat, frame: Pending, onnx_nodes: tuple[str, ...], named: Namer) -> Picked:
    """The map `frame`, which has no steps that move elements, with its pixels repeated.

    Raises:
        NodeError: It is no map of one or two dimensions whose vectors are its pixels.
    """
    axes, shape = frame.pixel_axes, node.index.shape
    if not axes or _pixel_axes(frame.index, frame.vectors) not in (axes, ()):
        frame = pixelwise(frame) or frame
        axes = frame.pixel_axes
    others = set(range(len(shape))) - set(axes)
    if len(axes) not in (1, 2) or len(others) != 1 or frame.index.ndim != len(shape):
        raise _refused(node)
    (channel_axis,) = others
    if node.factors[channel_axis] != 1 or frame.channels != shape[channel_axis]:
        raise _refused(node)
    places = np.moveaxis(frame.index, channel_axis, 0).reshape(frame.channels, -1)[:, 0]
    across = [-1 if axis == channel_axis else 1 for axis in range(len(shape))]
    moved = (places - np.arange(frame.channels)).reshape(across)
    if not np.array_equal(frame.index, stream_order(frame.index.shape, axes) + moved):
        raise _refused(node)
    height, width = [1, *(frame.index.shape[axis] for axis in axes)][-2:]
    vertical, horizontal = [1, *(node.factors[axis] for axis in axes)][-2:]
    name = named("upsample")
    index = stream_order(shape, axes) + moved
    made = replace(frame, tensor=f"{name}_out", onnx_tensor=node.output, index=index, pixel_axes=axes)
    ends = (name, frame.tensor, made.tensor, onnx_nodes, frame.type, made.type)
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
    made = replace(
        frame.with_channels(places, frame.pixel_axes),
        tensor=f"{name}_out",
        onnx_tensor=node.input,
        index=index,
    )
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
