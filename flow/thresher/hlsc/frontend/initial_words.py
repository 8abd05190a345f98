"""The words that a unit's constructor puts into a memory."""

from __future__ import annotations

from thresher.hlsc.frontend.effects import Effects
from thresher.hlsc.frontend.layout import RamMember
from thresher.hlsc.frontend.site import Site
from thresher.hlsc.ir import Op
from thresher.hlsc.refusal import UnsupportedUnitError


def words_of_table(data: bytes, stride: int, signed: bool, width: int) -> list[int]:
    """The words in the bytes of a table, one in each `stride` of them; `signed` ones are extended so."""
    numbers = (
        int.from_bytes(data[place : place + stride], "little", signed=signed)
        for place in range(0, len(data), stride)
    )
    return [number & ((1 << width) - 1) for number in numbers]


def initial_words(constructor: Effects, ram: RamMember) -> tuple[int, ...] | None:
    """What a memory holds after configuration; None where the constructor gives it nothing.

    Raises:
        UnsupportedUnitError: it is not known before the unit runs.
    """
    fill, writes = constructor.fills.get(ram.name), constructor.stores.get(ram.name, [])
    if ram.name in constructor.loads:
        raise UnsupportedUnitError(
            constructor.loads[ram.name][0].line,
            f"'{ram.name}' is read in the constructor",
            "keep in a constant what the constructor needs",
        )
    if not fill and not writes:
        return None
    words = list(fill.words) if fill else [0] * ram.depth
    for write in writes:
        address, word = _constants(ram, write)
        words[address] = word
    return tuple(words)


def _constants(ram: RamMember, write: Site) -> tuple[int, int]:
    """The address and the word of a write."""
    _, word, address = write.values
    if any(node.op is not Op.CONST for node in (write.condition, word, address)):
        raise UnsupportedUnitError(
            write.line,
            f"what the constructor writes into '{ram.name}' is not constant",
            "write constants, in a loop with a constant number of iterations; or give the member a constant "
            f"table, as in Ram<{ram.width}, {ram.depth}> {ram.name} = table",
        )
    if address.value >= ram.depth:
        raise UnsupportedUnitError(
            write.line,
            f"the constructor writes to address {address.value} of '{ram.name}', which has {ram.depth} words",
            "keep the address within the words, or give more words",
        )
    return address.value, word.value


def refuse_fills(step: Effects) -> None:
    """Raise `UnsupportedUnitError` where a step makes a memory anew."""
    for name, fill in step.fills.items():
        raise UnsupportedUnitError(
            fill.site.line,
            f"'{name}' is made from a table in a step",
            "write it word by word: a memory is filled by configuration alone",
        )
