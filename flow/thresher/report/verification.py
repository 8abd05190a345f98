"""What holding a project to its ONNX model gave: a line of the report, and a table of all tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from thresher.verification import Verification


def verification_line(entry: Mapping[str, Any]) -> str:
    """The line of the report; `entry` is its `verification`."""
    if not entry["done"]:
        return "not held to the ONNX model: build without --no-verify, or run thresher verify"
    ties = sum(entry["ties"].values())
    tied = f", {ties:,} ties of float32" if ties else ""
    return (
        f"held to the ONNX model: {entry['frames']:,} frames, {entry['tensors']:,} tensors, "
        f"{entry['mismatches']:,} mismatches{tied} ({entry['seconds']:.1f} s)"
    )


def verification_lines(report: Mapping[str, Any]) -> list[str]:
    """The lines of a report: of the build, and of the last `thresher verify`."""
    since = report.get("verified_since")
    again = [] if since is None else [f"by thresher verify since then: {verification_line(since)}"]
    return [verification_line(report["verification"]), *again]


def verification_table(name: str, result: Verification) -> Table:
    """One row per tensor of the model that was compared, in its order."""
    table = Table(title=f"{name}: golden model against the ONNX model", padding=(0, 0))
    for heading in ("node", "tensor"):
        table.add_column(heading)
    for heading in ("elements", "mismatches", "ties", "off by", "at most"):
        table.add_column(heading, justify="right")
    for each in result.tensors:
        table.add_row(
            escape(each.node),
            escape(each.tensor),
            f"{each.elements:,}",
            f"{each.mismatches:,}",
            f"{each.ties:,}",
            "" if each.error is None else f"{each.error:.3g}",
            "" if each.bound is None else f"{each.bound:.3g}",
        )
    table.caption = (
        f"{result.frames:,} frames; ties: float32's rounding can give either integer; off by: what "
        "fixed point differs from the model, in its units; at most: what the report states, and float32's "
        "rounding"
    )
    return table
