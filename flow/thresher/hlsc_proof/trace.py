"""What a solver's run looks like from outside the unit, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from thresher.hlsc_proof.harness import FAULTS, fault_signals
from thresher.hlsc_proof.streams import Stream, Streams

Values = Mapping[str, int]
"""The signals of one cycle."""

_ROW = re.compile(r"^ +(?P<cycle>\d+) \\(?P<signal>\w+) .* (?P<bits>[01x]+)$", re.MULTILINE)


def shown_signals(streams: Streams) -> list[str]:
    """The signals that a trace needs."""
    offers = [f"{port.name}_t{part}" for port in streams.all for part in ("data", "valid", "ready")]
    expected = [f"{port.name}_{part}" for port in streams.outputs for part in ("next", "known")]
    full = [f"{name}_full" for name in streams.asked]
    return [*offers, *expected, *full, *fault_signals(streams)]


def read_cycles(log: str) -> Sequence[Values]:
    """The signals of every cycle after reset, from the table in a log of Yosys' `sat`."""
    steps: dict[int, dict[str, int]] = {}
    for row in _ROW.finditer(log):
        steps.setdefault(int(row["cycle"]), {})[row["signal"]] = int(row["bits"].replace("x", "0"), 2)
    return [steps[step] for step in sorted(steps)][1:]


def trace_text(streams: Streams, cycles: Sequence[Values]) -> str:
    """A line for each cycle, then the faults.

    It has the beats offered, which of them wait, which outputs are full, and what the C++ writes.
    """
    heads = ["cycle", *[port.name for port in streams.all]]
    heads += [f"{port.name} in C++" for port in streams.outputs]
    rows = [[str(cycle), *_row(streams, values)] for cycle, values in enumerate(cycles)]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    table = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in [heads, *rows]
    ]
    return "\n".join([*table, *_faults(streams, cycles)])


def _row(streams: Streams, values: Values) -> Iterator[str]:
    for port in streams.all:
        waits = "" if values[f"{port.name}_tready"] else " waits"
        beat = f"{_beat(port, values[f'{port.name}_tdata'])}{waits}"
        full = " full" if port.name in streams.asked and values[f"{port.name}_full"] else ""
        yield f"{beat if values[f'{port.name}_tvalid'] else '-'}{full}"
    for output in streams.outputs:
        yield _beat(output, values[f"{output.name}_next"]) if values[f"{output.name}_known"] else "-"


def _beat(port: Stream, beat: int) -> str:
    """A number, or one for each signal."""
    if len(port.signals) == 1:
        return str(beat)
    parts = ((signal.name, beat >> signal.low & ((1 << signal.width) - 1)) for signal in port.signals)
    return " ".join(f"{name}={value}" for name, value in parts)


def _faults(streams: Streams, cycles: Sequence[Values]) -> Iterator[str]:
    for cycle, values in enumerate(cycles):
        for signal, (fault, stream) in fault_signals(streams).items():
            if values[signal]:
                yield f"cycle {cycle}{stream and f', {stream}'}: the unit {FAULTS[fault]}"
