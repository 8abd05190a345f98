"""Streams that no step moves a beat of: the network around such a unit waits for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.refusal import message


def idle_port_warnings(graph: UnitGraph, lines: Mapping[str, str], unit: str) -> Iterator[str]:
    """A warning for each input that no step reads and each output that none writes.

    Also where the C++ reads or writes it, under a condition that can be seen never to hold. `graph` is
    optimised, `lines` are the ports' own in the C++, and `unit` is the name for the messages.
    """
    for port in graph.inputs:
        if _never(port.needed):
            yield message(
                unit,
                lines.get(port.name, ""),
                f"no step reads the input '{port.name}': its beats are never taken, and what sends them "
                "waits",
                "read it, under a condition that can hold, or leave it out of 'Ports'",
            )
    for output in graph.outputs:
        if _never(output.written):
            yield message(
                unit,
                lines.get(output.name, ""),
                f"no step writes the output '{output.name}': it never has a beat, and what reads it waits",
                "write it, under a condition that can hold, or leave it out of 'Ports'",
            )


def _never(condition: Node) -> bool:
    return condition.op is Op.CONST and condition.value == 0
