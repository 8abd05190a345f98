"""Local variables that are read before they are given a value.

C++ leaves such a read undefined. clang sees it in plain integers, but not in objects of a class, as
`thresher::uint<8>` is one. So the unit is compiled once more, with all such variables filled with zeros, and
again with ones; where what it writes is not the same, it is refused.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from thresher.hlsc.clang import UnitSource, emit_llvm, optimised
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.layout import is_library
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.llvm.debug_info import DebugInfo
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.refusal import UnsupportedUnitError

_STEPS = 100
_UNOPTIMISED = ("-ftrivial-auto-var-init=pattern", "-Xclang", "-disable-llvm-passes")
# `store i8 -86, ptr %x, align 1, !dbg !12, !annotation !34`, or the call of `llvm.memset` with an i8 -86.
_FILL = re.compile(r"(?<= )-(?:86|21846|1431655766|6148914691236517206|\d{20,})(?=[ ,])")
# LLVM 19 writes a record, LLVM 18 a call; both name the variable and the place.
_DECLARED = re.compile(
    r"dbg[._]declare\((?:metadata )?ptr [^,]+, (?:metadata )?(!\d+), .*?(!\d+)\)?$", re.MULTILINE
)
_PLACE = re.compile(r", !dbg (!\d+)")
_ANNOTATION = re.compile(r'^(!\d+) = !\{!"auto-init"\}$', re.MULTILINE)


def unoptimised(source: UnitSource) -> str:
    """The LLVM IR of a unit as clang makes it before its optimiser, for what that leaves out.

    Raises:
        As `emit_llvm`.
    """
    return emit_llvm(source, *_UNOPTIMISED).text


def check_locals(source: UnitSource, text: str) -> None:
    """Compare what the unit writes with two contents of the local variables that are given no value.

    Beats are random, so that a read under a condition that hardly ever holds is not seen. `text` is
    what `unoptimised` gives.

    Raises:
        UnsupportedUnitError: it differs.
    """
    found = _ANNOTATION.search(text)
    lines = [line for line in text.splitlines() if found and line.endswith(f"!annotation {found[1]}")]
    variables = dict(_variables(text, lines))
    if not variables:
        return
    zeros = _written(text, lines, set())
    if _written(text, lines, set(lines)) == zeros:
        return
    for line, (name, place) in variables.items():
        if _written(text, lines, {line}) != zeros:
            raise UnsupportedUnitError(
                place,
                f"what is written depends on the local variable '{name}', which is given no value",
                "give it one where it is declared",
                source.type_name,
            )


def _variables(text: str, lines: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """The lines that fill the user's own variables, with their names and lines in the C++."""
    info = DebugInfo(parse(text).metadata)
    declared = {_position(info, place): variable for variable, place in _DECLARED.findall(text)}
    for line in lines:
        found = _PLACE.search(line)
        variable = declared.get(_position(info, found[1]), "") if found else ""
        name = info.variable(variable, is_library) if variable else ""
        if found and name:
            yield line, (name, info.line(found[1], is_library))


def _position(info: DebugInfo, place: str) -> tuple[str, str, str]:
    """What two locations of one place in the C++ share."""
    fields = info.fields(place)
    return fields["line"], fields.get("column", ""), fields["scope"]


def _written(text: str, lines: list[str], ones: set[str]) -> dict[str, list[int]]:
    """What the unit writes where some of the lines fill with ones, and the others with zeros."""
    fills = dict.fromkeys(lines, "0") | dict.fromkeys(ones, "-1")
    filled = [_FILL.sub(fills[line], line) if line in fills else line for line in text.splitlines()]
    graph = unit_graph(parse(optimised("\n".join(filled))))
    rng = random.Random(0)
    beats = {
        port.name: [
            rng.choice([0, (1 << port.width) - 1, rng.getrandbits(port.width), rng.getrandbits(port.width)])
            for _ in range(_STEPS)
        ]
        for port in graph.inputs
    }
    return Interpreter(graph).run(beats, _STEPS)
