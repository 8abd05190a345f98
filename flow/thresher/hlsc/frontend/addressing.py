"""`getelementptr`: where a pointer goes, with constant and with variable indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.pointers import Pointer, Target
from thresher.hlsc.ir import Node, Op
from thresher.hlsc.llvm.types import ArrayType, StructType, Type, bytes_of, struct_offsets
from thresher.hlsc.refusal import NotHardwareError

MAX_ELEMENTS = 64
"""An array of more elements than this is not indexed by a variable: the multiplexers are too large."""

REMEDY = "index with constants (unroll the loop), or keep the array in a Ram or a constant"

Extent = Sequence[tuple[int, int]]
"""The arrays of an object: first byte and the byte after the last."""


def step_pointer(
    builder: Builder, pointer: Pointer, kind: Type, indices: Sequence[Node], arrays: dict[str, Extent]
) -> Pointer:
    """The pointer after a `getelementptr` over `kind`.

    Raises:
        NotHardwareError: a variable index into something that is no array of the unit or of the step.
    """
    for index, stride, offset in _steps(kind, indices):
        if index is None:
            pointer = pointer.moved(offset)
        else:
            pointer = _indexed(builder, pointer, index, stride, arrays)
    return pointer


def _steps(kind: Type, indices: Sequence[Node]) -> list[tuple[Node | None, int, int]]:
    """Each index as (variable, stride, 0) or (None, 0, bytes), constants first."""
    steps: list[tuple[Node | None, int, int]] = []
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
        stride = bytes_of(kind)
        if index.op is Op.CONST:
            constant += stride * _signed_value(index.value, index)
        else:
            steps.append((index, stride, 0))
    return [(None, 0, constant), *steps]


def _indexed(
    builder: Builder, pointer: Pointer, index: Node, stride: int, arrays: dict[str, Extent]
) -> Pointer:
    targets: list[Target] = []
    for target in pointer.targets:
        if not target.base.startswith("@"):
            targets += _elements(builder, target, index, stride, arrays.get(target.base, ()))
        elif target.index is None:
            targets.append(replace(target, index=index, stride=stride))
        else:
            raise NotHardwareError("a constant table is indexed by two variables", REMEDY)
    return Pointer(tuple(targets))


def _elements(
    builder: Builder, target: Target, index: Node, stride: int, extents: Extent
) -> Sequence[Target]:
    """One target for each element that a variable index may mean."""
    inside = [extent for extent in extents if extent[0] <= target.offset < extent[1]]
    values = possible_values(index)
    if inside:
        start, end = inside[0]
        every = range(-((target.offset - start) // stride), -((target.offset - end) // stride))
        values = {_signed_value(value, index) for value in values} & set(every) if values else set(every)
    if not values:
        raise NotHardwareError("a variable index into something that is no array of the unit", REMEDY)
    if len(values) > MAX_ELEMENTS:
        raise NotHardwareError(f"a variable index into an array of {len(values)} elements", REMEDY)
    pointer = Pointer((target,))
    elements = [
        pointer.moved(_signed_value(value, index) * stride).under(
            builder, builder.eq(index, builder.const(index.width, value))
        )
        for value in sorted(values)
    ]
    return [moved for element in elements for moved in element.targets]


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
