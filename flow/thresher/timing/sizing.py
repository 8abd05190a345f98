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
   Where the effort ran out before, as much again goes into FIFOs of a block RAM's bits and more.

Where branches of the network meet, FIFOs too shallow would let units wait for each other for ever,
perhaps only where the source or the sink rests (`liveness`). So first comes a floor, the shallowest
depths that are safe from that whatever the timing, and in all the above it stands for the least depth.
It is what a lazy run fills, with the room moved along each branch to where it is the fewest bits.

So the result was simulated as it stands: it does not deadlock, it has the rate that is stated, and no
FIFO is deeper than the most beats that it held and one, unless another timing needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from thresher.hardware.fifos import MIN_DEPTH
from thresher.timing.liveness import Liveness, has_joins, most_room
from thresher.timing.shrinking import Depths, shrink, trim
from thresher.timing.simulator import UNLIMITED, DeadlockError, Simulator, Supply, TokenGraph, TokenRun

_DOUBLINGS = 6
# Frames to wait for a steady state, and cycles times units: of one simulation, and of all shrinking.
_FEWEST_FRAMES, _MOST_FRAMES = 16, 256
_LONGEST_RUN = 100_000_000
_EFFORT = 2_000_000_000


@dataclass(frozen=True, eq=False)
class Sizing:
    """FIFO depths by stream, and the run with them, its input never empty."""

    depths: Depths
    run: TokenRun


@dataclass
class _Simulations:
    """Runs of one graph, and what they have cost, in cycles times units."""

    graph: TokenGraph
    simulator: Simulator
    frames: int
    effort: int = 0

    def run(self, depths: Depths, period: int = 0, limit: int = 0) -> TokenRun:
        supply = Supply(self.frames, endless=True, period=period, limit=limit)
        run = self.simulator.run(depths, supply)
        self.effort += run.cycles * len(self.graph.units)
        return run

    def keeps(self, depths: Depths, cycles: int, period: int = 0) -> TokenRun | None:
        """The run with `depths` if a frame takes at most `cycles` in it."""
        try:
            run = self.run(depths, period, limit=cycles)
        except DeadlockError:
            return None
        return run if run.cycles_per_frame <= cycles else None

    def shrink(
        self, widths: Mapping[str, int], depths: Depths, floor: Depths, cycles: int, pace: int = 0
    ) -> Depths:
        """Shallower FIFOs with which a frame still takes `cycles`, as far as the effort allows.

        Frames enter every `pace` cycles, or without a pause.
        """

        def holds(tried: Depths) -> bool:
            return self.effort < _EFFORT and self.keeps(tried, cycles, pace) is not None

        return shrink(holds, widths, depths, floor)


def size_fifos(graph: TokenGraph, widths: Mapping[str, int], slowest: int) -> Sizing:
    """Choose depths for `graph`, whose streams are `widths` bits wide and whose slowest unit takes `slowest`.

    Where no depths reach that rate, those of the highest rate found are taken. Raises as `Simulator` and
    its `run`.
    """
    span = slowest * len(graph.units)
    frames = min(max(_LONGEST_RUN // span, _FEWEST_FRAMES), _MOST_FRAMES)
    with Simulator(graph) as simulator:
        simulations = _Simulations(graph, simulator, frames)
        if not has_joins(graph):
            return _size_chain(simulations, widths, slowest)
        ample, period = _unhindered(simulations, slowest)
        with Liveness(graph) as liveness:
            floor, ample = _safe_floor(liveness, graph, widths, ample)
            run = simulations.keeps(floor, slowest)
            sizing = Sizing(floor, run) if run else _search(simulations, widths, floor, ample, period)
            sizing = _cut_floor(liveness, sizing)
            slim = _without_idle(simulations, sizing, dict.fromkeys(graph.streams, MIN_DEPTH))
            return slim if liveness.holds(slim.depths) else sizing


def _size_chain(simulations: _Simulations, widths: Mapping[str, int], slowest: int) -> Sizing:
    """Of a graph in which no depths are unsafe."""
    least = dict.fromkeys(simulations.graph.streams, MIN_DEPTH)
    run = simulations.keeps(least, slowest)
    if run is not None:
        return Sizing(least, run)
    ample, period = _unhindered(simulations, slowest)
    return _search(simulations, widths, least, ample, period)


def _search(
    simulations: _Simulations, widths: Mapping[str, int], floor: Depths, ample: Depths, period: int
) -> Sizing:
    """Steps 3 and 4, from the depths `ample` and the `period` of step 2."""
    graph = simulations.graph
    paced = simulations.shrink(widths, _with_frames(graph, ample), floor, period, pace=period)
    run = simulations.keeps(paced, period)
    if run is not None:
        return _trimmed(simulations, widths, _cut(Sizing(paced, run), floor), floor)
    enough = _enlarged(simulations, ample, period)
    cycles = max(period, ceil(enough.run.cycles_per_frame))
    shrunk = simulations.shrink(widths, _cut(enough, floor).depths, floor, cycles)
    return _trimmed(simulations, widths, _cut(Sizing(shrunk, simulations.run(shrunk)), floor), floor)


def _trimmed(simulations: _Simulations, widths: Mapping[str, int], sizing: Sizing, floor: Depths) -> Sizing:
    """`sizing` without idle FIFOs and, where its search was cut short, with effort for those of many bits."""
    sizing = _without_idle(simulations, sizing, floor)
    if simulations.effort < _EFFORT:
        return sizing
    allowed, cycles = simulations.effort + _EFFORT, ceil(sizing.run.cycles_per_frame)

    def holds(tried: Depths) -> bool:
        return simulations.effort < allowed and simulations.keeps(tried, cycles) is not None

    depths = trim(holds, widths, sizing.depths, floor)
    if depths == sizing.depths:
        return sizing
    return _cut(Sizing(depths, simulations.run(depths)), floor)


def _unhindered(simulations: _Simulations, slowest: int) -> tuple[Depths, int]:
    """Depths with which no FIFO refuses a beat of frames that enter at the highest rate, and its period."""
    graph = simulations.graph
    inner = _inner(graph)
    least = dict.fromkeys(graph.streams, MIN_DEPTH)
    unlimited = {**least, **dict.fromkeys(inner, UNLIMITED)}
    try:
        run = simulations.run(unlimited, slowest)
    except DeadlockError:
        simulations.run(least)  # its message names those that are full as well
        raise
    period = ceil(run.cycles_per_frame)
    if period > slowest:
        run = simulations.run(unlimited, period)
    return {**least, **{name: max(MIN_DEPTH, run.occupancy[name] + 1) for name in inner}}, period


def _safe_floor(
    liveness: Liveness, graph: TokenGraph, widths: Mapping[str, int], ample: Depths
) -> tuple[Depths, Depths]:
    """Shallow depths that are safe whatever the timing; and `ample`, made as deep as these."""
    floor = liveness.filled()
    if not liveness.holds(floor):
        least = dict.fromkeys(graph.streams, MIN_DEPTH)
        room = {name: most_room(unit) for unit in graph.units for name in unit.inputs}
        safe = {name: depth + room.get(name, 0) for name, depth in ample.items()}
        floor = shrink(liveness.holds, widths, _with_frames(graph, safe), least)
    for moved in _with_room_behind(graph, widths, floor):
        trials = ({**floor, **tried} for tried in moved)
        floor = next((depths for depths in trials if liveness.holds(depths)), floor)
    return floor, {name: max(depth, floor[name]) for name, depth in ample.items()}


def _with_room_behind(
    graph: TokenGraph, widths: Mapping[str, int], depths: Depths
) -> Iterator[Sequence[Depths]]:
    """For each deep FIFO the least depth, and room for the same beats where they are the fewest bits.

    That is on another stream of its branch, behind units that narrow it; with less and with a little more,
    to be tried one after the other.
    """
    beats = _beats(graph)
    readers = {name: unit for unit in graph.units for name in unit.inputs}
    for name in _inner(graph):
        branch = [name]
        while (unit := readers.get(branch[-1])) and len(unit.inputs) == len(unit.outputs) == 1:
            branch += unit.outputs
        narrowest = min(
            (each for each in branch if each in beats), key=lambda each: widths[each] * beats[each]
        )
        if depths[name] > MIN_DEPTH and narrowest != name:
            room = ceil(depths[name] * beats[narrowest] / beats[name])
            rooms = (ceil(room * part / 8) for part in range(11))
            yield [{name: MIN_DEPTH, narrowest: depths[narrowest] + more} for more in rooms]


def _inner(graph: TokenGraph) -> list[str]:
    return [name for name in graph.streams if name not in (graph.input, graph.output)]


def _with_frames(graph: TokenGraph, depths: Depths) -> Depths:
    """`depths`, or room for a frame where that is more."""
    beats = _beats(graph)
    return {**depths, **{name: max(depths[name], beats[name] + 1) for name in _inner(graph)}}


def _beats(graph: TokenGraph) -> Mapping[str, int]:
    """Beats of a frame on every stream but the input."""
    return {name: int(unit.schedule.writes.sum()) for unit in graph.units for name in unit.outputs}


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


def _cut(sizing: Sizing, floor: Depths) -> Sizing:
    """Without the room that no beat used, which changes nothing as long as a FIFO stays a deep one.

    Room that another timing needs stays.
    """
    used = {name: max(MIN_DEPTH + 1, most + 1, floor[name]) for name, most in sizing.run.occupancy.items()}
    return Sizing({name: min(depth, used[name]) for name, depth in sizing.depths.items()}, sizing.run)


def _without_idle(simulations: _Simulations, sizing: Sizing, floor: Depths) -> Sizing:
    """`sizing`, without deep FIFOs that never held two beats, of which a search cut short may leave many."""
    occupancy = sizing.run.occupancy
    idle = {
        name for name, depth in sizing.depths.items() if depth > floor[name] and occupancy[name] < MIN_DEPTH
    }
    depths = {name: floor[name] if name in idle else depth for name, depth in sizing.depths.items()}
    run = simulations.keeps(depths, ceil(sizing.run.cycles_per_frame)) if idle else None
    return Sizing(depths, run) if run else sizing


def _cut_floor(liveness: Liveness, sizing: Sizing) -> Sizing:
    """`sizing`, without the room that no beat used where no other timing needs it either."""
    depths = dict(sizing.depths)
    for name, most in sizing.run.occupancy.items():
        # One of the least depth is another cell, in which beats take less time.
        used = max(MIN_DEPTH + 1, most + 1)
        if used < depths[name] and liveness.holds({**depths, name: used}):
            depths[name] = used
    return Sizing(depths, sizing.run)
