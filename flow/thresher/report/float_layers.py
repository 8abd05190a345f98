"""The float layers that were quantised, and those that were not, as a table and lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table


def float_layer_table(report: Mapping[str, Any]) -> Table | None:
    """One row per layer whose floats were quantised; None where there is none."""
    content = report.get("float_layers") or {}
    if not content.get("layers"):
        return None
    table = Table(title=f"{report['model']['name']}: float layers quantised", padding=(0, 0))
    for name in ("node", "weights", "input"):
        table.add_column(name)
    table.add_column("input scale", justify="right")
    for layer in content["layers"]:
        bits, kind, scale = layer["weight_bits"], layer["input_type"], layer["input_scale"]
        table.add_row(
            escape(layer["node"]),
            "as they were" if bits is None else f"int{bits}, a scale per channel",
            "as it was" if kind is None else kind,
            "" if scale is None else f"{scale:.6g}",
        )
    table.caption = f"scales of inputs chosen on {content.get('samples', 0):,} samples"
    return table


def float_layer_lines(report: Mapping[str, Any]) -> list[str]:
    """Which linear layers stay on the host, and why; those that are warned of are left out."""
    return [layer["sentence"] for layer in report.get("host_layers") or () if not layer["unintended"]]


def accuracy_line(report: Mapping[str, Any]) -> str | None:
    """What became of the accuracy of the model; None where it was not measured."""
    measured = report["accuracy"]
    if not {"onnx", "golden", "images"} <= set(measured):
        return None
    change = 100 * (measured["golden"] - measured["onnx"])
    return (
        f"accuracy on {measured['images']:,} images: ONNX model {measured['onnx']:.2%}, golden model "
        f"{measured['golden']:.2%}, change {change:+.2f} percentage points"
    )
