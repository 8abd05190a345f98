"""Divisions and remainders by a number that is always zero.

C++ leaves them undefined, and clang's optimiser leaves nothing of them. So each divisor of the unoptimised
LLVM IR is also handed to a function that does not exist. What the optimiser knows to be zero is then a zero
in one of these calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from thresher.hlsc.clang import UnitSource, optimised
from thresher.hlsc.frontend.layout import is_library
from thresher.hlsc.llvm.debug_info import DebugInfo
from thresher.hlsc.llvm.module import Instruction, Module, Number
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.refusal import message

_DIVISION = re.compile(
    r"^  %.* = [us](?:div|rem) (?:exact )?(?P<type>i\d+) [^,]+, (?P<divisor>[^,]+)(?P<rest>.*)"
)
_CALL = "thresher_divisor_"
_ATTRIBUTES = "nounwind willreturn memory(inaccessiblemem: readwrite)"


def zero_divisor_warnings(source: UnitSource, plain: str) -> tuple[str, ...]:
    """A warning for each line of the unit that divides by zero whatever the beats are.

    `plain` is the unit's LLVM IR without any optimisation.
    """
    told = _telling(plain)
    if told is plain:
        return ()
    module = parse(optimised(told))
    return tuple(
        message(
            source.type_name,
            line,
            "the divisor is always zero, so that the result may be anything in hardware",
            "divide by another number",
        )
        for line in dict.fromkeys(_lines(module))
    )


def _telling(plain: str) -> str:
    """The LLVM IR with a call ahead of each division; the same text where there is none."""
    lines, types = list[str](), dict[str, None]()
    for line in plain.splitlines():
        if found := _DIVISION.match(line):
            kind = found["type"]
            types[kind] = None
            lines.append(f"  call void @{_CALL}{kind}({kind} {found['divisor']}){found['rest']}")
        lines.append(line)
    if not types:
        return plain
    return "\n".join([*lines, *(f"declare void @{_CALL}{kind}({kind}) {_ATTRIBUTES}" for kind in types), ""])


def _lines(module: Module) -> Iterator[str]:
    """`file:line` of each call with a zero, or an empty string."""
    info = DebugInfo(module.metadata)
    for name in ("thresher_step", "thresher_reset"):
        for block in module.functions[name].blocks:
            for instruction in block.instructions:
                if _has_zero(instruction):
                    yield info.line(instruction.location, is_library) if instruction.location else ""


def _has_zero(instruction: Instruction) -> bool:
    called = instruction.opcode == "call" and instruction.detail.startswith(_CALL)
    return called and instruction.operands[0].value == Number(0)
