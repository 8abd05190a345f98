"""Comparison of beats on disk: the first difference, in the words of the golden model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thresher_sim.compare import Comparison, compare_streams
from thresher_sim.errors import SimulationMismatchError, UsageError
from thresher_sim.project import Stream
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout
from thresher_sim.vectors import beats_path, read_frames, write_vectors

# 5 elements in lanes of 4: the second beat of a vector has one element and three padding lanes.
LAYER = Stream("fc1_out", StreamLayout(IntType(-4, 3), 5, 2, 4), "internal", "fc1", "fc2")
LAST = Stream("m_axis", StreamLayout(BIPOLAR, 3, 1, 3), "output", "fc2")
STREAMS = (LAYER, LAST)
FRAMES = 6


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The same random beats, twice."""
    random = np.random.default_rng(3)
    values = {
        "fc1_out": random.integers(-4, 4, (FRAMES, 2, 5)),
        "m_axis": random.integers(0, 2, (FRAMES, 1, 3)) * 2 - 1,
    }
    write_vectors(tmp_path / "expected", STREAMS, [values])
    write_vectors(tmp_path / "actual", STREAMS, [values])
    return tmp_path / "expected", tmp_path / "actual"


def flip(folder: Path, stream: Stream, byte: int, mask: int) -> None:
    """Change bits of one byte of a stream's file."""
    data = bytearray(beats_path(folder, stream).read_bytes())
    data[byte] ^= mask
    beats_path(folder, stream).write_bytes(data)


def message(comparison: Comparison) -> str:
    with pytest.raises(SimulationMismatchError) as caught:
        comparison.check("sim")
    return str(caught.value)


def test_the_same_beats_agree(folders: tuple[Path, Path]) -> None:
    comparison = compare_streams(STREAMS, *folders, FRAMES)
    assert comparison.mismatches == 0
    comparison.check("sim")


def test_the_first_difference_is_named_with_its_element_in_the_frame(folders: tuple[Path, Path]) -> None:
    expected, actual = folders
    # Frame 2 begins at beat 8; beat 2 of it is the first of vector 1, 2 bytes a beat, 3 bits a lane.
    flip(actual, LAYER, (8 + 2) * 2, 0b1000)
    flip(actual, LAYER, (12 + 2) * 2, 0b1000)
    want = int(LAYER.layout.unpack(read_frames(expected, LAYER))[2, 1, 1])
    got = want ^ 1
    comparison = compare_streams(STREAMS, expected, actual, FRAMES)
    assert comparison.mismatches == 2
    assert message(comparison) == (
        f"sim: layer 'fc1', stream 'fc1_out': frame 2, beat 2, element 6: expected {want}, got {got} "
        "(2 of 24 beats differ); all other streams agree"
    )


def test_the_first_stream_along_the_network_comes_first(folders: tuple[Path, Path]) -> None:
    flip(folders[1], LAST, 5, 0b10)
    flip(folders[1], LAYER, 46, 0b1)
    text = message(compare_streams(STREAMS, *folders, FRAMES))
    assert text.startswith("sim: layer 'fc1', stream 'fc1_out': frame 5, beat 3, element 9: ")
    assert text.endswith("(1 of 24 beats differ); these streams differ too: 'm_axis'")


def test_lanes_that_pad_a_vector_are_zero(folders: tuple[Path, Path]) -> None:
    flip(folders[1], LAYER, 2, 0b1000)
    assert message(compare_streams(STREAMS, *folders, FRAMES)) == (
        "sim: layer 'fc1', stream 'fc1_out': frame 0, beat 1, padding lane 1: expected 0, got 1 "
        "(1 of 24 beats differ); all other streams agree"
    )


def test_bits_that_pad_a_beat_to_bytes_are_zero(folders: tuple[Path, Path]) -> None:
    flip(folders[1], LAST, 1, 0b1000_0000)
    assert message(compare_streams(STREAMS, *folders, FRAMES)) == (
        "sim: layer 'fc2', stream 'm_axis': frame 1, beat 0, padding lane 3: expected 0, got 16 "
        "(1 of 6 beats differ); all other streams agree"
    )


def test_missing_beats_are_counted(folders: tuple[Path, Path]) -> None:
    path = beats_path(folders[1], LAYER)
    path.write_bytes(path.read_bytes()[:-6])
    comparison = compare_streams(STREAMS, *folders, FRAMES)
    assert comparison.mismatches == 3
    assert message(comparison) == (
        "sim: layer 'fc1', stream 'fc1_out': too few beats: 3 of 24 are missing; all other streams agree"
    )


def test_fewer_frames_than_there_are(folders: tuple[Path, Path]) -> None:
    flip(folders[1], LAST, 5, 1)
    path = beats_path(folders[1], LAYER)
    path.write_bytes(path.read_bytes()[: 3 * 8])
    assert [stream.extra for stream in compare_streams(STREAMS, *folders, 3).streams] == [0, 3]
    assert compare_streams([LAYER], *folders, 3).mismatches == 0


def test_the_runs_of_two_parts_add_up(folders: tuple[Path, Path], tmp_path: Path) -> None:
    expected, actual = folders
    for part, frames in (("first", slice(0, 2)), ("second", slice(2, 6))):
        write_vectors(
            tmp_path / part,
            STREAMS,
            [{stream.name: stream.layout.unpack(read_frames(actual, stream))[frames] for stream in STREAMS}],
        )
    flip(tmp_path / "second", LAST, 1, 1)
    both = compare_streams(STREAMS, expected, tmp_path / "first", 2) + compare_streams(
        STREAMS, expected, tmp_path / "second", 4, first_frame=2
    )
    assert (both.frames, both.mismatches) == (FRAMES, 1)
    assert "stream 'm_axis': frame 3, beat 0, element 0: " in message(both)


@pytest.mark.parametrize(
    ("size", "frames", "reason"),
    [
        (None, 6, "is missing: no beats for stream 'fc1_out'"),
        (47, 6, "holds 47 bytes, not a multiple of the 2 bytes per beat of stream 'fc1_out'"),
        (46, 5, "ends within a frame: 23 beats, and a frame of stream 'fc1_out' has 4"),
    ],
)
def test_damaged_vectors(size: int | None, frames: int, reason: str, folders: tuple[Path, Path]) -> None:
    path = beats_path(folders[0], LAYER)
    data = path.read_bytes()
    path.unlink()
    if size is not None:
        path.write_bytes(data[:size])
    with pytest.raises(UsageError) as caught:
        compare_streams(STREAMS, *folders, frames)
    assert str(caught.value) == f"sim: '{path}' {reason}; build the project again"


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (7, "sim: 7 frames are asked for, and '{path}' holds 6; ask for at most 6"),
        (0, "sim: 0 frames cannot be run; ask for 1 or more"),
        (-2, "sim: -2 frames cannot be run; ask for 1 or more"),
    ],
)
def test_numbers_of_frames_that_cannot_be(frames: int, reason: str, folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError) as caught:
        read_frames(folders[0], LAYER, frames)
    assert str(caught.value) == reason.format(path=beats_path(folders[0], LAYER))
