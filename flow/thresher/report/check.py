"""What `check` found, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from thresher.lower.explain import NodeReport

_STYLES = {"hardware": "green", "host": "yellow", "constant": "dim", "unused": "dim", "problem": "red"}


def check_table(name: str, reports: Sequence[NodeReport]) -> Table:
    """One row per ONNX node: what takes it and the form of its output, or why not and what to change."""
    problems = any(entry.role == "problem" for entry in reports)
    table = Table(title=f"{name}: nodes", show_lines=problems, padding=(0, 0))
    for column in ("node", "operator", "taken by", "output"):
        table.add_column(column, overflow="fold")
    for entry in reports:
        # Names come from the model: brackets in them are not markup.
        cells = (entry.node, entry.op, _taken_by(entry), _output(entry))
        table.add_row(*(escape(cell) for cell in cells), style=_STYLES[entry.role])
    table.caption = "taken by: units of the hardware; output: integers, what waits for a quantiser, or floats"
    return table


def _taken_by(entry: NodeReport) -> str:
    if entry.role == "problem":
        return "not taken"
    return ", ".join(entry.units) or entry.taken_by or ""


def _output(entry: NodeReport) -> str:
    return f"{entry.reason}; {entry.remedy}" if entry.role == "problem" else entry.form


def check_summary(counts: Mapping[str, int]) -> str:
    """How many nodes go where, by their roles."""
    unused = f", {counts['unused']:,} that nothing reads" if counts["unused"] else ""
    return (
        f"{_count(sum(counts.values()), 'node')}: {counts['hardware']:,} in hardware, "
        f"{counts['host']:,} on the host, {_count(counts['constant'], 'constant')}{unused}, "
        f"{_count(counts['problem'], 'problem')}"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
