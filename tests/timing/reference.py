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
    """verilog/flow.py: stages that move at once, and an output register."""

    def __init__(self, schedule: Schedule | Lookahead, stages: int) -> None:
        self.stages = stages
        # (valid, written) of the registers in front of stages 1, 2, ...
        self.registers = [(False, False)] * (stages - 1)
        self.m_tvalid = False
        self.s_tready = False
        self.front: InStep | Ahead = Ahead(schedule) if isinstance(schedule, Lookahead) else InStep(schedule)

    def wires(self, s_tvalid: bool, m_tready: bool) -> None:
        """Settle `s_tready` and what the clock will do."""
        self.first = self.front.step(s_tvalid)
        self.last = self.registers[-1] if self.registers else self.first
        free = not self.m_tvalid or m_tready
        valid, written = self.last
        self.advance = not (valid and written) or free
        self.s_tready = self.front.wants() and self.advance

    def clock(self, s_tvalid: bool, m_tready: bool) -> None:
        if self.m_tvalid and m_tready:
            self.m_tvalid = False
        if self.advance:
            valid, written = self.last
            self.m_tvalid = self.m_tvalid or (valid and written)
            self.registers = [self.first, *self.registers][: self.stages - 1]
            self.front.go(s_tvalid)


class InStep:
    """A step that reads waits for its beat."""

    def __init__(self, schedule: Schedule) -> None:
        self.steps: list[tuple[bool, bool]] = list(
            zip(schedule.reads.tolist(), schedule.writes.tolist(), strict=True)
        )
        self.at = 0

    def wants(self) -> bool:
        return self.steps[self.at][0]

    def step(self, s_tvalid: bool) -> tuple[bool, bool]:
        reads, writes = self.steps[self.at]
        return not reads or s_tvalid, writes

    def go(self, s_tvalid: bool) -> None:
        if self.step(s_tvalid)[0]:
            self.at = (self.at + 1) % len(self.steps)


class Ahead:
    """The words of `Lookahead`, with counts that go on through all frames."""

    def __init__(self, schedule: Lookahead) -> None:
        self.schedule = schedule
        self.frame = self.at = self.taken = 0
        self.freed = int(schedule.frees[-1]) - schedule.beats

    def wants(self) -> bool:
        return self.taken - self.freed < self.schedule.capacity

    def step(self, s_tvalid: bool) -> tuple[bool, bool]:
        runs = self.taken >= self.frame * self.schedule.beats + self.schedule.needs[self.at]
        return True, bool(runs and self.schedule.writes[self.at])

    def go(self, s_tvalid: bool) -> None:
        runs = self.taken >= self.frame * self.schedule.beats + self.schedule.needs[self.at]
        self.taken += self.wants() and s_tvalid
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
    pipelines = [(unit, Pipeline(unit.schedule, unit.stages)) for unit in graph.units]
    run = ReferenceRun(occupancy=dict.fromkeys(graph.streams, 0))
    counts = dict.fromkeys(graph.streams, 0)
    waiting = deque((frame, beat) for frame in range(frames) for beat in range(graph.input_beats))
    now = left = since = 0
    while len(run.ends) < frames:
        s_tvalid = {graph.input: bool(waiting) and now >= waiting[0][0] * period}
        m_tready = {graph.output: True}
        for unit, pipeline in pipelines:
            pipeline.wires(cells[unit.input].m_tvalid, cells[unit.output].s_tready)
            m_tready[unit.input] = pipeline.s_tready
            s_tvalid[unit.output] = pipeline.m_tvalid
        if s_tvalid[graph.input] and cells[graph.input].s_tready and waiting.popleft()[1] == 0:
            run.begins.append(now)
        if cells[graph.output].m_tvalid:
            left += 1
            since = now
            if left % graph.output_beats == 0:
                run.ends.append(now)
        edge = [(cells[unit.input].m_tvalid, cells[unit.output].s_tready) for unit in graph.units]
        for name, cell in cells.items():
            counts[name] += s_tvalid[name] and cell.s_tready
            counts[name] -= cell.m_tvalid and m_tready[name]
            run.occupancy[name] = max(run.occupancy[name], counts[name])
            if s_tvalid[name] and not cell.s_tready:
                run.refused.add(name)
        for name, cell in cells.items():
            cell.clock(s_tvalid[name], m_tready[name])
        for (_, pipeline), (valid, ready) in zip(pipelines, edge, strict=True):
            pipeline.clock(valid, ready)
        now += 1
        if now - since > patience:
            return None
    return run
