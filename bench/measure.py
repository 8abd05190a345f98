"""Measure one case, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

import thresher
from bench.cases import Case
from bench.qonnx_executor import execute

T = TypeVar("T")
QONNX_IMAGES = 50
REPEATS = 3


@dataclass(frozen=True)
class Figures:
    """What was measured: seconds of wall clock, and frames.

    `build_seconds` goes from the ONNX file to a project with its SystemVerilog. The seconds of the
    golden model are from images to class scores; those of the C simulation are of the run alone,
    without compiling and comparing; those of the RTL simulation are from the project to the compared
    result, Verilator's build included, which `rtl_run_seconds` leaves out.
    """

    case: str
    images: int
    build_seconds: float
    golden_seconds: float
    csim_seconds: float
    rtl_seconds: float
    rtl_run_seconds: float
    qonnx_images: int
    qonnx_seconds: float
    cycles_per_frame: float
    cycles_per_frame_stated: int
    mismatches: int
    accuracy: float

    @property
    def speeds(self) -> dict[str, float]:
        """Frames per second, by who computes them."""
        return {
            "qonnx executor": self.qonnx_images / self.qonnx_seconds,
            "golden model": self.images / self.golden_seconds,
            "C simulation": self.images / self.csim_seconds,
            "RTL simulation": self.images / self.rtl_seconds,
        }

    def to_json(self) -> dict[str, object]:
        """Figures and speeds as plain JSON values."""
        return asdict(self) | {"frames_per_second": self.speeds}


def measure(case: Case, folder: Path, announce: Callable[[str], None]) -> Figures:
    """Build `case` into `folder`, run it through every stage, and return the figures.

    Raises `RuntimeError` where the golden model and the QONNX executor disagree on a class.
    """
    announce("building")
    build_seconds, accelerator = timed(lambda: build(case, folder), REPEATS)
    announce("running the golden model")
    golden_seconds, golden = timed(lambda: accelerator.predict(case.images), REPEATS)
    announce("running the C simulation")
    csim = accelerator.csim(case.images, labels=case.labels, dataset=case.name)
    announce(f"running the RTL simulation on {len(case.images):,} images")
    rtl_seconds, rtl = timed(lambda: accelerator.sim(case.images, labels=case.labels, dataset=case.name))
    announce(f"running the QONNX executor on {QONNX_IMAGES} images")
    images = case.images[:QONNX_IMAGES].astype(np.float32) * np.float32(case.input_scale)
    outputs, qonnx_seconds = execute(case.model, images)
    if not np.array_equal(outputs.argmax(-1).ravel(), golden[:QONNX_IMAGES].argmax(-1).ravel()):
        raise RuntimeError(f"{case.name}: the golden model and the QONNX executor give different classes")
    report = accelerator.report()
    return Figures(
        case=case.name,
        images=len(case.images),
        build_seconds=build_seconds,
        golden_seconds=golden_seconds,
        csim_seconds=csim.seconds,
        rtl_seconds=rtl_seconds,
        rtl_run_seconds=rtl.seconds,
        qonnx_images=len(images),
        qonnx_seconds=qonnx_seconds,
        cycles_per_frame=rtl.cycles_per_frame,
        cycles_per_frame_stated=report["estimate"]["cycles_per_frame"],
        mismatches=csim.mismatches + rtl.mismatches,
        accuracy=report["accuracy"]["rtl"],
    )


def build(case: Case, folder: Path) -> thresher.Accelerator:
    """Build the case's accelerator; its model takes integers."""
    return thresher.build(
        case.model,
        output_dir=folder / "accelerator",
        folding=case.folding,
        target_fps=case.target_fps,
        input_type="uint8",
        input_scale=float(case.input_scale),
        force=True,
    )


def timed(work: Callable[[], T], repeats: int = 1) -> tuple[float, T]:
    """Do `work`, and return the shortest time that it took with its last result."""
    times: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
    return min(times), result
