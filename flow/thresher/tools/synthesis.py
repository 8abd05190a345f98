"""What a synthesis tool says of a project: one entry of `synthesis` in `reports/report.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Usage:
    """What a tool used: look-up tables, flip-flops, 36-kbit block RAMs, DSP slices.

    `lut` counts all look-up tables, those that hold words included. `logic_cells` is the tool's own
    estimate of how many remain once small ones share a cell, where it gives one. Of ECP5, whose
    look-up tables have 4 inputs and whose memories 18 kbit, `lut` counts the former and two of the latter
    are one of `bram36`.
    """

    lut: int
    ff: int
    bram36: float
    dsp: int
    logic_cells: int | None = None


@dataclass(frozen=True)
class Synthesis:
    """One run of a tool on a whole project; figures that it did not give are None or absent.

    Attributes:
        tool: as `thresher synth --tool` names it.
        tool_version: in its own words; of several programs, all of them.
        part: the part, or the family where the tool knows families only.
        target_mhz: the clock that was asked for.
        total: the accelerator as a whole.
        layers: each unit out of context, by the name of its layer.
        fmax_mhz: of the routed design, None where nothing was routed.
        seconds: of wall clock.
    """

    tool: str
    tool_version: str
    part: str
    target_mhz: float
    total: Usage
    seconds: float
    layers: Mapping[str, Usage] = field(default_factory=dict)
    fmax_mhz: float | None = None
