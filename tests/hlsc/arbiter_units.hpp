// Units whose outputs depend on when beats come.
#ifndef TESTS_HLSC_ARBITER_UNITS_HPP
#define TESTS_HLSC_ARBITER_UNITS_HPP

#include "thresher/bits.hpp"
#include "thresher/stream.hpp"

namespace arbiters {

using thresher::InStream;
using thresher::OutStream;
using thresher::uint;

// Whichever of two inputs has a beat, and by turns where both have. Bit 8 says which: 0 for `left`.
struct RoundRobin {
  struct Ports {
    InStream<8> left;
    InStream<8> right;
    OutStream<9> m_axis;
  };
  void step(Ports& ports) {
    const bool has_left = !ports.left.empty();
    const bool has_right = !ports.right.empty();
    if (!has_left && !has_right) return;
    const bool takes_left = has_left && !(has_right && left_was_last_);
    uint<9> beat = 256;
    if (takes_left) {
      beat = static_cast<uint<9>>(ports.left.read());
    } else {
      beat = static_cast<uint<9>>(beat | static_cast<uint<9>>(ports.right.read()));
    }
    ports.m_axis.write(beat);
    left_was_last_ = takes_left;
  }
  bool left_was_last_ = false;
};

// Passes beats on, and writes 256 after each five steps in a row in which none came.
struct TimeOut {
  struct Ports {
    InStream<8> s_axis;
    OutStream<9> m_axis;
  };
  void step(Ports& ports) {
    if (!ports.s_axis.empty()) {
      ports.m_axis.write(static_cast<uint<9>>(ports.s_axis.read()));
      quiet_ = 0;
    } else if (quiet_ == 4) {
      ports.m_axis.write(static_cast<uint<9>>(256));
      quiet_ = 0;
    } else {
      quiet_ = static_cast<uint<3>>(quiet_ + static_cast<uint<3>>(1));
    }
  }
  uint<3> quiet_ = 0;
};

// `urgent` ahead of `bulk`, and of each the square in several stages. Of `bulk` no more than one in a row: a
// step after that waits for `urgent`, or for one that finds it empty.
struct Priority {
  struct Ports {
    InStream<12> bulk;
    InStream<12> urgent;
    OutStream<25> m_axis;
  };
  void step(Ports& ports) {
    const bool has_urgent = !ports.urgent.empty();
    uint<24> beat = 0;
    if (has_urgent) {
      beat = static_cast<uint<24>>(ports.urgent.read());
    } else if (!waits_) {
      beat = static_cast<uint<24>>(ports.bulk.read());
    }
    if (has_urgent || !waits_) {
      const uint<25> square = static_cast<uint<25>>(static_cast<uint<24>>(beat * beat));
      ports.m_axis.write(static_cast<uint<25>>(square | static_cast<uint<25>>(static_cast<uint<25>>(has_urgent) << 24)));
    }
    waits_ = !has_urgent && !waits_;
  }
  bool waits_ = false;
};

}  // namespace arbiters

#endif
