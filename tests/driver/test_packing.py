"""The driver's packing: bytes as the definition of a beat has them, and back."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import thresher.emit.synthesis
from packing import Layout

DRIVER = Path(thresher.emit.synthesis.__file__).with_name("templates") / "driver"

# lo, hi, bipolar, channels, vectors, lanes: every path of the code, with and without padding of lanes.
LAYOUTS = [
    (-1, 1, True, 10, 2, 4),
    (-1, 1, True, 64, 1, 32),
    (0, 1, False, 9, 3, 9),
    (0, 3, False, 8, 2, 4),
    (0, 3, False, 7, 2, 3),
    (-8, 7, False, 6, 1, 2),
    (-1, 1, False, 5, 4, 4),
    (-16, 15, False, 5, 1, 5),
    (0, 255, False, 49, 2, 7),
    (-128, 127, False, 3, 5, 3),
    (-300, 300, False, 5, 2, 2),
    (0, 65535, False, 4, 1, 4),
    (-(1 << 31), (1 << 31) - 1, False, 3, 1, 2),
    (-70000, 70000, False, 10, 1, 10),
]


def bytes_by_definition(frame: np.ndarray, layout: Layout, lanes: int) -> bytes:
    """One frame as DESIGN has it: element 0 lowest, lanes past the end zero, beats padded to bytes."""
    result = b""
    for vector in frame:
        codes = [int(value > 0) if layout.bipolar else int(value) % (1 << layout.bits) for value in vector]
        for first in range(0, len(codes), lanes):
            beat = sum(
                code << (place * layout.bits) for place, code in enumerate(codes[first : first + lanes])
            )
            result += beat.to_bytes(layout.bytes_per_beat, "little")
    return result


@pytest.mark.parametrize("case", LAYOUTS, ids=str)
def test_packing_is_the_definition_of_a_beat(case: tuple[int, int, bool, int, int, int]) -> None:
    lo, hi, bipolar, channels, vectors, lanes = case
    names = ("lo", "hi", "bipolar", "channels", "vectors", "lanes")
    layout = Layout(dict(zip(names, case, strict=True)))
    random = np.random.default_rng(0)
    frames = random.integers(lo, hi + 1, (6, vectors, channels))
    frames[0], frames[1] = lo, hi
    if bipolar:
        frames = np.where(frames > 0, 1, -1)

    data = layout.pack(frames)

    assert data.dtype == np.uint8
    assert data.shape == (6, layout.bytes_per_frame)
    assert [row.tobytes() for row in data] == [bytes_by_definition(frame, layout, lanes) for frame in frames]
    np.testing.assert_array_equal(layout.unpack(data), frames)


def test_the_lanes_past_the_end_of_a_vector_are_not_looked_at() -> None:
    layout = Layout({"lo": 0, "hi": 15, "bipolar": False, "channels": 3, "vectors": 1, "lanes": 2})
    np.testing.assert_array_equal(layout.unpack(np.array([[0x21, 0xF3]], np.uint8)), [[[1, 2, 3]]])


@pytest.mark.parametrize("path", sorted(DRIVER.glob("*.py")), ids=lambda path: str(path.name))
def test_the_driver_is_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
