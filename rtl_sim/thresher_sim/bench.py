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
from .resets import Reset, Segment, draw_resets

PERIOD_NS = 10
RESET_CYCLES = 16
RECORDER = "recorder"
# How often the bench looks for a first frame: every so many cycles, and once its time is known, so often.
_FIRST_POLL = 32
_LOOKS = 16


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

    def progress(self, most: int) -> int:
        """Beats that were accepted, of `most`."""
        return min(int(self._beats.value), most)

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
            fault_resets=self.read("fault_resets") if fault else 0,
        )


class Watchdog:
    """Notices that nothing has moved for too long."""

    def __init__(self, patience: int, cycle: int) -> None:
        self._patience = patience
        self._progress = 0
        self._since = cycle

    def bites(self, progress: int, cycle: int) -> bool:
        """Whether `progress` has been the same for so long that it is time to give up."""
        if progress != self._progress:
            self._progress, self._since = progress, cycle
        return cycle - self._since >= self._patience


class Bench:
    """Clock, resets, and the wait for the end."""

    def __init__(self, top: HierarchyObject, settings: BenchSettings) -> None:
        self._top = top
        self._clock = cast(LogicObject, top.ap_clk)
        self._reset_n = cast(LogicObject, top.ap_rst_n)
        self._settings = settings
        self._monitors = [Monitor(top, name, beats) for name, beats in settings.expected_beats.items()]
        self._meters = {name: getattr(top, f"meter_{name}").most for name in settings.fifos}
        self._recorder = getattr(top, RECORDER) if settings.records_steps else None
        self._endless = settings.endless and settings.resets > 0
        self._segments: list[Segment] = []
        self._time = 0
        self._began = 0

    async def reset(self) -> None:
        """Start the clock, and let go of reset between two rising edges."""
        self._reset_n.value = 0
        self._set(endless=self._endless)
        Clock(self._clock, PERIOD_NS, "ns").start(start_high=False)
        await self._cycles(RESET_CYCLES)
        self._release()

    async def run(self) -> Outcome:
        """Reset as often as is asked for, then run until every stream is complete or the watchdog bites."""
        settings = self._settings
        if settings.resets and not await self._disturb():
            return self._outcome(done=False)
        if not await self._reach(1, settings.poll):
            return self._outcome(done=False)
        await self._cycles(settings.drain)
        return self._outcome(done=True)

    async def _disturb(self) -> bool:
        """Do the resets; whether all came out that should before some of them."""
        settings, segment = self._settings, Segment(endless=self._endless)
        if not await self._reach(settings.share, _FIRST_POLL):
            return False
        span = self._time - self._began
        for reset in draw_resets(settings.resets, settings.seed, span, settings.frames, settings.endless):
            if reset.whole_frame and not await self._reach(settings.share, max(span // _LOOKS, 1)):
                return False
            await self._cycles(reset.after - reset.held)
            self._set(rests=reset.held > 0)
            await self._cycles(reset.held)
            self._segments.append(segment)
            await self._do(reset)
            segment = reset.following
        return True

    async def _do(self, reset: Reset) -> None:
        """From before its first rising edge until sinks may take beats after it."""
        following = reset.following
        self._set(first_frame=following.first_frame, endless=following.endless, rests=reset.blocked > 0)
        self._set(early=reset.early, noisy=reset.noisy, eager=reset.eager)
        self._reset_n.value = 0
        await self._cycles(reset.cycles)
        self._release()
        await self._cycles(reset.blocked)
        self._set(rests=False)

    def _release(self) -> None:
        self._reset_n.value = 1
        self._began = self._time

    def _set(self, **values: int) -> None:
        """Give signals of the test bench's top their values."""
        for name, value in values.items():
            getattr(self._top, name).value = int(value)

    async def _reach(self, share: int, poll: int) -> bool:
        """Look every `poll` cycles whether every stream has 1 / `share` of its beats; False if it hangs."""
        watchdog = Watchdog(self._settings.patience, self._time)
        wanted = [monitor.expected // share for monitor in self._monitors]
        pairs = list(zip(self._monitors, wanted, strict=True))
        while (progress := sum(monitor.progress(most) for monitor, most in pairs)) < sum(wanted):
            if watchdog.bites(progress, self._time):
                return False
            await self._cycles(poll)
        return True

    async def _cycles(self, count: int) -> None:
        self._time += count
        if count:
            await Timer(count * PERIOD_NS, "ns")

    def _cycle(self) -> int:
        return self._monitors[0].read("cycle")

    def _outcome(self, done: bool) -> Outcome:
        states = tuple(monitor.state() for monitor in self._monitors)
        occupancy = {name: int(most.value) for name, most in self._meters.items()}
        segments, before = tuple(self._segments), self._began - RESET_CYCLES
        return Outcome(done, self._cycle(), states, occupancy, self._rest(), segments, before)

    def _rest(self) -> int:
        return 0 if self._recorder is None else int(self._recorder.rest.value)


@cocotb.test()
async def play_all_frames(top: HierarchyObject) -> None:
    """Play the sources' files to their end."""
    bench = Bench(top, BenchSettings.load(Path()))
    await bench.reset()
    outcome = await bench.run()
    outcome.save(Path())
