"""hlsc's reader of LLVM IR against LLVM itself: functions, blocks, instructions, operands, constants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import pytest

from tests.hlsc import test_empty, test_language, test_proof, test_units
from tests.hlsc.native import HLS
from tests.hlsc.random_units import EPILOGUE, PRELUDE, RandomUnit
from tests.kernels.test_proof import KERNELS, unit
from thresher.hlsc import UnitSource
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.llvm.constants import constant_bytes
from thresher.hlsc.llvm.instruction_reader import InstructionReader
from thresher.hlsc.llvm.module import (
    Address,
    Function,
    Instruction,
    Local,
    Module,
    Number,
    Operand,
    Undefined,
    Value,
)
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.llvm.types import ArrayType, IntegerType, OtherType, PointerType, StructType, Type

Theirs = Any
"""A value of llvmlite, which has no types."""

# They are kept: after a failure, the garbage collector may free one before the module in it, and crash.
_CONTEXTS: list[Theirs] = []

_DETAILS = {
    "icmp": re.compile(r" = icmp (?:samesign )?(\w+) "),
    "extractvalue": re.compile(r", (\d+)(?:, !.*)?$"),
    "getelementptr": re.compile(r" = getelementptr (inbounds)?"),
}
_STEPPED = re.compile(r" = getelementptr (?:(?:inbounds|nuw|nusw) )*(.+?), ptr ")
_ALLOCATED = re.compile(r" = alloca (.+?)(?:, i\d+ \d+)?(?:, align \d+)?(?:, !.*)?$")
_CASE = re.compile(r"(i\d+) (-?\d+|true|false), label")
_BYTES = re.compile(r"ptr getelementptr (?:(?:inbounds|nuw|nusw) )*\(i8, ptr @([-\w.$]+), i64 (-?\d+)\)")


def sources(folder: Path) -> Iterator[UnitSource]:
    """Every unit of the tests, small layers of all kernels, and some random units."""
    yield from (test_units.source(name) for name in test_units.NAMES if "Table" not in name)
    yield from (test_proof.source(name) for name in test_proof.BOUNDS)
    ahead = re.findall(r"^struct (\w+)", test_empty.UNITS.read_text(), re.MULTILINE)
    yield from (UnitSource(test_empty.UNITS, f"ahead::{name}", (HLS,)) for name in ahead)
    yield from (
        UnitSource(test_language.UNITS, f"language::{name}", (HLS,)) for name in test_language.UNITS_OF
    )
    for place, make in enumerate(KERNELS.values()):
        own = folder / f"kernel{place}"
        own.mkdir()
        yield unit(make(), own)
    for seed in range(7000, 7010):
        header = folder / f"random{seed}.hpp"
        header.write_text(PRELUDE + RandomUnit(seed, "Random").text + EPILOGUE)
        yield UnitSource(header, "random_units::Random", (HLS,))


def type_text(kind: Type) -> str:
    """A type as LLVM writes it."""
    if isinstance(kind, IntegerType):
        return f"i{kind.width}"
    if isinstance(kind, ArrayType):
        return f"[{kind.count} x {type_text(kind.element)}]"
    if isinstance(kind, StructType):
        inner = ", ".join(map(type_text, kind.elements))
        return f"<{{ {inner} }}>" if kind.packed else f"{{ {inner} }}"
    return "ptr" if isinstance(kind, PointerType) else kind.name


def resolved(text: str, types: dict[str, str]) -> str:
    """The text of a type without names in it."""
    while named := re.search(r'%(?:"[^"]*"|[-\w.$]+)', text):
        text = text.replace(named[0], types[named[0]])
    return text


class Compared:
    """A function as both read it; `values` and `blocks` are our names of what llvmlite has."""

    def __init__(self, ours: Function, theirs: Theirs, types: dict[str, str]) -> None:
        self.types = types
        self.values = dict(zip(theirs.arguments, ours.parameters, strict=True))
        self.pairs = list(zip(ours.blocks, theirs.blocks, strict=True))
        self.blocks = {their: our.name for our, their in self.pairs}
        assert all(not their.name or their.name == our.name for our, their in self.pairs)
        for our, their in self.pairs:
            for instruction, other in zip(our.instructions, their.instructions, strict=True):
                assert not other.name or other.name == instruction.result
                self.values[other] = instruction.result

    def check(self) -> None:
        for our, their in self.pairs:
            for instruction, other in zip(our.instructions, their.instructions, strict=True):
                assert self.of_ours(instruction) == self.of_theirs(other), str(other)

    def of_ours(self, instruction: Instruction) -> list[object]:
        kind = "" if isinstance(instruction.type, OtherType) else type_text(instruction.type)
        return [
            instruction.opcode,
            kind,
            [(type_text(operand.type), constant_of(operand)) for operand in instruction.operands],
            list(instruction.labels),
            instruction.detail,
        ]

    def of_theirs(self, other: Theirs) -> list[object]:
        text, kind = str(other), str(other.type)
        operands = [operand for operand in other.operands if operand.value_kind.name != "basic_block"]
        labels = [
            self.blocks[operand] for operand in other.operands if operand.value_kind.name == "basic_block"
        ]
        detail = _DETAILS[other.opcode].search(text)[1] or "" if other.opcode in _DETAILS else ""  # type: ignore[index]
        if other.opcode == "call":
            detail = operands.pop().name
        found = [(str(operand.type), self.value_of(operand)) for operand in operands]
        if other.opcode == "br" and len(labels) == 2:
            labels.reverse()
        elif other.opcode == "phi":
            labels = [self.blocks[block] for block in other.incoming_blocks]
        elif other.opcode == "switch":
            found += [(width, integer(width, value)) for width, value in _CASE.findall(text)]
        elif other.opcode == "getelementptr":
            kind = resolved(_STEPPED.search(text)[1], self.types)  # type: ignore[index]
        elif other.opcode == "alloca":
            kind = resolved(_ALLOCATED.search(text)[1], self.types)  # type: ignore[index]
            found = [] if found == [("i32", ("number", 1))] else found
        elif other.opcode == "extractvalue":
            kind = found[0][0]
        return [other.opcode, "" if kind == "void" else kind, found, labels, detail]

    def value_of(self, operand: Theirs) -> object:
        kind = operand.value_kind.name
        if kind in ("undef_value", "poison_value"):
            return "undefined"
        if kind == "constant_int":
            return ("number", operand.get_constant_value() % (1 << int(str(operand.type)[1:])))
        if kind == "constant_pointer_null":
            return ("number", 0)
        if kind in ("global_variable", "function"):
            return ("address", operand.name, 0)
        if kind == "constant_expr":
            found = _BYTES.fullmatch(str(operand))
            assert found, str(operand)
            return ("address", found[1], int(found[2]))
        return ("local", self.values[operand])


def integer(width: str, value: str) -> object:
    number = {"true": 1, "false": 0}.get(value)
    return ("number", (int(value) if number is None else number) % (1 << int(width[1:])))


def constant_of(operand: Operand) -> object:
    value: Value = operand.value
    if isinstance(value, Undefined):
        return "undefined"
    if isinstance(value, Number):
        width = operand.type.width if isinstance(operand.type, IntegerType) else 64
        return ("number", value.value % (1 << width))
    if isinstance(value, Address):
        return ("address", value.symbol, value.offset)
    return ("local", value.name) if isinstance(value, Local) else value


def check(text: str) -> tuple[Module, Theirs]:
    """Compare all functions and the names of all constants."""
    _CONTEXTS.append(llvm.create_context())
    ours, theirs = parse(text), llvm.parse_assembly(text, _CONTEXTS[-1])
    types = dict(re.findall(r'^(%(?:"[^"]*"|[-\w.$]+)) = type (.*)$', text, re.MULTILINE))
    defined = {function.name: function for function in theirs.functions if not function.is_declaration}
    assert set(ours.functions) == set(defined)
    assert set(ours.globals) == {variable.name for variable in theirs.global_variables}
    for name, function in ours.functions.items():
        Compared(function, defined[name], types).check()
    return ours, theirs


def test_the_reader_reads_what_llvm_reads(tmp_path: Path) -> None:
    texts = [emit_llvm(source).text for source in sources(tmp_path)]
    opcodes = {
        instruction.opcode
        for text in texts
        for function in check(text)[0].functions.values()
        for block in function.blocks
        for instruction in block.instructions
    }

    assert len(texts) > 80
    assert opcodes >= {
        "phi",
        "switch",
        "br",
        "select",
        "icmp",
        "getelementptr",
        "call",
        "sext",
        "ashr",
        "load",
    }


def test_constants_have_the_size_that_llvm_gives_them() -> None:
    text = emit_llvm(language_source("Bytes")).text
    ours, theirs = check(text)
    layout = llvm.create_target_data(theirs.data_layout)
    sizes = {
        variable.name: layout.get_abi_size(variable.global_value_type)
        for variable in theirs.global_variables
        if " constant " in str(variable)
    }

    found = {name: constant_bytes(ours.globals[name], ours.types) for name in sizes}
    assert {name: len(data or b"") for name, data in found.items()} == sizes
    assert sizes


def language_source(name: str) -> UnitSource:
    return UnitSource(test_language.UNITS, f"language::{name}", (HLS,))


@pytest.mark.parametrize("method", ["_read_phi", "_read_select", "_read_store", "_read_switch"])
def test_the_comparison_sees_a_wrong_reading(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    text = emit_llvm(test_proof.source("Packet")).text
    plain = getattr(InstructionReader, method)

    def wrong(self: InstructionReader) -> Instruction:
        made: Instruction = plain(self)
        return Instruction(made.opcode, made.type, made.operands[::-1], made.labels, made.detail)

    monkeypatch.setattr(InstructionReader, method, wrong)
    with pytest.raises(AssertionError):
        check(text)
