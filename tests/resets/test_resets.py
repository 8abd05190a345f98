"""When resets come, and how what comes behind them is compared and told; no simulator runs here."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from thresher.hlsc import UnitSource, compile_unit
from thresher.share import share_dir
from thresher_sim.amd import OtherTypes
from thresher_sim.compare import Comparison, StreamResult, compare_segments
from thresher_sim.errors import SimulationMismatchError, UsageError
from thresher_sim.project import Stream
from thresher_sim.reference import Reference
from thresher_sim.resets import Segment, draw_resets, split_segments
from thresher_sim.rtl import RtlOptions
from thresher_sim.scoreboard import UnitOptions, UnitResult
from thresher_sim.scores import CutScore, StreamScore
from thresher_sim.streams import Bytes, IntType, StreamLayout
from thresher_sim.unit import UnitStream
from thresher_sim.vectors import write_vectors

STREAM = Stream("m_axis", StreamLayout(IntType(0, 255), 2, 1, 1), "output", "fc0")
UNIT_STREAM = UnitStream("m_axis", 8)


def test_resets_come_in_every_kind_of_moment() -> None:
    drawn = list(draw_resets(200, 7, 1000, 5, endless=True))
    assert drawn == list(draw_resets(200, 7, 1000, 5, endless=True))
    assert drawn != list(draw_resets(200, 8, 1000, 5, endless=True))
    assert drawn[-1].following == Segment(0, endless=False)
    assert {reset.following.first_frame for reset in drawn} == set(range(5))
    assert all(1 <= reset.after <= 1000 and 0 <= reset.held <= reset.after for reset in drawn)
    assert all(reset.following.endless for reset in drawn[:-1])
    assert {1, 2} < {reset.cycles for reset in drawn} <= set(range(1, 17))
    assert 70 < sum(reset.whole_frame for reset in drawn) < 130
    for kind in ("early", "noisy", "eager", "held", "blocked"):
        assert 25 < sum(bool(getattr(reset, kind)) for reset in drawn) < 130, kind
    assert not any(reset.early and reset.noisy for reset in drawn)
    # In the first cycle after a reset and in the cycle of another one's end; and far from both.
    assert any(not reset.whole_frame and reset.after == 1 for reset in drawn)
    assert any(later.after <= 3 and not later.whole_frame for _, later in pairwise(drawn))
    assert any(reset.after > 900 for reset in drawn)


def test_a_recording_is_cut_where_the_resets_were(tmp_path: Path) -> None:
    np.array([0, 2, 2], "<u8").tofile(tmp_path / "a.resets")
    rows = np.arange(5, dtype=np.uint8).reshape(5, 1)
    assert [part.reshape(-1).tolist() for part in split_segments(rows, tmp_path, "a")] == [
        [],
        [0, 1],
        [],
        [2, 3, 4],
    ]


def beats(*values: int) -> Bytes:
    return np.array(values, np.uint8).reshape(-1, 1)


def test_a_segment_begins_its_frames_which_go_round(tmp_path: Path) -> None:
    write_vectors(tmp_path, [STREAM], [{"m_axis": np.array([[[1, 2]], [[3, 4]], [[5, 6]]])}])
    cuts = [
        (Segment(0, True), beats(1, 2, 3)),
        (Segment(2, True), beats(5, 6, 1, 2, 3, 4, 5)),
        (Segment(1, True), beats()),
    ]
    good = compare_segments(STREAM, tmp_path, cuts, 3)
    assert (good.frames, good.beats, good.mismatches, good.describe()) == (4, 10, 0, "")
    cuts[1] = (Segment(2, True), beats(5, 6, 1, 2, 3, 9, 5))
    bad = compare_segments(STREAM, tmp_path, cuts, 3)
    assert (bad.mismatches, bad.describe()) == (
        1,
        "after reset 1, frame 1, beat 1, element 1: expected 4, got 9 "
        "(1 of 10 beats before the last reset differ)",
    )
    result = StreamResult("m_axis", "fc0", 6, 0, 0, 0, None, bad)
    with pytest.raises(SimulationMismatchError) as caught:
        Comparison(3, (result,), 3).check("sim")
    assert (
        str(caught.value) == f"sim: layer 'fc0', stream 'm_axis': {bad.describe()}; all other streams agree"
    )


def test_jobs_count_their_frames_and_resets_on(tmp_path: Path) -> None:
    write_vectors(tmp_path, [STREAM], [{"m_axis": np.array([[[1, 2]], [[3, 4]], [[5, 6]]])}])
    cuts = [(Segment(0, True), beats()), (Segment(0, True), beats(3, 4, 5, 6, 1))]
    bad = compare_segments(STREAM, tmp_path, cuts, 2, 1, 10)
    assert bad.describe() == (
        "after reset 11, frame 1, beat 0, element 0: expected 3, got 1 "
        "(1 of 5 beats before the last reset differ)"
    )
    first = compare_segments(STREAM, tmp_path, [(Segment(0, True), beats(8))], 2)
    assert (first + bad).describe() == (
        "before the first reset, frame 0, beat 0, element 0: expected 1, got 8 "
        "(2 of 6 beats before the last reset differ)"
    )


@pytest.mark.parametrize("options", [RtlOptions, UnitOptions])
def test_fewer_resets_than_none_are_refused(options: type[RtlOptions] | type[UnitOptions]) -> None:
    with pytest.raises(UsageError) as caught:
        options(resets=-1)
    assert str(caught.value) == "sim: -1 resets cannot be; choose 0 to 100000"


def test_a_memory_that_keeps_its_words_is_named() -> None:
    score = StreamScore(
        UNIT_STREAM, 4, 0, 0, 0, None, CutScore(9, 2, "after reset 3, beat 1: expected 0x05, got 0x06")
    )
    reference = Reference(4, 0, 4, False, "s_axis", "", {}, {}, {})
    result = UnitResult("Count", reference, (score,), 99, 0.1, OtherTypes(""), resets=5, kept=("words_",))
    with pytest.raises(SimulationMismatchError) as caught:
        result.check()
    assert str(caught.value) == (
        "sim: unit 'Count': stream 'm_axis': after reset 3, beat 1: expected 0x05, got 0x06 "
        "(2 of 9 beats before the last reset are wrong); no reset brings back the first words of 'words_': "
        "let the unit write them itself after a reset"
    )


HISTOGRAM = """
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"
constexpr std::uint8_t kFirst[4] = {1, 2, 3, 4};
struct Histogram {
  struct Ports { thresher::InStream<2> s_axis; thresher::OutStream<8> m_axis; };
  void step(Ports& ports) {
    const thresher::uint<2> beat = ports.s_axis.read();
    ports.m_axis.write(counts_.read(beat));
    counts_.write(beat, counts_.read(beat) + 1);
  }
  thresher::Ram<8, 4> counts_ = kFirst;
};
"""


def test_only_a_unit_that_stands_alone_holds_off_its_source_in_reset(tmp_path: Path) -> None:
    (tmp_path / "histogram.hpp").write_text(HISTOGRAM)
    source = UnitSource(tmp_path / "histogram.hpp", "Histogram", (share_dir("hls"),))
    alone, inside = (compile_unit(source, "histogram", alone=alone) for alone in (True, False))
    assert alone.kept == inside.kept == ("counts",)
    assert "assign s_axis_tready = ap_rst_n && advance;" in alone.verilog
    assert "assign s_axis_tready = advance;" in inside.verilog
