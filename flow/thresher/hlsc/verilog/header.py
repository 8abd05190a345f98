"""The head of a module: what it does, and its ports."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from thresher.hlsc.ir import Node, UnitGraph
from thresher.hlsc.schedule.stages import Schedule
from thresher.hlsc.verilog import flow


@dataclass(frozen=True)
class Heading:
    """What the comment at the head of a module says."""

    module: str
    source: str
    clock_mhz: float


def header_lines(graph: UnitGraph, plan: Schedule, heading: Heading) -> list[str]:
    """The comment that tells a reader of the module what it does."""
    lines = [
        f"// {heading.module}: compiled by Thresher from {' '.join(heading.source.split())}.",
        "//",
        "// AXI4-Streams, with ap_clk and the synchronous, active-low ap_rst_n:",
    ]
    for port in graph.inputs:
        waits = ", and waits for none" if flow.never_waits(port) else ""
        lines.append(f"//   {port.name}: reads {_how_much(port.width, port.needed)}{waits}")
    for output in graph.outputs:
        lines.append(f"//   {output.name}: writes {_how_much(output.width, output.written)}")
    text = (
        f"A step begins in every cycle; its output is offered {_counted(plan.stages, 'cycle')} after its "
        "input is taken. A step whose beats are not there is a bubble, and the steps before it go on. "
        "A step that cannot write, since the beat before it is not taken, holds all stages and loses "
        "nothing. Reset empties the pipeline and sets the registers that the C++ initialises. "
        f"{_counted(plan.stages, 'stage').capitalize()}, for {heading.clock_mhz:g} MHz."
    )
    return [*lines, "//", *textwrap.wrap(text, 100, initial_indent="// ", subsequent_indent="// "), ""]


def port_lines(graph: UnitGraph, heading: Heading) -> list[str]:
    """The first lines of the module: its name and ports."""
    ports = [("input", "", "ap_clk"), ("input", "", "ap_rst_n")]
    for port in graph.inputs:
        ports.append(("input", f" [{port.width - 1}:0]", f"{port.name}_tdata"))
        ports += [("input", "", f"{port.name}_tvalid"), ("output", "", f"{port.name}_tready")]
    for output in graph.outputs:
        ports.append(("output", f" [{output.width - 1}:0]", f"{output.name}_tdata"))
        ports += [("output", "", f"{output.name}_tvalid"), ("input", "", f"{output.name}_tready")]
    longest = max(len(bits) for _, bits, _ in ports)
    lines = [f"  {way.ljust(6)} logic{bits.ljust(longest)} {name}" for way, bits, name in ports]
    return [f"module {heading.module} (", *[line + "," for line in lines[:-1]], lines[-1], ");"]


def _how_much(width: int, condition: Node) -> str:
    return f"{_counted(width, 'bit')} in {'every step' if flow.is_always(condition) else 'some steps'}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
