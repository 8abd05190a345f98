"""The cocotb test: clock, reset, and the wait until every stream is complete.

Beats never pass through Python. The sources and monitors of the SystemVerilog bench move and record
them; Python looks at their counters now and then, and contents are compared after the run. Settings
and outcome are files of the working folder, see `outcome`.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject, LogicObject
from cocotb.triggers import Timer

from .outcome import BenchSettings, Outcome, StreamState

PERIOD_NS = 10
RESET_CYCLES = 16
RECORDER = "recorder"


class Monitor:
    """Reads what one stream_monitor knows, and how much of what is expected has come."""

    def __init__(self, top: HierarchyObject, name: str, expected: int) -> None:
        self.name = name
        self.expected = expected
        self._monitor = getattr(top, f"monitor_{name}")
        self._beats = self._monitor.beats

    def read(self, field: str) -> int:
        """The monitor's variable of that name."""
        return int(getattr(self._monitor, field).value)

    def progress(self) -> int:
        """Beats that were accepted, of those that are expected."""
        return min(int(self._beats.value), self.expected)

    def state(self) -> StreamState:
        """All there is to know."""
        fault = self.read("fault")
        return StreamState(
            name=self.name,
            beats=self.read("beats"),
            valid=bool(self.read("waiting_valid")),
            ready=bool(self.read("waiting_ready")),
            fault=fault,
            fault_beats=self.read("fault_beats") if fault else 0,
            fault_cycle=self.read("fault_cycle") if fault else 0,
        )


class Watchdog:
    """Notices that nothing has moved for too long."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._progress = 0
        self._since = 0

    def bites(self, progress: int, cycle: int) -> bool:
        """Whether `progress` has been the same for so long that it is time to give up."""
        if progress != self._progress:
            self._progress, self._since = progress, cycle
        return cycle - self._since >= self._patience


class Bench:
    """Clock, reset, and the wait for the end."""

    def __init__(self, top: HierarchyObject, settings: BenchSettings) -> None:
        self._clock = cast(LogicObject, top.ap_clk)
        self._reset_n = cast(LogicObject, top.ap_rst_n)
        self._settings = settings
        self._monitors = [Monitor(top, name, beats) for name, beats in settings.expected_beats.items()]
        self._meters = {name: getattr(top, f"meter_{name}").most for name in settings.fifos}
        self._recorder = getattr(top, RECORDER) if settings.records_steps else None

    async def reset(self) -> None:
        """Start the clock, and let go of reset between two rising edges."""
        self._reset_n.value = 0
        Clock(self._clock, PERIOD_NS, "ns").start(start_high=False)
        await self._cycles(RESET_CYCLES)
        self._reset_n.value = 1

    async def run(self) -> Outcome:
        """Run until every stream is complete or the watchdog bites."""
        watchdog = Watchdog(self._settings.patience)
        wanted = sum(self._settings.expected_beats.values())
        while (progress := sum(monitor.progress() for monitor in self._monitors)) < wanted:
            if watchdog.bites(progress, self._cycle()):
                return self._outcome(done=False)
            await self._cycles(self._settings.poll)
        await self._cycles(self._settings.drain)
        return self._outcome(done=True)

    async def _cycles(self, count: int) -> None:
        await Timer(count * PERIOD_NS, "ns")

    def _cycle(self) -> int:
        return self._monitors[0].read("cycle")

    def _outcome(self, done: bool) -> Outcome:
        states = tuple(monitor.state() for monitor in self._monitors)
        occupancy = {name: int(most.value) for name, most in self._meters.items()}
        return Outcome(done, self._cycle(), states, occupancy, self._rest())

    def _rest(self) -> int:
        return 0 if self._recorder is None else int(self._recorder.rest.value)


@cocotb.test()
async def play_all_frames(top: HierarchyObject) -> None:
    """Play the sources' files to their end."""
    bench = Bench(top, BenchSettings.load(Path()))
    await bench.reset()
    outcome = await bench.run()
    outcome.save(Path())
