"""The members of a unit and of its ports, from the debug metadata of the compiled step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from thresher.hlsc.beats import stream_signals
from thresher.hlsc.frontend.pointers import Array
from thresher.hlsc.frontend.standard_library import instead_of
from thresher.hlsc.llvm.debug_info import DebugInfo, Leaf
from thresher.hlsc.llvm.module import Function
from thresher.hlsc.refusal import UnsupportedUnitError
from thresher_sim.signals import Signals

_LIBRARY = frozenset({"bits.hpp", "beat.hpp", "integer.hpp", "stream.hpp", "rom.hpp", "ram.hpp"})
_STANDARD = re.compile(r"/libcxx/include/|/include/c\+\+/|/lib/clang/|^/usr/include/")
"""Where clang, the ziglang wheel and Linux distributions keep the headers of C and C++."""

WRAPPER = "thresher_unit_wrapper.cpp"
"""The name of the translation unit that hlsc itself writes around a unit."""

_PORT = re.compile(r"(In|Out)Stream<(\d+)((?:, \w+::\w+(?:<\d+>)?)*) ?>")
_SIGNAL = re.compile(r"\w+::(\w+)(?:<(\d+)>)?")
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_RAM = re.compile(r"Ram<(\d+), (\d+), [^<>]*RamOrder[^<>]*>")


def is_library(path: str) -> bool:
    """Whether a file is one that a unit's own lines should not be blamed on: ours, or C++'s own library."""
    pure = PurePath(path)
    if is_standard(path):
        return True
    return pure.name == WRAPPER or (pure.name in _LIBRARY and pure.parent.name == "thresher")


def is_standard(path: str) -> bool:
    """Whether a file is one of the headers of C and C++."""
    return bool(_STANDARD.search(path))


@dataclass(frozen=True)
class Port:
    """A stream of the unit, with `width` bits in all.

    `offset` is its byte in `Ports`, `line` its `file:line` in the C++.
    """

    name: str
    width: int
    is_input: bool
    offset: int
    signals: Signals = ()
    line: str = ""


@dataclass(frozen=True)
class RamMember:
    """A `Ram` of the unit; `offset` is its byte in the unit, `line` its `file:line` in the C++."""

    name: str
    width: int
    depth: int
    offset: int
    line: str


@dataclass(frozen=True)
class UnitLayout:
    """Where everything of a unit lies in memory, as clang laid it out."""

    ports: tuple[Port, ...]
    registers: tuple[Leaf, ...]
    rams: tuple[RamMember, ...]
    lines: dict[str, str]


def unit_layout(info: DebugInfo, step: Function) -> UnitLayout:
    """The layout of the class that `thresher_step(Unit&, Unit::Ports&)` works on."""
    unit, ports = info.parameter_types(step.location)
    members = list(info.leaves(unit, lambda name: bool(_RAM.fullmatch(name))))
    streams = list(info.leaves(ports, lambda name: bool(_PORT.fullmatch(name))))
    return UnitLayout(
        ports=_ports([leaf for leaf in streams if leaf.class_name]),
        registers=_distinct([_register(leaf) for leaf in members if not leaf.class_name and leaf.name]),
        rams=tuple(_ram(leaf) for leaf in _distinct([leaf for leaf in members if leaf.class_name])),
        lines={leaf.name: leaf.line for leaf in members},
    )


def arrays_of(leaves: Sequence[Leaf]) -> tuple[Array, ...]:
    """The outermost arrays that members are elements of, each once."""
    found = ((leaf.array_start, leaf.array_end, leaf.array_stride) for leaf in leaves if leaf.array_end)
    return tuple(Array(first // 8, end // 8, stride // 8) for first, end, stride in dict.fromkeys(found))


def _ports(leaves: Sequence[Leaf]) -> tuple[Port, ...]:
    for leaf, distinct in zip(leaves, _distinct(leaves), strict=True):
        if leaf.name != distinct.name:
            raise UnsupportedUnitError(
                leaf.line, f"two streams have the name '{leaf.name}'", "rename one of them"
            )
    return tuple(_port(leaf) for leaf in leaves)


def _distinct(leaves: Sequence[Leaf]) -> tuple[Leaf, ...]:
    """The members, with a number after a name that another has, too: `a.b` and `a_b` are both `a_b`."""
    found: dict[str, Leaf] = {}
    for leaf in leaves:
        name, number = leaf.name, 1
        while name in found:
            number += 1
            name = f"{leaf.name}_{number}"
        found[name] = replace(leaf, name=name)
    return tuple(found.values())


def _register(leaf: Leaf) -> Leaf:
    """A member that can be a register.

    Raises:
        UnsupportedUnitError: it cannot.
    """
    if "_vptr$" in leaf.name:
        raise UnsupportedUnitError(
            leaf.line,
            "a class has virtual functions",
            "choose the function by a template argument, or by `if`",
        )
    if leaf.kind == "address" and leaf.holder:
        raise UnsupportedUnitError(
            leaf.line,
            f"the member '{leaf.name}' is a {leaf.holder}, which holds pointers",
            instead_of(leaf.holder) or "hold objects as members of the unit",
        )
    if leaf.kind == "address":
        raise UnsupportedUnitError(
            leaf.line,
            f"the member '{leaf.name}' is a pointer or a reference",
            "hold objects as members of the unit, and choose between them by an index or by `if`",
        )
    if leaf.kind == "endless":
        raise UnsupportedUnitError(
            leaf.line, f"the member '{leaf.name}' is an array without a size", "give it a constant size"
        )
    if leaf.kind == "float":
        raise UnsupportedUnitError(
            leaf.line,
            f"the member '{leaf.name}' is a floating-point number",
            "scale it to an integer of fixed point",
        )
    return leaf


def _port(leaf: Leaf) -> Port:
    if not _NAME.fullmatch(leaf.name):
        raise UnsupportedUnitError(
            leaf.line,
            f"the stream '{leaf.name}' has a name that SystemVerilog cannot have",
            "use ASCII letters",
        )
    direction, width, others = _matched(_PORT, leaf.class_name)
    names = [(name.lower(), int(bits or 0)) for name, bits in _SIGNAL.findall(others)]
    signals = stream_signals(int(width), names)
    total = int(width) + sum(bits for _, bits in signals)
    return Port(leaf.name, total, direction == "In", leaf.offset // 8, signals, leaf.line)


def _ram(leaf: Leaf) -> RamMember:
    width, depth = _matched(_RAM, leaf.class_name)
    return RamMember(leaf.name, int(width), int(depth), leaf.offset // 8, leaf.line)


def _matched(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if not found:
        raise ValueError(f"hlsc: '{text}' is not one of Thresher's classes")
    return found.groups()
