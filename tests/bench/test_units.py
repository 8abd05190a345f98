"""The units that are measured as hardware, at every clock, and those by hand, in one Verilator model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.quality import write_reference
from bench.references import REFERENCES
from bench.units import UNITS, compile_kernel
from tests.kernels.cases import random_frames
from thresher.hardware.steps import departures
from thresher.kernels import Kernel
from thresher_sim.project import Stream
from thresher_sim.rtl import LaneTiming, RtlOptions, RtlResult, simulate_lanes
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
        return Lane(self.module, f"u_{self.module}", source, target)


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

    def timings(self) -> dict[str, LaneTiming]:
        names = [device.module for device in self.devices]
        return dict(zip(names, self.run(stall=0).timings, strict=True))


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
        frames = random_frames(random, lane.input.layout, FRAMES)
        write_frames(folder / "vectors", lane.input, lane.input.layout.pack(frames))
        golden = lane.output.layout.pack(device.kernel.golden(frames))
        write_frames(folder / "vectors", lane.output, golden)
    return Model(folder, tuple(devices))


@pytest.mark.parametrize("stall", [0, 40])
def test_every_unit_gives_the_golden_beats(model: Model, stall: int) -> None:
    comparison = model.run(stall).comparison

    assert [f"{stream.name}: {stream.describe()}" for stream in comparison.streams if stream.wrong] == []


def test_every_unit_begins_a_step_in_every_cycle(model: Model) -> None:
    measured = {module: timing.cycles_per_frame for module, timing in model.timings().items()}

    assert measured == {device.module: device.kernel.cycles_per_frame for device in model.devices}


def test_the_latency_is_the_one_reported_at_every_clock(model: Model) -> None:
    timings = model.timings()

    for device in model.devices:
        if device.stages is not None:
            beats = np.arange(device.kernel.input_layout.beats_per_frame)
            last_step = int(departures(device.kernel.schedule(), beats)[-1])
            assert timings[device.module].latency_cycles == last_step + device.stages + 1, device.module
