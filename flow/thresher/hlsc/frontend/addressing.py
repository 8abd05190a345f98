"""`getelementptr`: where a pointer goes, and the places that variable indices may mean."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import gcd, prod

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.pointers import Array, Pointer, Target, Term
from thresher.hlsc.ir import Node, Op
from thresher.hlsc.known import trailing_zeros
from thresher.hlsc.llvm.types import ArrayType, StructType, Type, bytes_of, struct_offsets
from thresher.hlsc.refusal import NotHardwareError

MAX_ELEMENTS = 64
"""An array of more elements than this is not indexed by a variable: the multiplexers are too large."""

MAX_COMBINATIONS = 4096
"""So many values of several indices together are tried, most of which are outside of the array."""

_ANY = Array(0, sys.maxsize, 1)

REMEDY = "index with constants (unroll the loop), or keep the array in a Ram or a constant"

Arrays = Mapping[str, Sequence[Array]]
"""The outermost arrays of each object."""


def step_pointer(
    builder: Builder, pointer: Pointer, kind: Type, indices: Sequence[Node], arrays: Arrays, inbounds: bool
) -> Pointer:
    """The pointer after a `getelementptr` over `kind`.

    One that is not `inbounds` may begin outside of the array: LLVM moves the constant of `a[i - 1]` before
    the index, which may make it a byte of another array.

    Raises:
        NotHardwareError: an index into what is no array.
    """
    constant, terms = _steps(builder, kind, indices)
    pointer = pointer.moved(constant)
    if not terms:
        return pointer
    return Pointer(
        tuple(_indexed(target, terms, arrays.get(target.base, ()), inbounds) for target in pointer.targets)
    )


def _steps(builder: Builder, kind: Type, indices: Sequence[Node]) -> tuple[int, tuple[Term, ...]]:
    """The bytes that the constant indices step, and the variable indices.

    LLVM counts in bytes as well: an index whose lowest bits are zero is one that steps further.
    """
    terms: list[Term] = []
    constant = 0
    for number, index in enumerate(indices):
        if number and isinstance(kind, StructType):
            constant += struct_offsets(kind)[index.value]
            kind = kind.elements[index.value]
            continue
        if number:
            if not isinstance(kind, ArrayType):
                raise NotHardwareError("an index into a value that is no array", REMEDY)
            kind = kind.element
        if index.op is Op.CONST:
            constant += bytes_of(kind) * _signed_value(index.value, index)
        else:
            even = min(trailing_zeros(index), index.width - 1)
            steps = builder.slice(index, even, index.width - even)
            terms.append((steps, bytes_of(kind) << even))
    return constant, tuple(terms)


def _indexed(target: Target, terms: tuple[Term, ...], arrays: Sequence[Array], inbounds: bool) -> Target:
    if target.terms:
        return replace(target, terms=(*target.terms, *terms))
    inside = [array for array in arrays if array.first <= target.offset < array.end]
    steps = gcd(*(stride for _, stride in terms))
    fitting = [array for array in arrays if steps % array.stride == 0 or array in inside]
    return replace(target, terms=terms, arrays=tuple(inside if inbounds else fitting))


def elements(builder: Builder, target: Target, size: int) -> list[Target]:
    """One target without terms for each place at which `size` bytes may be meant.

    Only now, as constants may be added after a variable index: in `a[i - 1]` the index may be as large as
    the array.

    Raises:
        NotHardwareError: the places are not those of an array, or too many.
    """
    if not target.terms:
        return [target]
    steps = [_values(index, stride, target) for index, stride in target.terms]
    combinations = prod(len(values) for values in steps)
    if combinations > MAX_COMBINATIONS:
        raise NotHardwareError(f"variable indices with {combinations} combinations", REMEDY)
    found: list[Target] = []
    for values in product(*steps):
        moves = (value * stride for value, (_, stride) in zip(values, target.terms, strict=True))
        offset = target.offset + sum(moves)
        if target.arrays and not any(_holds(array, offset, size) for array in target.arrays):
            continue
        condition = target.condition or builder.const(1, 1)
        for value, (index, _) in zip(values, target.terms, strict=True):
            condition = builder.and_(condition, builder.eq(index, builder.const(index.width, value)))
        found.append(Target(target.base, offset, condition))
    offsets = {place.offset for place in found}
    largest = max(sum(_holds(array, offset, size) for offset in offsets) for array in target.arrays or [_ANY])
    if largest > MAX_ELEMENTS:
        raise NotHardwareError(f"a variable index into an array of {largest} elements", REMEDY)
    return found


def _holds(array: Array, offset: int, size: int) -> bool:
    return array.first <= offset <= array.end - size


def _values(index: Node, stride: int, target: Target) -> list[int]:
    """The values that an index of the target may have, signed."""
    values = [_signed_value(value, index) for value in sorted(possible_values(index))]
    if values:
        return values
    if not target.arrays:
        raise NotHardwareError("a variable index into something that is no array of the unit", REMEDY)
    first, end = min(array.first for array in target.arrays), max(array.end for array in target.arrays)
    if len(target.terms) == 1:
        values = list(range(-((target.offset - first) // stride), -((target.offset - end) // stride)))
    else:
        most = (end - first) // stride
        values = list(range(-most, most + 1))
    bits = index.unsigned_width
    return [value for value in values if bits == index.width or 0 <= value < 1 << bits]


def table_index(builder: Builder, target: Target) -> Term:
    """All variable indices of a target as one, counted in the largest unit that they share."""
    unit = gcd(*(stride for _, stride in target.terms))
    width = max(index.width for index, _ in target.terms)
    total = builder.const(width, 0)
    for index, stride in target.terms:
        steps = builder.mul(builder.sext(index, width), builder.const(width, stride // unit))
        total = builder.add(total, steps)
    return total, unit


def _signed_value(value: int, index: Node) -> int:
    return value - (1 << index.width) if value >> (index.width - 1) > 0 else value


def possible_values(node: Node) -> set[int]:
    """All values that a node may have, and perhaps some more; none if they are too many to list."""
    if node.op is Op.CONST:
        return {node.value}
    if node.op is Op.SELECT:
        a, b = (possible_values(arg) for arg in node.args[1:])
        return _few(a | b) if a and b else set()
    if node.op is Op.CONCAT:
        values, low = {0}, 0
        for part in node.args:
            found = possible_values(part)
            values = _few({value | high << low for value in values for high in found})
            low += part.width
        return values
    if node.op is Op.SEXT:
        inner = node.args[0]
        return {_signed_value(value, inner) & node.mask for value in possible_values(inner)}
    return set(range(1 << node.width)) if 1 << node.width <= MAX_ELEMENTS else set()


def _few(values: set[int]) -> set[int]:
    return values if len(values) <= MAX_ELEMENTS else set()
