"""The depths of FIFOs, by simulation.

A design has full rate if, in steady state, a frame takes the cycles of its slowest unit; no design is
faster. The search for shallow FIFOs with full rate:

1. With the least depth everywhere most networks have full rate already.
2. Otherwise let a frame enter every so many cycles, and let the FIFOs be without limit. Nothing then
   holds a unit up but the want of beats, so this run has full rate if any depths give it, and it
   measures the most beats that each FIFO holds. One more than those is a depth at which no FIFO ever
   refuses a beat: with these depths the run is the same, cycle by cycle.
3. A FIFO in front of a unit that widens its stream, such as a sliding window, may do the work of one
   behind it for fewer bits. So each FIFO also gets room for a frame, and those with the most bits go
   first to the least depth, many at a time; what cannot, is bisected. Frames still enter at the rate
   sought, or the room for whole frames would take many of them to fill. Each step is simulated, and
   taken back unless it keeps the rate.
4. Frames that enter as fast as they are taken come earlier than in those runs. A unit whose pipeline is
   held may let a later step wait for an earlier one, so this need not be as fast: it is simulated.
   Where it is slower, the depths of 2 are taken, FIFOs that refused beats are doubled until it is as
   fast, and depths go down from there in runs without a pause.
   A FIFO that held at most m beats never refuses one at depth m + 1, so it is cut to that in the end.

Where branches of the network meet, FIFOs too shallow would let units wait for each other for ever,
perhaps only where the source or the sink rests. So depths are tried only if they are safe from that
whatever the timing (`liveness`). Those of step 2 become so at the latest by the beats that their readers
may hold: the run is then one of the least room, in which each step takes its beats as late as it can.

So the result was simulated as it stands: it does not deadlock, it has the rate that is stated, and no
FIFO is deeper than the most beats that it held and one, but where it must be for another timing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil

from thresher.hardware.fifos import MIN_DEPTH, fifo_resources
from thresher.timing.liveness import Liveness, has_joins, least_room, most_room
from thresher.timing.simulator import UNLIMITED, DeadlockError, Simulator, Supply, TokenGraph, TokenRun

Depths = Mapping[str, int]

_DOUBLINGS = 6
# Frames to wait for a steady state, and cycles times units: of one simulation, and of all shrinking.
_FEWEST_FRAMES, _MOST_FRAMES = 16, 256
_LONGEST_RUN = 100_000_000
_EFFORT = 2_000_000_000
# LUTs that a simulation must be able to save.
_WORTH = 12
# A depth is bisected to within this part of it.
_FINENESS = 4


@dataclass(frozen=True, eq=False)
class Sizing:
    """FIFO depths by stream, and the run with them, its input never empty."""

    depths: Depths
    run: TokenRun


@dataclass
class _Simulations:
    """Runs of one graph, and what they have cost, in cycles times units.

    `liveness` is None where no depths are unsafe.
    """

    graph: TokenGraph
    simulator: Simulator
    liveness: Liveness | None
    frames: int
    cycles: int = 0

    @property
    def effort(self) -> int:
        """What the runs have cost so far."""
        return (self.cycles + (self.liveness.cycles if self.liveness else 0)) * len(self.graph.units)

    def run(self, depths: Depths, period: int = 0, limit: int = 0) -> TokenRun:
        supply = Supply(self.frames, endless=True, period=period, limit=limit)
        run = self.simulator.run(depths, supply)
        self.cycles += run.cycles
        return run

    def are_safe(self, depths: Depths) -> bool:
        """Whether no timing leads to a deadlock with `depths`."""
        return self.liveness is None or self.liveness.holds(depths)

    def keeps(self, depths: Depths, cycles: int, period: int = 0) -> TokenRun | None:
        """The run with `depths` if they are safe and a frame takes at most `cycles` in it."""
        if not self.are_safe(depths):
            return None
        try:
            run = self.run(depths, period, limit=cycles)
        except DeadlockError:
            return None
        return run if run.cycles_per_frame <= cycles else None


def size_fifos(graph: TokenGraph, widths: Mapping[str, int], slowest: int) -> Sizing:
    """Choose depths for `graph`, whose streams are `widths` bits wide and whose slowest unit takes `slowest`.

    Where no depths reach that rate, those of the highest rate found are taken. Raises as `Simulator` and
    its `run`.
    """
    span = slowest * len(graph.units)
    frames = min(max(_LONGEST_RUN // span, _FEWEST_FRAMES), _MOST_FRAMES)
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(graph))
        liveness = None
        if has_joins(graph):
            liveness = Liveness(stack.enter_context(Simulator(least_room(graph))))
        return _size(_Simulations(graph, simulator, liveness, frames), widths, slowest)


def _size(simulations: _Simulations, widths: Mapping[str, int], slowest: int) -> Sizing:
    graph = simulations.graph
    least = dict.fromkeys(graph.streams, MIN_DEPTH)
    run = simulations.keeps(least, slowest)
    if run is not None:
        return Sizing(least, run)
    ample, period = _unhindered(simulations, least, slowest)
    paced = _shrink(simulations, widths, _with_frames(graph, ample), period, pace=period)
    run = simulations.keeps(paced, period)
    if run is not None:
        return _cut(simulations, Sizing(paced, run))
    enough = _enlarged(simulations, ample, period)
    cycles = max(period, ceil(enough.run.cycles_per_frame))
    shrunk = _shrink(simulations, widths, _cut(simulations, enough).depths, cycles)
    return _cut(simulations, Sizing(shrunk, simulations.run(shrunk)))


def _unhindered(simulations: _Simulations, least: Depths, slowest: int) -> tuple[Depths, int]:
    """Depths with which no FIFO refuses a beat of frames that enter at the highest rate, and its period."""
    graph = simulations.graph
    inner = _inner(graph)
    unlimited = {**least, **dict.fromkeys(inner, UNLIMITED)}
    try:
        run = simulations.run(unlimited, slowest)
    except DeadlockError:
        simulations.run(least)  # its message names those that are full as well
        raise
    period = ceil(run.cycles_per_frame)
    if period > slowest:
        run = simulations.run(unlimited, period)
    ample = {**least, **{name: max(MIN_DEPTH, run.occupancy[name] + 1) for name in inner}}
    return ample if simulations.are_safe(ample) else _with_room(graph, ample), period


def _with_room(graph: TokenGraph, depths: Depths) -> Depths:
    """`depths`, and room for what the unit behind a FIFO may hold."""
    room = {name: most_room(unit) for unit in graph.units for name in unit.inputs}
    return {name: depth + room.get(name, 0) for name, depth in depths.items()}


def _inner(graph: TokenGraph) -> list[str]:
    return [name for name in graph.streams if name not in (graph.input, graph.output)]


def _with_frames(graph: TokenGraph, depths: Depths) -> Depths:
    """`depths`, or room for a frame where that is more."""
    beats = {name: int(unit.schedule.writes.sum()) for unit in graph.units for name in unit.outputs}
    return {**depths, **{name: max(depths[name], beats[name] + 1) for name in _inner(graph)}}


def _enlarged(simulations: _Simulations, depths: Depths, period: int) -> Sizing:
    """Depths of the highest rate found: `depths`, with those FIFOs doubled that refused beats."""
    inner = _inner(simulations.graph)
    best = Sizing(depths, simulations.run(depths))
    for _ in range(_DOUBLINGS):
        if best.run.cycles_per_frame <= period:
            break
        depths = {
            name: depth * (2 if name in best.run.refused and name in inner else 1)
            for name, depth in depths.items()
        }
        run = simulations.run(depths)
        if run.cycles_per_frame < best.run.cycles_per_frame:
            best = Sizing(depths, run)
    return best


def _shrink(
    simulations: _Simulations, widths: Mapping[str, int], depths: Depths, cycles: int, pace: int = 0
) -> Depths:
    """Shallower FIFOs with which a frame still takes `cycles`, as far as the effort allows.

    Frames enter every `pace` cycles, or without a pause.
    """
    found = dict(depths)

    def keeps(smaller: Depths) -> bool:
        return simulations.keeps({**found, **smaller}, cycles, pace) is not None

    def visit(names: list[str], fails: bool = False) -> bool:
        """Bring as many of `names` as can be to the least depth, those first that come first; were all?

        `fails` says that it is known not to go with all of them.
        """
        if simulations.effort >= _EFFORT:
            return False
        least = dict.fromkeys(names, MIN_DEPTH)
        if not fails and keeps(least):
            found.update(least)
            return True
        if len(names) == 1:
            bisect(names[0])
        else:
            middle = (len(names) + 1) // 2
            visit(names[middle:], fails=visit(names[:middle]))
        return False

    def bisect(name: str) -> None:
        low = MIN_DEPTH
        while found[name] - low > found[name] // _FINENESS and _saves(widths[name], low + 1, found[name]):
            if simulations.effort >= _EFFORT:
                return
            tried = (low + found[name]) // 2
            if keeps({name: tried}):
                found[name] = tried
            else:
                low = tried

    bits = {name: widths[name] * depth for name, depth in depths.items() if depth > MIN_DEPTH}
    visit(sorted(bits, key=lambda name: -bits[name]))
    return found


def _saves(width: int, depth: int, instead: int) -> bool:
    """Whether a FIFO of `depth` is cheaper by what is worth a simulation."""
    if depth >= instead:
        return False
    return fifo_resources(width, instead).lut - fifo_resources(width, depth).lut >= _WORTH


def _cut(simulations: _Simulations, sizing: Sizing) -> Sizing:
    """Without the room that no beat used, which changes nothing as long as a FIFO stays a deep one.

    Room that another timing needs stays.
    """
    depths = {
        name: min(depth, max(MIN_DEPTH + 1, sizing.run.occupancy[name] + 1))
        for name, depth in sizing.depths.items()
    }
    if not simulations.are_safe(depths):
        cut, depths = depths, dict(sizing.depths)
        for name, depth in cut.items():
            if depth < depths[name] and simulations.are_safe({**depths, name: depth}):
                depths[name] = depth
    return Sizing(depths, sizing.run)
