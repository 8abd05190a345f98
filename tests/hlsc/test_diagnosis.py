"""What hlsc says of a clock or a memory that a unit cannot have."""

from __future__ import annotations

from pathlib import Path

from tests.hlsc.native import HLS
from thresher.hlsc import UnitSource, compile_unit
from thresher.hlsc.diagnosis import fastest_mhz
from thresher.hlsc.schedule.delay import delay_model

HEADER = """\
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

struct Histogram {
  struct Ports {
    thresher::InStream<10> s_axis;
    thresher::OutStream<32> m_axis;
  };
  void step(Ports& ports) {
    const auto bin = static_cast<std::uint32_t>(ports.s_axis.read());
    const auto before = counts_.read(bin);
    counts_.write(bin, before + 1);
    ports.m_axis.write(before);
  }
  thresher::Ram<32, 1024> counts_;
};

struct Chooser {
  struct Ports {
    thresher::InStream<64> s_axis;
    thresher::InStream<8> more;
    thresher::OutStream<8> m_axis;
  };
  void step(Ports& ports) {
    const auto beat = ports.s_axis.read();
    const thresher::uint<64> product = beat * beat;
    if (product > 12345) ports.m_axis.write(ports.more.read());
  }
};

struct Counter {
  struct Ports {
    thresher::OutStream<32> m_axis;
  };
  void step(Ports& ports) {
    ports.m_axis.write(count_);
    count_ = count_ + 1;
  }
  thresher::uint<32> count_ = 0;
};
"""


def warnings(folder: Path, name: str, clock_mhz: float) -> tuple[str, ...]:
    header = folder / "unit.hpp"
    header.write_text(HEADER)
    return compile_unit(UnitSource(header, name, (HLS,)), "unit", clock_mhz).warnings


def test_a_memory_whose_word_decides_on_its_write_stays_in_look_up_tables(tmp_path: Path) -> None:
    assert warnings(tmp_path, "Histogram", 20.0) == (
        "hlsc: unit 'Histogram': unit.hpp:15: a word of the Ram 'counts_' is read that was never written, "
        "and holds anything in hardware: what is written to 'm_axis' depends on it; write each word before "
        "it is read, or count the words that were written and use no others",
        "hlsc: unit 'Histogram': unit.hpp:11: 'counts_', 1024 words of 32 bits, stays in look-up tables: its "
        "word is needed in the cycle that gives the address; let no write, no next state and no read of a "
        "stream depend on a word read in the same step",
    )


def test_what_decides_whether_a_beat_is_read_cannot_be_cut(tmp_path: Path) -> None:
    (warning,) = warnings(tmp_path, "Chooser", 300.0)
    estimate = warning.partition("estimated at ")[2].partition(" ns")[0]

    assert float(estimate) > delay_model("xc7").usable_ns(300.0)
    assert warning == (
        f"hlsc: unit 'Chooser': unit.hpp:27: stage 0 is estimated at {estimate} ns, too long for 300 MHz, "
        "and what decides whether a beat is taken cannot be cut; decide it one step earlier, and keep the "
        "decision in a member"
    )


def test_a_recurrence_names_the_clock_that_it_meets(tmp_path: Path) -> None:
    (warning,) = warnings(tmp_path, "Counter", 700.0)
    fastest = int(warning.rpartition("at most ")[2].removesuffix(" MHz"))

    assert warnings(tmp_path, "Counter", fastest) == ()
    assert warnings(tmp_path, "Counter", fastest + 1) != ()
    assert fastest_mhz(delay_model("xc7"), 1000.0) == 0
