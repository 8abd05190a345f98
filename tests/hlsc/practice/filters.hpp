// Filters of one signal and of pictures.
#ifndef PRACTICE_FILTERS_HPP
#define PRACTICE_FILTERS_HPP

#include "brief.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace practice {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::sint;
using thresher::uint;

// Eight taps, the newest sample first.
struct Fir {
  struct Ports {
    InStream<12> s_axis;
    OutStream<24> m_axis;
  };

  void step(Ports& ports) {
    for (int tap = 7; tap > 0; --tap) samples_[tap] = samples_[tap - 1];
    samples_[0] = ports.s_axis.read();
    sint<24> sum = 0;
    for (int tap = 0; tap < 8; ++tap) sum += samples_[tap] * kTaps[tap];
    ports.m_axis.write(sum);
  }

 private:
  static constexpr int kTaps[8] = {-3, 11, -97, 511, 509, -101, 13, -512};
  sint<12> samples_[8] = {};
};

// Direct form I, coefficients with 14 bits behind the point, rounded to nearest, saturating.
struct Biquad {
  struct Ports {
    InStream<16> s_axis;
    OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const sint<16> x = ports.s_axis.read();
    const auto sum = 4096 * x + 8192 * x1_ + 4096 * x2_ + sint<16>(18000) * y1_ - sint<16>(9000) * y2_;
    const sint<24> rounded = (sum + (1 << 13)) >> 14;
    sint<16> y = rounded;
    if (rounded > 32767) y = 32767;
    if (rounded < -32768) y = -32768;
    x2_ = x1_;
    x1_ = x;
    y2_ = y1_;
    y1_ = y;
    ports.m_axis.write(y);
  }

 private:
  sint<16> x1_ = 0, x2_ = 0, y1_ = 0, y2_ = 0;
};

// The mean of the last 16 samples, rounded down.
struct MovingAverage {
  struct Ports {
    InStream<10> s_axis;
    OutStream<10> m_axis;
  };

  void step(Ports& ports) {
    const uint<10> sample = ports.s_axis.read();
    sum_ += sample;
    sum_ -= ring_[place_];
    ring_[place_] = sample;
    ++place_;
    ports.m_axis.write(sum_ / 16);
  }

 private:
  uint<10> ring_[16] = {};
  uint<4> place_ = 0;
  uint<14> sum_ = 0;
};

// Three integrators, one of eight, three combs: all wrap, and the result is exact.
struct CicDecimator {
  struct Ports {
    InStream<8> s_axis;
    OutStream<17> m_axis;
  };

  void step(Ports& ports) {
    const sint<8> sample = ports.s_axis.read();
    sums_[0] += sample;
    sums_[1] += sums_[0];
    sums_[2] += sums_[1];
    if (++phase_ != 0) return;
    sint<17> value = sums_[2];
    for (sint<17>& before : before_) {
      const sint<17> difference = value - before;
      before = value;
      value = difference;
    }
    ports.m_axis.write(value);
  }

 private:
  sint<17> sums_[3] = {};
  sint<17> before_[3] = {};
  uint<3> phase_ = 0;
};

// One pole: the output goes an eighth of the way, in sixteenths, rounded to nearest.
struct OnePole {
  struct Ports {
    InStream<12> s_axis;
    OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const sint<16> target = sint<16>(sint<12>(ports.s_axis.read())) << 4;
    level_ += (target - level_ + 4) >> 3;
    ports.m_axis.write(level_);
  }

 private:
  sint<17> level_ = 0;
};

// The median of three columns of three pixels; a beat is a column.
struct MedianOfNine {
  struct Ports {
    InStream<24> s_axis;
    OutStream<8> m_axis;
  };

  void step(Ports& ports) {
    const uint<24> column = ports.s_axis.read();
    for (int row = 0; row < 3; ++row) {
      pixels_[0][row] = pixels_[1][row];
      pixels_[1][row] = pixels_[2][row];
      pixels_[2][row] = bits_at<8>(column, 8 * row);
    }
    uint<8> sorted[9];
    for (int at = 0; at < 9; ++at) sorted[at] = pixels_[at / 3][at % 3];
    for (int round = 0; round < 9; ++round) {
      for (int at = round % 2; at + 1 < 9; at += 2) order(sorted[at], sorted[at + 1]);
    }
    ports.m_axis.write(sorted[4]);
  }

 private:
  static void order(uint<8>& low, uint<8>& high) {
    if (low > high) std::swap(low, high);
  }

  uint<8> pixels_[3][3] = {};
};

// The sum of both gradients of a picture 16 pixels wide, saturated; two lines are kept in a memory.
struct Sobel {
  static constexpr int kColumns = 16, kRows = 10;

  struct Ports {
    InStream<8> s_axis;
    OutStream<8> m_axis;
  };

  void step(Ports& ports) {
    const uint<8> pixel = ports.s_axis.read();
    const uint<16> above = lines_.read(column_);
    lines_.write(column_, (above << 8) | pixel);
    for (int row = 0; row < 3; ++row) {
      window_[row][0] = window_[row][1];
      window_[row][1] = window_[row][2];
    }
    window_[0][2] = bits_at<8>(above, 8);
    window_[1][2] = bits_at<8>(above, 0);
    window_[2][2] = pixel;
    if (row_ >= 2 && column_ >= 2) ports.m_axis.write(gradient());
    if (++column_ == 0) row_ = row_ == kRows - 1 ? uint<4>(0) : uint<4>(row_ + 1);
  }

 private:
  uint<8> gradient() const {
    const auto& w = window_;
    const int across = w[0][2] + 2 * w[1][2] + w[2][2] - w[0][0] - 2 * w[1][0] - w[2][0];
    const int down = w[2][0] + 2 * w[2][1] + w[2][2] - w[0][0] - 2 * w[0][1] - w[0][2];
    return std::min(255, std::abs(across) + std::abs(down));
  }

  thresher::Ram<16, kColumns> lines_;
  uint<8> window_[3][3] = {};
  uint<4> column_ = 0;
  uint<4> row_ = 0;
};

// Products are added; the sum stays within 40 bits. A one in `clear` begins anew.
struct SaturatingMac {
  struct Ports {
    InStream<18> a;
    InStream<18> b;
    InStream<1> clear;
    OutStream<40> m_axis;
  };

  void step(Ports& ports) {
    const sint<18> a = ports.a.read(), b = ports.b.read();
    if (ports.clear.read() == 1) sum_ = 0;
    const sint<41> sum = sum_ + 16 * a * b;
    sum_ = sum > kMost ? kMost : sum < -kMost - 1 ? -kMost - 1 : std::int64_t(sum);
    ports.m_axis.write(sum_);
  }

 private:
  static constexpr std::int64_t kMost = (1ll << 39) - 1;
  sint<40> sum_ = 0;
};

// A matrix of four rows times a vector that comes an element a beat; four sums leave with the last.
struct MatrixVector {
  struct Ports {
    InStream<8> s_axis;
    OutStream<80> m_axis;
  };

  void step(Ports& ports) {
    const std::int8_t element = ports.s_axis.read();
    uint<80> sums = 0;
    for (int row = 0; row < 4; ++row) {
      sums_[row] = (column_ == 0 ? sint<20>(0) : sums_[row]) + kMatrix[row][column_] * element;
      sums = thresher::with_bits<20>(sums, 20 * row, sums_[row]);
    }
    if (column_ == 5) ports.m_axis.write(sums);
    if (++column_ == 6) column_ = 0;
  }

 private:
  static constexpr std::int8_t kMatrix[4][6] = {
      {1, -2, 3, -4, 5, -6}, {127, -128, 127, -128, 127, -128}, {0, 0, 0, 0, 0, 1}, {7, 6, 5, 4, 3, 2}};
  sint<20> sums_[4] = {};
  uint<3> column_ = 0;
};

}  // namespace practice

#endif
