// Units with something of everything, for the tests of what hlsc prints.
#ifndef TESTS_HLSC_UNITS_HPP
#define TESTS_HLSC_UNITS_HPP

#include "bit_units.hpp"
#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace units {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::popcount;
using thresher::Ram;
using thresher::rom_read;
using thresher::sint;
using thresher::uint;
using thresher::with_bits;

// A beat goes through as it is.
struct Wire {
  struct Ports {
    InStream<7> s_axis;
    OutStream<7> m_axis;
  };
  void step(Ports& ports) { ports.m_axis.write(ports.s_axis.read()); }
};

// A binary matrix-vector unit: 2 rows at a time, 9 columns at a time, 4 row tiles of 3 column tiles.
static constexpr std::uint64_t weights[2][12][1] = {
    {{301}, {77}, {123}, {408}, {509}, {6}, {77}, {208}, {309}, {410}, {411}, {12}},
    {{11}, {222}, {333}, {444}, {55}, {66}, {177}, {288}, {399}, {500}, {501}, {2}}};

struct MatrixVector {
  struct Ports {
    InStream<9> s_axis;
    OutStream<2> m_axis;
  };

  void step(Ports& ports) {
    const bool first = column_ == 0;
    const bool last = column_ == 2;
    uint<9> beat;
    if (row_ == 0) {
      beat = ports.s_axis.read();
      vector_.write(static_cast<std::uint32_t>(column_), beat);
    } else {
      beat = vector_.read(static_cast<std::uint32_t>(column_));
    }
    uint<2> signs = 0;
    for (int pe = 0; pe < 2; ++pe) {
      const auto matches = popcount<9>(~(beat ^ rom_read<9>(weights[pe], static_cast<std::uint32_t>(tile_))));
      sum_[pe] = (first ? static_cast<sint<6>>(-14) : sum_[pe]) + static_cast<sint<6>>(matches);
      signs = with_bits<1, 2>(signs, pe, static_cast<uint<1>>(sum_[pe] >= 0));
    }
    if (last) ports.m_axis.write(signs);
    column_ = last ? uint<2>(0) : uint<2>(column_ + 1);
    if (last) row_ = row_ + 1;
    tile_ = tile_ == 11 ? uint<4>(0) : uint<4>(tile_ + 1);
  }

  uint<2> row_ = 0;
  uint<2> column_ = 0;
  uint<4> tile_ = 0;
  sint<6> sum_[2];
  Ram<9, 3> vector_;
};

// Two inputs, two outputs, arrays, a switch, division and products.
struct Mixed {
  struct Ports {
    InStream<12> left;
    InStream<5> right;
    OutStream<16> sum;
    OutStream<4> odd;
  };
  struct Pair {
    uint<12> low;
    sint<12> high;
  };

  void step(Ports& ports) {
    const uint<12> left = ports.left.read();
    uint<5> right = last_;
    if (turn_ % 3 == 0) right = ports.right.read();
    history_[static_cast<int>(turn_ & 3)].low = left / 7;
    history_[3].high = static_cast<sint<12>>(left) * 5;
    switch (static_cast<int>(right & 3)) {
      case 0: total_ = total_ + left; break;
      case 1: total_ = total_ - right; break;
      case 2: total_ = static_cast<uint<16>>(total_ * right); break;
      default: total_ = total_ ^ history_[1].low;
    }
    ports.sum.write(total_);
    if (right & 1) ports.odd.write(static_cast<uint<4>>(history_[3].high >> 3));
    last_ = right;
    turn_ = turn_ + 1;
  }

  uint<16> total_ = 3;
  uint<5> last_ = 0;
  uint<5> turn_ = 0;
  Pair history_[4] = {};
};

// Steps without reading.
struct Counter {
  struct Ports {
    OutStream<3> m_axis;
  };
  void step(Ports& ports) { ports.m_axis.write(count_++); }
  uint<3> count_ = 5;
};

// What C++ has besides: classes in classes, inheritance, enumerations, bit fields, lambdas, wide types.
struct Base {
  uint<3> inherited = 1;
};

struct Language : Base {
  enum class Mode : std::uint8_t { kIdle, kRun, kStop };
  struct Ports {
    InStream<300> wide;
    InStream<8> unused;
    InStream<6> pair[2];
    OutStream<300> result;
    OutStream<17> summary;
    OutStream<1> never;
  };
  struct Fields {
    unsigned count : 5;
    unsigned flag : 1;
    std::int8_t small;
  };

  void step(Ports& ports) {
    const uint<300> beat = ports.wide.read();
    const auto rotate = [](uint<300> word, int by) { return static_cast<uint<300>>((word << by) | (word >> (300 - by))); };
    uint<6> other = 0;
    if (mode_ == Mode::kRun) {
      other = ports.pair[0].read();
    } else if (mode_ == Mode::kStop) {
      other = ports.pair[1].read();
    }
    uint<8> grid[2][3];
    for (int row = 0; row < 2; ++row) {
      for (int column = 0; column < 3; ++column) grid[row][column] = bits_at<8, 300>(beat, 40 * row + 13 * column);
    }
    const uint<8> chosen = grid[static_cast<int>(other & 1)][static_cast<int>(fields_.count % 3)];
    table_[static_cast<int>(other & 3)][1] = chosen;
    static constexpr signed char kSteps[5] = {1, -2, 3, -4, 5};
    fields_.small = static_cast<std::int8_t>(fields_.small + kSteps[fields_.count % 5]);
    fields_.flag ^= thresher::bits_at<1, 8>(chosen, 7);
    fields_.count += 3;
    held_ = held_ ^ rotate(beat, 77);
    if (fields_.flag) ports.result.write(static_cast<uint<300>>(held_ * 3u));
    const int best = table_[0][1] > table_[2][1] ? table_[0][1] : table_[2][1];
    const sint<17> sum = static_cast<sint<17>>(fields_.small * best - inherited);
    ports.summary.write(static_cast<uint<17>>(sum));
    inherited = static_cast<uint<3>>(inherited + other);
    switch (mode_) {
      case Mode::kIdle: mode_ = Mode::kRun; break;
      case Mode::kRun: mode_ = best > 100 ? Mode::kStop : Mode::kIdle; break;
      case Mode::kStop: mode_ = Mode::kIdle; break;
    }
  }

  Mode mode_ = Mode::kIdle;
  Fields fields_ = {0, 0, -3};
  uint<300> held_ = 0;
  uint<8> table_[4][2] = {};
};

// Names that SystemVerilog keeps for itself, and bits that nothing reads.
struct Awkward {
  struct Ports {
    InStream<40> always;
    OutStream<1> output;
  };
  void step(Ports& ports) {
    const uint<40> wire = ports.always.read();
    reg = static_cast<uint<9>>(wire >> 3);
    ports.output.write(static_cast<uint<1>>((reg & 4) != 0));
  }
  uint<9> reg = 0;
};

// A table and a memory large enough for block memory. The memory is often read where it is written.
struct Squares {
  constexpr Squares() {
    for (std::uint64_t index = 0; index < 1024; ++index) words[index][0] = index * index % 4093;
  }
  std::uint64_t words[1024][1] = {};
};
static constexpr Squares squares{};

struct Blocks {
  struct Ports {
    InStream<12> s_axis;
    OutStream<25> m_axis;
  };

  void step(Ports& ports) {
    const uint<12> beat = ports.s_axis.read();
    const uint<12> square = rom_read<12>(squares.words, static_cast<std::uint32_t>(beat & 1023));
    const bool filling = filled_ < 4;
    const uint<13> before = memory_.read(static_cast<std::uint32_t>(beat & 3));
    if (filling || (beat & 64)) {
      memory_.write(filling ? filled_ : uint<3>((beat >> 2) & 3), beat * 3);
    }
    if (filling) {
      filled_ = static_cast<uint<3>>(filled_ + 1);
    } else {
      ports.m_axis.write(static_cast<uint<25>>(square) << 13 | before);
    }
  }

  uint<3> filled_ = 0;
  Ram<13, 1024> memory_;
};

// A table as long as `Depth` says, of what `Style` asks for.
template <int Depth>
struct Cubes {
  constexpr Cubes() {
    for (std::uint64_t index = 0; index < Depth; ++index) words[index][0] = index * index * index % 251;
  }
  std::uint64_t words[Depth][1] = {};
};
template <int Depth>
static constexpr Cubes<Depth> cubes{};

template <int Depth, thresher::RomStyle Style = thresher::RomStyle::kAuto>
struct Table {
  struct Ports {
    InStream<2> s_axis;
    OutStream<8> m_axis;
  };

  void step(Ports& ports) {
    ports.m_axis.write(rom_read<8, Style>(cubes<Depth>.words, static_cast<std::uint32_t>(place_)));
    place_ = static_cast<uint<12>>(place_ + 1 + ports.s_axis.read());
    if (place_ > Depth - 1) place_ = 0;
  }

  uint<12> place_ = 0;
};

using ShortTable = Table<32>;
using LongTable = Table<33>;
using LongestTable = Table<960>;
using BlockTable = Table<1024>;
using ShortBlockTable = Table<8, thresher::RomStyle::kBlock>;
using LutTable = Table<1024, thresher::RomStyle::kDistributed>;

}  // namespace units

#endif
