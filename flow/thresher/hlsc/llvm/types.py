"""LLVM's types, with the sizes of the 64-bit little-endian targets that units are compiled for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IntegerType:
    """`iN`."""

    width: int


@dataclass(frozen=True)
class PointerType:
    """`ptr`."""


@dataclass(frozen=True)
class ArrayType:
    """`[count x element]`."""

    count: int
    element: Type


@dataclass(frozen=True)
class StructType:
    """`{...}`, or packed `<{...}>`."""

    elements: tuple[Type, ...]
    packed: bool


@dataclass(frozen=True)
class OtherType:
    """Any type of which values cannot become hardware: `double`, `<4 x i32>`, `void`."""

    name: str


Type = IntegerType | PointerType | ArrayType | StructType | OtherType


def bytes_of(kind: Type) -> int:
    """The size of a value in memory, padding included.

    Raises:
        ValueError: the type has no size that hlsc knows.
    """
    if isinstance(kind, IntegerType):
        return _align(-(-kind.width // 8), alignment(kind))
    if isinstance(kind, PointerType):
        return 8
    if isinstance(kind, ArrayType):
        return kind.count * bytes_of(kind.element)
    if isinstance(kind, StructType):
        return _align(struct_offsets(kind)[-1], alignment(kind))
    raise ValueError(f"no size for {kind.name}")


def struct_offsets(kind: StructType) -> list[int]:
    """The byte at which each element begins, and at the end the byte after the last."""
    offsets, position = [], 0
    for element in kind.elements:
        position = position if kind.packed else _align(position, alignment(element))
        offsets.append(position)
        position += bytes_of(element)
    return [*offsets, position]


def alignment(kind: Type) -> int:
    """The alignment in bytes."""
    if isinstance(kind, IntegerType):
        whole = 1 << (max(-(-kind.width // 8), 1) - 1).bit_length()
        return min(whole, 16 if kind.width > 64 else 8)
    if isinstance(kind, ArrayType):
        return alignment(kind.element)
    if isinstance(kind, StructType):
        return 1 if kind.packed else max((alignment(element) for element in kind.elements), default=1)
    return 8


def _align(position: int, to: int) -> int:
    return -(-position // to) * to
