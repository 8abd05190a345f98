"""The bytes of a constant global."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from thresher.hlsc.llvm.module import Aggregate, Number, Operand, Undefined, Zeros
from thresher.hlsc.llvm.reader import Reader
from thresher.hlsc.llvm.types import ArrayType, IntegerType, StructType, Type, bytes_of, struct_offsets

# `[2 x [3 x i64]] [[3 x i64] [i64 1, ...], ...], align 16`
_TABLE = re.compile(r"(?P<sizes>(?:\[\d+ x )+)i(?P<bits>8|16|32|64)\]+ (?P<numbers>\[.*\])")
_TABLE_CHARACTERS = frozenset("[]xi0123456789-, ")
_CONSTANT = re.compile(r"(?:^|.*? )constant (.*)", re.DOTALL)


def constant_bytes(text: str, types: Mapping[str, str]) -> bytes | None:
    """The contents of a global from its definition; None if it is not a constant of integers.

    `types` are the named types of the module.

    Raises:
        HlscFaultError: an aggregate has not the elements of its type.
    """
    found = _CONSTANT.match(text)
    if not found:
        return None
    table = _table_bytes(found[1])
    if table is not None:
        return table
    operand = Reader(found[1], types).operand()
    data = bytearray(bytes_of(operand.type))
    return bytes(data) if _fill(data, 0, operand) else None


def _table_bytes(text: str) -> bytes | None:
    """The contents of nested arrays of plain numbers, which tables are and which are long; else None."""
    found = _TABLE.match(text)
    if not found:
        return None
    sizes, element = [int(size) for size in re.findall(r"\d+", found["sizes"])], f"i{found['bits']}"
    zeros = ", ".join([f"{element} 0"] * sizes[-1])
    written = found["numbers"].replace(f"[{sizes[-1]} x {element}] zeroinitializer", zeros)
    numbers = re.findall(rf"{element} (-?\d+)", written)
    if not set(written) <= _TABLE_CHARACTERS or len(numbers) != math.prod(sizes):
        return None
    return np.array([int(number) for number in numbers], f"<i{int(found['bits']) // 8}").tobytes()


def _fill(data: bytearray, at: int, operand: Operand) -> bool:
    kind, value = operand.type, operand.value
    if isinstance(value, Undefined | Zeros):
        return True
    if isinstance(kind, IntegerType) and isinstance(value, Number):
        size = bytes_of(kind)
        data[at : at + size] = (value.value % (1 << 8 * size)).to_bytes(size, "little")
        return True
    if not isinstance(value, Aggregate):
        return False
    places = [at + offset for offset in _offsets(kind)]
    return all(_fill(data, place, element) for place, element in zip(places, value.elements, strict=True))


def _offsets(kind: Type) -> list[int]:
    if isinstance(kind, ArrayType):
        return [index * bytes_of(kind.element) for index in range(kind.count)]
    if isinstance(kind, StructType):
        return struct_offsets(kind)[:-1]
    return []
