"""Packing, against Python's own big integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher_sim.streams import BIPOLAR, IntType, StreamLayout


@st.composite
def integer_types(draw: st.DrawFn) -> IntType:
    if draw(st.booleans()):
        return BIPOLAR
    lo = draw(st.integers(-(2**20), 2**20))
    return IntType(lo, lo + draw(st.integers(0, 2**20)))


@st.composite
def layouts(draw: st.DrawFn) -> StreamLayout:
    channels = draw(st.integers(1, 12))
    return StreamLayout(
        draw(integer_types()), channels, draw(st.integers(1, 3)), draw(st.integers(1, channels + 2))
    )


def random_frames(layout: StreamLayout, frames: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.int64]]:
    random = np.random.default_rng(1)
    shape = (frames, layout.vectors, layout.channels)
    if layout.element.bipolar:
        return random.integers(0, 2, shape) * 2 - 1
    return random.integers(layout.element.lo, layout.element.hi + 1, shape)


@given(layouts())
def test_pack_puts_element_0_lowest(layout: StreamLayout) -> None:
    frames = random_frames(layout, 2)
    beats = layout.pack(frames)
    assert beats.shape == (2, layout.beats_per_frame, layout.bytes_per_beat)
    for frame in range(2):
        for beat in range(layout.beats_per_frame):
            vector, group = divmod(beat, layout.beats_per_vector)
            word = 0
            for lane in range(layout.lanes):
                channel = group * layout.lanes + lane
                if channel < layout.channels:
                    value = int(frames[frame, vector, channel])
                    code = int(value > 0) if layout.element.bipolar else value
                    word |= (code % 2**layout.element.bits) << (lane * layout.element.bits)
            assert int.from_bytes(beats[frame, beat].tobytes(), "little") == word


@given(layouts())
def test_unpack_is_the_inverse(layout: StreamLayout) -> None:
    frames = random_frames(layout, 3)
    assert np.array_equal(layout.unpack(layout.pack(frames)), frames)


@given(layouts())
def test_json_is_the_inverse_of_itself(layout: StreamLayout) -> None:
    assert StreamLayout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize(
    ("lo", "hi", "bits"),
    [(0, 0, 1), (0, 1, 1), (0, 255, 8), (0, 256, 9), (-1, 0, 1), (-1, 1, 2), (-128, 127, 8), (-128, 128, 9)],
)
def test_bits_are_the_fewest(lo: int, hi: int, bits: int) -> None:
    assert IntType(lo, hi).bits == bits


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_layouts_that_cannot_be(sizes: tuple[int, int, int]) -> None:
    channels, vectors, lanes = sizes
    with pytest.raises(ValueError) as caught:
        StreamLayout(BIPOLAR, channels, vectors, lanes)
    assert str(caught.value) == (
        f"StreamLayout: {vectors} vectors of {channels} channels in {lanes} lanes: each is 1 or more"
    )


def test_types_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^IntType: empty range 3\.\.2$"):
        IntType(3, 2)
    with pytest.raises(ValueError, match=r"^IntType: a bipolar type is -1\.\.1, not 0\.\.1$"):
        IntType(0, 1, bipolar=True)
