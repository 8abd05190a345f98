"""Sums and concatenations of integer tensors, on one grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thresher.lower.branches import IntAdd, IntConcat, IntRescale, IntSelect
from thresher.lower.forms import Doubles, Namer, Pending, is_largest
from thresher.lower.grids import FixedPoint, Grid, Term, exact_grid, fixed_grid
from thresher.lower.integer import IntNode, Ints, TensorType
from thresher.lower.lowered import Approximation
from thresher.lower.maps import pixelwise
from thresher.lower.piecewise import Piecewise, piecewise
from thresher.onnx_import.join_nodes import Concat, Sum
from thresher.onnx_import.nodes import QuantNode
from thresher.onnx_import.problems import NodeError
from thresher_sim.streams import IntType


@dataclass(frozen=True, eq=False)
class Joined:
    """The operators of a join in order, their result, and how far fixed point is off, if it is."""

    nodes: tuple[IntNode, ...]
    result: Pending
    approximation: Approximation | None


@dataclass(frozen=True, eq=False)
class _Part:
    """One input of a join: its integers, in place, their function in the model, and the nodes behind it."""

    form: Pending
    function: Piecewise
    onnx_nodes: tuple[str, ...]

    @property
    def term(self) -> Term:
        return Term(self.function, self.form.lo, self.form.hi)


def add(node: Sum, forms: Sequence[Pending], bits: int, named: Namer) -> Joined:
    """The sum of tensors whose values are piecewise linear functions of integers.

    Exact where their scales have a common grid, else in fixed point of `bits` bits.

    Raises:
        NodeError: What is added is no such function, or lies in another order in each.
    """
    parts = [_part(node, form) for form in forms]
    parts = _one_cut(parts)
    nodes: list[IntNode] = []
    aligned = [_aligned(node, part, parts[0].form, nodes, named) for part in parts]
    signed = [
        Term(_negated(part.function) if sign < 0 else part.function, part.form.lo, part.form.hi)
        for part, sign in zip(aligned, node.signs, strict=True)
    ]
    grid = exact_grid(signed) or fixed_grid(signed, bits)
    scaled = [_scaled(node, part, term, nodes, named) for part, term in zip(aligned, grid.terms, strict=True)]
    total = scaled[0]
    for each in scaled[1:]:
        total = _sum_of(node, total, each, nodes, named)
    result = _meaning(node, total, aligned, grid)
    return Joined(tuple(nodes), result, _approximation(node, result, grid))


def concatenate(node: Concat, forms: Sequence[Pending], bits: int, named: Namer, one_scale: bool) -> Joined:
    """The channels of some maps, or the elements of some vectors, one after the other.

    With `one_scale` all channels get the same scale, on a common grid where there is one, else in fixed point
    of `bits` bits; otherwise channels keep the scales that they have.

    Raises:
        NodeError: As `add`, or they are not concatenated along the channels.
    """
    parts = [_channels_first(node, _part(node, form)) for form in forms]
    nodes: list[IntNode] = []
    ordered = [_natural(node, part, nodes, named) for part in parts]
    channels = [np.arange(part.form.channels) for part in ordered]
    every = _side_by_side([part.term for part in ordered])
    grid = _grid_of_channels(every, one_scale, bits)
    begins = np.cumsum([0, *(len(each) for each in channels)])
    scaled = [
        _scaled(node, part, _channels_of(grid.terms[0], slice(first, last)), nodes, named)
        for part, first, last in zip(ordered, begins[:-1], begins[1:], strict=True)
    ]
    element = _union([part.element for part in scaled])
    scaled = [_as_type(node, part, element, nodes, named) for part in scaled]
    total = scaled[0]
    for each in scaled[1:]:
        total = _concat_of(node, total, each, nodes, named)
    result = _meaning(node, total, ordered, grid)
    axes = tuple(axis for axis in range(result.index.ndim) if axis != node.axis - 1)
    result = replace(
        result,
        index=np.moveaxis(result.index, 0, node.axis - 1),
        pixel_axes=axes if result.pixel_axes else (),
        sums=any(part.form.sums for part in ordered),
    )
    return Joined(tuple(nodes), result, _approximation(node, result, grid))


def _part(node: QuantNode, form: Pending) -> _Part:
    pool = next((step for step in form.steps if is_largest(step)), None)
    function = None if pool is not None else piecewise(form)
    if function is None:
        cause = pool or form.steps[-1]
        reason = f"what node '{cause.name}' gives it is no piecewise linear function of integers"
        raise NodeError("lower", node.name, reason, "quantise that first, as Brevitas' QuantIdentity does")
    frame = form.in_place()
    mapped = pixelwise(frame)
    if mapped is None or mapped.channels == frame.channels:
        return _Part(mapped or frame, function, form.onnx_nodes)
    rows = [
        each.reshape(mapped.vectors, mapped.channels, each.shape[1])
        for each in (function.starts, function.slopes, function.offsets)
    ]
    if any((row != row[:1]).any() for row in rows):
        return _Part(frame, function, form.onnx_nodes)
    return _Part(mapped, Piecewise(rows[0][0], rows[1][0], rows[2][0]), form.onnx_nodes)


def _one_cut(parts: Sequence[_Part]) -> list[_Part]:
    """The parts with frames cut into as many vectors: where they differ, into one."""
    if len({part.form.channels for part in parts}) == 1:
        return list(parts)
    return [
        replace(part, form=part.form.whole(), function=_repeated(part.function, part.form.vectors))
        for part in parts
    ]


def _repeated(function: Piecewise, times: int) -> Piecewise:
    return Piecewise(
        np.tile(function.starts, (times, 1)),
        np.tile(function.slopes, (times, 1)),
        np.tile(function.offsets, (times, 1)),
    )


def _aligned(node: QuantNode, part: _Part, target: Pending, nodes: list[IntNode], named: Namer) -> _Part:
    """`part` with its elements in the order of `target`."""
    mine, wanted = part.form.index, target.index
    if mine.shape == wanted.shape and np.array_equal(mine, wanted):
        return part
    places = np.empty(target.size, np.int64)
    places[wanted.reshape(-1)] = mine.reshape(-1)
    order = places[: target.channels]
    vectors = np.arange(target.vectors)[:, None] * target.channels
    if mine.shape != wanted.shape or not np.array_equal(places.reshape(-1, target.channels), vectors + order):
        reason = "what it joins arrives in different orders"
        raise NodeError(
            "lower", node.name, reason, "do not reshape or transpose one of the tensors before it"
        )
    return _selected(node, part, order, wanted, nodes, named)


def _selected(
    node: QuantNode, part: _Part, order: Ints, index: Ints, nodes: list[IntNode], named: Namer
) -> _Part:
    """The channels `order` of every vector, which then lie as `index` says."""
    form = part.form
    name = named("select")
    made = replace(form.with_channels(order, form.pixel_axes), tensor=f"{name}_out", index=index)
    ends = (name, form.tensor, made.tensor, node.onnx_nodes, form.type, made.type)
    nodes.append(IntSelect(*ends, order))
    function = part.function
    taken = Piecewise(function.starts[order], function.slopes[order], function.offsets[order])
    return replace(part, form=made, function=taken)


def _natural(node: Concat, part: _Part, nodes: list[IntNode], named: Namer) -> _Part:
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
    return _selected(node, part, places, index, nodes, named)


def _channels_first(node: Concat, part: _Part) -> _Part:
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
    if own is not None:
        # One scale for all channels is a common grid of each with the first.
        first = Piecewise(function.starts, np.full_like(function.slopes, slopes[0]), function.offsets)
        common = exact_grid([Term(first, every.lo, every.hi), every])
        if common is not None and (common.step == common.step[0]).all():
            return Grid(common.step, common.terms[1:], function.offsets[:, 0])
    return fixed_grid([every], bits)


def _channels_of(term: FixedPoint, which: slice) -> FixedPoint:
    return FixedPoint(
        term.starts[which], term.multipliers[which], term.offsets[which], term.shift, term.error[which]
    )


def _scaled(node: QuantNode, part: _Part, term: FixedPoint, nodes: list[IntNode], named: Namer) -> Pending:
    """The integers of `part` on the common grid."""
    form = part.form
    if term.trivial:
        return form
    lo, hi = term.reach(form.lo, form.hi)
    name = named("rescale")
    made = replace(form, tensor=f"{name}_out", element=IntType(int(lo.min()), int(hi.max())), lo=lo, hi=hi)
    ends = (name, form.tensor, made.tensor, (*part.onnx_nodes, *node.onnx_nodes), form.type, made.type)
    nodes.append(IntRescale(*ends, term.starts, term.multipliers, term.offsets, term.shift))
    return made


def _as_type(node: QuantNode, form: Pending, element: IntType, nodes: list[IntNode], named: Namer) -> Pending:
    """The same integers as another type, which holds them all."""
    if form.element == element:
        return form
    made = replace(form, element=element)
    last = next((place for place, each in enumerate(nodes) if each.output == form.tensor), None)
    if last is not None and isinstance(nodes[last], IntRescale):
        nodes[last] = replace(nodes[last], output_type=made.type)
        return made
    name, channels = named("rescale"), form.channels
    made = replace(made, tensor=f"{name}_out")
    ends = (name, form.tensor, made.tensor, node.onnx_nodes, form.type, made.type)
    one, zero = np.ones((channels, 1), np.int64), np.zeros((channels, 1), np.int64)
    nodes.append(IntRescale(*ends, np.empty((channels, 0), np.int64), one, zero, 0))
    return made


def _union(elements: Sequence[IntType]) -> IntType:
    if all(element == elements[0] for element in elements):
        return elements[0]
    return IntType(min(element.lo for element in elements), max(element.hi for element in elements))


def _sum_of(node: QuantNode, first: Pending, second: Pending, nodes: list[IntNode], named: Namer) -> Pending:
    name = named("add")
    lo, hi = first.lo + second.lo, first.hi + second.hi
    made = replace(first, tensor=f"{name}_out", element=IntType(int(lo.min()), int(hi.max())), lo=lo, hi=hi)
    ends = (name, first.tensor, made.tensor, node.onnx_nodes, first.type, made.type)
    nodes.append(IntAdd(*ends, (second.tensor,), (second.type,)))
    return made


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
    )


def _meaning(node: QuantNode, total: Pending, parts: Sequence[_Part], grid: Grid) -> Pending:
    """What the integers of a join mean: steps of the grid and its offset, or a zero point if it will do."""
    zero = np.rint(-grid.offset / grid.step).astype(np.int64)
    whole = bool((-zero * grid.step == grid.offset).all())
    error = _of_inputs(parts, lambda form: form.error, len(grid.step))
    own = grid.error
    if error is not None or own.any():
        error = own + (0.0 if error is None else error)
    return replace(
        total,
        onnx_tensor=node.output,
        scale=grid.step,
        zero=zero if whole else np.zeros_like(zero),
        offset=None if whole else grid.offset,
        slack=_slack(parts, total, grid),
        error=error,
        sums=True,
    )


def _slack(parts: Sequence[_Part], total: Pending, grid: Grid) -> Doubles | None:
    """How far float32 may be off: what its inputs are, and a rounding of each of their steps and the sum."""
    powers = bool((np.frexp(grid.step)[0] == 0.5).all()) and not grid.offset.any()
    inputs = _of_inputs(parts, lambda form: form.slack, len(grid.step))
    if powers and inputs is None and not any(part.form.slack is not None for part in parts):
        return None
    largest = np.maximum(np.abs(total.lo), np.abs(total.hi)) * grid.step + np.abs(grid.offset)
    steps = sum(2 + len(part.onnx_nodes) for part in parts)
    bound: Doubles = steps * 2.0**-24 * largest + (0.0 if inputs is None else inputs)
    return bound


def _of_inputs(
    parts: Sequence[_Part], which: Callable[[Pending], Doubles | None], channels: int
) -> Doubles | None:
    """The sum of a bound of all inputs behind their steps; of channels side by side each its own."""
    bounds = []
    for part in parts:
        bound = which(part.form)
        gains = np.abs(part.function.slopes).max(axis=1) / np.abs(part.form.scale)
        bounds.append(None if bound is None else bound * gains)
    if all(bound is None for bound in bounds):
        return None
    filled = [
        np.zeros(part.form.channels) if bound is None else bound
        for part, bound in zip(parts, bounds, strict=True)
    ]
    if sum(map(len, filled)) == channels:
        return np.concatenate(filled)
    total: Doubles = np.sum(filled, axis=0)
    return total


def _approximation(node: QuantNode, result: Pending, grid: Grid) -> Approximation | None:
    if not grid.error.any():
        return None
    assert result.error is not None
    return Approximation(
        onnx_node=node.name,
        step=float(grid.step[0]),
        bits=result.element.bits,
        own_error=float(grid.error.max()),
        error=float(result.error.max()),
    )


def _negated(function: Piecewise) -> Piecewise:
    return Piecewise(function.starts, -function.slopes, -function.offsets)
