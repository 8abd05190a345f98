"""Sums of integer tensors, on one grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.integer import IntNode
from thresher.ir.integer_branches import IntAdd
from thresher.ir.quant import QuantNode
from thresher.ir.quant_joins import Sum
from thresher.lower.entry import INPUT
from thresher.lower.forms import Namer, Pending
from thresher.lower.grids import Term, joint_grid
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


def add(node: Sum, forms: Sequence[Pending], bits: int, named: Namer) -> Joined:
    """The sum of tensors whose values are piecewise linear functions of integers.

    Exact where their scales have a common grid, else in fixed point of `bits` bits.

    Raises:
        NodeError: What is added is no such function, or lies in another order in each.
    """
    parts = [part_of(node, form) for form in forms]
    parts = _one_cut(parts)
    nodes: list[IntNode] = []
    aligned = [_aligned(node, part, parts[0].form, nodes, named) for part in parts]
    signed = [
        _negated(part.term) if sign < 0 else part.term for part, sign in zip(aligned, node.signs, strict=True)
    ]
    grid = joint_grid(signed, bits)
    terms = [
        scaled(node, part, term, nodes, named)
        for part, term in zip(aligned, grid.terms, strict=True)
        if not term.vanished
    ]
    total = terms[0]
    for each in terms[1:]:
        total = _sum_of(node, total, each, nodes, named)
    if total.tensor == INPUT:
        # Where all else vanishes, the hardware passes its input on.
        total = passed_on(node, total, nodes, named)
    result = meaning(node, total, aligned, grid, side_by_side=False)
    return Joined(tuple(nodes), result, approximation_of(node, result, grid))


def _one_cut(parts: Sequence[Part]) -> list[Part]:
    """The parts with frames cut into as many vectors: where they differ, into one."""
    if len({part.form.channels for part in parts}) == 1:
        return list(parts)
    return [
        replace(part, form=part.form.whole(), function=part.function.repeated(part.form.vectors))
        for part in parts
    ]


def _aligned(node: QuantNode, part: Part, target: Pending, nodes: list[IntNode], named: Namer) -> Part:
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
    return selected(node, part, order, wanted, nodes, named)


def _sum_of(node: QuantNode, first: Pending, second: Pending, nodes: list[IntNode], named: Namer) -> Pending:
    name = named("add")
    lo, hi = first.lo + second.lo, first.hi + second.hi
    element, stride = IntType(int(lo.min()), int(hi.max())), math.gcd(first.stride, second.stride)
    made = replace(first, tensor=f"{name}_out", element=element, lo=lo, hi=hi, stride=stride)
    ends = (name, first.tensor, made.tensor, node.onnx_nodes, first.type, made.type)
    nodes.append(IntAdd(*ends, (second.tensor,), (second.type,)))
    return made


def _negated(term: Term) -> Term:
    function = term.function
    negative = Piecewise(function.starts, -function.slopes, -function.offsets)
    return replace(term, function=negative)
