"""An evaluation as a bar chart."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thresher.errors import MissingToolError
from thresher.report.units import show_bytes, show_seconds
from thresher_sim.caches import cache_home, is_own

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which people tell apart whatever their colour vision.
_COLOURS = {"float": "#0072B2", "onnx": "#56B4E9", "golden": "#E69F00", "accelerator": "#009E73"}
# Where the largest is more than so many times the smallest, bars are on a logarithmic axis.
_WIDE = 20.0
_HEIGHT_OF_BAR = 0.55
_INCHES = (14.0, 1.5)
_DPI = 150


def check_matplotlib() -> None:
    """Raises `MissingToolError` where matplotlib is not installed."""
    caches = cache_home()
    if is_own(caches):
        # It warns where it can keep its fonts nowhere.
        os.environ.setdefault("MPLCONFIGDIR", str(caches / "matplotlib"))
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingToolError(
            "evaluate: the chart needs matplotlib; pip install 'thresher[evaluate]', or leave the chart out "
            "with --no-plot"
        ) from None


def write_chart(content: Mapping[str, Any], path: Path) -> None:
    """Draw accuracy, time and size of the levels of `evaluation.json` to a PNG file.

    Raises:
        MissingToolError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    levels = [level for level in content["levels"] if level["name"] in _COLOURS]
    panels = [panel for panel in _PANELS if any(panel[0] in level for level in levels)]
    figure = Figure(figsize=(_INCHES[0], _INCHES[1] + _HEIGHT_OF_BAR * len(levels)), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for each, (key, title, show) in zip(axes, panels, strict=True):
        _draw(each, levels, key, show)
        each.set_title(title, fontsize=11)
    axes[0].set_yticks(range(len(levels)), [level["title"] for level in levels], fontsize=10)
    axes[0].invert_yaxis()
    figure.suptitle(f"{content['model']}: {content['levels'][0]['images']:,} images", fontsize=12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI, format="png", metadata={"Software": None})


def _draw(axes: Axes, levels: Sequence[Mapping[str, Any]], key: str, show: Callable[[float], str]) -> None:
    known = [(place, level) for place, level in enumerate(levels) if key in level]
    values = [float(level[key]) for _, level in known]
    wide = key != "accuracy" and min(values) > 0 and max(values) > _WIDE * min(values)
    bars = axes.barh(
        [place for place, _ in known],
        values,
        height=0.6,
        color=[_COLOURS[level["name"]] for _, level in known],
    )
    if wide:
        axes.set_xscale("log")
        # A bar of a logarithmic axis begins where the axis does: below the smallest by its own margin.
        axes.set_xlim(min(values) / 3, max(values) * (max(values) / min(values)) ** 0.45)
    else:
        axes.set_xlim(0, 1.35 * max(values) or 1.0)
    axes.bar_label(bars, [show(value) for value in values], padding=4, fontsize=10)
    if key == "accuracy":
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(lambda value, _: _tick(value, show))
    axes.xaxis.set_minor_formatter(lambda *_: "")
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("logarithmic scale" if wide else "", fontsize=8)


def _tick(value: float, show: Callable[[float], str]) -> str:
    """The value as a label shows it, without digits that say nothing."""
    number, _, unit = show(value).partition(" ")
    return f"{float(number.replace(',', '')):g} {unit}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


_PANELS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("accuracy", "accuracy", _percent),
    ("seconds_per_image", "time per image, of many", show_seconds),
    ("latency_seconds", "latency of one image", show_seconds),
    ("bytes", "size of the parameters", show_bytes),
)
