"""Faults planted in hlsc, from its reader to its printer, are found: by a proof, or before there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.hlsc.proving import pipelined
from tests.hlsc.test_proof import BOUNDS, source
from tests.needs import require_yosys
from thresher.hlsc.builder import Builder
from thresher.hlsc.fault import HlscFaultError
from thresher.hlsc.frontend import instructions, operations
from thresher.hlsc.frontend.instructions import Executor
from thresher.hlsc.frontend.lowering import Lowering
from thresher.hlsc.frontend.state import Accesses
from thresher.hlsc.frontend.symbols import Result
from thresher.hlsc.ir import Node, Op
from thresher.hlsc.llvm.debug_info import DebugInfo
from thresher.hlsc.llvm.instruction_reader import InstructionReader
from thresher.hlsc.llvm.module import Instruction
from thresher.hlsc.verilog import expressions
from thresher.hlsc.verilog.expressions import Expressions
from thresher.hlsc_proof import Claim, decide

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """What is changed in hlsc, and a unit in which it shows."""

    unit: str
    plant: Plant


def read_otherwise(method: str, change: Callable[[Instruction], Instruction]) -> Plant:
    """The reader makes something else of an instruction."""
    plain = getattr(InstructionReader, method)

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(InstructionReader, method, lambda self: change(plain(self)))

    return plant


def labels_rotated(instruction: Instruction) -> Instruction:
    """The cases of a switch, or the ways of a branch, go elsewhere."""
    first, *others = instruction.labels
    return replace(instruction, labels=(*others, first) if instruction.operands else instruction.labels)


def strict(instruction: Instruction) -> Instruction:
    """Less than or equal is read as less than."""
    return replace(instruction, detail={"slt": "sle", "ult": "ule", "eq": "ne"}.get(instruction.detail, "eq"))


def select_swapped(self: Executor, instruction: Instruction) -> Result:
    a, yes, no = instruction.operands
    return Executor._select(self, replace(instruction, operands=(a, no, yes)))


def width_narrowed(patch: pytest.MonkeyPatch) -> None:
    """A signed member is taken to have a bit less than it has."""
    plain = DebugInfo._scalar

    def scalar(self: DebugInfo, reference: str) -> tuple[int, bool]:
        width, signed = plain(self, reference)
        return (width - 1, signed) if width == 4 and signed else (width, signed)

    patch.setattr(DebugInfo, "_scalar", scalar)


def register_dropped(patch: pytest.MonkeyPatch) -> None:
    """An operand that is held in a register between two stages is taken from ahead of it."""
    plain = Expressions._text

    def text(self: Expressions, node: Node, stage: int) -> str:
        found = [self._signals.find(node, place) for place in (stage - 1, stage)]
        return plain(self, node, stage if None in found else stage - 1)

    patch.setattr(Expressions, "_text", text)


def sum_without_carries(patch: pytest.MonkeyPatch) -> None:
    """A sum is a bitwise or."""
    patch.setitem(operations._BINARY, "add", Builder.or_)


def table_reversed(patch: pytest.MonkeyPatch) -> None:
    """The words of a table stand in the opposite order, which no check of bytes can see."""
    plain = Accesses.lookup

    def lookup(self: Accesses, name: str, width: int, words: list[int], *rest: object) -> Node:
        return plain(self, name, width, words[::-1], *rest)  # type: ignore[arg-type]

    patch.setattr(Accesses, "lookup", lookup)


def phi_swapped(patch: pytest.MonkeyPatch) -> None:
    """A phi takes its values in the opposite order."""
    plain = Lowering._phi

    def phi(self: Lowering, instruction: Instruction, block: str) -> Result:
        return plain(self, replace(instruction, operands=instruction.operands[::-1]), block)

    patch.setattr(Lowering, "_phi", phi)


FAULTS = {
    "reader: a branch goes the other way": Fault("Merge", read_otherwise("_read_br", labels_rotated)),
    "reader: the cases of a switch are one off": Fault(
        "Packet", read_otherwise("_read_switch", labels_rotated)
    ),
    "reader: another comparison": Fault("Decimate", read_otherwise("_read_icmp", strict)),
    "reader: a member is too narrow": Fault("Arithmetic", width_narrowed),
    "front end: ashr as lshr": Fault(
        "Arithmetic", lambda patch: patch.setitem(operations._BINARY, "ashr", Builder.lshr)
    ),
    "front end: sext as zext": Fault(
        "Arithmetic", lambda patch: patch.setattr(Builder, "sext", Builder.zext)
    ),
    "front end: a select takes the other value": Fault(
        "Decimate", lambda patch: patch.setitem(instructions._ACTIONS, "select", select_swapped)
    ),
    "front end: a phi takes the other value": Fault("Merge", phi_swapped),
    "front end: a sum without carries": Fault("Accumulate", sum_without_carries),
    "front end: a table backwards": Fault("Lookup", table_reversed),
    "schedule: a register between two stages is dropped": Fault("Optional", register_dropped),
    "printer: a signed comparison as an unsigned one": Fault(
        "Arithmetic", lambda patch: patch.setitem(expressions._SPECIAL, Op.SLT, "({} < {})")
    ),
    "printer: an arithmetic shift as a logical one": Fault(
        "Arithmetic", lambda patch: patch.setitem(expressions._SPECIAL, Op.ASHR, "({} >> {})")
    ),
}


def planted(fault: Fault) -> Claim | None:
    """What is then to be proved; None where hlsc itself finds the fault."""
    with pytest.MonkeyPatch.context() as patch:
        fault.plant(patch)
        try:
            return pipelined(source(fault.unit), *BOUNDS[fault.unit])
        except HlscFaultError:
            return None


def test_every_fault_is_found() -> None:
    """One test, so that the claims share one run of Yosys; without a fault all these units are proved."""
    require_yosys()
    claims = {name: planted(fault) for name, fault in FAULTS.items()}
    wanted = {name: claim for name, claim in claims.items() if claim is not None}
    proofs = dict(zip(wanted, decide(list(wanted.values())), strict=True))

    assert [name for name, proof in proofs.items() if proof.proved] == []
    assert set(claims) - set(wanted) <= {"reader: a member is too narrow"}
