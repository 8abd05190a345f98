"""How long the CPU takes for an image."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

from thresher.ir.graph import Array

# The fastest of so many passes counts, or of those that fit in so many seconds.
_PASSES = 5
_PASSES_ALONE = 25
_SECONDS = 1.0


@dataclass(frozen=True)
class Processor:
    """The machine that CPU times were measured on."""

    machine: str
    cores: int

    @staticmethod
    def here() -> Processor:
        """This machine."""
        return Processor(platform.machine(), os.cpu_count() or 1)

    def to_json(self) -> dict[str, object]:
        """As plain JSON values."""
        return {"machine": self.machine, "cores": self.cores}


@dataclass(frozen=True)
class Timed:
    """What came out for all frames; the seconds that each took, and those that one took by itself."""

    outputs: Array
    seconds_per_image: float
    latency_seconds: float


def run_timed(run: Callable[[Array], Array], frames: Array) -> Timed:
    """Run all `frames`, and then the first alone, and take the time of the fastest passes."""
    outputs, seconds = _fastest(run, frames, _PASSES)
    _, alone = _fastest(run, frames[:1], _PASSES_ALONE)
    return Timed(outputs, seconds / len(frames), alone)


def _fastest(run: Callable[[Array], Array], frames: Array, passes: int) -> tuple[Array, float]:
    best, spent = float("inf"), 0.0
    for _ in range(passes):
        start = time.perf_counter()
        outputs = run(frames)
        seconds = time.perf_counter() - start
        best, spent = min(best, seconds), spent + seconds
        if spent >= _SECONDS:
            break
    return outputs, best
