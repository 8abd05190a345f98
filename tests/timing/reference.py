"""The cells and the units' handshakes again, signal by signal as their SystemVerilog has them.

Each class mirrors one module: its attributes are the registers, `clock` is one rising edge. What is
asked before it are the wires of the cycle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from thresher.kernels import Lookahead, Schedule
from thresher.timing.simulator import TokenGraph


class Cell(Protocol):
    """What stands on a stream."""

    @property
    def s_tready(self) -> bool: ...

    @property
    def m_tvalid(self) -> bool: ...

    def clock(self, s_tvalid: bool, m_tready: bool) -> None: ...


class StreamRegister:
    """rtl/stream_register.sv."""

    def __init__(self) -> None:
        self.m_tvalid = False
        self.spare_valid = False

    @property
    def s_tready(self) -> bool:
        return not self.spare_valid

    def clock(self, s_tvalid: bool, m_tready: bool) -> None:
        accepted = s_tvalid and self.s_tready
        moves = not self.m_tvalid or m_tready
        if moves:
            self.m_tvalid = self.spare_valid or accepted
        self.spare_valid = (self.spare_valid or accepted) and not moves


class DeepFifo:
    """rtl/fifo.sv, where Depth is above 2."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.stored = self.held = 0
        self.s_tready = False
        self.m_tvalid = False

    def clock(self, s_tvalid: bool, m_tready: bool) -> None:
        accepted = s_tvalid and self.s_tready
        taken = self.m_tvalid and m_tready
        moves = self.stored != 0 and (not self.m_tvalid or m_tready)
        self.stored += accepted - moves
        self.held += accepted - taken
        self.s_tready = self.held < self.depth
        self.m_tvalid = moves or (self.m_tvalid and not m_tready)


class Pipeline:
    """verilog/flow.py: stages that move at once, and an output register for each stream."""

    def __init__(self, schedule: Schedule | Lookahead, stages: int, outputs: int) -> None:
        self.stages = stages
        # (valid, written) of the registers in front of stages 1, 2, ...
        self.registers = [(False, False)] * (stages - 1)
        self.m_tvalid = [False] * outputs
        self.s_tready: list[bool] = []
        self.front: InStep | Ahead = Ahead(schedule) if isinstance(schedule, Lookahead) else InStep(schedule)

    def wires(self, s_tvalid: list[bool], m_tready: list[bool]) -> None:
        """Settle `s_tready` and what the clock will do."""
        self.first = self.front.step(s_tvalid)
        self.last = self.registers[-1] if self.registers else self.first
        self.free = [not valid or ready for valid, ready in zip(self.m_tvalid, m_tready, strict=True)]
        valid, written = self.last
        self.advance = all(not (valid and written) or free for free in self.free)
        self.s_tready = [wanted and self.advance for wanted in self.front.wants(s_tvalid)]

    def clock(self, s_tvalid: list[bool]) -> None:
        valid, written = self.last
        sends = valid and written and self.advance
        self.m_tvalid = [sends if free else held for free, held in zip(self.free, self.m_tvalid, strict=True)]
        if self.advance:
            self.registers = [self.first, *self.registers][: self.stages - 1]
            self.front.go(s_tvalid)


class InStep:
    """A step that reads waits for its beats, and takes none before all are there."""

    def __init__(self, schedule: Schedule) -> None:
        self.steps: list[tuple[list[bool], bool]] = list(
            zip(schedule.reads_by_input.T.tolist(), schedule.writes.tolist(), strict=True)
        )
        self.at = 0

    def wants(self, s_tvalid: list[bool]) -> list[bool]:
        reads, _ = self.steps[self.at]
        there = [not needed or valid for needed, valid in zip(reads, s_tvalid, strict=True)]
        return [needed and all(there[:at] + there[at + 1 :]) for at, needed in enumerate(reads)]

    def step(self, s_tvalid: list[bool]) -> tuple[bool, bool]:
        reads, writes = self.steps[self.at]
        return all(not needed or valid for needed, valid in zip(reads, s_tvalid, strict=True)), writes

    def go(self, s_tvalid: list[bool]) -> None:
        if self.step(s_tvalid)[0]:
            self.at = (self.at + 1) % len(self.steps)


class Ahead:
    """The words of `Lookahead`, with counts that go on through all frames."""

    def __init__(self, schedule: Lookahead) -> None:
        self.schedule = schedule
        self.frame = self.at = self.taken = 0
        self.freed = int(schedule.frees[-1]) - schedule.beats

    def wants(self, s_tvalid: list[bool]) -> list[bool]:
        return [self.taken - self.freed < self.schedule.capacity]

    def step(self, s_tvalid: list[bool]) -> tuple[bool, bool]:
        runs = self.taken >= self.frame * self.schedule.beats + self.schedule.needs[self.at]
        return True, bool(runs and self.schedule.writes[self.at])

    def go(self, s_tvalid: list[bool]) -> None:
        runs = self.taken >= self.frame * self.schedule.beats + self.schedule.needs[self.at]
        self.taken += self.wants(s_tvalid)[0] and s_tvalid[0]
        if runs:
            self.freed = self.frame * self.schedule.beats + int(self.schedule.frees[self.at])
            self.at += 1
            if self.at == len(self.schedule.needs):
                self.frame, self.at = self.frame + 1, 0


@dataclass
class ReferenceRun:
    """As `TokenRun`; None in place of a run for a deadlock."""

    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    occupancy: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


def run_reference(
    graph: TokenGraph, depths: Mapping[str, int], frames: int, period: int = 0, patience: int = 500
) -> ReferenceRun | None:
    """Play `frames` frames; None where nothing left the graph for `patience` cycles."""
    cells: dict[str, Cell] = {
        name: StreamRegister() if depths[name] == 2 else DeepFifo(depths[name]) for name in graph.streams
    }
    pipelines = [(unit, Pipeline(unit.schedule, unit.stages, len(unit.outputs))) for unit in graph.units]
    run = ReferenceRun(occupancy=dict.fromkeys(graph.streams, 0))
    counts = dict.fromkeys(graph.streams, 0)
    waiting = deque((frame, beat) for frame in range(frames) for beat in range(graph.input_beats))
    now = left = since = 0
    while len(run.ends) < frames:
        s_tvalid = {graph.input: bool(waiting) and now >= waiting[0][0] * period}
        m_tready = {graph.output: True}
        for unit, pipeline in pipelines:
            pipeline.wires(
                [cells[name].m_tvalid for name in unit.inputs],
                [cells[name].s_tready for name in unit.outputs],
            )
            m_tready |= zip(unit.inputs, pipeline.s_tready, strict=True)
            s_tvalid |= zip(unit.outputs, pipeline.m_tvalid, strict=True)
        if s_tvalid[graph.input] and cells[graph.input].s_tready and waiting.popleft()[1] == 0:
            run.begins.append(now)
        if cells[graph.output].m_tvalid:
            left += 1
            since = now
            if left % graph.output_beats == 0:
                run.ends.append(now)
        offered = [[cells[name].m_tvalid for name in unit.inputs] for unit in graph.units]
        for name, cell in cells.items():
            counts[name] += s_tvalid[name] and cell.s_tready
            counts[name] -= cell.m_tvalid and m_tready[name]
            run.occupancy[name] = max(run.occupancy[name], counts[name])
            if s_tvalid[name] and not cell.s_tready:
                run.refused.add(name)
        for name, cell in cells.items():
            cell.clock(s_tvalid[name], m_tready[name])
        for (_, pipeline), valid in zip(pipelines, offered, strict=True):
            pipeline.clock(valid)
        now += 1
        if now - since > patience:
            return None
    return run
