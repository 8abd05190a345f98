"""Concatenations of integer tensors along their channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.integer import IntNode, TensorType
from thresher.ir.integer_branches import IntConcat, IntRescale
from thresher.ir.quant import QuantNode
from thresher.ir.quant_joins import Concat
from thresher.lower.forms import Namer, Pending
from thresher.lower.grids import FixedPoint, Grid, Term, exact_grid, fixed_grid
from thresher.lower.join_parts import (
    Joined,
    Part,
    approximation_of,
    meaning,
    part_of,
    passed_on,
    scaled,
    selected,
)
from thresher.lower.piecewise import Piecewise
from thresher_sim.streams import IntType


def concatenate(node: Concat, forms: Sequence[Pending], bits: int, named: Namer, one_scale: bool) -> Joined:
    """The channels of some maps, or the elements of some vectors, one after the other.

    With `one_scale` all channels get the same scale, on a common grid where there is one, else in fixed point
    of `bits` bits; otherwise channels keep the scales that they have.

    Raises:
        NodeError: As `add`, or they are not concatenated along the channels.
    """
    parts = [_channels_first(node, part_of(node, form)) for form in forms]
    nodes: list[IntNode] = []
    ordered = [_natural(node, part, nodes, named) for part in parts]
    every = _side_by_side([part.term for part in ordered])
    grid = _grid_of_channels(every, one_scale, bits)
    begins = np.cumsum([0, *(part.form.channels for part in ordered)])
    sides = [
        scaled(node, part, _channels_of(grid.terms[0], slice(first, last)), nodes, named)
        for part, first, last in zip(ordered, begins[:-1], begins[1:], strict=True)
    ]
    element = _union([side.element for side in sides])
    sides = [_as_type(node, side, element, nodes, named) for side in sides]
    total = sides[0]
    for each in sides[1:]:
        total = _concat_of(node, total, each, nodes, named)
    result = meaning(node, total, ordered, grid, side_by_side=True)
    axes = tuple(axis for axis in range(result.index.ndim) if axis != node.axis - 1)
    result = replace(
        result,
        index=np.moveaxis(result.index, 0, node.axis - 1),
        pixel_axes=axes if result.pixel_axes else (),
        sums=any(part.form.sums for part in ordered),
    )
    return Joined(tuple(nodes), result, approximation_of(node, result, grid))


def _natural(node: Concat, part: Part, nodes: list[IntNode], named: Namer) -> Part:
    """`part` with its channels in the order of the model, which comes before other channels."""
    form = part.form
    channels = len(form.index) if form.pixel_axes else form.size
    pixels = form.size // channels
    places = form.index.reshape(channels, -1)[:, 0]
    natural = np.arange(pixels) * channels
    if not np.array_equal(form.index.reshape(channels, -1), natural + places[:, None]):
        reason = "what it joins does not arrive pixel by pixel"
        raise NodeError(
            "lower", node.name, reason, "do not reshape or transpose one of the tensors before it"
        )
    if np.array_equal(places, np.arange(channels)):
        return part
    index = form.index + (np.arange(channels) - places).reshape(-1, *[1] * (form.index.ndim - 1))
    return selected(node, part, places, index, nodes, named)


def _channels_first(node: Concat, part: Part) -> Part:
    """`part` with the axis along which it is concatenated in front; that must be the one of its channels."""
    form, axis = part.form, node.axis - 1
    others = {other for other in range(form.index.ndim) if other != axis}
    pixels = form.vectors == 1 and form.index.shape[axis] == form.size
    if set(form.pixel_axes) != others and not pixels:
        reason = f"it concatenates along axis {node.axis}, and only channels lie side by side"
        raise NodeError("lower", node.name, reason, "concatenate maps along their channels")
    index = np.moveaxis(form.index, axis, 0)
    axes = tuple(range(1, index.ndim)) if form.pixel_axes else ()
    return replace(part, form=replace(form, index=index, pixel_axes=axes))


def _side_by_side(terms: Sequence[Term]) -> Term:
    segments = max(term.function.segments for term in terms)
    functions = [_padded(term, segments) for term in terms]
    return Term(
        Piecewise(
            np.concatenate([each.starts for each in functions]),
            np.concatenate([each.slopes for each in functions]),
            np.concatenate([each.offsets for each in functions]),
        ),
        np.concatenate([term.lo for term in terms]),
        np.concatenate([term.hi for term in terms]),
    )


def _padded(term: Term, segments: int) -> Piecewise:
    """The function with as many segments, those added beyond the largest integer."""
    function, more = term.function, segments - term.function.segments
    starts = np.repeat(term.hi[:, None] + 1, more, axis=1)
    slopes, offsets = (
        np.concatenate([each, np.repeat(each[:, -1:], more, axis=1)], axis=1)
        for each in (function.slopes, function.offsets)
    )
    return Piecewise(np.concatenate([function.starts, starts], axis=1), slopes, offsets)


def _grid_of_channels(every: Term, one_scale: bool, bits: int) -> Grid:
    function = every.function
    own = exact_grid([every])
    if own is not None and not one_scale:
        return own
    slopes = function.slopes[:, 0]
    if own is not None and (slopes == slopes[0]).all():
        return own
    every = every.flat()
    function, slopes = every.function, every.function.slopes[:, 0]
    if own is not None:
        # One scale for all channels is a common grid of each with the first that is not constant.
        slope = slopes[np.argmax(slopes != 0)]
        first = Piecewise(function.starts, np.full_like(function.slopes, slope), function.offsets)
        common = exact_grid([Term(first, every.lo, every.hi), every])
        if common is not None and (common.step == common.step[0]).all():
            return Grid(common.step, common.terms[1:], function.offsets[:, 0])
    return fixed_grid([every], bits)


def _channels_of(term: FixedPoint, which: slice) -> FixedPoint:
    return FixedPoint(
        term.starts[which], term.multipliers[which], term.offsets[which], term.shift, term.error[which]
    )


def _as_type(node: QuantNode, form: Pending, element: IntType, nodes: list[IntNode], named: Namer) -> Pending:
    """The same integers as another type, which holds them all."""
    if form.element == element:
        return form
    made = replace(form, element=element)
    last = next((place for place, each in enumerate(nodes) if each.output == form.tensor), None)
    if last is not None and isinstance(nodes[last], IntRescale):
        nodes[last] = replace(nodes[last], output_type=made.type)
        return made
    return passed_on(node, form, nodes, named, element)


def _union(elements: Sequence[IntType]) -> IntType:
    if all(element == elements[0] for element in elements):
        return elements[0]
    return IntType(min(element.lo for element in elements), max(element.hi for element in elements))


def _concat_of(
    node: QuantNode, first: Pending, second: Pending, nodes: list[IntNode], named: Namer
) -> Pending:
    name = named("concat")
    count = first.channels + second.channels
    type_ = TensorType(first.element, first.vectors, count)
    ends = (name, first.tensor, f"{name}_out", node.onnx_nodes, first.type, type_)
    nodes.append(IntConcat(*ends, (second.tensor,), (second.type,)))
    pixels = np.arange(first.vectors) * count
    index = (pixels + np.arange(count)[:, None]).reshape(count, *first.index.shape[1:])
    return replace(
        first,
        tensor=f"{name}_out",
        index=index,
        lo=np.concatenate([first.lo, second.lo]),
        hi=np.concatenate([first.hi, second.hi]),
        scale=np.concatenate([first.scale, second.scale]),
        zero=np.concatenate([first.zero, second.zero]),
        slack=None,
        offset=None,
        error=None,
        product=None,
        stride=math.gcd(first.stride, second.stride),
    )
