"""Reading `reports/report.json`, which anyone may have edited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.errors import UsageError, printable
from thresher_sim.files import read_json

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


@dataclass(frozen=True)
class _OrNull:
    """Null or what has the shape."""

    shape: Any


@dataclass(frozen=True)
class _Perhaps:
    """What has the shape where the key is there, which reports of earlier versions may lack."""

    shape: Any


_USAGE = {"lut": int, "ff": int, "bram36": _NUMBER, "dsp": int, "logic_cells": _Perhaps(int)}
_SYNTHESIS = {
    "tool": str,
    "tool_version": str,
    "part": str,
    "target_mhz": _NUMBER,
    "seconds": _NUMBER,
    "layers": {...: _USAGE},
    "notes": [str],
    "files": [str],
    "lut": _Perhaps(int),
    "ff": _Perhaps(int),
    "bram36": _Perhaps(_NUMBER),
    "dsp": _Perhaps(int),
    "logic_cells": _Perhaps(int),
    "fmax_mhz": _Perhaps(_NUMBER),
    "critical_path": _Perhaps(str),
    "missed": _Perhaps(str),
}
_RUN = {
    "frames": int,
    "mismatches": int,
    "warnings": [str],
    "cycles_per_frame": _Perhaps(_OrNull(_NUMBER)),
    "latency_cycles": _Perhaps(_OrNull(int)),
}
_ESTIMATE_ERROR = {
    "family": str,
    "clock_mhz": _NUMBER,
    "units": int,
    "median": _NUMBER,
    "percentile_90": _NUMBER,
}
_VERIFICATION = {
    "done": bool,
    "frames": int,
    "tensors": int,
    "mismatches": int,
    "ties": {...: int},
    "seconds": _NUMBER,
}
_FLOAT_LAYERS = {
    "samples": _Perhaps(int),
    "layers": _Perhaps(
        [
            {
                "node": str,
                "weight_bits": _OrNull(int),
                "input_type": _OrNull(str),
                "input_scale": _OrNull(_NUMBER),
            }
        ]
    ),
    "left_on_host": _Perhaps([{"node": str, "because_of": str}]),
}
# What the tables count on. A class or several stand for their instances, a list for its elements; of
# an object the keys that are named here must be there, and `...` stands for each key of the rest.
_SHAPE: Any = {
    "model": {
        "name": str,
        "weight_bits": int,
        "float32_bytes": int,
        "dropped": _Perhaps([str]),
    },
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
        "lut_error": _Perhaps(_OrNull(_ESTIMATE_ERROR)),
        "next_step": _OrNull({"cycles_per_frame": int, "resources": _COST, "layers": [str]}),
    },
    "ties": {...: int},
    "approximations": [
        {"onnx_node": str, "bits": int, "step": _NUMBER, "own_error": _NUMBER, "error": _NUMBER}
    ],
    "simulation": {...: _RUN},
    "accuracy": {
        "dataset": _Perhaps(str),
        "images": _Perhaps(int),
        **{level: _Perhaps(_NUMBER) for level in ("onnx", "golden", "csim", "rtl")},
    },
    "verification": _VERIFICATION,
    "verified_since": _Perhaps(_OrNull(_VERIFICATION)),
    "float_layers": _Perhaps(_OrNull(_FLOAT_LAYERS)),
    "synthesis": [_SYNTHESIS],
    "host_layers": _Perhaps([{"sentence": str, "unintended": bool}]),
    "warnings": _Perhaps([str]),
}


def read_report(path: Path) -> dict[str, Any]:
    """Read a report and check what the tables need; raises `UsageError` where it is missing or damaged."""
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"report: '{path}' cannot be read ({error}); build the project again") from None
    problem = _problem(content, _SHAPE, "the report")
    if problem:
        raise UsageError(f"report: '{path}' is damaged ({problem}); build the project again")
    report: dict[str, Any] = content
    return report


def _problem(value: object, shape: Any, place: str) -> str | None:
    """What keeps `value` from having `shape`, or None."""
    if isinstance(shape, _OrNull):
        return None if value is None else _problem(value, shape.shape, place)
    if isinstance(shape, _Perhaps):
        return _problem(value, shape.shape, place)
    if isinstance(shape, dict):
        return _problem_of_object(value, shape, place)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} is not a list"
        problems = (_problem(each, shape[0], f"entry {index} of {place}") for index, each in enumerate(value))
        return next(filter(None, problems), None)
    return None if isinstance(value, shape) else f"{place} is {printable(repr(value))}"


def _problem_of_object(value: object, shape: dict[Any, Any], place: str) -> str | None:
    if not isinstance(value, dict):
        return f"{place} is not an object"
    named = {key: each for key, each in shape.items() if key is not ...}
    missing = [key for key, each in named.items() if key not in value and not isinstance(each, _Perhaps)]
    if missing:
        return f"{place} lacks '{missing[0]}'"
    rest = shape.get(...)
    wanted = {key: named.get(key, rest) for key in value if key in named or rest is not None}
    problems = (_problem(value[key], each, f"'{key}' of {place}") for key, each in wanted.items())
    return next(filter(None, problems), None)
