"""A device that misbehaves on demand: each fault is found, and said in full."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from thresher_sim.errors import SimulationMismatchError, ToolFailedError
from thresher_sim.project import Stream
from thresher_sim.rtl import RtlOptions, RtlResult, simulate_lanes
from thresher_sim.streams import IntType, StreamLayout
from thresher_sim.testbench import Lane
from thresher_sim.vectors import write_vectors

DROP_VALID, CHANGE_DATA, SWALLOW, REPEAT, STOP, WRONG_LAST = range(1, 7)
LAYOUT = StreamLayout(IntType(0, 255), 4, 1, 1)
SOURCE = Stream("source", LAYOUT, "input")
TARGET = Stream("target", LAYOUT, "output", producer="device")
LANE = Lane("faulty", "dut", (SOURCE,), (TARGET,), has_last=True)
FRAMES = 3


def play(beats: list[int], shared: Path, work: Path, stall: int = 0) -> RtlResult:
    """Play `FRAMES` frames of 9s, with `beats` in place of the first ones."""
    values = np.array([*beats, *[9] * (4 * FRAMES - len(beats))]).reshape(FRAMES, 1, 4)
    write_vectors(work / "vectors", (SOURCE, TARGET), [{"source": values, "target": values}])
    options = RtlOptions(stall=stall, seed=1, patience=1000)
    device = Path(__file__).with_name("faulty.sv")
    return simulate_lanes(
        [LANE], [device], work / "vectors", work / "results", shared / "models", options=options
    )


def without_cycles(message: str) -> str:
    return re.sub(r"cycle \d+", "cycle N", message)


def without_numbers(message: str) -> str:
    return re.sub(r"after \d+ beats", "after N beats", without_cycles(message))


def test_a_device_that_behaves_is_good(shared: Path, tmp_path: Path) -> None:
    result = play([], shared, tmp_path, stall=40)
    assert (result.comparison.frames, result.comparison.mismatches) == (FRAMES, 0)


@pytest.mark.parametrize(
    ("beats", "stall", "message"),
    [
        ([DROP_VALID] * 9, 60, "tvalid fell before the beat was taken"),
        ([CHANGE_DATA] * 9, 60, "a beat changed before it was taken"),
        ([9, 9, 9, WRONG_LAST], 0, "tlast is missing on the last beat of a frame"),
        ([9, WRONG_LAST], 0, "tlast is set within a frame"),
    ],
)
def test_a_breach_of_the_protocol_is_named(
    beats: list[int], stall: int, message: str, shared: Path, tmp_path: Path
) -> None:
    with pytest.raises(SimulationMismatchError) as caught:
        play(beats, shared, tmp_path, stall)
    assert without_numbers(str(caught.value)) == (
        f"sim: stream 'target': {message}, in cycle N, after N beats; look at it with --waves"
    )


def test_a_device_that_stops_is_a_hang(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as caught:
        play([9, 9, 9, 9, 9, STOP], shared, tmp_path)
    assert without_cycles(str(caught.value)) == (
        "sim: hangs: no expected beat moved for 1000 cycles, up to cycle N: "
        "'source' is valid, but its reader is not ready after 6 of 12 beats, "
        "'target' is waiting for data after 6 of 12 beats; look at it with --waves"
    )
    assert caught.value.exit_code == 5


def test_a_lost_beat_is_a_hang(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as caught:
        play([9, SWALLOW], shared, tmp_path)
    assert without_cycles(str(caught.value)) == (
        "sim: hangs: no expected beat moved for 1000 cycles, up to cycle N: "
        "'target' is waiting for data after 11 of 12 beats; look at it with --waves"
    )


def test_a_beat_too_many_is_found(shared: Path, tmp_path: Path) -> None:
    result = play([*[9] * 11, REPEAT], shared, tmp_path)
    with pytest.raises(SimulationMismatchError) as caught:
        result.comparison.check("sim")
    assert str(caught.value) == (
        "sim: layer 'device', stream 'target': too many beats: 1 more than 12; all other streams agree"
    )
