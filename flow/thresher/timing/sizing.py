"""The depths of FIFOs, by simulation.

A design has full rate if, in steady state, a frame takes the cycles of its slowest unit; no design is
faster. The search for shallow FIFOs with full rate:

1. With the least depth everywhere most networks have full rate already.
2. Otherwise let a frame enter every so many cycles, and let the FIFOs be without limit. Nothing then
   holds a unit up but the want of beats, so this run has full rate if any depths give it, and it
   measures the most beats that each FIFO holds. One more than those is a depth at which no FIFO ever
   refuses a beat: with these depths the run is the same, cycle by cycle.
3. Frames that enter as fast as they are taken come earlier than in that run. A unit whose pipeline is
   held may let a later step wait for an earlier one, so this need not be as fast: it is simulated, and
   FIFOs that refused beats are doubled until it is.
4. From there depths go down, the FIFO with the most bits first: to the least depth, or by bisection as
   far as that saves hardware. Each step is simulated, and taken back unless it keeps full rate.
   A FIFO that held at most m beats never refuses one at depth m + 1, so it is cut to that at any time.

So the result was simulated as it stands: it does not deadlock, it has the rate that is stated, and no
FIFO is deeper than the most beats that it held and one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from thresher.hardware.fifos import MIN_DEPTH, fifo_resources
from thresher.timing.simulator import DeadlockError, Supply, TokenGraph, TokenRun, simulate

Depths = Mapping[str, int]

# Beats, more than any FIFO will hold.
_UNLIMITED = 2**40
_DOUBLINGS = 6
# Frames to wait for a steady state, and cycles times units: of one simulation, and of all shrinking.
_FEWEST_FRAMES, _MOST_FRAMES = 16, 256
_LONGEST_RUN = 400_000_000
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
    frames: int
    effort: int = 0

    def run(self, depths: Depths, period: int = 0) -> TokenRun:
        run = simulate(self.graph, depths, Supply(self.frames, endless=True, period=period))
        self.effort += run.cycles * len(self.graph.units)
        return run

    def keeps(self, depths: Depths, cycles: int) -> TokenRun | None:
        """The run with `depths` if a frame takes at most `cycles` in it."""
        try:
            run = self.run(depths)
        except DeadlockError:
            return None
        return run if run.cycles_per_frame <= cycles else None


def size_fifos(graph: TokenGraph, widths: Mapping[str, int], slowest: int) -> Sizing:
    """Choose depths for `graph`, whose streams are `widths` bits wide and whose slowest unit takes `slowest`.

    Where no depths reach that rate, those of the highest rate found are taken. Raises as `simulate`.
    """
    span = slowest * len(graph.units)
    # Every unit may hold a frame or two before the first comes out.
    frames = max(_LONGEST_RUN // span, 2 * len(graph.units) + _FEWEST_FRAMES)
    simulations = _Simulations(graph, min(frames, _MOST_FRAMES))
    least = dict.fromkeys(graph.streams, MIN_DEPTH)
    run = simulations.keeps(least, slowest)
    if run is not None:
        return Sizing(least, run)
    ample = _ample(simulations, least, slowest)
    return _shrink(simulations, widths, ample, max(slowest, ceil(ample.run.cycles_per_frame)))


def _ample(simulations: _Simulations, least: Depths, slowest: int) -> Sizing:
    """Depths of the highest rate found, from those with which no FIFO refuses a beat."""
    graph = simulations.graph
    inner = [name for name in graph.streams if name not in (graph.input, graph.output)]
    unlimited = {**least, **dict.fromkeys(inner, _UNLIMITED)}
    try:
        run = simulations.run(unlimited, slowest)
    except DeadlockError:
        simulations.run(least)  # its message names those that are full as well
        raise
    period = ceil(run.cycles_per_frame)
    if period > slowest:
        run = simulations.run(unlimited, period)
    depths = {**least, **{name: max(MIN_DEPTH, run.occupancy[name] + 1) for name in inner}}
    best = Sizing(depths, simulations.run(depths))
    for _ in range(_DOUBLINGS):
        if best.run.cycles_per_frame <= period:
            break
        depths = {
            name: depths[name] * (2 if name in best.run.refused and name in inner else 1) for name in depths
        }
        run = simulations.run(depths)
        if run.cycles_per_frame < best.run.cycles_per_frame:
            best = Sizing(depths, run)
    return best


def _shrink(simulations: _Simulations, widths: Mapping[str, int], found: Sizing, cycles: int) -> Sizing:
    """Shallower FIFOs with which a frame still takes `cycles`, as far as the effort allows."""
    found = _cut(found)
    bits = {name: widths[name] * depth for name, depth in found.depths.items()}
    for name in sorted(bits, key=lambda name: -bits[name]):
        tried, low = MIN_DEPTH, MIN_DEPTH - 1
        while _saves(widths[name], low + 1, found.depths[name]) and simulations.effort < _EFFORT:
            run = simulations.keeps({**found.depths, name: tried}, cycles)
            if run is None:
                low = tried
            else:
                found = _cut(Sizing({**found.depths, name: tried}, run))
            tried = (low + found.depths[name]) // 2
    return found


def _saves(width: int, depth: int, instead: int) -> bool:
    """Whether a FIFO of `depth` is cheaper."""
    return depth < instead and fifo_resources(width, depth) != fifo_resources(width, instead)


def _cut(sizing: Sizing) -> Sizing:
    """Without the room that no beat used, which changes nothing as long as a FIFO stays a deep one."""
    depths = {
        name: min(depth, max(MIN_DEPTH + 1, sizing.run.occupancy[name] + 1))
        for name, depth in sizing.depths.items()
    }
    return Sizing(depths, sizing.run)
