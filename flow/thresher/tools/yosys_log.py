"""What Yosys says of a netlist: the cells in its statistics, and what they take of a part."""

from __future__ import annotations

import re
from collections.abc import Mapping

from thresher.tools.synthesis import Usage

# Look-up tables of a cell, whether they hold logic or words: AMD UG953 and UG974 (7 series and UltraScale),
# Lattice FPGA-TN-02204 (ECP5: a carry cell is two, a 16 x 4 memory four and the two of its write port).
LUTS_OF: Mapping[str, int] = {
    **{f"LUT{inputs}": 1 for inputs in range(1, 7)},
    **{"LUT6_2": 1, "INV": 1, "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1, "CFGLUT5": 1},
    **{"RAM32M": 4, "RAM64M": 4, "RAM32M16": 8, "RAM64M8": 8, "RAM64X8SW": 8, "RAM32X16DR8": 8},
    **{"RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "RAM256X1D": 8},
    **{"RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4, "RAM512X1S": 8},
    **{"CCU2C": 2, "TRELLIS_DPR16X4": 6},
}
# In memories of 36 kbit; those of ECP5 have 18, those of UltraScale+'s large ones 288.
_BRAM36_OF = {
    "RAMB18E1": 0.5,
    "RAMB18E2": 0.5,
    "RAMB36E1": 1.0,
    "RAMB36E2": 1.0,
    "DP16KD": 0.5,
    "URAM288": 8.0,
}
_DSP = ("DSP48E1", "DSP48E2", "MULT18X18D")
_FLIP_FLOP = re.compile(r"FD[A-Z]+(?:_1)?|TRELLIS_FF")
_CELLS = re.compile(r"^\s*(\d+)\s+([A-Z]\w+)$", re.M)
_LOGIC_CELLS = re.compile(r"Estimated number of LCs:\s+(\d+)")


def read_cells(log: str) -> dict[str, int]:
    """How many of each kind of cell there are, by the last statistics of a log."""
    return {name: int(count) for count, name in _CELLS.findall(_last_statistics(log))}


def read_usage(log: str) -> Usage:
    """What the netlist takes, by the last statistics of a log."""
    cells = read_cells(log)
    found = _LOGIC_CELLS.search(_last_statistics(log))
    return Usage(
        lut=sum(count * LUTS_OF.get(name, 0) for name, count in cells.items()),
        ff=sum(count for name, count in cells.items() if _FLIP_FLOP.fullmatch(name)),
        bram36=sum(count * _BRAM36_OF.get(name, 0) for name, count in cells.items()),
        dsp=sum(cells.get(name, 0) for name in _DSP),
        logic_cells=int(found[1]) if found else None,
    )


def _last_statistics(log: str) -> str:
    return log[log.rindex("Printing statistics") :]
