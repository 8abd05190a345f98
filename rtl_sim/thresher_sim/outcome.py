"""What passes between a simulation run and the bench inside the simulator, as two small JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import SimulationMismatchError, ToolFailedError
from .resets import Segment

SETTINGS_FILE = "bench.json"
OUTCOME_FILE = "outcome.json"

# By the numbers of stream_monitor.sv.
FAULTS = {
    1: "tvalid fell before the beat was taken",
    2: "a beat changed before it was taken",
    3: "tlast is missing on the last beat of a frame",
    4: "tlast is set within a frame",
    5: "tvalid is high in the first cycle after a reset",
    6: "tready is high in a reset",
}


@dataclass(frozen=True)
class BenchSettings:
    """How long to run, in clock cycles.

    `expected_beats` is by stream, along the network; `fifos` are the streams whose FIFO has a meter. The
    bench looks every `poll` cycles, gives up
    after `patience` cycles without an expected beat on any stream, and runs on for `drain` cycles
    after the last, to see beats that are too many. `records_steps` says that there is a step_recorder.
    Before all that come `resets` resets, drawn by `seed`, in a run of `frames` frames, see `resets`; with
    `endless` the sources begin anew behind the last frame until they are done. After every second of them,
    1 / `share` of the expected beats must come out before the next.
    """

    expected_beats: Mapping[str, int]
    patience: int
    fifos: tuple[str, ...] = ()
    poll: int = 256
    drain: int = 256
    records_steps: bool = False
    resets: int = 0
    seed: int = 0
    frames: int = 1
    share: int = 1
    endless: bool = False

    def save(self, folder: Path) -> None:
        """Write it where the bench looks for it."""
        (folder / SETTINGS_FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> BenchSettings:
        """Read what `save` wrote."""
        data = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        return BenchSettings(**data | {"fifos": tuple(data["fifos"])})


@dataclass(frozen=True)
class StreamState:
    """Where a stream stood in the last cycle, since the last reset.

    `fault` is 0 or a key of `FAULTS`; its beats and cycle are since the reset before it, and `fault_resets`
    the number of resets.
    """

    name: str
    beats: int
    valid: bool
    ready: bool
    fault: int
    fault_beats: int
    fault_cycle: int
    fault_resets: int = 0

    def describe(self, expected: int) -> str:
        """The stream in words, for the report of a hang."""
        if self.valid and self.ready:
            why = "moving"
        elif self.valid:
            why = "valid, but its reader is not ready"
        else:
            why = "waiting for data"
        return f"'{self.name}' is {why} after {self.beats} of {expected} beats"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `done` is False if it hung. `cycles` counts from the end of the last reset.

    `occupancy` is the most beats in each FIFO that has a meter, by its stream. `rest` is the cycles since
    the last step of a unit whose steps are recorded. `segments` are those that resets ended, with
    `cycles_before` clock cycles in all, their resets included.
    """

    done: bool
    cycles: int
    streams: tuple[StreamState, ...]
    occupancy: Mapping[str, int] = field(default_factory=dict)
    rest: int = 0
    segments: tuple[Segment, ...] = ()
    cycles_before: int = 0

    def save(self, folder: Path) -> None:
        """Write it where the run looks for it."""
        (folder / OUTCOME_FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> Outcome:
        """Read what `save` wrote."""
        data = json.loads((folder / OUTCOME_FILE).read_text(encoding="utf-8"))
        states = tuple(StreamState(**state) for state in data["streams"])
        segments = tuple(Segment(**segment) for segment in data["segments"])
        return Outcome(**data | {"streams": states, "segments": segments})

    def check(self, settings: BenchSettings) -> None:
        """Do nothing if the run came to its end within the protocol.

        Raises:
            SimulationMismatchError: a stream broke the protocol.
            ToolFailedError: the run hung: which streams, and how.
        """
        self.check_protocol()
        if not self.done:
            raise self.hang(settings)

    def check_protocol(self) -> None:
        """Do nothing if no stream broke the protocol.

        Raises:
            SimulationMismatchError: one did.
        """
        for state in self.streams:
            if state.fault:
                raise SimulationMismatchError(
                    f"sim: stream '{state.name}': {FAULTS[state.fault]}, in cycle {state.fault_cycle}, "
                    f"after {state.fault_beats} beats{_since(state.fault_resets)}; look at it with --waves"
                )

    def hang(self, settings: BenchSettings) -> ToolFailedError:
        """What to raise of a run that hung."""
        stuck = [
            state.describe(settings.expected_beats[state.name])
            for state in self.streams
            if state.beats < settings.expected_beats[state.name]
        ]
        return ToolFailedError(
            f"sim: hangs: no expected beat moved for {settings.patience} cycles, up to cycle "
            f"{self.cycles}{_since(len(self.segments))}: {', '.join(stuck)}; look at it with --waves"
        )

    def rests(self, module: str, step: int) -> ToolFailedError:
        """What to raise of a unit that does no step, where its C++ does."""
        return ToolFailedError(
            f"sim: unit '{module}': hangs: no step began for {self.rest} cycles, up to cycle {self.cycles}"
            f"{_since(len(self.segments))}, though all that step {step} reads is there; "
            "look at it with --waves"
        )


def _since(resets: int) -> str:
    """The reset that cycles and beats are counted from, in words, but for the first, which all runs have."""
    return f", counted from reset {resets}" if resets else ""
