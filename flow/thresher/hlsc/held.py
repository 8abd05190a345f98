"""What hlsc has read of a unit, held to the bytes that the compiled C++ holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thresher.hlsc.clang import INITIAL_OBJECT
from thresher.hlsc.compiled_data import CompiledData
from thresher.hlsc.fault import HlscFaultError
from thresher.hlsc.frontend.state import Constant
from thresher.hlsc.frontend.unit import UnitReading
from thresher.hlsc.ir import Register
from thresher.hlsc.llvm.debug_info import Leaf
from thresher.hlsc.refusal import message


def hold_to_compiled(reading: UnitReading, compiled: CompiledData, unit: str) -> tuple[str, ...]:
    """Compare every byte of a table and of an initial value that hlsc has read; return warnings.

    Raises:
        HlscFaultError: one differs, or is not there.
        ToolFailedError: clang does not take the constants.
    """
    contents = compiled.contents()
    for symbol, constant in reading.constants.items():
        _hold_constant(constant, contents.get(symbol))
    given = {leaf: register for leaf, register in _registers(reading).items() if register.reset is not None}
    if (given or reading.written) and not compiled.has_initial_object:
        return (_not_evaluated(unit),)
    for leaf, register in given.items():
        _hold_register(leaf, register, contents)
    return ()


def _registers(reading: UnitReading) -> dict[Leaf, Register]:
    return dict(zip(reading.registers, reading.graph.registers, strict=True))


def _hold_constant(constant: Constant, data: bytes | None) -> None:
    if data == constant.data:
        return
    what = f"the table '{constant.name}'"
    if data is None:
        raise HlscFaultError(f"{what} is not among the constants that clang compiles")
    if len(data) != len(constant.data):
        raise HlscFaultError(
            f"{what} is read as {len(constant.data)} bytes, where the compiled C++ holds {len(data)}"
        )
    differs = np.frombuffer(data, np.uint8) != np.frombuffer(constant.data, np.uint8)
    place = int(differs.argmax())
    raise HlscFaultError(
        f"byte {place} of {what} is read as 0x{constant.data[place]:02x}, "
        f"where the compiled C++ holds 0x{data[place]:02x}"
    )


def _hold_register(leaf: Leaf, register: Register, contents: Mapping[str, bytes]) -> None:
    """Compare a member as it lies in memory, its extension to whole bytes included."""
    first, end = leaf.offset // 8, -(-(leaf.offset + leaf.size) // 8)
    held = int.from_bytes(contents[INITIAL_OBJECT][first:end], "little")
    held = (held >> (leaf.offset - 8 * first)) % (1 << leaf.size)
    read = register.reset or 0
    if leaf.signed and read >> (leaf.width - 1):
        read += (1 << leaf.size) - (1 << leaf.width)
    if read != held:
        raise HlscFaultError(
            f"the initial value of '{leaf.name}' is read as 0x{read:x} at byte {first} of the unit, "
            f"where the compiled C++ holds 0x{held:x}",
            leaf.line,
        )


def _not_evaluated(unit: str) -> str:
    return message(
        unit,
        "",
        "clang does not evaluate the constructor, so the initial values that hlsc has read are not held "
        "to the compiled C++",
        "give every member an initial value where it is declared, by a constant expression, and a Ram a "
        "table",
    )
