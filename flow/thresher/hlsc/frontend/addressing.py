"""`getelementptr`: where a pointer goes, with constant and with variable indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.pointers import Pointer, Target
from thresher.hlsc.frontend.state import AccessError
from thresher.hlsc.ir import Node, Op
from thresher.hlsc.llvm.types import ArrayType, StructType, Type, bytes_of, struct_offsets

MAX_ELEMENTS = 64
"""An array of more elements than this is not indexed by a variable: the multiplexers are too large."""

Extent = Sequence[tuple[int, int]]
"""The arrays of an object: first byte and the byte after the last."""


def step_pointer(
    builder: Builder, pointer: Pointer, kind: Type, indices: Sequence[Node], arrays: dict[str, Extent]
) -> Pointer:
    """The pointer after a `getelementptr` over `kind`.

    Raises:
        AccessError: a variable index into something that is no array of the unit or of the step.
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
                raise AccessError("an index into a value that is no array")
            kind = kind.element
        stride = bytes_of(kind)
        if index.op is Op.CONST:
            constant += stride * _signed(index)
        else:
            steps.append((index, stride, 0))
    return [(None, 0, constant), *steps]


def _signed(index: Node) -> int:
    return index.value - (1 << index.width) if index.value >> (index.width - 1) else index.value


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
            raise AccessError("a constant table is indexed by two variables")
    return Pointer(tuple(targets))


def _elements(
    builder: Builder, target: Target, index: Node, stride: int, extents: Extent
) -> Sequence[Target]:
    """One target for each element that a variable index may mean."""
    ends = [end for start, end in extents if start <= target.offset < end]
    if not ends:
        raise AccessError("a variable index into something that is no array of the unit")
    count = min((ends[0] - target.offset) // stride, 1 << index.unsigned_width)
    if count > MAX_ELEMENTS:
        raise AccessError(f"a variable index into an array of {count} elements")
    return Pointer(
        tuple(
            moved
            for element in range(count)
            for moved in Pointer((target,))
            .moved(element * stride)
            .under(builder, builder.eq(index, builder.const(index.width, element)))
            .targets
        )
    ).targets
