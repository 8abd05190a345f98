// Small units, so narrow that a solver sees every input, state and stall of many cycles. Each writes
// something every few steps, and leaves nothing that it writes to chance.
#ifndef TESTS_HLSC_PROOF_UNITS_HPP
#define TESTS_HLSC_PROOF_UNITS_HPP

#include "thresher/bits.hpp"
#include "thresher/divide.hpp"
#include "thresher/fixed.hpp"
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/square_root.hpp"
#include "thresher/stream.hpp"

namespace proof_units {

using thresher::bits_at;
using thresher::Beat;
using thresher::InStream;
using thresher::Last;
using thresher::OutStream;
using thresher::popcount;
using thresher::Ram;
using thresher::rom_read;
using thresher::sint;
using thresher::uint;
using thresher::User;

// A running sum, and a hash of it that takes several stages.
struct Accumulate {
  struct Ports {
    InStream<3> s_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    total_ = static_cast<uint<4>>(total_ + ports.s_axis.read());
    const uint<4> hash = static_cast<uint<4>>((total_ ^ (total_ >> 2)) + 5);
    ports.m_axis.write(static_cast<uint<4>>(hash ^ (hash << 1)));
  }
  uint<4> total_ = 3;
};

// Every word is read before it is written anew; a first round fills the memory.
struct Delay {
  struct Ports {
    InStream<2> s_axis;
    OutStream<3> m_axis;
  };
  void step(Ports& ports) {
    const uint<2> beat = ports.s_axis.read();
    const uint<2> old = words_.read(static_cast<std::uint32_t>(place_));
    words_.write(static_cast<std::uint32_t>(place_), beat);
    if (full_) ports.m_axis.write(static_cast<uint<3>>(static_cast<uint<3>>(old) + beat));
    full_ = full_ || place_ == 3;
    place_ = place_ + 1;
  }
  Ram<2, 4> words_;
  uint<2> place_ = 0;
  bool full_ = false;
};

// The beat picks the word to read and the word to replace; the memory is cleared first.
struct Cache {
  struct Ports {
    InStream<5> s_axis;
    OutStream<3> m_axis;
  };
  void step(Ports& ports) {
    if (!ready_) {
      words_.write(static_cast<std::uint32_t>(place_), 0);
      ready_ = place_ == 3;
      place_ = place_ + 1;
    } else {
      const uint<5> beat = ports.s_axis.read();
      const uint<3> word = words_.read(static_cast<std::uint32_t>(bits_at<2, 5>(beat, 0)));
      const uint<3> next = static_cast<uint<3>>(word + bits_at<3, 5>(beat, 2));
      if (bits_at<1, 5>(beat, 4)) words_.write(static_cast<std::uint32_t>(bits_at<2, 5>(beat, 1)), next);
      ports.m_axis.write(next);
    }
  }
  Ram<3, 4> words_;
  uint<2> place_ = 0;
  bool ready_ = false;
};

static constexpr std::uint64_t kTable[8][1] = {{5}, {0}, {14}, {9}, {3}, {12}, {7}, {10}};

// Two tables one after the other.
struct Lookup {
  struct Ports {
    InStream<3> s_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    const uint<4> first = rom_read<4>(kTable, static_cast<std::uint32_t>(ports.s_axis.read()));
    const uint<3> index = static_cast<uint<3>>(first + turn_);
    ports.m_axis.write(static_cast<uint<4>>(first ^ rom_read<4>(kTable, static_cast<std::uint32_t>(index))));
    turn_ = turn_ + 1;
  }
  uint<3> turn_ = 0;
};

// A table that the cell `rom` holds.
static constexpr std::uint64_t kLong[40][1] = {
    {1}, {6}, {0}, {3}, {7}, {2}, {2}, {5}, {4}, {1}, {0}, {7}, {3}, {3}, {6}, {1}, {5}, {0}, {2}, {4},
    {7}, {7}, {1}, {6}, {0}, {5}, {3}, {2}, {4}, {6}, {1}, {0}, {5}, {2}, {7}, {4}, {3}, {6}, {0}, {1}};

struct LongLookup {
  struct Ports {
    InStream<1> s_axis;
    OutStream<3> m_axis;
  };
  void step(Ports& ports) {
    ports.m_axis.write(rom_read<3>(kLong, static_cast<std::uint32_t>(place_)));
    const bool stays = static_cast<bool>(ports.s_axis.read());
    if (!stays) place_ = place_ == 39 ? uint<6>(0) : uint<6>(place_ + 1);
  }
  uint<6> place_ = 30;
};

// Two inputs in turn: what was read says from which the next beat comes.
struct Merge {
  struct Ports {
    InStream<3> left;
    InStream<3> right;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    uint<3> beat;
    if (from_right_) {
      beat = ports.right.read();
    } else {
      beat = ports.left.read();
    }
    ports.m_axis.write(static_cast<uint<4>>(static_cast<uint<4>>(beat) * 3 + from_right_));
    from_right_ = bits_at<1, 3>(beat, 0);
  }
  uint<1> from_right_ = 0;
};

// Of each group of three beats the largest, scaled before and after.
struct Decimate {
  struct Ports {
    InStream<3> s_axis;
    OutStream<3> m_axis;
  };
  void step(Ports& ports) {
    const uint<3> beat = static_cast<uint<3>>(ports.s_axis.read() * 3);
    const uint<3> best = place_ == 0 || beat > best_ ? beat : best_;
    if (place_ == 2) ports.m_axis.write(static_cast<uint<3>>(best * 5 + 1));
    best_ = best;
    place_ = place_ == 2 ? uint<2>(0) : uint<2>(place_ + 1);
  }
  uint<3> best_ = 0;
  uint<2> place_ = 0;
};

// Each beat goes to one output or to both, and is counted.
struct Route {
  struct Ports {
    InStream<4> s_axis;
    OutStream<4> small;
    OutStream<4> odd;
  };
  void step(Ports& ports) {
    const uint<4> beat = ports.s_axis.read();
    const uint<4> scaled = static_cast<uint<4>>(beat * 5 + count_);
    if (beat < 9) ports.small.write(scaled);
    if (beat & 1) ports.odd.write(static_cast<uint<4>>(~scaled));
    count_ = count_ + 1;
  }
  uint<2> count_ = 0;
};

// A packet: its length, that many beats, then a step that reads nothing and writes their sum.
struct Packet {
  enum class Mode : std::uint8_t { kLength, kBody, kSum };
  struct Ports {
    InStream<2> s_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    switch (mode_) {
      case Mode::kLength:
        left_ = ports.s_axis.read();
        sum_ = 0;
        mode_ = left_ == 0 ? Mode::kSum : Mode::kBody;
        break;
      case Mode::kBody:
        sum_ = static_cast<uint<4>>(sum_ + ports.s_axis.read());
        left_ = left_ - 1;
        if (left_ == 0) mode_ = Mode::kSum;
        break;
      case Mode::kSum:
        ports.m_axis.write(static_cast<uint<4>>(sum_ * 3));
        mode_ = Mode::kLength;
    }
  }
  Mode mode_ = Mode::kLength;
  uint<2> left_ = 0;
  uint<4> sum_ = 0;
};

// XNOR, popcount, accumulate over two beats, sign: a matrix-vector unit in small.
struct Popcount {
  struct Ports {
    InStream<5> s_axis;
    OutStream<1> m_axis;
  };
  void step(Ports& ports) {
    const uint<5> weights = last_ ? 0b01101 : 0b10110;
    const auto matches = popcount<5>(static_cast<uint<5>>(~(ports.s_axis.read() ^ weights)));
    const sint<5> sum = static_cast<sint<5>>((last_ ? sum_ : static_cast<sint<5>>(-5)) + static_cast<sint<5>>(matches));
    if (last_) ports.m_axis.write(static_cast<uint<1>>(sum >= 0));
    sum_ = sum;
    last_ = !last_;
  }
  sint<5> sum_ = 0;
  bool last_ = false;
};

// Whether a second beat is read depends on the first.
struct Optional {
  struct Ports {
    InStream<3> first;
    InStream<2> second;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    uint<4> value = ports.first.read();
    if (value & 4) value = static_cast<uint<4>>(value * 3 + ports.second.read());
    ports.m_axis.write(static_cast<uint<4>>(value ^ (value << 1)));
  }
};

// Signed numbers, products and shifts by a variable; what was added up decides on the sign.
struct Arithmetic {
  struct Ports {
    InStream<3> s_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    const uint<3> beat = ports.s_axis.read();
    const sint<4> product = static_cast<sint<4>>(static_cast<sint<3>>(beat) * 3);
    sum_ = sum_ < product ? sint<4>(sum_ + 3) : sum_ >> (beat & 3);
    ports.m_axis.write(static_cast<uint<4>>(static_cast<uint<4>>(sum_) << (beat & 1)));
  }
  sint<4> sum_ = -3;
};

// Quotient and remainder, by zero as well.
struct Divide {
  struct Ports {
    InStream<6> s_axis;
    OutStream<6> m_axis;
  };
  void step(Ports& ports) {
    const uint<6> beat = ports.s_axis.read();
    const auto both = thresher::divide(uint<3>(beat), uint<3>(beat >> 3));
    ports.m_axis.write((uint<6>(both.quotient) << 3) | both.remainder);
  }
};

// A division that has no meaning by zero; then nothing is held against anything.
struct Quotient {
  struct Ports {
    InStream<6> s_axis;
    OutStream<6> m_axis;
  };
  void step(Ports& ports) {
    const uint<6> beat = ports.s_axis.read();
    const sint<3> a = beat, b = beat >> 3;
    ports.m_axis.write((uint<6>(a / b) << 3) | uint<3>(a % b));
  }
};

struct Root {
  struct Ports {
    InStream<6> s_axis;
    OutStream<7> m_axis;
  };
  void step(Ports& ports) {
    const auto both = thresher::square_root(uint<6>(ports.s_axis.read()));
    ports.m_axis.write((uint<7>(both.root) << 4) | both.remainder);
  }
};

// A product of fixed point, rounded to even and limited.
struct Rounded {
  struct Ports {
    InStream<6> s_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    const uint<6> beat = ports.s_axis.read();
    using Factor = thresher::fixed<3, 1>;
    const Factor a = Factor::from_bits(beat), b = Factor::from_bits(beat >> 3);
    const thresher::fixed<4, 1, thresher::Rounding::kNearestEven, thresher::Overflow::kSaturate> product = a * b;
    ports.m_axis.write(product.bits());
  }
};

// Writes without reading.
struct Count {
  struct Ports {
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    ports.m_axis.write(static_cast<uint<4>>(count_ ^ (count_ >> 1)));
    count_ = count_ + 3;
  }
  uint<4> count_ = 0;
};

// A beat is taken whenever one is there and has room, and written in a later step; every second may write.
struct ReadAhead {
  struct Ports {
    InStream<2> s_axis;
    OutStream<3> m_axis;
  };
  void step(Ports& ports) {
    const bool takes = stored_ != 2 && !ports.s_axis.empty();
    const bool writes = turn_ && stored_ != 0;
    turn_ = !turn_;
    if (writes) {
      const uint<3> word = words_.read(static_cast<std::uint32_t>(first_));
      ports.m_axis.write(static_cast<uint<3>>(word * 3 + first_));
    }
    if (takes) words_.write(static_cast<std::uint32_t>(last_), ports.s_axis.read());
    if (takes) last_ = static_cast<uint<1>>(~last_);
    if (writes) first_ = static_cast<uint<1>>(~first_);
    stored_ = static_cast<uint<2>>(stored_ + (takes ? 1 : 0) - (writes ? 1 : 0));
  }
  Ram<2, 2> words_;
  bool turn_ = false;
  uint<2> stored_ = 0;
  uint<1> first_ = 0;
  uint<1> last_ = 0;
};

// One input is waited for, the other is not; whether it is there is seen in the output.
struct Either {
  struct Ports {
    InStream<2> always;
    InStream<2> sometimes;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    uint<4> value = ports.always.read();
    const bool none = ports.sometimes.empty();
    if (!none && !skip_) value = static_cast<uint<4>>(value * 3 + ports.sometimes.read());
    ports.m_axis.write(static_cast<uint<4>>((value ^ (value << 1)) + none));
    skip_ = !skip_;
  }
  bool skip_ = false;
};

// What it writes was never given a value.
struct Unset {
  struct Ports {
    InStream<2> s_axis;
    OutStream<2> m_axis;
  };
  void step(Ports& ports) {
    ports.m_axis.write(last_);
    last_ = ports.s_axis.read();
  }
  uint<2> last_;
};

// A hash of each beat; those that find no room are dropped and counted.
struct Spill {
  struct Ports {
    InStream<2, Last> s_axis;
    OutStream<3, User<2>, Last> m_axis;
  };
  void step(Ports& ports) {
    const Beat<2, Last> beat = ports.s_axis.read();
    const bool drops = ports.m_axis.full();
    total_ = total_ + beat.data;
    const uint<3> hash = (total_ ^ (total_ >> 1)) + 5;
    Beat<3, User<2>, Last> out;
    out.data = hash ^ (hash << 1);
    out.user = lost_;
    out.last = beat.last;
    if (!drops) ports.m_axis.write(out);
    lost_ = drops ? uint<2>(lost_ + 1) : uint<2>(0);
  }
  uint<3> total_ = 1;
  uint<2> lost_ = 0;
};

// A beat goes where there is room, and none is read where there is none.
struct Share {
  struct Ports {
    InStream<2> s_axis;
    OutStream<2> left;
    OutStream<2> right;
  };
  void step(Ports& ports) {
    if (ports.left.full() && ports.right.full()) return;
    const uint<2> beat = ports.s_axis.read();
    if (!ports.left.full()) {
      ports.left.write(beat);
    } else {
      ports.right.write(uint<2>(~beat));
    }
  }
};

// Beats to an output that waits, and every second one to one that is asked, where it waits only for the third.
struct Both {
  struct Ports {
    InStream<2> s_axis;
    OutStream<3> sums;
    OutStream<2> copies;
  };
  void step(Ports& ports) {
    const uint<2> beat = ports.s_axis.read();
    total_ = total_ + beat;
    const uint<3> hash = (total_ ^ (total_ >> 1)) + 5;
    ports.sums.write(hash ^ (hash << 1));
    if (beat == 3 || !ports.copies.full()) ports.copies.write(beat);
  }
  uint<3> total_ = 1;
};

// Beats are taken and not looked at.
struct Ticks {
  struct Ports {
    InStream<3> s_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    ports.s_axis.read();
    count_ += 1;
    ports.m_axis.write(count_);
  }
  uint<4> count_ = 0;
};

// Each of these does what has no meaning on some beats, and must be right on the others.
struct Outside {
  struct Ports {
    InStream<3> s_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    const uint<3> at = ports.s_axis.read();
    counts_[at] += 1;
    ports.m_axis.write(counts_[0] + behind_);
  }
  uint<4> counts_[5] = {};
  uint<4> behind_ = 3;
};

struct TooFar {
  struct Ports {
    InStream<3> s_axis;
    InStream<6> t_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    const int number = ports.s_axis.read().to_int(), amount = ports.t_axis.read().to_int();
    ports.m_axis.write(number >> amount);
  }
};

struct ByZero {
  struct Ports {
    InStream<3> s_axis;
    InStream<2> t_axis;
    OutStream<4> m_axis;
  };
  void step(Ports& ports) {
    const uint<3> number = ports.s_axis.read();
    const uint<2> divisor = ports.t_axis.read();
    ports.m_axis.write(number / divisor + number % divisor);
  }
};

struct OutsideRam {
  struct Ports {
    InStream<2> s_axis;
    OutStream<2> m_axis;
  };
  void step(Ports& ports) {
    const uint<2> at = ports.s_axis.read();
    ports.m_axis.write(words_.read(at));
    words_.write(at, words_.read(at) + 1);
  }
  static constexpr std::uint8_t kWords[3] = {1, 2, 3};
  Ram<2, 3> words_ = kWords;
};

}  // namespace proof_units

#endif
