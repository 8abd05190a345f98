// Memories with initial words, two writes in a step, and reads behind writes. A beat has three addresses, two
// conditions and 16 bits of data, of which the words are made: `Width` copies of them, one after the other.
#ifndef TESTS_HLSC_MEMORY_UNITS_HPP
#define TESTS_HLSC_MEMORY_UNITS_HPP

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace memory_units {

using thresher::InStream;
using thresher::OutStream;
using thresher::Ram;
using thresher::RamOrder;
using thresher::uint;

// Words of numbers that a simple generator makes, in 64-bit words.
template <int Width, int Depth>
struct Words {
  std::uint64_t words[Depth][(Width + 63) / 64] = {};
  constexpr Words() {
    std::uint64_t state = 1;
    for (int address = 0; address < Depth; ++address) {
      for (int part = 0; part < (Width + 63) / 64; ++part) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        words[address][part] = state;
      }
    }
  }
};

template <int Width, int Depth>
constexpr Words<Width, Depth> kWords{};

template <int Width, int Depth>
struct Fields {
  std::uint32_t a, b, c;
  bool first, second;
  uint<Width> word;

  explicit Fields(uint<64> beat)
      : a(static_cast<std::uint32_t>(beat & 0x7ff) % Depth),
        b(static_cast<std::uint32_t>((beat >> 11) & 0x7ff) % Depth),
        c(static_cast<std::uint32_t>((beat >> 22) & 0x7ff) % Depth),
        first(((beat >> 33) & 1) != 0),
        second(((beat >> 34) & 1) != 0),
        word(0) {
    const uint<16> data = static_cast<uint<16>>(beat >> 48);
    for (int low = 0; low < Width; low += 16) {
#pragma HLS UNROLL
      word |= static_cast<uint<Width>>(static_cast<uint<Width>>(data) << low);
    }
  }
};

template <int Width, int Words>
struct Ports64 {
  InStream<64> s_axis;
  OutStream<Width * Words> m_axis;
};

template <int Width, int Words>
uint<Width * Words> joined(const uint<Width> (&words)[Words]) {
  uint<Width * Words> result = 0;
  for (int place = 0; place < Words; ++place) {
#pragma HLS UNROLL
    result |= static_cast<uint<Width * Words>>(static_cast<uint<Width * Words>>(words[place]) << (place * Width));
  }
  return result;
}

// Two writes, each on a condition of its own, and two reads before them.
template <int Width, int Depth>
struct TwoWrites {
  using Ports = Ports64<Width, 2>;
  void step(Ports& ports) {
    const Fields<Width, Depth> now(ports.s_axis.read());
    const uint<Width> words[2] = {memory_.read(now.c), memory_.read(now.a)};
    if (now.first) memory_.write(now.a, now.word);
    if (now.second) memory_.write(now.b, static_cast<uint<Width>>(~now.word));
    ports.m_axis.write(joined<Width, 2>(words));
  }
  Ram<Width, Depth> memory_ = kWords<Width, Depth>.words;
};

// A read before, one between and one behind two writes, of which the second is always done.
template <int Width, int Depth>
struct WriteFirst {
  using Ports = Ports64<Width, 3>;
  void step(Ports& ports) {
    const Fields<Width, Depth> now(ports.s_axis.read());
    uint<Width> words[3];
    words[0] = memory_.read(now.c);
    if (now.first) memory_.write(now.a, now.word);
    words[1] = memory_.read(now.second ? now.a : now.c);
    memory_.write(now.b, static_cast<uint<Width>>(~now.word));
    words[2] = memory_.read(now.c);
    ports.m_axis.write(joined<Width, 3>(words));
  }
  Ram<Width, Depth, RamOrder::kWriteFirst> memory_ = kWords<Width, Depth>.words;
};

// One write, and a read behind it: the latest word at an address.
template <int Width, int Depth>
struct Latest {
  using Ports = Ports64<Width, 1>;
  void step(Ports& ports) {
    const Fields<Width, Depth> now(ports.s_axis.read());
    if (now.first) memory_.write(now.a, now.word);
    ports.m_axis.write(memory_.read(now.b));
  }
  Ram<Width, Depth, RamOrder::kWriteFirst> memory_ = kWords<Width, Depth>.words;
};

// A step writes two words or reads two (or three): true dual ports.
template <int Width, int Depth, int Reads = 2>
struct WriteOrRead {
  using Ports = Ports64<Width, Reads>;
  void step(Ports& ports) {
    const Fields<Width, Depth> now(ports.s_axis.read());
    if (now.first) {
      memory_.write(now.a, now.word);
      if (now.second) memory_.write(now.b, static_cast<uint<Width>>(~now.word));
    } else {
      uint<Width> words[Reads];
      words[0] = memory_.read(now.a);
      if (Reads > 1) words[1 % Reads] = memory_.read(now.b);
      if (Reads > 2) words[2 % Reads] = memory_.read(now.c);
      ports.m_axis.write(joined<Width, Reads>(words));
    }
  }
  Ram<Width, Depth> memory_ = kWords<Width, Depth>.words;
};

// Two words change places.
template <int Width, int Depth>
struct Swap {
  using Ports = Ports64<Width, 2>;
  void step(Ports& ports) {
    const Fields<Width, Depth> now(ports.s_axis.read());
    const uint<Width> words[2] = {memory_.read(now.a), memory_.read(now.b)};
    memory_.write(now.a, words[1]);
    memory_.write(now.b, now.first ? now.word : words[0]);
    ports.m_axis.write(joined<Width, 2>(words));
  }
  Ram<Width, Depth> memory_ = kWords<Width, Depth>.words;
};

// Two writes on branches that exclude each other: one port.
template <int Width, int Depth>
struct OneOfTwo {
  using Ports = Ports64<Width, 1>;
  void step(Ports& ports) {
    const Fields<Width, Depth> now(ports.s_axis.read());
    const uint<Width> word = memory_.read(now.c);
    if (now.first) {
      memory_.write(now.a, now.word);
    } else {
      memory_.write(now.b, static_cast<uint<Width>>(~now.word));
    }
    ports.m_axis.write(word);
  }
  Ram<Width, Depth> memory_ = kWords<Width, Depth>.words;
};

// The constructor writes some of the words; the others are never read before they are written.
template <int Width, int Depth>
struct Constructed {
  using Ports = Ports64<Width, 1>;
  Constructed() {
    for (int address = 0; address < Depth; ++address) {
      memory_.write(address, static_cast<uint<Width>>(address * address + 1));
    }
    memory_.write(Depth / 2, static_cast<uint<Width>>(77));
  }
  void step(Ports& ports) {
    const Fields<Width, Depth> now(ports.s_axis.read());
    const uint<Width> word = memory_.read(now.c);
    if (now.first) memory_.write(now.a, now.word);
    ports.m_axis.write(word);
  }
  Ram<Width, Depth> memory_;
};

// Tables of C++'s own integers, shorter and longer than the words, signed and not; arrays of memories.
static constexpr std::int8_t kBytes[5] = {1, -2, 127, -128, 0};
static constexpr std::uint32_t kLong[5] = {0xffffffff, 0x12345678, 0, 5, 0x80000001};
static constexpr bool kBits[5] = {true, false, false, true, true};
// Every step, and so every cycle of a reset, wants to write what it has read, and one.
template <int Depth>
struct Rewritten {
  struct Ports {
    OutStream<16> m_axis;
  };
  void step(Ports& ports) {
    const uint<16> word = memory_.read(at_);
    memory_.write(at_, word + 1);
    at_ = at_ + 1;
    ports.m_axis.write(word);
  }
  struct Words {
    std::uint16_t of[Depth] = {};
    constexpr Words() {
      for (int at = 0; at < Depth; ++at) of[at] = static_cast<std::uint16_t>(77 * at + 5);
    }
  };
  static constexpr Words kWords{};
  Ram<16, Depth> memory_ = kWords.of;
  uint<thresher::bits_for(Depth - 1)> at_ = 0;
};

struct Tables {
  using Ports = Ports64<20, 4>;
  void step(Ports& ports) {
    const Fields<20, 5> now(ports.s_axis.read());
    uint<20> words[4];
    words[0] = bytes_.read(now.a);
    words[1] = long_[0].read(now.b);
    words[2] = long_[1].read(now.a);
    words[3] = static_cast<uint<20>>(bits_.read(now.c));
    if (now.first) long_[1].write(now.b, now.word);
    ports.m_axis.write(joined<20, 4>(words));
  }
  Ram<20, 5> bytes_ = kBytes;
  Ram<20, 5> long_[2] = {kLong, kLong};
  Ram<1, 5> bits_{kBits};
};

// Small ones, for proofs: two addresses of four words, two conditions and a word of two bits in a beat.
static constexpr std::uint8_t kSmall[4] = {1, 3, 0, 2};

struct SmallPorts {
  InStream<8> s_axis;
  OutStream<2> m_axis;
};

struct SmallFields {
  std::uint32_t a, b;
  bool first, second;
  uint<2> word;

  explicit SmallFields(uint<8> beat)
      : a(static_cast<std::uint32_t>(beat & 3)),
        b(static_cast<std::uint32_t>((beat >> 2) & 3)),
        first(((beat >> 4) & 1) != 0),
        second(((beat >> 5) & 1) != 0),
        word(static_cast<uint<2>>(beat >> 6)) {}
};

struct SmallTwoWrites {
  using Ports = SmallPorts;
  void step(Ports& ports) {
    const SmallFields now(ports.s_axis.read());
    const uint<2> old = memory_.read(now.a);
    if (now.first) memory_.write(now.a, now.word);
    if (now.second) memory_.write(now.b, static_cast<uint<2>>(~now.word));
    ports.m_axis.write(old);
  }
  Ram<2, 4> memory_ = kSmall;
};

struct SmallWriteFirst {
  using Ports = SmallPorts;
  void step(Ports& ports) {
    const SmallFields now(ports.s_axis.read());
    if (now.first) memory_.write(now.a, now.word);
    const uint<2> between = memory_.read(now.b);
    if (now.second) memory_.write(now.b, static_cast<uint<2>>(between + now.word));
    ports.m_axis.write(memory_.read(now.a));
  }
  Ram<2, 4, RamOrder::kWriteFirst> memory_ = kSmall;
};

struct SmallWriteOrRead {
  using Ports = SmallPorts;
  void step(Ports& ports) {
    const SmallFields now(ports.s_axis.read());
    if (now.first) {
      memory_.write(now.a, now.word);
      if (now.second) memory_.write(now.b, static_cast<uint<2>>(~now.word));
    } else {
      ports.m_axis.write(static_cast<uint<2>>(memory_.read(now.a) ^ (memory_.read(now.b) << 1)));
    }
  }
  Ram<2, 4> memory_ = kSmall;
};

struct SmallConstructed {
  using Ports = SmallPorts;
  SmallConstructed() {
    for (int address = 0; address < 4; ++address) memory_.write(address, static_cast<uint<2>>(3 - address));
  }
  void step(Ports& ports) {
    const SmallFields now(ports.s_axis.read());
    const uint<2> old = memory_.read(now.a);
    if (now.first) memory_.write(now.b, now.word);
    ports.m_axis.write(old);
  }
  Ram<2, 4> memory_;
};

}  // namespace memory_units

#endif
