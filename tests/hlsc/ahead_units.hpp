// Units that ask whether a stream is empty. What they write never depends on when beats come.
#ifndef TESTS_HLSC_AHEAD_UNITS_HPP
#define TESTS_HLSC_AHEAD_UNITS_HPP

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace ahead {

using thresher::InStream;
using thresher::OutStream;
using thresher::Ram;
using thresher::uint;

// Groups of four beats, each group in reverse order and each beat scaled; two groups have room.
struct Reverse {
  struct Ports {
    InStream<8> s_axis;
    OutStream<8> m_axis;
  };
  void step(Ports& ports) {
    const bool takes = stored_ != 8 && !ports.s_axis.empty();
    const bool writes = stored_ >= 4 || place_ != 0;
    if (writes) {
      const uint<8> word = words_.read(static_cast<std::uint32_t>(first_ ^ static_cast<uint<3>>(3)));
      ports.m_axis.write(static_cast<uint<8>>(word * static_cast<uint<8>>(5) + static_cast<uint<8>>(1)));
    }
    if (takes) words_.write(static_cast<std::uint32_t>(last_), ports.s_axis.read());
    // The room of a group is free once all of it is written.
    const bool ends = writes && place_ == 3;
    stored_ = static_cast<uint<4>>(stored_ + (takes ? 1 : 0) - (ends ? 4 : 0));
    last_ = static_cast<uint<3>>(last_ + (takes ? 1 : 0));
    first_ = static_cast<uint<3>>(first_ + (writes ? 1 : 0));
    place_ = static_cast<uint<2>>(place_ + (writes ? 1 : 0));
  }
  Ram<8, 8> words_;
  uint<4> stored_ = 0;
  uint<3> first_ = 0;
  uint<3> last_ = 0;
  uint<2> place_ = 0;
};

// Takes a factor ahead, and waits for the number that it multiplies; both may be late.
struct Scale {
  struct Ports {
    InStream<8> number;
    InStream<8> factor;
    OutStream<16> m_axis;
  };
  void step(Ports& ports) {
    const bool none = ports.factor.empty();
    if (held_) {
      const uint<16> number = ports.number.read();
      ports.m_axis.write(static_cast<uint<16>>(number * factor_));
      held_ = false;
    } else if (!none) {
      factor_ = ports.factor.read();
      held_ = true;
    }
  }
  uint<16> factor_ = 0;
  bool held_ = false;
};

// A beat waits for the next one, and is written as it came, with its number.
struct Count {
  struct Ports {
    InStream<40> s_axis;
    OutStream<48> m_axis;
  };
  void step(Ports& ports) {
    if (held_) {
      ports.m_axis.write((static_cast<uint<48>>(count_) << 40) | static_cast<uint<48>>(beat_));
      count_ = static_cast<uint<8>>(count_ + 1);
    }
    held_ = !ports.s_axis.empty();
    if (held_) beat_ = ports.s_axis.read();
  }
  uint<40> beat_ = 0;
  uint<8> count_ = 0;
  bool held_ = false;
};

// Begins every frame of eight beats with one of its own, and so writes that of the next frame early.
struct Header {
  struct Ports {
    InStream<8> s_axis;
    OutStream<8> m_axis;
  };
  void step(Ports& ports) {
    const bool takes = place_ != 0 && !ports.s_axis.empty();
    if (place_ == 0) {
      ports.m_axis.write(255);
      place_ = 8;
    } else if (takes) {
      ports.m_axis.write(ports.s_axis.read());
      place_ = static_cast<uint<4>>(place_ - 1);
    }
  }
  uint<4> place_ = 0;
};

// Gives up after three beats.
struct Stuck {
  struct Ports {
    InStream<8> s_axis;
    OutStream<8> m_axis;
  };
  void step(Ports& ports) {
    if (left_ == 0 || ports.s_axis.empty()) return;
    ports.m_axis.write(ports.s_axis.read());
    left_ = static_cast<uint<2>>(left_ - 1);
  }
  uint<2> left_ = 3;
};

}  // namespace ahead

#endif
