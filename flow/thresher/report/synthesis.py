"""What synthesis tools gave, beside the estimates: a table for each entry of `synthesis` in the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

Report = Mapping[str, Any]
_KINDS = (("lut", "LUT"), ("ff", "FF"), ("bram36", "BRAM36"), ("dsp", "DSP"))


def synthesis_table(report: Report, entry: Mapping[str, Any]) -> Table:
    """One row for each unit that was synthesised alone, out of context, and one for the whole."""
    table = Table(title=f"{report['model']['name']}: {entry['tool']} for {entry['part']}", padding=(0, 0))
    table.add_column("layer")
    for _, name in _KINDS:
        table.add_column(f"{name} stated", justify="right")
        table.add_column(name, justify="right")
    table.add_column("logic cells", justify="right")
    for layer in report["layers"]:
        if layer["name"] in entry["layers"]:
            table.add_row(layer["name"], *_cells(layer["resources"], entry["layers"][layer["name"]]))
    if all(key in entry for key, _ in _KINDS):
        table.add_section()
        table.add_row("whole", *_cells(report["estimate"]["resources"], entry))
    alone = "; units out of context" if entry["layers"] else ""
    table.caption = f"{entry['tool_version']}, {entry['seconds']:,.0f} s{alone}"
    return table


def synthesis_lines(entry: Mapping[str, Any]) -> Iterable[str]:
    """What a table does not say: the speed, what to know of the figures, the files."""
    if "fmax_mhz" in entry:
        met = "meets" if entry["fmax_mhz"] >= entry["target_mhz"] else "misses"
        path = f"; the slowest path: {entry['critical_path']}" if "critical_path" in entry else ""
        yield f"routed: {entry['fmax_mhz']:g} MHz, which {met} {entry['target_mhz']:g} MHz{path}"
    if "missed" in entry:
        yield f"timing is not met: {entry['missed']}"
    if not entry.get("simulated", True):
        yield "not simulated: no simulation has passed on these units as they are; run thresher sim first"
    yield from (f"note: {note}" for note in entry["notes"])
    yield from (f"file: {file}" for file in entry["files"])


def netlist_lines(report: Report) -> Iterable[str]:
    """What simulations of netlists gave."""
    for level, run in report["simulation"].items():
        if level.startswith("netlist_"):
            cycles = run["cycles_per_frame"]
            rate = (
                "" if cycles is None else f"; {cycles:g} cycles per frame, latency {run['latency_cycles']:,}"
            )
            yield (
                f"netlist for {level.removeprefix('netlist_')}: {run['frames']:,} frames, "
                f"{run['mismatches']:,} mismatches at input and output{rate}"
            )


def _cells(stated: Mapping[str, Any], given: Mapping[str, Any]) -> Iterable[str]:
    for key, _ in _KINDS:
        yield f"{stated[key]:,g}" if key == "bram36" else f"{stated[key]:,}"
        yield f"{given[key]:,g}" if key == "bram36" else f"{given[key]:,}"
    yield f"{given['logic_cells']:,}" if "logic_cells" in given else ""
