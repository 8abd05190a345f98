"""`reports/report.json` as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from thresher.report.fixed_point import fixed_point_table
from thresher.report.float_layers import accuracy_line, float_layer_lines, float_layer_table
from thresher.report.synthesis import netlist_lines, synthesis_lines, synthesis_table
from thresher.report.verification import verification_lines

Report = Mapping[str, Any]
LEVELS = ("onnx", "golden", "csim", "rtl")
_RESOURCES = (("lut", "LUT"), ("ff", "FF"), ("bram36", "BRAM36"), ("dsp", "DSP"))


def print_report(console: Console, report: Report) -> None:
    """Print the layers, the next step up, the FIFOs, what is not exact, and the result of simulations."""
    console.print(layer_table(report))
    console.print(next_step_line(report["estimate"]["next_step"]), markup=False, highlight=False)
    console.print(fifo_table(report))
    for table in (fixed_point_table(report), float_layer_table(report)):
        if table is not None:
            console.print(table)
    for line in (*float_layer_lines(report), accuracy_line(report)):
        if line is not None:
            console.print(line, markup=False, highlight=False)
    for entry in report["synthesis"]:
        print_synthesis(console, report, entry)
    print_result(console, report)
    _print_warnings(console, report.get("warnings", ()))


def print_synthesis(console: Console, report: Report, entry: Mapping[str, Any]) -> None:
    """Print what one run of a synthesis tool gave."""
    console.print(synthesis_table(report, entry))
    for line in synthesis_lines(entry):
        console.print(line, markup=False, highlight=False)


def print_result(console: Console, report: Report) -> None:
    """Print the result of whatever was simulated, and what is worse than it could be."""
    console.print(result_table(report))
    for line in (*verification_lines(report), *netlist_lines(report)):
        console.print(line, markup=False, highlight=False)
    _print_warnings(console, find_warnings(report))


def _print_warnings(console: Console, warnings: Iterable[str]) -> None:
    for warning in warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False, highlight=False)


def find_warnings(report: Report) -> list[str]:
    """What the report says to be worse than it could be: of the build, and of each simulation."""
    layers = {layer["name"]: layer["cycles_per_frame"] for layer in report["layers"]}
    estimate = report["estimate"]
    stated, slowest = estimate["cycles_per_frame"], layers.get(estimate["bottleneck"])
    found = []
    if slowest is not None and stated > slowest:
        found.append(
            f"no FIFO depths were found with which '{estimate['bottleneck']}' never rests: "
            f"a frame takes {stated:,} cycles, {slowest:,} of it alone"
        )
    part = report["part_resources"] or {}
    found += [
        f"the estimate takes {_text(estimate['resources'][key])} {name}, and part '{report['part']}' has "
        f"{_text(part[key])}"
        for key, name in _RESOURCES
        if key in part and estimate["resources"][key] > part[key]
    ]
    dropped = report.get("model", {}).get("dropped")
    if dropped:
        found.append(
            f"{len(dropped)} scales that layers compute from their inputs were left out, as asked, so the "
            "outputs differ from the model's; measure the accuracy"
        )
    return found + [text for run in report["simulation"].values() for text in run["warnings"]]


def layer_table(report: Report) -> Table:
    """One row per layer: folding, types, cycles, estimated cost; the bottleneck is marked."""
    table = Table(title=f"{report['model']['name']}: layers")
    costs = ("LUT", "FF", "BRAM36")
    numbers = ("PE", "SIMD", "cycles", "weight bits", *costs)
    _add_columns(table, ("layer", "input", "output", *numbers), left=("layer", "input", "output"))
    for layer in report["layers"]:
        mark = " *" if layer["name"] == report["estimate"]["bottleneck"] else ""
        types = (layer[key].partition("[")[0] for key in ("input_type", "output_type"))
        keys = ("pe", "simd", "cycles_per_frame", "weight_bits")
        table.add_row(
            layer["name"] + mark, *types, *(_text(layer[key]) for key in keys), *_costs(layer["resources"])
        )
    fifos = [fifo["resources"] for fifo in report["fifos"]]
    summed = {key: sum(cost[key] for cost in fifos) for key in ("lut", "ff", "bram36")}
    table.add_row(f"{len(fifos)} FIFOs", *[""] * 6, *_costs(summed))
    table.add_section()
    table.add_row("total", *[""] * 6, *_costs(report["estimate"]["resources"]))
    table.caption = f"* sets the rate; {estimate_note(report['estimate'].get('lut_error'))}"
    return table


def estimate_note(error: Mapping[str, Any] | None) -> str:
    """What estimates of cost are made from and how far off they are; reports of old do not say."""
    if error is None:
        return "LUT, FF and BRAM36 are estimates"
    return (
        f"LUT, FF and BRAM36 are estimates, fitted to Yosys for {error['family']} at "
        f"{error['clock_mhz']:g} MHz: on {error['units']} units not used for the fit, LUT are off by "
        f"{error['median']:.1%} in the median and {error['percentile_90']:.1%} in the 90th percentile"
    )


def _costs(resources: Mapping[str, Any]) -> tuple[str, str, str]:
    return _text(resources["lut"]), _text(resources["ff"]), f"{resources['bram36']:g}"


def next_step_line(step: Mapping[str, Any] | None) -> str:
    """What the next step up in rate would cost."""
    if step is None:
        return "next step: none, nothing is faster"
    more = ", ".join(f"{_more(step['resources'][key])} {name}" for key, name in _RESOURCES)
    return (
        f"next step: {_text(step['cycles_per_frame'])} cycles per frame for {more}, "
        f"by other foldings of {', '.join(step['layers'])}"
    )


def _more(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{_text(abs(value))}"


def fifo_table(report: Report) -> Table:
    """One row per FIFO: its depth, the most beats in it as stated and as measured, and its cost."""
    table = Table(title=f"{report['model']['name']}: FIFOs")
    numbers = ("depth", "most stated", "most in RTL", "bits", "LUT", "FF", "BRAM36")
    _add_columns(table, ("stream", *numbers), left=("stream",))
    for fifo in report["fifos"]:
        counts = (_text(fifo["depth"]), _text(fifo["occupancy"]), _of(fifo, "rtl_occupancy"))
        table.add_row(fifo["stream"], *counts, _text(fifo["bits"]), *_costs(fifo["resources"]))
    table.caption = "most: beats held at once, by token simulation and in RTL simulation without stalls"
    return table


def result_table(report: Report) -> Table:
    """Stated against measured: rate, latency, accuracy, mismatches, size."""
    table = Table(title=f"{report['model']['name']}: result")
    _add_columns(table, ("", "stated", "C simulation", "RTL simulation"), left=("",))
    for row in _result_rows(report):
        table.add_row(*row)
    return table


def vitis_line(report: Report) -> str:
    """What the last simulation of Vitis HLS's Verilog gave."""
    run = report["simulation"]["vitis"]
    return (
        f"Verilog of Vitis HLS: {_of(run, 'frames')} frames, {_of(run, 'mismatches')} mismatches at the "
        f"output, {_of(run, 'cycles_per_frame') or '-'} cycles per frame, latency "
        f"{_of(run, 'latency_cycles') or '-'} cycles"
    )


def _result_rows(report: Report) -> Iterable[tuple[str, str, str, str]]:
    estimate, model = report["estimate"], report["model"]
    csim, rtl = report["simulation"].get("csim", {}), report["simulation"].get("rtl", {})
    yield "frames", "", _of(csim, "frames"), _of(rtl, "frames")
    yield "mismatches", "", _of(csim, "mismatches"), _of(rtl, "mismatches")
    for key, name in (("cycles_per_frame", "cycles per frame"), ("latency_cycles", "latency, cycles")):
        yield name, _text(estimate[key]), "", _of(rtl, key)
    measured = rtl.get("cycles_per_frame")
    rate = _text(round(report["clock_mhz"] * 1e6 / measured)) if measured else ""
    yield f"frames/s at {report['clock_mhz']:g} MHz", _text(round(estimate["frames_per_second"])), "", rate
    for level in LEVELS:
        if level in report["accuracy"]:
            yield _accuracy_row(level, report["accuracy"])
    ties = sum(report["ties"].values())
    if ties:
        yield "thresholds tied in float32", _text(ties), "", ""
    packed, full = model["weight_bits"], 8 * model["float32_bytes"]
    ratio = f" ({full / packed:.1f} x)" if packed else ""
    yield "weight bits", _text(packed), "", ""
    yield "weight bits in float32", _text(full) + ratio, "", ""


def _accuracy_row(level: str, accuracy: Mapping[str, Any]) -> tuple[str, str, str, str]:
    value = f"{100 * accuracy[level]:.2f} %"
    name = {"onnx": "ONNX model", "golden": "golden model", "csim": "C simulation", "rtl": "RTL"}[level]
    place = {"csim": 1, "rtl": 2}.get(level, 0)
    cells = ["", "", ""]
    cells[place] = value
    return f"accuracy, {name}", cells[0], cells[1], cells[2]


def _add_columns(table: Table, names: Iterable[str], left: Sequence[str]) -> None:
    table.padding = (0, 0)
    for name in names:
        table.add_column(name, justify="left" if name in left else "right")


def _of(values: Mapping[str, Any], key: str) -> str:
    return _text(values[key]) if values.get(key) is not None else ""


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)
