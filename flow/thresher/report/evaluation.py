"""An evaluation as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from thresher.report.units import show_bytes, show_ratio, show_seconds

_NUMBERS = ("images", "accuracy", "time/image", "latency", "size", "faster", "smaller", "mismatches")


def evaluation_table(content: Mapping[str, Any]) -> Table:
    """One row per level of `evaluation.json`; what is not known is left empty."""
    table = Table(title=f"{content['model']}: evaluation", padding=(0, 0))
    used = [name for name in _NUMBERS if name != "mismatches" or _simulated(content)]
    table.add_column("", no_wrap=True)
    for name in used:
        table.add_column(name, justify="right")
    for level in content["levels"]:
        cells = _cells(level, content["ratios"].get(level["name"], {}))
        table.add_row(level["title"], *(cells.get(name, "") for name in used))
    table.caption = _caption(content)
    return table


def _simulated(content: Mapping[str, Any]) -> bool:
    return any("mismatches" in level for level in content["levels"])


def _cells(level: Mapping[str, Any], ratios: Mapping[str, float]) -> dict[str, str]:
    cells = {"images": f"{level['images']:,}"}
    if "accuracy" in level:
        cells["accuracy"] = f"{100 * level['accuracy']:.2f} %"
    if "seconds_per_image" in level:
        cells["time/image"] = show_seconds(level["seconds_per_image"])
    if "latency_seconds" in level:
        cells["latency"] = show_seconds(level["latency_seconds"])
    if "bytes" in level:
        cells["size"] = show_bytes(level["bytes"])
    if "mismatches" in level:
        cells["mismatches"] = f"{level['mismatches']:,}"
    return cells | {key: show_ratio(value) for key, value in ratios.items()}


def _caption(content: Mapping[str, Any]) -> str:
    reference = next(level["title"] for level in content["levels"] if level["name"] == content["reference"])
    cpu = content["cpu"]
    text = (
        f"time/image: of many, latency: of one alone; models and golden model on this CPU ({cpu['machine']}, "
        f"{cpu['cores']} cores), the accelerator by its stated cycles; faster (time/image) and smaller: than "
        f"the {reference}"
    )
    parts = content["host_parts"]
    return f"{text}; without the host's {' and '.join(parts)}" if parts else text
