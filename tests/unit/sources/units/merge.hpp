// Units for the tests of `thresher hlsc`.
#ifndef UNITS_MERGE_HPP
#define UNITS_MERGE_HPP

#include "../common/start.hpp"
#include "demo/width.hpp"
#include "thresher/stream.hpp"

namespace demo {

using thresher::InStream;
using thresher::OutStream;
using thresher::uint;

// The running sum of `left`; where a beat of it is odd, also the last beat of `right`, of which one is
// read every `Every` steps.
template <int Width, int Every>
struct Merge {
  struct Ports {
    InStream<Width> left;
    OutStream<kSum> sum;
    InStream<5> right;
    OutStream<5> odd;
    OutStream<3> never;
  };

  void step(Ports& ports) {
    const uint<Width> left = ports.left.read();
    if (turn_ == 0) right_ = ports.right.read();
    total_ += left;
    ports.sum.write(total_);
    if (left & 1) ports.odd.write(right_);
    turn_ = turn_ == Every - 1 ? uint<8>(0) : uint<8>(turn_ + 1);
  }

  uint<kSum> total_ = kStart;
  uint<5> right_ = 0;
  uint<8> turn_ = 0;
};

// Goes on for ever without a beat.
struct Ticker {
  struct Ports {
    OutStream<3> m_axis;
  };
  void step(Ports& ports) {
    ports.m_axis.write(count_);
    count_ = static_cast<uint<3>>(count_ + 1);
  }
  uint<3> count_ = 5;
};

// Never writes.
struct Silent {
  struct Ports {
    InStream<8> s_axis;
    OutStream<8> m_axis;
  };
  void step(Ports& ports) { last_ = ports.s_axis.read(); }
  uint<8> last_ = 0;
};

// No unit: it has no step.
struct Idle {
  struct Ports {
    InStream<8> s_axis;
  };
};

// No hardware: it computes in floating point.
struct Third {
  struct Ports {
    InStream<8> s_axis;
    OutStream<8> m_axis;
  };
  void step(Ports& ports) { ports.m_axis.write(static_cast<int>(ports.s_axis.read().to_int() * 0.3f)); }
};

}  // namespace demo

#endif
