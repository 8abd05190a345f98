// Units that read and write bits, ranges and concatenations in place.
#ifndef TESTS_HLSC_BIT_UNITS_HPP
#define TESTS_HLSC_BIT_UNITS_HPP

#include "thresher/bits.hpp"
#include "thresher/stream.hpp"

namespace units {

using thresher::sint;
using thresher::uint;

// Constant places: no logic but wires.
struct BitWires {
  struct Ports {
    thresher::InStream<16> s_axis;
    thresher::OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const uint<16> word = ports.s_axis.read();
    uint<16> result = word;
    result.range(7, 4) = word(15, 12);
    result(15, 14) = (word[0], word[1]);
    result[8] = word[9];
    result.set(2);
    (result[1], result(13, 12)) = word.range(6, 4);
    ports.m_axis.write(result);
  }
};

// Variable places.
struct BitPlaces {
  struct Ports {
    thresher::InStream<13> word;
    thresher::InStream<4> place;
    thresher::OutStream<1> bit;
    thresher::OutStream<13> written;
    thresher::OutStream<13> range;
    thresher::OutStream<13> replaced;
    thresher::OutStream<13> rotated;
  };

  void step(Ports& ports) {
    const uint<13> word = ports.word.read();
    const uint<4> wide = ports.place.read();
    const uint<4> place = wide % 13;
    ports.bit.write(word[place]);
    uint<13> written = word;
    written[place] = !written[12 - place];
    ports.written.write(written);
    ports.range.write(word.range(12, place));
    uint<13> replaced = word;
    replaced(place, 0) = word(12, 12 - place);
    ports.replaced.write(replaced);
    uint<13> rotated = word;
    rotated.lrotate(place);
    ports.rotated.write(rotated);
  }
};

// Concatenations, of members and of signed numbers too.
struct Joined {
  struct Ports {
    thresher::InStream<7> a;
    thresher::InStream<70> b;
    thresher::OutStream<77> both;
    thresher::OutStream<80> sums;
    thresher::OutStream<1> odd;
    thresher::OutStream<70> reversed;
  };

  void step(Ports& ports) {
    const uint<7> a = ports.a.read();
    uint<70> b = ports.b.read();
    ports.both.write((a, b));
    (carry_, sum_) = sum_ + b;
    const sint<9> low = b(8, 0);
    ports.sums.write((carry_, sum_, low));
    ports.odd.write(b.xor_reduce());
    ports.reversed.write(b.reverse());
  }

 private:
  uint<1> carry_ = 0;
  uint<70> sum_ = 0;
};

// Parities of few bits where only some steps take them: clang then makes one case of two conditions of a loop.
struct Parities {
  struct Ports {
    thresher::InStream<8> s_axis;
    thresher::OutStream<1> m_axis;
  };

  void step(Ports& ports) {
    const uint<8> beat = ports.s_axis.read();
    switch (static_cast<unsigned>(beat(7, 6))) {
      case 0: odd_ = beat[0] != 0; break;
      case 1: odd_ = uint<1>(beat).xor_reduce(); break;
      case 2: odd_ = uint<2>(beat).xor_reduce(); break;
      default: odd_ = sint<5>(beat).xor_reduce(); break;
    }
    ports.m_axis.write(odd_);
  }

 private:
  uint<1> odd_ = 0;
};

}  // namespace units

#endif
