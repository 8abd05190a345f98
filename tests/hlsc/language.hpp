// Units for the tests of what hlsc understands of C++.
#ifndef TESTS_HLSC_LANGUAGE_HPP
#define TESTS_HLSC_LANGUAGE_HPP

#include <algorithm>
#include <cassert>

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace language {

using thresher::InStream;
using thresher::OutStream;
using thresher::popcount;
using thresher::Ram;
using thresher::sint;
using thresher::uint;

// Every integer operator on two operands of any width, signed and unsigned.
template <int Width>
struct Operators {
  using Signed = sint<Width>;
  using Unsigned = uint<Width>;
  struct Ports {
    InStream<Width> a;
    InStream<Width> b;
    OutStream<Width> sum, difference, product, both, either, one, inverse, negative;
    OutStream<Width> up, down, down_signed, quotient, remainder, quotient_signed, remainder_signed;
    OutStream<12> compared;
    OutStream<16> ones;
    OutStream<2 * Width> extended;
    OutStream<(Width + 1) / 2> cut;
  };

  void step(Ports& p) {
    const Unsigned a = p.a.read(), b = p.b.read();
    const Signed x = static_cast<Signed>(a), y = static_cast<Signed>(b);
    const int amount = static_cast<int>(static_cast<uint<16>>(b) % static_cast<uint<16>>(Width));
    p.sum.write(a + b);
    p.difference.write(a - b);
    p.product.write(a * b);
    p.both.write(a & b);
    p.either.write(a | b);
    p.one.write(a ^ b);
    p.inverse.write(~a);
    p.negative.write(-a);
    p.up.write(a << amount);
    p.down.write(a >> amount);
    p.down_signed.write(static_cast<Unsigned>(x >> amount));
    p.quotient.write(a / static_cast<Unsigned>(3));
    p.remainder.write(a % static_cast<Unsigned>(3));
    p.quotient_signed.write(static_cast<Unsigned>(x / static_cast<Signed>(-2)));
    p.remainder_signed.write(static_cast<Unsigned>(x % static_cast<Signed>(-2)));
    const bool found[12] = {a == b, a != b, a < b, a <= b, a > b, a >= b, x == y, x != y, x < y, x <= y, x > y, x >= y};
    uint<12> compared = 0;
    for (int bit = 0; bit < 12; ++bit) compared = compared | static_cast<uint<12>>(static_cast<uint<12>>(found[bit]) << bit);
    p.compared.write(compared);
    p.ones.write(static_cast<uint<16>>(popcount<Width>(a)));
    p.extended.write(static_cast<uint<2 * Width>>(static_cast<sint<2 * Width>>(x)));
    p.cut.write(static_cast<uint<(Width + 1) / 2>>(a));
  }
};

// Reads that depend on what was read before: on one stream, in either order, in a chain.
struct Follow {
  struct Ports {
    InStream<8> command, data;
    OutStream<16> m;
  };
  void step(Ports& p) {
    const uint<8> command = p.command.read();
    uint<8> data = 0;
    if (command & 1) data = p.data.read();
    p.m.write(static_cast<uint<16>>(command) << 8 | data);
  }
};

struct EitherOrder {
  struct Ports {
    InStream<8> left, right;
    OutStream<16> m;
  };
  void step(Ports& p) {
    uint<8> left = 0, right = 0;
    if (turn_) {
      left = p.left.read();
      if (left & 2) right = p.right.read();
    } else {
      right = p.right.read();
      if (right & 4) left = p.left.read();
    }
    p.m.write(static_cast<uint<16>>(left) << 8 | right);
    turn_ = static_cast<uint<1>>(left ^ right);
  }
  uint<1> turn_ = 0;
};

struct Chain {
  struct Ports {
    InStream<3> first;
    InStream<3> second;
    InStream<3> third;
    OutStream<9> m;
    OutStream<3> skipped;
  };
  void step(Ports& p) {
    const uint<3> first = p.first.read();
    if ((first & 1) == 0) {
      p.skipped.write(first);
      return;
    }
    const uint<3> second = p.second.read();
    uint<3> third = 7;
    if (second > 3) third = p.third.read();
    p.m.write(static_cast<uint<9>>(static_cast<uint<9>>(first) << 6 | static_cast<uint<9>>(second) << 3 | third));
  }
};

// Uses of one stream and of one memory under conditions that exclude each other, in statements apart.
struct Apart {
  struct Ports {
    InStream<8> s;
    OutStream<20> m;
  };
  void step(Ports& p) {
    uint<8> beat = 0;
    if (count_ == 1) beat = p.s.read();
    if (count_ >= 2 && count_ < 900) beat = static_cast<uint<8>>(p.s.read() + 1);
    const uint<8> old = memory_.read(static_cast<std::uint32_t>(count_ & 3));
    if (count_ > 1000) memory_.write(static_cast<std::uint32_t>(count_ & 3), beat);
    if (count_ < 4) memory_.write(static_cast<std::uint32_t>(count_ & 3), static_cast<uint<8>>(count_));
    const bool even = (count_ & 1) == 0;
    if (even) p.m.write(static_cast<uint<20>>(beat));
    if (!even && count_ != 3) p.m.write(static_cast<uint<20>>(count_) << 8 | beat);
    if (count_ == 3) p.m.write(static_cast<uint<20>>(77));
    total_ = total_ + old;
    count_ = count_ + 1;
  }
  uint<12> count_ = 0;
  uint<8> total_ = 0;
  Ram<8, 4> memory_;
};

// The inverse of a distance: clang adds one address to the inverse of the other.
struct Distance {
  struct Ports {
    InStream<16> s;
    OutStream<16> m;
  };
  void step(Ports& p) {
    const uint<16> beat = p.s.read();
    words_[2] = static_cast<std::uint8_t>((beat >> 8).to_uint());
    const std::uint8_t* found = std::find(words_, words_ + 4, static_cast<std::uint8_t>(beat.to_uint()));
    p.m.write(uint<16>(-beat & ~uint<64>(found - words_)));
  }
  std::uint8_t words_[4] = {3, 90, 0, 200};
};

// Arrays at variable indices in every form, structures, two bases with members of the same name.
struct Left {
  uint<8> value = 1;
};
struct Right {
  uint<8> value = 2;
};

struct Arrays : Left, Right {
  struct Entry {
    uint<5> key = 0;
    uint<8> values[3] = {1, 2, 3};
  };
  struct Ports {
    InStream<16> s;
    OutStream<32> m;
  };

  void step(Ports& p) {
    const uint<16> beat = p.s.read();
    const int row = static_cast<int>(beat & 3), column = static_cast<int>((beat >> 2) % 3);
    before_[position_ - 1] = static_cast<uint<8>>(beat >> 4);
    grid_[row][column] = static_cast<uint<8>>(grid_[3 - row][2 - column] + before_[4 - position_]);
    Entry& entry = entries_[row];
    entry.key = static_cast<uint<5>>(entry.key + beat);
    entry.values[column] = grid_[row][0];
    if (beat & 64) entries_[0] = entry;
    Left::value = static_cast<uint<8>>(Left::value * 3 + column);
    Right::value = static_cast<uint<8>>(Right::value + Left::value);
    const uint<8> low = entries_[3 - row].values[column];
    p.m.write(static_cast<uint<32>>(static_cast<uint<32>>(entry.key) << 24 | static_cast<uint<32>>(low) << 16 |
                                    static_cast<uint<32>>(Right::value) << 8 | after_[position_ - 1]));
    after_[row] = low;
    position_ = static_cast<uint<3>>(1 + row);
  }

  uint<8> before_[4] = {};
  uint<8> grid_[4][3] = {};
  uint<8> after_[4] = {9, 8, 7, 6};
  Entry entries_[4];
  uint<3> position_ = 1;
};

// Switches on dense and on sparse values, with cases that fall through, and a step that returns early.
struct Switches {
  struct Ports {
    InStream<16> s;
    OutStream<16> m;
  };
  void step(Ports& p) {
    const uint<16> beat = p.s.read();
    switch (static_cast<int>(beat & 7)) {
      case 0: state_ = state_ + 1; break;
      case 1: state_ = state_ * 5; [[fallthrough]];
      case 2: state_ = state_ ^ beat; break;
      case 3: return;
      case 4: state_ = state_ >> 1; break;
      case 5: state_ = ~state_; break;
      default: state_ = state_ - 3;
    }
    switch (static_cast<int>(beat >> 4)) {
      case 5: state_ = 1; break;
      case 100: state_ = 2; break;
      case 1000:
      case 3000: state_ = 3; break;
      case 4095: state_ = 4; break;
    }
    p.m.write(state_);
  }
  uint<16> state_ = 12345;
};

// A table of bytes, which LLVM writes as text, with a backslash, a quote and an unprintable byte in it.
static constexpr std::uint8_t kBytes[8] = {92, 65, 34, 7, 92, 92, 0, 255};

struct Bytes {
  struct Ports {
    InStream<3> s;
    OutStream<8> m;
  };
  void step(Ports& p) { p.m.write(kBytes[static_cast<std::uint8_t>(p.s.read())]); }
};

// What a condition does is done, and what it says is not relied upon: it does not always hold.
struct Asserted {
  struct Ports {
    InStream<8> s;
    OutStream<16> m;
  };
  void step(Ports& p) {
    uint<8> beat = 0;
    assert((beat = p.s.read()) < 100);
    assert(++count_ < 5 || beat == 7);
    p.m.write(beat * 256 + count_);
  }
  uint<8> count_ = 0;
};

// Members without a name: two unions, whose bytes are the state, and a class in one of them. None has elements in `none`.
struct Nameless {
  struct Ports {
    InStream<8> s;
    OutStream<32> m;
  };
  void step(Ports& p) {
    sum += p.s.read().to_uint();
    low = static_cast<std::uint8_t>(low + sum);
    p.m.write(both);
  }
  union {
    std::uint16_t sum = 3;
  };
  union {
    std::uint32_t both = 0x01020304;
    struct {
      std::uint8_t low;
      std::uint8_t high;
    };
  };
  int none[0];
};

}  // namespace language

#endif
