"""The head of a module: what it does, and its ports."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from thresher.hlsc.ir import Input, Node, Output, UnitGraph
from thresher.hlsc.schedule.stages import Schedule
from thresher.hlsc.verilog import flow
from thresher_sim.signals import fields


@dataclass(frozen=True)
class Heading:
    """What the comment at the head of a module says.

    `alone` says that the module is nobody's part but the user's, and holds off a source that is in another
    reset: `tready` is low in reset.
    """

    module: str
    source: str
    clock_mhz: float
    alone: bool = False


def header_lines(graph: UnitGraph, plan: Schedule, heading: Heading) -> list[str]:
    """The comment that tells a reader of the module what it does."""
    asked = graph.asked()
    lines = [
        f"// {heading.module}: compiled by Thresher from {' '.join(heading.source.split())}.",
        "//",
        "// AXI4-Streams, with ap_clk and the synchronous, active-low ap_rst_n:",
    ]
    for port in graph.inputs:
        waits = ", and waits for none" if flow.never_waits(port) else ""
        lines.append(f"//   {port.name}: reads {_how_much(port, port.needed)}{waits}")
    for output in graph.outputs:
        asks = ", and asks whether there is room" if output.name in asked else ""
        lines.append(f"//   {output.name}: writes {_how_much(output, output.written)}{asks}")
    text = (
        f"A step begins in every cycle; its output is offered {_counted(plan.stages, 'cycle')} after its "
        "input is taken. A step whose beats are not there is a bubble, and the steps before it go on. "
        "A step that cannot write, since the beat before it is not taken, holds all stages and loses "
        "nothing. Reset empties the pipeline and sets the registers that the C++ initialises; "
        f"{_in_reset(heading)}. "
        f"{_counted(plan.stages, 'stage').capitalize()}, for {heading.clock_mhz:g} MHz."
    )
    return [*lines, "//", *textwrap.wrap(text, 100, initial_indent="// ", subsequent_indent="// "), ""]


def _in_reset(heading: Heading) -> str:
    return "in it tready is low, and no beat is taken" if heading.alone else "no beat is taken in it"


def port_lines(graph: UnitGraph, heading: Heading) -> list[str]:
    """The first lines of the module: its name and ports."""
    ports = [("input", "", "ap_clk"), ("input", "", "ap_rst_n")]
    for port in graph.inputs:
        ports += [("input", bits, name) for bits, name in _signals(port)]
        ports += [("input", "", f"{port.name}_tvalid"), ("output", "", f"{port.name}_tready")]
    for output in graph.outputs:
        ports += [("output", bits, name) for bits, name in _signals(output)]
        ports += [("output", "", f"{output.name}_tvalid"), ("input", "", f"{output.name}_tready")]
    longest = max(len(bits) for _, bits, _ in ports)
    lines = [f"  {way.ljust(6)} logic{bits.ljust(longest)} {name}" for way, bits, name in ports]
    return [f"module {heading.module} (", *[line + "," for line in lines[:-1]], lines[-1], ");"]


def _signals(port: Input | Output) -> Iterator[tuple[str, str]]:
    """The bits and names of the ports that a beat takes; `tlast` alone is no vector."""
    for field in fields(port.width, port.signals):
        yield f" {field.bits}" if field.bits else "", f"{port.name}_t{field.name}"


def _how_much(port: Input | Output, condition: Node) -> str:
    data, *others = fields(port.width, port.signals)
    with_them = f" with {', '.join(f't{field.name}' for field in others)}" if others else ""
    when = "every step" if flow.is_always(condition) else "some steps"
    return f"{_counted(data.width, 'bit')}{with_them} in {when}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
