// A unit that makes the mistake whose number it reads, on the line that says so. 0 is none.
#ifndef TESTS_HLSC_MISTAKES_HPP
#define TESTS_HLSC_MISTAKES_HPP

#include <array>
#include <cassert>

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace mistakes {

static constexpr std::uint64_t kSquares[6][1] = {{0}, {1}, {4}, {9}, {16}, {25}};
static constexpr std::array<std::uint8_t, 7> kStart = {9, 8, 7, 6, 5, 4, 3};
static constexpr int kPrimes[4] = {2, 3, 5, 7};

// A number of a class, so that an element is an object that member functions are called for.
class Level {
 public:
  Level() = default;
  Level& operator=(int level) {
    level_ = level;
    return *this;
  }
  operator int() const { return level_; }

 private:
  int level_ = 0;
};

enum Colour { kRed, kGreen };

struct Any {
  struct Ports {
    thresher::InStream<8> number;
    thresher::InStream<16> value;
    thresher::OutStream<32> m_axis;
  };

  void step(Ports& ports) {
    const int number = static_cast<int>(ports.number.read());
    value_ = static_cast<int>(static_cast<unsigned>(ports.value.read()));
    const int local[3] = {value_, 1, 2};
    int result = 0;
    if (number == 1) result = members_[value_];  // a member array
    if (number == 2) members_[value_ - 9] = 1;  // a negative index
    if (number == 3) result = local[value_];  // a local array
    if (number == 4) result = kPrimes[value_];  // a constant table
    if (number == 5) result = static_cast<int>(thresher::rom_read<6>(kSquares, static_cast<std::uint32_t>(value_)));  // a table
    if (number == 6) result = static_cast<int>(ram_.read(static_cast<std::uint32_t>(value_)));  // a read of a Ram
    if (number == 7) ram_.write(static_cast<std::uint32_t>(value_ - 8), 1);  // a write to a Ram
    if (number == 8) levels_[value_] = 1;  // an element of a class
    if (number == 9) result = 1 << value_;  // a shift
    if (number == 10) result = 100 / (value_ - 7);  // a division
    if (number == 11) assert(value_ % 8 != 7 && "seven");  // an assertion
    if (number == 12) result = *pointer(value_);  // a null pointer
    if (number == 13) {
      while (value_ != 0) value_ = value_ | 1;  // a loop
    }
    if (number == 14) __builtin_abort();
    if (number == 15) result = chosen(value_);
    if (number == 16) result = last_[value_];  // the last member
    if (number == 17) result = grid_[1][value_];  // a row of a grid
    if (number == 18) result = copied(levels_[value_]);  // an argument
    if (number == 19) result = (static_cast<int>(0x7fffffff) + value_) * 3;
    if (number == 20) latest_.write(static_cast<std::uint32_t>(value_ - 1), 1);  // a first write
    if (number == 20) latest_.write(static_cast<std::uint32_t>(value_), 1);  // a second write
    if (number == 21) result = static_cast<int>(latest_.read(static_cast<std::uint32_t>(value_)));  // a read behind a write
    thresher::uint<7> word = 0x55;
    if (number == 22) result = word[value_];  // a bit
    if (number == 23) word[value_ - 8] = 0;  // a negative bit
    if (number == 24) word(value_, 0) = 1;  // a range
    if (number == 25) result = word.range(2, value_ - 3).to_int();  // a range the wrong way round
    if (number == 26) word.lrotate(value_);  // a rotation
    if (number > 22 && number != 25) result = word;
    ports.m_axis.write(static_cast<thresher::uint<32>>(static_cast<unsigned>(result)));
  }

  static const int* pointer(int value) { return value == 7 ? nullptr : kPrimes; }
  static int copied(Level level) { return level; }
  static int chosen(int value) {  // a function
    if (value != 7) return 1;
  }

  int value_ = 0;
  int members_[4] = {};
  thresher::Ram<8, 6> ram_;
  thresher::Ram<8, 7, thresher::RamOrder::kWriteFirst> latest_ = kStart;
  Level levels_[7];
  int grid_[2][7] = {};
  int last_[7] = {};
};

// Its table is too short for what its constructor puts there.
struct Early {
  struct Ports {
    thresher::InStream<8> s_axis;
    thresher::OutStream<8> m_axis;
  };
  Early() {
    for (volatile int place = 0; place <= 4; place = place + 1) table_[place] = place;  // ahead of the steps
  }
  void step(Ports& ports) { ports.m_axis.write(ports.s_axis.read()); }
  int table_[4];
};

// Its constructor writes a word too many.
struct EarlyWrite {
  struct Ports {
    thresher::InStream<8> s_axis;
    thresher::OutStream<8> m_axis;
  };
  EarlyWrite() {
    for (int place = 0; place <= 4; ++place) memory_.write(place, place);  // a word too many
  }
  void step(Ports& ports) { ports.m_axis.write(ports.s_axis.read()); }
  thresher::Ram<8, 4> memory_;
};

}  // namespace mistakes

#endif
