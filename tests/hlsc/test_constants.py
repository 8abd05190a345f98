"""The bytes of constant tables, as LLVM writes them."""

from __future__ import annotations

import struct

import pytest

from thresher.hlsc.llvm.constants import constant_bytes


def row(kind: str, values: tuple[int, ...]) -> str:
    """An array within a table; LLVM writes one of zeros by a word."""
    head = f"[{len(values)} x {kind}] "
    return head + (
        "[" + ", ".join(f"{kind} {value}" for value in values) + "]" if any(values) else "zeroinitializer"
    )


@pytest.mark.parametrize(("kind", "code"), [("i8", "b"), ("i16", "h"), ("i32", "i"), ("i64", "q")])
def test_a_table_of_rows(kind: str, code: str) -> None:
    rows = [(1, -2), (0, 0), (-128, 127), (0, 3)]
    listed = ", ".join(row(kind, values) for values in rows)
    text = f"internal constant [4 x [2 x {kind}]] [{listed}], align 16"

    assert constant_bytes(text, {}) == struct.pack(f"<8{code}", *(value for each in rows for value in each))


def test_tables_of_more_than_numbers() -> None:
    assert constant_bytes("constant [2 x i16] [i16 undef, i16 3]", {}) == struct.pack("<2h", 0, 3)
    assert constant_bytes("constant [2 x [2 x i16]] zeroinitializer", {}) == bytes(8)
    assert (
        constant_bytes('constant [2 x [2 x i8]] [[2 x i8] c"ab", [2 x i8] [i8 1, i8 2]]', {}) == b"ab\x01\x02"
    )
    assert constant_bytes("constant [1 x [1 x ptr]] [[1 x ptr] [ptr @f]]", {}) is None
