"""Operators that move over feature maps without a product: windows and pools."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.integer import Flags, IntGlobalPool, IntNode, IntPool, Ints, IntWindow, TensorType
from thresher.ir.quant import Elementwise, QuantNode
from thresher.ir.quant_maps import GlobalPool, MaxPool
from thresher.ir.window import Window
from thresher.lower.forms import Pending, integer, rescaling, rounding_slack, stream_order
from thresher_sim.streams import IntType


def as_map(node: QuantNode, form: Pending) -> tuple[Pending, Ints]:
    """The integers of `form` as the map that `node` reads, with a vector for each pixel and no steps.

    Also the place in a vector of each of the model's channels, which are axis 0 of the map.

    Raises:
        NodeError: They are not integers, or the stream does not send the map pixel by pixel.
    """
    factor = rescaling(form, node)
    frame = pixelwise(form.in_place())
    if frame is None:
        reason = "its input does not arrive pixel by pixel"
        raise NodeError("lower", node.name, reason, "do not reshape or transpose the map before it")
    places = frame.index.reshape(len(frame.index), -1)[:, 0]
    return replace(frame, scale=frame.scale * factor, onnx_tensor=node.input), places


def pixelwise(frame: Pending) -> Pending | None:
    """`frame`, which has no steps, with a vector for each pixel; None where it is not sent pixel by pixel.

    Channels are axis 0 of the map. All pixels must mean the same; what bounds them may differ.
    """
    index, channels = frame.index, len(frame.index)
    if index.ndim < 2:
        return None
    pixels = np.arange(index[0].size).reshape(index[0].shape)
    places = index.reshape(channels, -1)[:, 0]
    if not np.array_equal(index, pixels * channels + places.reshape(-1, *[1] * pixels.ndim)):
        return None
    axes = tuple(range(1, index.ndim))
    if frame.pixel_axes == axes or frame.channels == channels:
        return replace(frame, pixel_axes=axes)
    if frame.channels % channels:
        frame = frame.whole()
    for meaning in (frame.scale, frame.zero, frame.offset):
        if meaning is not None and (meaning.reshape(-1, channels) != meaning[:channels]).any():
            return None
    repeated = np.arange(frame.channels) % channels
    if frame.product is not None and (frame.product.weights != frame.product.weights[repeated]).any():
        frame = replace(frame, product=None)
    result = frame.with_channels(np.arange(channels), axes)
    return replace(
        result,
        lo=frame.lo.reshape(-1, channels).min(axis=0),
        hi=frame.hi.reshape(-1, channels).max(axis=0),
        slack=None if frame.slack is None else frame.slack.reshape(-1, channels).max(axis=0),
        error=None if frame.error is None else frame.error.reshape(-1, channels).max(axis=0),
    )


def window_node(
    name: str, form: Pending, window: Window, padding: int, onnx_nodes: tuple[str, ...]
) -> IntWindow:
    """The windows `name` of a map in channels-last order."""
    return IntWindow(
        name=name,
        input=form.tensor,
        output=f"{name}_out",
        input_type=form.type,
        output_type=TensorType(form.element, window.count, window.taps * form.channels),
        onnx_nodes=onnx_nodes,
        window=window,
        padding=padding,
    )


def take_largest(
    node: MaxPool | GlobalPool, form: Pending, turned: Flags | None, window_name: str, name: str
) -> tuple[tuple[IntNode, ...], Pending]:
    """The largest of each window, or of the whole map.

    The integers of the channels `turned`, if any, rise where the model's values fall, until they are mirrored
    behind the pool.

    Raises:
        NodeError: As `as_map`.
    """
    onnx_nodes = (*form.onnx_nodes, *node.onnx_nodes)
    factor = abs(rescaling(form, node))
    form, places = as_map(node, form)
    turned = _of_channels(node, turned, form.channels)
    ends_of_type = form.element.lo + form.element.hi
    result = replace(
        _pooled(node, form, places, f"{name}_out", form.element),
        lo=np.where(turned, ends_of_type - form.hi, form.lo),
        hi=np.where(turned, ends_of_type - form.lo, form.hi),
        slack=None if form.slack is None else form.slack * factor,
        error=None if form.error is None else form.error * factor,
        sums=form.sums,
        stride=1 if turned.any() and not form.element.bipolar else form.stride,
    )
    if isinstance(node, GlobalPool):
        ends = (name, form.tensor, result.tensor, onnx_nodes, form.type, result.type)
        return (IntGlobalPool(*ends, largest=True, reversed=turned),), result
    lowest = -1 if form.element.bipolar else form.element.lo
    window = window_node(window_name, form, node.window, lowest, onnx_nodes)
    ends = (name, window.output, result.tensor, node.onnx_nodes, window.output_type, result.type)
    return (window, IntPool(*ends, node.window.taps, turned)), result


def _of_channels(node: QuantNode, turned: Flags | None, channels: int) -> Flags:
    """`turned` for each of the `channels` of a map, where frames may have been cut otherwise."""
    if turned is None:
        return np.zeros(channels, np.bool_)
    pixels = np.tile(turned, math.lcm(len(turned), channels) // len(turned)).reshape(-1, channels)
    if (pixels != pixels[:1]).any():
        reason = "what it takes the largest of rises and falls, from pixel to pixel"
        raise NodeError("lower", node.name, reason, "quantise before it")
    first: Flags = pixels[0]
    return first


def with_own_padding(node: MaxPool | GlobalPool, form: Pending) -> MaxPool | GlobalPool:
    """`node` with padding that never is the largest, which is as good where nothing is less than a Pad's.

    Raises:
        NodeError: Something may be.
    """
    if isinstance(node, GlobalPool) or node.pad_value == -math.inf:
        return node
    turning = any(isinstance(step, Elementwise) and not step.monotone for step in form.steps)
    if turning or not form.alike:
        raise _padded_with(node)
    with np.errstate(all="ignore"):
        lowest = float(form.values(np.stack([form.lo, form.hi])).min())
    if not lowest >= node.pad_value:
        raise _padded_with(node)
    return replace(node, pad_value=-math.inf)


def _padded_with(node: MaxPool) -> NodeError:
    reason = f"its input is padded with {node.pad_value:g}, and may be less than that"
    return NodeError("lower", node.name, reason, "let the pool pad by itself, or pool behind a ReLU")


def add_up(node: GlobalPool, form: Pending, name: str) -> tuple[IntGlobalPool, Pending, int]:
    """The sum of every channel over the map, and of how many pixels.

    Raises:
        NodeError: As `as_map`.
    """
    onnx_nodes = (*form.onnx_nodes, *node.onnx_nodes)
    offset, bare = form.offset, without_offset(form)
    form, places = as_map(node, bare)
    pixels = form.vectors
    element = IntType(pixels * form.element.lo, pixels * form.element.hi)
    result = _pooled(node, form, places, f"{name}_out", element)
    slack = rounding_slack(np.ones((len(places), pixels), np.int64), form, form.scale)
    result = replace(result, zero=form.zero * pixels, slack=slack, sums=True)
    result = in_total(result, replace(form, offset=offset), rescaling(bare, node) * pixels)
    ends = (name, form.tensor, result.tensor, onnx_nodes, form.type, result.type)
    none = np.zeros(len(places), np.bool_)
    return IntGlobalPool(*ends, largest=False, reversed=none), result, pixels


def without_offset(form: Pending) -> Pending:
    """`form` without an offset that is the same for all pixels, so that a sum has it once for each."""
    alike = form.vectors > 1 and form.channels == len(form.index)
    return replace(form, offset=None) if alike else form


def in_total(total: Pending, form: Pending, gain: float) -> Pending:
    """The sums `total` of integers of `form`, with `gain` times the offset of `form` and its bounds."""
    slack = total.slack
    if form.slack is not None:
        slack = form.slack * gain + (0.0 if slack is None else slack)
    return replace(
        total,
        offset=None if form.offset is None else form.offset * gain,
        slack=slack,
        error=None if form.error is None else form.error * gain,
    )


def _pooled(
    node: MaxPool | GlobalPool, form: Pending, places: Ints, tensor: str, element: IntType
) -> Pending:
    """The integers behind a pool, channel by channel in the order of those before it."""
    across = (-1, *[1] * len(form.pixel_axes))
    if isinstance(node, GlobalPool):
        index = places.reshape(across) if node.keep else places
        return integer(tensor, node.output, element, form.scale, form.zero, index)
    shape = (len(places), *node.window.output[2 - len(form.pixel_axes) :])
    order = stream_order(shape, form.pixel_axes)
    index = order + (places - np.arange(len(places))).reshape(across)
    return integer(tensor, node.output, element, form.scale, form.zero, index, form.pixel_axes)
