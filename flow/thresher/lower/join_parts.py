"""What sums and concatenations have in common: their inputs, a grid for all of them, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.integer import Doubles, Flags, IntNode, Ints
from thresher.ir.integer_branches import IntRescale, IntSelect
from thresher.ir.quant import QuantNode
from thresher.lower.forms import Namer, Pending, is_deferred, zero_or_offset
from thresher.lower.grids import FixedPoint, Grid, Term
from thresher.lower.lowered import Approximation
from thresher.lower.maps import pixelwise
from thresher.lower.piecewise import Piecewise, piecewise
from thresher_sim.streams import IntType

# Below it float32 has every integer.
_MANTISSA = 1 << 24


@dataclass(frozen=True, eq=False)
class Joined:
    """The operators of a join in order, their result, and how far fixed point is off, if it is."""

    nodes: tuple[IntNode, ...]
    result: Pending
    approximation: Approximation | None


@dataclass(frozen=True, eq=False)
class Part:
    """One input of a join: its integers, in place, their function in the model, and the nodes behind it."""

    form: Pending
    function: Piecewise
    onnx_nodes: tuple[str, ...]

    @property
    def magnitude(self) -> Doubles:
        """The largest value of each channel, and of what its parts of a linear function have on their own."""
        ends = np.abs(np.stack([self.form.lo, self.form.hi])).max(axis=0)
        own = np.abs(self.function.slopes) * ends[:, None] + np.abs(self.function.offsets)
        largest: Doubles = own.max(axis=1)
        return largest

    @property
    def term(self) -> Term:
        """Its function on the integers that there are."""
        lo, hi = self.form.lo, self.form.hi
        return Term(self.function.on(lo, hi), lo, hi)


def part_of(node: QuantNode, form: Pending) -> Part:
    """`form` as an input of the join `node`, pixel by pixel where it is a map.

    Raises:
        NodeError: What the model has done to its integers is no piecewise linear function.
    """
    form = form.by_vector()
    function = piecewise(form)
    if function is None:
        cause = next((step for step in form.steps if is_deferred(step)), form.steps[-1])
        reason = f"what node '{cause.name}' gives it is no piecewise linear function of integers"
        raise NodeError("lower", node.name, reason, "quantise that first, as Brevitas' QuantIdentity does")
    frame = form.in_place()
    mapped = pixelwise(frame)
    if mapped is None or mapped.channels == frame.channels:
        return Part(mapped or frame, function, form.onnx_nodes)
    if frame.channels % mapped.channels:
        frame, function = frame.whole(), function.repeated(frame.vectors)
    rows = [
        each.reshape(len(each) // mapped.channels, mapped.channels, each.shape[1])
        for each in (function.starts, function.slopes, function.offsets)
    ]
    if any((row != row[:1]).any() for row in rows):
        return Part(frame, function, form.onnx_nodes)
    return Part(mapped, Piecewise(rows[0][0], rows[1][0], rows[2][0]), form.onnx_nodes)


def selected(
    node: QuantNode, part: Part, order: Ints, index: Ints, nodes: list[IntNode], named: Namer
) -> Part:
    """The channels `order` of every vector, which then lie as `index` says."""
    form = part.form
    name = named("select")
    made = replace(form.with_channels(order, form.pixel_axes), tensor=f"{name}_out", index=index)
    ends = (name, form.tensor, made.tensor, node.onnx_nodes, form.type, made.type)
    nodes.append(IntSelect(*ends, order))
    function = part.function
    taken = Piecewise(function.starts[order], function.slopes[order], function.offsets[order])
    return replace(part, form=made, function=taken)


def scaled(node: QuantNode, part: Part, term: FixedPoint, nodes: list[IntNode], named: Namer) -> Pending:
    """The integers of `part` on the common grid."""
    form = part.form
    if term.trivial:
        return form
    lo, hi = term.reach(form.lo, form.hi)
    name = named("rescale")
    element = IntType(int(lo.min()), int(hi.max()))
    made = replace(form, tensor=f"{name}_out", element=element, lo=lo, hi=hi, stride=1)
    ends = (name, form.tensor, made.tensor, (*part.onnx_nodes, *node.onnx_nodes), form.type, made.type)
    nodes.append(IntRescale(*ends, term.starts, term.multipliers, term.offsets, term.shift))
    return made


def passed_on(
    node: QuantNode, form: Pending, nodes: list[IntNode], named: Namer, element: IntType | None = None
) -> Pending:
    """The integers of `form` as a tensor of their own, of type `element`, which holds them all."""
    name, channels = named("rescale"), form.channels
    made = replace(form, tensor=f"{name}_out", element=element or form.element)
    ends = (name, form.tensor, made.tensor, node.onnx_nodes, form.type, made.type)
    one, zero = np.ones((channels, 1), np.int64), np.zeros((channels, 1), np.int64)
    nodes.append(IntRescale(*ends, np.empty((channels, 0), np.int64), one, zero, 0))
    return made


def mirrored(node: QuantNode, form: Pending, falling: Flags, nodes: list[IntNode], named: Namer) -> Pending:
    """Integers that mean the same as those of `form`, negated in the channels that are `falling`."""
    if not falling.any():
        return form
    signs = np.where(falling, -1, 1)
    lo, hi = np.where(falling, -form.hi, form.lo), np.where(falling, -form.lo, form.hi)
    negative = replace(
        form,
        lo=lo,
        hi=hi,
        scale=form.scale * signs,
        zero=form.zero * signs,
        stride=1,
        product=None if form.product is None else form.product.turned(signs),
    )
    element = IntType(int(lo.min()), int(hi.max()))
    made = passed_on(node, negative, nodes, named, element)
    last = nodes[-1]
    assert isinstance(last, IntRescale)
    nodes[-1] = replace(last, multipliers=signs[:, None])
    return made


def meaning(
    node: QuantNode, total: Pending, parts: Sequence[Part], grid: Grid, side_by_side: bool
) -> Pending:
    """What the integers `total` of a join mean: steps of the grid and its offset, or a zero point instead.

    Of parts `side_by_side` each has channels of its own; otherwise all have the same.
    """
    zero, offset = zero_or_offset(grid.step, grid.offset)
    error = _of_inputs(parts, lambda form: form.error, side_by_side)
    own = grid.error
    if error is not None or own.any():
        error = own + (0.0 if error is None else error)
    return replace(
        total,
        onnx_tensor=node.output,
        scale=grid.step,
        zero=zero,
        offset=offset,
        slack=_slack(parts, grid, side_by_side),
        error=error,
        sums=True,
        product=None,
    )


def _slack(parts: Sequence[Part], grid: Grid, side_by_side: bool) -> Doubles | None:
    """How far float32 may be off: what its inputs are, and a rounding of each of their steps and the sum.

    Sums from left to right may be larger on the way than at the end, but not than their terms together.
    """
    magnitudes = [part.magnitude for part in parts]
    largest: Doubles = np.concatenate(magnitudes) if side_by_side else np.sum(magnitudes, axis=0)
    powers = bool((np.frexp(grid.step)[0] == 0.5).all()) and not grid.offset.any()
    inputs = _of_inputs(parts, lambda form: form.slack, side_by_side)
    whole = bool((largest < _MANTISSA * grid.step).all())
    if powers and whole and inputs is None and not any(part.form.slack is not None for part in parts):
        return None
    steps = sum(2 + len(part.onnx_nodes) for part in parts)
    bound: Doubles = steps * 2.0**-24 * largest + (0.0 if inputs is None else inputs)
    return bound


def _of_inputs(
    parts: Sequence[Part], which: Callable[[Pending], Doubles | None], side_by_side: bool
) -> Doubles | None:
    """The sum of a bound of all inputs behind their steps; of channels side by side each its own."""
    bounds = []
    for part in parts:
        bound = which(part.form)
        bounds.append(None if bound is None else bound * part.function.gains(part.form.scale))
    if all(bound is None for bound in bounds):
        return None
    filled = [
        np.zeros(part.form.channels) if bound is None else bound
        for part, bound in zip(parts, bounds, strict=True)
    ]
    if side_by_side:
        return np.concatenate(filled)
    total: Doubles = np.sum(filled, axis=0)
    return total


def approximation_of(node: QuantNode, result: Pending, grid: Grid) -> Approximation | None:
    """How far the join `node` is off; None where it is exact for what it reads."""
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
