// Machines of few states: lines, edges, counters, grants.
#ifndef PRACTICE_CONTROL_HPP
#define PRACTICE_CONTROL_HPP

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace practice {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::sint;
using thresher::uint;
using thresher::with_bits;

// Of three inputs the next one behind the last grant that has a beat.
struct RoundRobin {
  struct Ports {
    InStream<8> a;
    InStream<8> b;
    InStream<8> c;
    OutStream<10> m_axis;
  };

  void step(Ports& ports) {
    const uint<3> waiting = !ports.a.empty() | !ports.b.empty() << 1 | !ports.c.empty() << 2;
    const uint<6> twice = uint<6>(waiting) << 3 | waiting;
    const uint<3> turned = twice >> next_;
    if (turned == 0) return;
    uint<3> grant = next_ + thresher::trailing_zeros(turned);
    if (grant >= 3) grant -= 3;
    uint<8> beat = 0;
    switch (grant) {
      case 0: beat = ports.a.read(); break;
      case 1: beat = ports.b.read(); break;
      default: beat = ports.c.read(); break;
    }
    ports.m_axis.write(uint<10>(grant) << 8 | beat);
    next_ = grant == 2 ? uint<3>(0) : uint<3>(grant + 1);
  }

 private:
  uint<2> next_ = 0;
};

// Bytes from a line with four samples a bit: a start bit, eight data bits, lowest first, a stop bit.
struct UartReceiver {
  struct Ports {
    InStream<1> s_axis;
    OutStream<8> m_axis;
  };

  void step(Ports& ports) {
    const bool line = ports.s_axis.read() != 0;
    if (state_ == State::kIdle) {
      if (!line) start();
      return;
    }
    if (--wait_ != 0) return;
    wait_ = 4;
    switch (state_) {
      case State::kStart: state_ = line ? State::kIdle : State::kData; break;
      case State::kData:
        byte_ = byte_ >> 1 | line << 7;
        if (++count_ == 0) state_ = State::kStop;
        break;
      case State::kStop:
        if (line) ports.m_axis.write(byte_);
        state_ = State::kIdle;
        break;
      default: break;
    }
  }

 private:
  enum class State : std::uint8_t { kIdle, kStart, kData, kStop };

  void start() {
    state_ = State::kStart;
    wait_ = 2;
  }

  State state_ = State::kIdle;
  uint<3> wait_ = 0;
  uint<3> count_ = 0;
  std::uint8_t byte_ = 0;
};

// A button is pressed, or not, once it has been so for ten samples.
struct Debouncer {
  struct Ports {
    InStream<1> s_axis;
    OutStream<1> m_axis;
  };

  void step(Ports& ports) {
    const uint<1> sample = ports.s_axis.read();
    if (sample != before_) steady_ = 0;
    if (steady_ != 10) ++steady_;
    before_ = sample;
    if (steady_ == 10) level_ = sample;
    ports.m_axis.write(level_);
  }

 private:
  uint<4> steady_ = 0;
  uint<1> before_ = 0, level_ = 0;
};

// Periods of 25 steps: high as long as the beat of the period says.
struct PulseWidth {
  struct Ports {
    InStream<5> s_axis;
    OutStream<1> m_axis;
  };

  void step(Ports& ports) {
    if (time_ == 0) duty_ = ports.s_axis.read();
    ports.m_axis.write(time_ < duty_);
    if (++time_ == 25) time_ = 0;
  }

 private:
  uint<5> time_ = 0, duty_ = 0;
};

// The sample's number at each rise above 20 that follows a fall below -20.
struct HysteresisEdge {
  struct Ports {
    InStream<8> s_axis;
    OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const sint<8> sample = ports.s_axis.read();
    if (sample > 20 && armed_) {
      armed_ = false;
      ports.m_axis.write(number_);
    } else if (sample < -20) {
      armed_ = true;
    }
    ++number_;
  }

 private:
  bool armed_ = false;
  uint<16> number_ = 0;
};

// Ones where the bits so far end with 1011.
struct SequenceDetector {
  struct Ports {
    InStream<1> s_axis;
    OutStream<1> m_axis;
  };

  void step(Ports& ports) {
    const bool one = ports.s_axis.read() == 1;
    bool found = false;
    switch (state_) {
      case 0: state_ = one ? 1 : 0; break;
      case 1: state_ = one ? 1 : 2; break;
      case 2: state_ = one ? 3 : 0; break;
      case 3:
        found = one;
        state_ = one ? 1 : 2;
        break;
    }
    ports.m_axis.write(found);
  }

 private:
  uint<3> state_ = 0;
};

// How often each of 64 values came in 128 samples: it clears, counts and tells, in turn.
struct Histogram {
  struct Ports {
    InStream<6> s_axis;
    OutStream<8> m_axis;
  };

  void step(Ports& ports) {
    if (phase_ == kCounts) {
      const uint<6> value = ports.s_axis.read();
      counts_.write(value, counts_.read(value) + 1);
    } else {
      if (phase_ == kTells) ports.m_axis.write(counts_.read(place_));
      counts_.write(place_, 0);
    }
    const bool last = phase_ == kCounts ? place_ == 127 : place_ == 63;
    ++place_;
    if (last) place_ = 0;
    if (last) phase_ = phase_ == kCounts ? kTells : kCounts;
  }

 private:
  enum Phase { kClears, kCounts, kTells };
  Phase phase_ = kClears;
  uint<7> place_ = 0;
  thresher::Ram<8, 64> counts_;
};

}  // namespace practice

#endif
