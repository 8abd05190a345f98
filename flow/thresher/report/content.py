"""Reading `reports/report.json`, which anyone may have edited."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.errors import UsageError

_NUMBER = (int, float)
_COST = {"lut": _NUMBER, "ff": _NUMBER, "bram36": _NUMBER, "dsp": int}
_LAYER = {
    "name": str,
    "input_type": str,
    "output_type": str,
    "pe": int,
    "simd": int,
    "cycles_per_frame": int,
    "weight_bits": int,
    "resources": _COST,
}
_FIFO = {
    "stream": str,
    "depth": int,
    "bits": int,
    "occupancy": int,
    "rtl_occupancy": (int, type(None)),
    "resources": _COST,
}
_USAGE = {"lut": int, "ff": int, "bram36": _NUMBER, "dsp": int}
_SYNTHESIS = {
    "tool": str,
    "tool_version": str,
    "part": str,
    "target_mhz": _NUMBER,
    "seconds": _NUMBER,
    "layers": {...: _USAGE},
    "notes": [str],
    "files": [str],
}


@dataclass(frozen=True)
class _OrNull:
    """Null or what has the shape."""

    shape: Any


@dataclass(frozen=True)
class _MayLack:
    """What has the shape where it is there; reports of earlier versions lack it."""

    shape: Any


# What the tables count on. A class or several stand for their instances, a list for its elements; of
# an object the keys that are named here must be there, and `...` stands for each key of the rest.
_SHAPE: Any = {
    "model": {"name": str, "weight_bits": int, "float32_bytes": int},
    "clock_mhz": _NUMBER,
    "part": str,
    "part_resources": _OrNull({"lut": int, "bram36": int, "dsp": int}),
    "layers": [_LAYER],
    "fifos": [_FIFO],
    "estimate": {
        "cycles_per_frame": int,
        "latency_cycles": int,
        "frames_per_second": _NUMBER,
        "bottleneck": str,
        "settled_frames": (int, type(None)),
        "resources": _COST,
        "next_step": _OrNull({"cycles_per_frame": int, "resources": _COST, "layers": [str]}),
    },
    "ties": {...: int},
    "approximations": [
        {"onnx_node": str, "bits": int, "step": _NUMBER, "own_error": _NUMBER, "error": _NUMBER}
    ],
    "simulation": {...: {"warnings": [str], ...: (int, float, str, type(None))}},
    "accuracy": {...: (int, float, str)},
    "verification": {
        "done": bool,
        "frames": int,
        "tensors": int,
        "mismatches": int,
        "ties": {...: int},
        "seconds": _NUMBER,
    },
    "synthesis": [_SYNTHESIS],
    "host_layers": _MayLack([{"sentence": str, "unintended": bool}]),
    "warnings": _MayLack([str]),
}


def read_report(path: Path) -> dict[str, Any]:
    """Read a report and check what the tables need; raises `UsageError` where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"report: '{path}' cannot be read ({error}); build the project again") from None
    problem = _problem(content, _SHAPE, "the report")
    if problem:
        raise UsageError(f"report: '{path}' is damaged ({problem}); build the project again")
    report: dict[str, Any] = content
    return report


def _problem(value: object, shape: Any, place: str) -> str | None:
    """What keeps `value` from having `shape`, or None."""
    if isinstance(shape, _MayLack):
        return _problem(value, shape.shape, place)
    if isinstance(shape, _OrNull):
        return None if value is None else _problem(value, shape.shape, place)
    if isinstance(shape, dict):
        return _problem_of_object(value, shape, place)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} is not a list"
        problems = (_problem(each, shape[0], f"entry {index} of {place}") for index, each in enumerate(value))
        return next(filter(None, problems), None)
    return None if isinstance(value, shape) else f"{place} is {value!r}"


def _problem_of_object(value: object, shape: dict[Any, Any], place: str) -> str | None:
    if not isinstance(value, dict):
        return f"{place} is not an object"
    named = {key: each for key, each in shape.items() if key is not ...}
    missing = [key for key in named if key not in value and not isinstance(named[key], _MayLack)]
    if missing:
        return f"{place} lacks '{missing[0]}'"
    rest = shape.get(...)
    wanted = {key: named.get(key, rest) for key in value if key in named or rest is not None}
    problems = (_problem(value[key], each, f"'{key}' of {place}") for key, each in wanted.items())
    return next(filter(None, problems), None)
