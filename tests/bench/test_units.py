"""The units that are measured as hardware, at every clock, and those by hand, in one Verilator model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.quality import write_reference
from bench.references import REFERENCES
from bench.units import UNITS, compile_kernel
from tests.kernels.values import random_frames
from tests.timing.runs import own_latency
from thresher.kernels import Kernel
from thresher_sim.project import Stream
from thresher_sim.rtl import RtlOptions, RtlResult, simulate_lanes
from thresher_sim.testbench import Lane
from thresher_sim.vectors import write_frames

CLOCKS_MHZ = (100, 200, 300)
FRAMES = 5


@dataclass(frozen=True)
class Device:
    """A module that does what `kernel` does; `stages` is what hlsc reports, None for one by hand."""

    module: str
    kernel: Kernel
    stages: int | None

    def lane(self) -> Lane:
        layouts = self.kernel.input_layout, self.kernel.output_layout
        source = Stream(f"{self.module}_in", layouts[0], "input", None, self.module)
        target = Stream(f"{self.module}_out", layouts[1], "output", self.module, None)
        return Lane(self.module, f"u_{self.module}", (source,), (target,))


@dataclass(frozen=True)
class Model:
    """All devices side by side, with random frames and what must come out of them."""

    folder: Path
    devices: tuple[Device, ...]

    def run(self, stall: int) -> RtlResult:
        return simulate_lanes(
            [device.lane() for device in self.devices],
            sorted((self.folder / "rtl").glob("*.sv")),
            self.folder / "vectors",
            self.folder / "results",
            self.folder / "model",
            FRAMES,
            RtlOptions(stall=stall),
        )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("units")
    devices = []
    for name, make in UNITS.items():
        kernel = make()
        for clock_mhz in CLOCKS_MHZ:
            unit = compile_kernel(f"{name}_{clock_mhz}", kernel, folder / "rtl", clock_mhz)
            devices.append(Device(unit.module_name, kernel, unit.stages))
    for name in REFERENCES:
        write_reference(name, folder / "rtl")
        devices.append(Device(f"{name}_by_hand", UNITS[name](), None))
    random = np.random.default_rng(7)
    for device in devices:
        lane = device.lane()
        (source,), (target,) = lane.inputs, lane.outputs
        frames = random_frames(random, source.layout, FRAMES)
        write_frames(folder / "vectors", source, source.layout.pack(frames))
        golden = target.layout.pack(device.kernel.golden(frames))
        write_frames(folder / "vectors", target, golden)
    return Model(folder, tuple(devices))


@pytest.fixture(scope="module")
def smooth(model: Model) -> RtlResult:
    """A run in which no stream makes a device wait."""
    return model.run(stall=0)


def test_every_unit_gives_the_golden_beats(model: Model, smooth: RtlResult) -> None:
    for run in (smooth, model.run(stall=40)):
        streams = run.comparison.streams
        assert [f"{stream.name}: {stream.describe()}" for stream in streams if stream.wrong] == []


def test_every_unit_begins_a_step_in_every_cycle(model: Model, smooth: RtlResult) -> None:
    measured = [timing.cycles_per_frame for timing in smooth.timings]

    assert measured == [device.kernel.cycles_per_frame for device in model.devices]


def test_the_latency_is_the_one_reported_at_every_clock(model: Model, smooth: RtlResult) -> None:
    for device, timing in zip(model.devices, smooth.timings, strict=True):
        if device.stages is not None:
            latency = own_latency(device.kernel.schedule(), device.stages)
            assert timing.latency_cycles == latency, device.module
