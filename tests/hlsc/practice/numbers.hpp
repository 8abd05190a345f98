// Arithmetic, orders and bits.
#ifndef PRACTICE_NUMBERS_HPP
#define PRACTICE_NUMBERS_HPP

#include "brief.hpp"

#include <algorithm>
#include <array>
#include <compare>

#include "thresher/bits.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace practice {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::sint;
using thresher::uint;
using thresher::with_bits;

// Sine and cosine of an angle of 16 bits a turn, by 14 rotations; a whole is 2^14.
struct Cordic {
  struct Ports {
    InStream<16> s_axis;
    OutStream<18> cosine;
    OutStream<18> sine;
  };

  void step(Ports& ports) {
    const uint<16> angle = ports.s_axis.read();
    // A quarter to either side is reached by rotations; what is behind is turned half around.
    const bool behind = bits_at<1>(angle, 15) != bits_at<1>(angle, 14);
    sint<20> rest = sint<20>(sint<16>(behind ? angle + 0x8000 : angle + 0)) << 4;
    sint<22> x = behind ? -159188 : 159188, y = 0;
    for (int turn = 0; turn < 14; ++turn) {
      const sint<22> dx = y >> turn, dy = x >> turn;
      if (rest < 0) {
        x += dx;
        y -= dy;
        rest += kAngles[turn];
      } else {
        x -= dx;
        y += dy;
        rest -= kAngles[turn];
      }
    }
    ports.cosine.write((x + 8) >> 4);
    ports.sine.write((y + 8) >> 4);
  }

 private:
  // The angles whose tangents are 2^-n, with 2^20 for a turn.
  static constexpr int kAngles[14] = {131072, 77376, 40884, 20753, 10417, 5213, 2607, 1304, 652,
                                      326, 163, 81, 41, 20};
};

struct IntegerSquareRoot {
  struct Ports {
    InStream<32> s_axis;
    OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const uint<32> square = ports.s_axis.read();
    uint<16> root = 0;
    for (int bit = 15; bit >= 0; --bit) {
      const uint<16> tried = root | (1 << bit);
      if (tried * tried <= square) root = tried;
    }
    ports.m_axis.write(root);
  }
};

// Restoring division, a bit a step: it takes two numbers, and 16 steps for them.
struct Divider {
  struct Ports {
    InStream<16> dividend;
    InStream<16> divisor;
    OutStream<32> m_axis;
  };

  void step(Ports& ports) {
    if (left_ == 0) {
      quotient_ = ports.dividend.read();
      divisor_ = ports.divisor.read();
      rest_ = 0;
      left_ = 16;
      return;
    }
    const uint<17> rest = rest_ << 1 | bits_at<1>(quotient_, 15);
    const bool fits = rest >= divisor_;
    rest_ = rest;
    if (fits) rest_ -= divisor_;
    quotient_ = quotient_ << 1 | fits;
    if (--left_ == 0) ports.m_axis.write(uint<32>(rest_) << 16 | quotient_);
  }

 private:
  uint<17> rest_ = 0;
  uint<16> quotient_ = 0, divisor_ = 0;
  uint<5> left_ = 0;
};

// exp(x) and sin(x) of small x, at compile time.
constexpr double power_series(double x, int first, int stride, bool alternate) {
  double sum = 0, term = 1;
  for (int order = 0; order < 40; ++order) {
    if (order > 0) term *= x / order;
    if (order % stride == first) sum += alternate && order / 2 % 2 ? -term : term;
  }
  return sum;
}

// A numerically controlled oscillator: each beat is a frequency. A quarter of a sine is kept.
struct Nco {
  struct Ports {
    InStream<24> s_axis;
    OutStream<12> m_axis;
  };

  void step(Ports& ports) {
    phase_ += ports.s_axis.read();
    const uint<2> quarter = phase_ >> 22;
    uint<6> place = phase_ >> 16;
    if (quarter == 1 || quarter == 3) place = ~place;
    const int level = kQuarter[place];
    ports.m_axis.write(quarter >= 2 ? -level : level);
  }

 private:
  static constexpr std::array<std::int16_t, 64> kQuarter = [] {
    std::array<std::int16_t, 64> quarter{};
    for (int place = 0; place < 64; ++place) {
      const double angle = (place + 0.5) * 3.14159265358979323846 / 128;
      quarter[place] = std::int16_t(2047 * power_series(angle, 1, 2, true) + 0.5);
    }
    return quarter;
  }();
  uint<24> phase_ = 0;
};

// exp(-n / 32) in 2^16ths, as softmax needs it.
struct Exponentials {
  std::uint64_t words[256][1];
  constexpr Exponentials() : words{} {
    for (int place = 0; place < 256; ++place)
      words[place][0] = std::uint64_t(65535 / power_series(place / 32.0, 0, 1, false) + 0.5);
  }
};

// The weights of a softmax over eight scores, and their sum: exp of how far each is below the largest.
struct Softmax {
  struct Ports {
    InStream<64> s_axis;
    OutStream<128> weights;
    OutStream<19> sum;
  };

  void step(Ports& ports) {
    const uint<64> beat = ports.s_axis.read();
    std::array<sint<8>, 8> scores;
    for (int lane = 0; lane < 8; ++lane) scores[lane] = bits_at<8>(beat, 8 * lane);
    const sint<8> largest = *std::max_element(scores.begin(), scores.end());
    uint<128> weights = 0;
    uint<19> sum = 0;
    for (int lane = 0; lane < 8; ++lane) {
      const uint<16> weight = thresher::rom_read<16>(kTable.words, largest - scores[lane]);
      weights = with_bits<16>(weights, 16 * lane, weight);
      sum += weight;
    }
    ports.weights.write(weights);
    ports.sum.write(sum);
  }

 private:
  static constexpr Exponentials kTable{};
};

// Decimal digits by doubling: three is added to each digit that would overflow.
struct DoubleDabble {
  struct Ports {
    InStream<14> s_axis;
    OutStream<20> m_axis;
  };

  void step(Ports& ports) {
    const uint<14> binary = ports.s_axis.read();
    std::array<uint<4>, 5> digits{};
    for (int bit = 13; bit >= 0; --bit) {
      for (uint<4>& digit : digits) {
        if (digit >= 5) digit += 3;
      }
      for (int place = 4; place > 0; --place) digits[place] = digits[place] << 1 | digits[place - 1] >> 3;
      digits[0] = digits[0] << 1 | bits_at<1>(binary, bit);
    }
    uint<20> packed = 0;
    for (int place = 0; place < 5; ++place) packed = with_bits<4>(packed, 4 * place, digits[place]);
    ports.m_axis.write(packed);
  }
};

// The least and the greatest binary32 so far; not-a-numbers do not count, -0 is below 0.
struct FloatRange {
  struct Ports {
    InStream<32> s_axis;
    OutStream<64> m_axis;
  };

  void step(Ports& ports) {
    const std::uint32_t bits = ports.s_axis.read();
    if ((bits & 0x7fffffff) <= 0x7f800000) {
      if (!any_ || key(bits) < key(least_)) least_ = bits;
      if (!any_ || key(bits) > key(greatest_)) greatest_ = bits;
      any_ = true;
    }
    ports.m_axis.write(uint<64>(greatest_) << 32 | least_);
  }

 private:
  static std::uint32_t key(std::uint32_t bits) { return bits >> 31 ? ~bits : bits | 0x80000000; }

  std::uint32_t least_ = 0x7fc00000, greatest_ = 0x7fc00000;
  bool any_ = false;
};

// The ticks between events by a clock that wraps, and the longest so far.
struct TimeStamps {
  struct Ports {
    InStream<16> s_axis;
    OutStream<16> ticks;
    OutStream<16> longest;
  };

  void step(Ports& ports) {
    const uint<16> now = ports.s_axis.read();
    const uint<16> ticks = now - before_;
    before_ = now;
    longest_ = std::max(longest_, ticks);
    ports.ticks.write(ticks);
    ports.longest.write(longest_);
  }

 private:
  uint<16> before_ = 0, longest_ = 0;
};

}  // namespace practice

#endif
