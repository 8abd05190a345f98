"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

import io

from rich.console import Console

from thresher.report.tables import Report, print_report

_WIDTH = 150


def render_html(report: Report) -> str:
    """The tables of `tables.print_report` as a page; the same report gives the same text."""
    console = Console(record=True, file=io.StringIO(), width=_WIDTH, force_terminal=False)
    print_report(console, report)
    return console.export_html(inline_styles=True)
