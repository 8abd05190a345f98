"""Plain text about a simulation's result."""

from __future__ import annotations

from collections.abc import Sequence

from .compare import Comparison
from .csim import CsimResult
from .project import Project
from .rtl import RtlResult


def stream_table(comparison: Comparison) -> str:
    """One line per stream: which layer writes it, its beats, and how many of them are wrong."""
    rows = [("stream", "layer", "beats", "mismatches")]
    rows += [
        (stream.name, stream.layer, str(stream.beats), str(stream.wrong)) for stream in comparison.streams
    ]
    return align(rows)


def csim_summary(result: CsimResult) -> str:
    """Frames, speed and mismatches of a C simulation."""
    return (
        f"csim ({result.types}): {result.frames} frames in {result.seconds:.2f} s "
        f"({result.frames_per_second:,.0f} frames/s), {result.comparison.mismatches} mismatches"
    )


def rtl_summary(result: RtlResult, project: Project) -> str:
    """Cycles stated and measured, the FIFOs, then frames, speed and mismatches of an RTL simulation."""
    estimate = project.estimate
    rows = [
        ("cycles", "stated", "measured"),
        ("per frame", number(estimate.cycles_per_frame), number(result.cycles_per_frame)),
        ("latency", number(estimate.latency_cycles), number(result.latency_cycles)),
    ]
    tables = [align(rows), *([fifo_table(result, project)] if result.occupancy else [])]
    return "\n".join(
        [
            *tables,
            *(f"warning: {warning}" for warning in result.warnings),
            *([resets_line(result.comparison)] if result.comparison.resets else []),
            f"sim: {result.comparison.frames} frames, {result.cycles:,} cycles in {result.seconds:.2f} s, "
            f"{result.comparison.mismatches} mismatches",
        ]
    )


def resets_line(comparison: Comparison) -> str:
    """How many resets a run had, and what came out before the last of them."""
    cut = comparison.streams[-1].cut
    return (
        f"resets: {comparison.resets} at random moments; before the last one {cut.frames:,} whole frames "
        f"came out, and with those in parts {cut.beats:,} beats"
    )


def fifo_table(result: RtlResult, project: Project) -> str:
    """One line per FIFO: its depth, the most beats in it as stated and as measured, and its bits."""
    rows = [("FIFO", "depth", "most stated", "most measured", "bits")]
    for stream in project.streams:
        if stream.depth is not None:
            most = (number(stream.occupancy), number(result.occupancy.get(stream.name)))
            rows.append(
                (stream.name, number(stream.depth), *most, number(stream.depth * stream.layout.width))
            )
    return align(rows)


def number(value: float | None) -> str:
    """A number without needless decimals, or a dash for none."""
    return "-" if value is None else f"{value:,.10g}"


def align(rows: Sequence[Sequence[str]]) -> str:
    """Columns: the first to the left, numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    numeric = [all(cell[:1] in "-0123456789" for cell in column[1:]) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in rows
    )
