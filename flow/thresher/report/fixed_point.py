"""What fixed point does to the values of sums and concatenations, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table


def fixed_point_table(report: Mapping[str, Any]) -> Table | None:
    """One row per ONNX node that is computed in fixed point; None where there is none."""
    content = report.get("approximations")
    if not content:
        return None
    table = Table(title=f"{report['model']['name']}: fixed point", padding=(0, 0))
    table.add_column("node")
    for name in ("bits", "step", "own error", "error"):
        table.add_column(name, justify="right")
    for each in content:
        values = (each["step"], each["own_error"], each["error"])
        table.add_row(escape(each["onnx_node"]), str(each["bits"]), *(f"{value:.3g}" for value in values))
    table.caption = (
        "how far a value can be from the model's, in its units: by the node itself, and with what it reads; "
        "finer with --add-bits"
    )
    return table
