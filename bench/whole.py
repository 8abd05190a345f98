"""Whole networks, measured as hardware: size by Yosys, latency in RTL simulation, a routed clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import thresher
from bench.cases import TFC, TFC_FOLDING, digits_case
from bench.convolutional import CNV_FOLDING
from tests.models import export_bnn, export_cnv
from thresher.tools.ecp5 import DEFAULT_ECP5

SIZE_MHZ = {"tfc": 200.0, "cnv": 100.0}
# Cycles from the first beat that goes in to the last that comes out, for SFC at `SFC_RATE` cycles per frame.
SFC_RATE, MOST_LATENCY = 16, 40
# PE and SIMD of each layer, by the clock that it is pipelined for: rows and columns of the matrices in
# turn, so that a layer begins before the one before it is done.
SFC_FOLDINGS = (
    (200.0, ((16, 784), (256, 16), (16, 256), (10, 16))),
    (150.0, ((16, 784), (256, 16), (32, 256), (10, 32))),
)
SFC_FRAMES, NETLIST_FRAMES = 20, 32
ROUTED_MHZ = 150.0

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Bounds:
    """The fewest look-up tables that are too many, and the most block memories of 36 kbit."""

    below_lut: int
    most_bram36: float


BOUNDS = {"tfc": Bounds(3_500, 0), "cnv": Bounds(10_000, 70)}


@dataclass(frozen=True)
class Size:
    """A network as Yosys maps it to the 7 series, pipelined for `clock_mhz`.

    `lut` counts look-up tables of all sizes; `logic_cells` are those that Yosys expects once small ones
    share a cell. `notes` say how they were made where that is not by one run over all of it.
    """

    name: str
    model: str
    cycles_per_frame: int
    clock_mhz: float
    lut: int
    logic_cells: int
    ff: int
    bram36: float
    dsp: int
    seconds: float
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def within_bounds(self) -> bool:
        """Whether it is as small as `BOUNDS` ask for."""
        bounds = BOUNDS[self.name]
        return max(self.lut, self.logic_cells) < bounds.below_lut and self.bram36 <= bounds.most_bram36


@dataclass(frozen=True)
class Latency:
    """SFC with one folding in RTL simulation: cycles from its first input beat to its last output beat."""

    folding: Sequence[Sequence[int]]
    clock_mhz: float
    macs_per_cycle: int
    cycles: int
    stated_cycles: int
    cycles_per_frame: float
    frames: int
    mismatches: int

    @property
    def within_bounds(self) -> bool:
        """Whether it keeps both bounds and is right."""
        return self.cycles <= MOST_LATENCY and self.cycles_per_frame <= SFC_RATE and not self.mismatches


@dataclass(frozen=True)
class Routed:
    """The demo's network through nextpnr: its clock, and what its netlists give in simulation."""

    part: str
    target_mhz: float
    fmax_mhz: float
    lut: int
    ff: int
    bitstream_bytes: int
    frames: int
    mismatches: int
    notes: Sequence[str]
    seconds: float

    @property
    def within_bounds(self) -> bool:
        """Whether the clock is met, the bitstream is there, and the netlists are right."""
        return self.fmax_mhz >= self.target_mhz and self.bitstream_bytes > 0 and not self.mismatches


def measure_tfc(folder: Path, announce: Announce) -> Size:
    """TFC_1W1A fed by pixels of 8 bits: the public one beside the checkout, else with random statistics."""
    model, folding = TFC, TFC_FOLDING
    if not model.is_file():
        model = folder / "tfc_1w1a.onnx"
        export_bnn("tfc_1w1a", dynamo=False, seed=0, path=model)
    options = {"folding": folding, "input_type": "uint8", "input_scale": 1 / 255}
    name = "TFC_1W1A" if model == TFC else "TFC_1W1A, random statistics"
    return measure_size("tfc", name, model, options, folder, announce)


def measure_cnv(folder: Path, announce: Announce) -> Size:
    """CNV_1W1A with random statistics, fed by what its host makes of pixels."""
    model = folder / "cnv_1w1a.onnx"
    export_cnv("cnv_1w1a", dynamo=False, seed=0, path=model)
    return measure_size(
        "cnv", "CNV_1W1A, random statistics", model, {"folding": CNV_FOLDING}, folder, announce
    )


def measure_size(
    name: str, title: str, model: Path, options: Mapping[str, object], folder: Path, announce: Announce
) -> Size:
    """Build a network, and have Yosys map the whole of it, flat."""
    announce("building")
    accelerator = thresher.build(
        model, output_dir=folder / name, clock_mhz=SIZE_MHZ[name], force=True, **options
    )
    result = accelerator.synth("yosys", family="xc7", layers=(), announce=announce)
    total = result.total
    assert total is not None and total.logic_cells is not None
    return Size(
        name=name,
        model=title,
        cycles_per_frame=accelerator.report()["estimate"]["cycles_per_frame"],
        clock_mhz=SIZE_MHZ[name],
        lut=total.lut,
        logic_cells=total.logic_cells,
        ff=total.ff,
        bram36=total.bram36,
        dsp=total.dsp,
        seconds=result.seconds,
        notes=result.notes,
    )


def measure_sfc(folder: Path, announce: Announce) -> list[Latency]:
    """SFC_1W1A with random statistics and each of `SFC_FOLDINGS`, on random images."""
    model = folder / "sfc_1w1a.onnx"
    export_bnn("sfc_1w1a", dynamo=False, seed=0, path=model)
    results = []
    for clock_mhz, parallel in SFC_FOLDINGS:
        announce(f"building for {clock_mhz:g} MHz")
        folding = {f"mvu{index}": {"pe": pe, "simd": simd} for index, (pe, simd) in enumerate(parallel)}
        accelerator = thresher.build(
            model, output_dir=folder / "sfc", folding=folding, clock_mhz=clock_mhz, force=True
        )
        announce(f"running the RTL simulation for {clock_mhz:g} MHz")
        run = accelerator.sim(np.random.default_rng(0).random((SFC_FRAMES, 1, 28, 28), np.float32))
        assert run.latency_cycles is not None and run.cycles_per_frame is not None
        results.append(
            Latency(
                folding=parallel,
                clock_mhz=clock_mhz,
                macs_per_cycle=sum(pe * simd for pe, simd in parallel),
                cycles=run.latency_cycles,
                stated_cycles=accelerator.report()["estimate"]["latency_cycles"],
                cycles_per_frame=run.cycles_per_frame,
                frames=run.frames,
                mismatches=run.mismatches,
            )
        )
    return results


def measure_digits(folder: Path, announce: Announce) -> Routed:
    """The demo's network routed for an ECP5, and its netlists for two families in simulation."""
    started = time.perf_counter()
    case = digits_case(folder)
    accelerator = thresher.build(
        case.model,
        output_dir=folder / "digits",
        target_fps=case.target_fps,
        clock_mhz=ROUTED_MHZ,
        part=DEFAULT_ECP5,
        input_type="uint8",
        input_scale=float(case.input_scale),
        force=True,
    )
    routed = accelerator.synth("nextpnr-ecp5", announce=announce)
    assert routed.total is not None and routed.fmax_mhz is not None
    images = case.images[:NETLIST_FRAMES]
    runs = [accelerator.sim_netlist(images, family=name, announce=announce) for name in ("ecp5", "xc7")]
    return Routed(
        part=routed.part,
        target_mhz=ROUTED_MHZ,
        fmax_mhz=routed.fmax_mhz,
        lut=routed.total.lut,
        ff=routed.total.ff,
        bitstream_bytes=(accelerator.directory / routed.files[0]).stat().st_size,
        frames=sum(run.frames for run in runs),
        mismatches=sum(run.mismatches for run in runs),
        notes=routed.notes,
        seconds=round(time.perf_counter() - started, 1),
    )
