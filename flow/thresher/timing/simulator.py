"""Token-level simulation: which beat moves in which cycle, in units joined by FIFOs."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from thresher.errors import ThresherError, ToolFailedError
from thresher.hardware.fifos import MIN_DEPTH
from thresher.kernels import Lookahead, Schedule
from thresher_sim.caches import thresher_cache
from thresher_sim.compile import compile_program

Ints = npt.NDArray[np.int64]

_SOURCE = Path(__file__).with_name("token_simulator.cpp")
UNLIMITED = 2**40
"""Beats, more than any FIFO will hold."""
# A step has a bit for each in 32, beside one for its outputs.
_MOST_INPUTS = 31
# Integers of a run's result that come before its lists.
_HEAD = 6


class DeadlockError(ThresherError):
    """Units wait for each other for ever."""

    exit_code = 5


@dataclass(frozen=True, eq=False)
class TimedUnit:
    """A unit between streams: its pipeline has `stages` stages, its output registers included.

    One that takes beats ahead has one input and one output.
    """

    schedule: Schedule | Lookahead
    stages: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TokenGraph:
    """Units joined by streams, with a FIFO on every stream.

    `input_beats` and `output_beats` are those of a frame on the streams `input` and `output`.
    """

    units: tuple[TimedUnit, ...]
    input: str
    input_beats: int
    output: str
    output_beats: int

    @property
    def streams(self) -> tuple[str, ...]:
        """The input, then the outputs of each unit."""
        return (self.input, *(name for unit in self.units for name in unit.outputs))


@dataclass(frozen=True)
class Supply:
    """What is offered at the input, whose beats come one in each cycle as long as they are taken.

    Attributes:
        frames: how many frames; of an endless supply, the most output frames to run for.
        endless: whether frames go on for ever. The run then also ends where it begins to repeat.
        period: frame k is offered from cycle `k * period` on.
        limit: the run is given up where 4 frames, one after the other, take more cycles; 0 for none.
        lazy: whether no beat is offered, and no unit does a step, but for a beat that is waited for behind
            it, from the output on. The units are then in topological order.
    """

    frames: int
    endless: bool = False
    period: int = 0
    limit: int = 0
    lazy: bool = False


@dataclass(frozen=True, eq=False)
class TokenRun:
    """What happened; cycles count from 0, and the output is taken whenever it is there.

    Attributes:
        cycles: that were simulated.
        begun: frames of which a beat was taken at the input.
        begins: the cycle in which the first beat of each frame was taken at the input, for as many
            frames as were asked for.
        ends: the cycle in which the last beat of each frame was taken at the output.
        occupancy: the most beats in each FIFO at the end of a cycle: those it accepted, less those
            taken from it.
        refused: FIFOs at which a beat had to wait.
        repeat_frames: the state after the last output frame is that of this many frames before, from
            where on everything recurs; None where none recurred. Only of an endless supply.
        filled: frames of which a beat was taken by the time that a FIFO last held more beats than before.
    """

    cycles: int
    begun: int
    begins: Ints
    ends: Ints
    occupancy: Mapping[str, int]
    refused: frozenset[str]
    repeat_frames: int | None
    filled: int

    @property
    def latency_cycles(self) -> int:
        """Of the first frame, from its first beat in to its last beat out, both of these included."""
        return int(self.ends[0] - self.begins[0]) + 1

    @property
    def cycles_per_frame(self) -> Fraction:
        """Of the recurring frames; where none recurred the mean over the later half of at least two."""
        frames = self.repeat_frames or len(self.ends) // 2
        return Fraction(int(self.ends[-1] - self.ends[-1 - frames]), frames)

    @property
    def settled_frames(self) -> int | None:
        """A run of as many frames has this rate and occupancy; None if there is no telling.

        Where nothing recurred, as far as was simulated: from then on all frames took as long, and no FIFO
        held more.
        """
        if self.repeat_frames is not None:
            return self.begun
        taken = np.diff(self.ends)
        others = np.flatnonzero(taken != taken[-1])
        settled = max(self.filled, int(others[-1]) + 2 if len(others) else 1)
        return settled if 2 * settled <= len(self.ends) else None


class _Status(IntEnum):
    DONE = 0
    REPEATS = 1
    DEADLOCK = 2


class Simulator:
    """The simulator with one `graph`, for any number of runs; to be closed, or used in a `with`.

    Raises:
        MissingToolError, ToolFailedError: There is no compiler for it, or it failed.
        ValueError: A unit of the graph moves no beats.
    """

    def __init__(self, graph: TokenGraph) -> None:
        _check_units(graph)
        self.graph = graph
        self._program = compile_program(_SOURCE, [], _cache_folder())
        self._process = subprocess.Popen(
            [self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._send(_encode(graph))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the simulator."""
        self._process.communicate()

    def run(self, depths: Mapping[str, int], supply: Supply) -> TokenRun:
        """Run the graph from reset with FIFOs of `depths`, exactly as its SystemVerilog does.

        Raises:
            DeadlockError: Nothing moves any more, or with FIFOs without limit nothing comes out for many
                times the cycles in which a frame passes through all units; the message names the streams
                that are full and empty.
            ToolFailedError: The simulator failed.
            ValueError: A FIFO is not deep enough to be built.
        """
        graph = self.graph
        _check_depths(graph, depths)
        numbers = (supply.frames, int(supply.endless), supply.period, supply.limit, int(supply.lazy))
        patience = _patience(graph, supply) if UNLIMITED in depths.values() and not supply.lazy else 0
        self._send(np.array([*numbers, patience, *(depths[name] for name in graph.streams)], "<i8").tobytes())
        head = self._receive(_HEAD)
        begun, ended = int(head[2]), int(head[3])
        tail = self._receive(min(begun, supply.frames) + ended + 3 * len(graph.streams))
        return _decode(graph, depths, supply, np.concatenate([head, tail]))

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def _receive(self, count: int) -> Ints:
        assert self._process.stdout is not None
        data = self._process.stdout.read(8 * count)
        if len(data) < 8 * count:
            raise self._failure()
        return np.frombuffer(data, "<i8").astype(np.int64)

    def _failure(self) -> ToolFailedError:
        assert self._process.stderr is not None
        reason = self._process.stderr.read().decode(errors="replace").strip()
        reason = reason or f"exit status {self._process.wait()}"
        return ToolFailedError(f"timing: '{self._program}' failed ({reason}); remove it and try again")


def _check_units(graph: TokenGraph) -> None:
    for unit in graph.units:
        schedule = unit.schedule
        inputs = 1 if isinstance(schedule, Lookahead) else len(schedule.reads_by_input)
        name = f"the unit from '{unit.inputs[0]}' to '{unit.outputs[0]}'"
        if inputs != len(unit.inputs) or inputs > _MOST_INPUTS:
            raise ValueError(f"timing: {name} has {len(unit.inputs)} inputs, and a schedule for {inputs}")
        if isinstance(schedule, Lookahead) and len(unit.outputs) > 1:
            raise ValueError(f"timing: {name} takes beats ahead, and has {len(unit.outputs)} outputs")
        reads = schedule.beats > 0 if isinstance(schedule, Lookahead) else schedule.reads.any(axis=-1).all()
        if not reads or not schedule.writes.any():
            raise ValueError(f"timing: {name} moves no beats")


def _check_depths(graph: TokenGraph, depths: Mapping[str, int]) -> None:
    for name in graph.streams:
        if depths[name] < MIN_DEPTH:
            raise ValueError(f"timing: the FIFO on '{name}' has depth {depths[name]}, below {MIN_DEPTH}")


def _encode(graph: TokenGraph) -> bytes:
    """The graph as the simulator reads it: 64-bit integers, little-endian, and the units' arrays."""
    place = {name: index for index, name in enumerate(graph.streams)}
    head = (
        *(len(place), len(graph.units), place[graph.input], graph.input_beats),
        *(place[graph.output], graph.output_beats),
    )
    chunks = [np.array(head, "<i8").tobytes()]
    for unit in graph.units:
        schedule = unit.schedule
        steps, codes = len(schedule.writes), schedule.writes.astype("<u4")
        ends = [
            word for names in (unit.inputs, unit.outputs) for word in (len(names), *map(place.get, names))
        ]
        if isinstance(schedule, Lookahead):
            numbers = (1, unit.stages, steps, schedule.beats, schedule.capacity, *ends)
            arrays = [schedule.needs.astype("<i4").tobytes(), schedule.frees.astype("<i4").tobytes()]
        else:
            numbers = (0, unit.stages, steps, 0, 0, *ends)
            for bit, reads in enumerate(schedule.reads_by_input, 1):
                codes |= reads.astype("<u4") << np.uint32(bit)
            arrays = []
        chunks += [np.array(numbers, "<i8").tobytes(), codes.tobytes(), *arrays]
    return b"".join(chunks)


def _patience(graph: TokenGraph, supply: Supply) -> int:
    """Cycles without a beat at the output after which none will come where no FIFO is ever full.

    Each unit passes a frame on within two frames of its steps once it has it, whatever came before.
    """
    steps = sum(len(unit.schedule.writes) + unit.stages + 4 for unit in graph.units)
    return 8 * (steps + len(graph.units) * max(supply.period, graph.input_beats))


def _decode(graph: TokenGraph, depths: Mapping[str, int], supply: Supply, values: Ints) -> TokenRun:
    """What the simulator wrote of a run: the integers of `main` in its source."""
    status, cycles, begun, ended, repeat, filled = (int(value) for value in values[:_HEAD])
    counted = min(begun, supply.frames)
    begins, ends, tail = np.split(values[_HEAD:], [counted, counted + ended])
    fifos = dict(zip(graph.streams, tail.reshape(-1, 3).tolist(), strict=True))
    if status == _Status.DEADLOCK:
        raise DeadlockError(
            _describe({name: (held, depths[name]) for name, (_, _, held) in fifos.items()}, cycles)
        )
    return TokenRun(
        cycles,
        begun,
        begins,
        ends,
        {name: most for name, (most, _, _) in fifos.items()},
        frozenset(name for name, (_, refused, _) in fifos.items() if refused),
        repeat if status == _Status.REPEATS else None,
        filled,
    )


def _describe(fifos: Mapping[str, tuple[int, int]], cycles: int) -> str:
    """The message of a deadlock, from the beats in each FIFO and its depth."""
    full = [f"'{name}'" for name, (held, depth) in fifos.items() if held == depth]
    empty = [f"'{name}'" for name, (held, _) in fifos.items() if held == 0]
    parts = [f"{', '.join(names)} {word}" for names, word in ((full, "full"), (empty, "empty")) if names]
    return (
        f"timing: nothing comes out any more by cycle {cycles}, with {' and '.join(parts)}; "
        "mend the schedule of a unit beside these streams"
    )


def _cache_folder() -> Path:
    """Where the simulator is kept: below the user's cache, for each machine, whose instructions it uses."""
    return thresher_cache() / "simulator" / (platform.node() or "machine")
