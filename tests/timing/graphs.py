"""Random schedules and graphs of units."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from thresher.kernels import Lookahead, Schedule
from thresher.timing.simulator import TimedUnit, TokenGraph


def random_graph(random: np.random.Generator) -> TokenGraph:
    """Up to four units of both kinds, each with its own numbers of beats, steps and stages."""
    count = int(random.integers(1, 5))
    beats = [int(each) for each in random.integers(1, 7, count + 1)]
    names = ["s", *(f"t{index}" for index in range(count))]
    units = []
    for (taken, sent), (source, target) in zip(pairwise(beats), pairwise(names), strict=True):
        make = random_lookahead if random.random() < 0.5 else random_schedule
        units.append(TimedUnit(make(random, taken, sent), int(random.integers(1, 6)), (source,), (target,)))
    return TokenGraph(tuple(units), names[0], beats[0], names[-1], beats[-1])


def random_branches(random: np.random.Generator, most: int = 6) -> TokenGraph:
    """Up to six units that may fork or join streams of up to `most` beats a frame; the last joins all."""
    beats = {"s": int(random.integers(1, most + 1))}
    taken = beats["s"]
    streams = ["s"]
    units: list[TimedUnit] = []

    def add(inputs: list[str], outputs: int) -> None:
        counts, sent = [beats[name] for name in inputs], int(random.integers(1, most + 1))
        names = [f"t{len(beats) + index}" for index in range(outputs)]
        alone = len(inputs) == outputs == 1
        schedule = (
            random_lookahead(random, counts[0], sent)
            if alone and random.random() < 0.5
            else random_step(random, counts, sent)
        )
        units.append(TimedUnit(schedule, int(random.integers(1, 6)), tuple(inputs), tuple(names)))
        beats.update(dict.fromkeys(names, sent))
        streams[:] = [name for name in streams if name not in inputs] + names

    for _ in range(int(random.integers(1, 6))):
        count = int(random.integers(1, min(3, len(streams)) + 1))
        inputs = [str(name) for name in random.choice(streams, count, replace=False)]
        add(inputs, int(random.integers(1, 4)))
    add(list(streams), 1)
    return TokenGraph(tuple(units), "s", taken, streams[0], beats[streams[0]])


def random_step(random: np.random.Generator, taken: list[int], sent: int) -> Schedule:
    """As `random_schedule`, of several inputs."""
    steps = max(*taken, sent) + int(random.integers(0, 8))
    reads = np.stack([chosen(random, steps, count) for count in taken])
    return Schedule(reads, chosen(random, steps, sent))


def random_schedule(random: np.random.Generator, taken: int, sent: int) -> Schedule:
    """Steps that read `taken` beats and write `sent`, some neither."""
    steps = max(taken, sent) + int(random.integers(0, 8))
    return Schedule(chosen(random, steps, taken), chosen(random, steps, sent))


def random_lookahead(random: np.random.Generator, taken: int, sent: int) -> Lookahead:
    """Steps that write `sent` beats and need some of `taken`, in a buffer that may be just too small."""
    steps = sent + int(random.integers(0, 8))
    needs = np.sort(random.integers(-1, taken + 1, steps))
    frees = np.sort(random.integers(-2, taken + 2, steps))
    need = int((needs - np.concatenate([[frees[-1] - taken], frees[:-1]])).max())
    capacity = max(1, need + int(random.integers(-1, 4)))
    return Lookahead(taken, capacity, needs, chosen(random, steps, sent), frees)


def chosen(random: np.random.Generator, steps: int, count: int) -> np.ndarray:
    """`count` of `steps`."""
    result = np.zeros(steps, np.bool_)
    result[random.choice(steps, count, replace=False)] = True
    return result


def random_depths(random: np.random.Generator, graph: TokenGraph) -> dict[str, int]:
    """The least depth on half of the streams, up to 8 on the others."""
    return {name: max(2, int(random.integers(-4, 9))) for name in graph.streams}
