"""Print what hlsc makes of each unit, as a table: `python -m tests.hlsc.practice`."""

from __future__ import annotations

from tests.hlsc.native import HLS
from tests.hlsc.practice.cases import CASES
from thresher.hlsc import UnitSource, compile_unit

_COLUMNS = "| {:<18} | {:>4} | {:>6} | {:>10} | {:>13} | {:>13} | {:<24} | {:>8} |"

_TITLES = ("unit", "MHz", "stages", "state bits", "pipeline bits", "recurrence ns", "memories", "warnings")


def main() -> None:
    """Compile each unit at its clock, for the 7 series."""
    print(_COLUMNS.format(*_TITLES))
    for header, case in CASES:
        source = UnitSource(header, f"practice::{case.name}", (HLS,))
        unit = compile_unit(source, case.name.lower(), case.clock_mhz)
        delay = "" if unit.recurrence is None else f"{unit.recurrence.delay_ns:.2f}"
        memories = ", ".join(f"{memory.cell} {memory.depth}x{memory.width}" for memory in unit.memories)
        figures = (f"{case.clock_mhz:g}", unit.stages, unit.state_bits, unit.pipeline_bits, delay, memories)
        print(_COLUMNS.format(case.name, *figures, len(unit.warnings)))


if __name__ == "__main__":
    main()
