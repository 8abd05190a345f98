// Codes: checks, corrections, scramblers, and bits for the line.
#ifndef PRACTICE_CODES_HPP
#define PRACTICE_CODES_HPP

#include "brief.hpp"

#include <algorithm>
#include <array>

#include "thresher/bits.hpp"
#include "thresher/stream.hpp"

namespace practice {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::uint;
using thresher::with_bits;

constexpr std::array<std::uint32_t, 16> crc_table() {
  std::array<std::uint32_t, 16> table{};
  for (std::uint32_t nibble = 0; nibble < 16; ++nibble) {
    std::uint32_t crc = nibble;
    for (int bit = 0; bit < 4; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    table[nibble] = crc;
  }
  return table;
}

// The CRC of Ethernet, a byte a beat by halves; bit 8 says that a byte is the frame's last.
struct Crc32 {
  struct Ports {
    InStream<9> s_axis;
    OutStream<32> m_axis;
  };

  void step(Ports& ports) {
    const uint<9> beat = ports.s_axis.read();
    crc_ ^= beat & 0xff;
    for (int half = 0; half < 2; ++half) crc_ = crc_ >> 4 ^ kTable[crc_ & 15];
    if ((beat >> 8) == 0) return;
    ports.m_axis.write(~crc_);
    crc_ = ~0u;
  }

 private:
  static constexpr std::array<std::uint32_t, 16> kTable = crc_table();
  std::uint32_t crc_ = ~0u;
};

// The places 1 to 15 of a Hamming code whose numbers have a one at `bit`, bit 0 being place 1.
constexpr int hamming_mask(int bit) {
  int mask = 0;
  for (int place = 1; place < 16; ++place) mask |= (place >> bit & 1) << (place - 1);
  return mask;
}

// Eleven bits in fifteen: the places 1, 2, 4 and 8 make each parity even.
struct HammingEncoder {
  struct Ports {
    InStream<11> s_axis;
    OutStream<15> m_axis;
  };

  void step(Ports& ports) {
    const uint<11> data = ports.s_axis.read();
    uint<15> word = 0;
    int next = 0;
    for (int place = 1; place < 16; ++place) {
      if ((place & (place - 1)) != 0) word = with_bits<1>(word, place - 1, bits_at<1>(data, next++));
    }
    uint<15> code = word;
    for (int bit = 0; bit < 4; ++bit) {
      const uint<15> covered = word & hamming_mask(bit);
      code |= uint<15>(thresher::popcount(covered) & 1) << ((1 << bit) - 1);
    }
    ports.m_axis.write(code);
  }
};

// One wrong bit of fifteen is put right; `place` says which, or 0.
struct HammingDecoder {
  struct Ports {
    InStream<15> s_axis;
    OutStream<11> m_axis;
    OutStream<4> place;
  };

  void step(Ports& ports) {
    uint<15> code = ports.s_axis.read();
    uint<4> wrong = 0;
    for (int bit = 3; bit >= 0; --bit) {
      wrong = wrong << 1 | (thresher::popcount<15>(code & hamming_mask(bit)) & 1);
    }
    if (wrong != 0) code ^= uint<15>(1) << (wrong - 1);
    ports.place.write(wrong);
    const uint<11> low = bits_at<1>(code, 2) | uint<4>(bits_at<3>(code, 4)) << 1;
    ports.m_axis.write(low | uint<11>(bits_at<7>(code, 8)) << 4);
  }
};

// The scrambler of 10 Gbit Ethernet, x^58 + x^39 + 1, 32 bits a beat, bit 0 first.
struct Scrambler {
  struct Ports {
    InStream<32> s_axis;
    OutStream<32> m_axis;
  };

  void step(Ports& ports) {
    const uint<32> data = ports.s_axis.read();
    // What was sent, the latest in the highest bit.
    const uint<32> sent = data ^ uint<32>(sent_ >> 19) ^ uint<32>(sent_);
    sent_ = sent_ >> 32 | uint<58>(sent) << 26;
    ports.m_axis.write(sent);
  }

 private:
  uint<58> sent_ = -1;
};

// Counts the bits that do not follow x^7 + x^6 + 1, a byte a beat, bit 0 first.
struct PrbsChecker {
  struct Ports {
    InStream<8> s_axis;
    OutStream<4> wrong;
    OutStream<16> total;
  };

  void step(Ports& ports) {
    const uint<8> data = ports.s_axis.read();
    uint<8> errors = 0;
    for (int bit = 0; bit < 8; ++bit) {
      const uint<1> expected = bits_at<1>(last_, 6) ^ bits_at<1>(last_, 5);
      const uint<1> got = bits_at<1>(data, bit);
      errors = with_bits<1>(errors, bit, got ^ expected);
      last_ = last_ << 1 | got;
    }
    // The first beat only fills the register.
    const uint<4> wrong = filled_ ? thresher::popcount(errors) : uint<4>(0);
    filled_ = true;
    total_ += wrong;
    ports.wrong.write(wrong);
    ports.total.write(total_);
  }

 private:
  uint<7> last_ = 0;
  uint<16> total_ = 0;
  bool filled_ = false;
};

// A byte by Manchester's code, the highest bit first: 1 rises, 0 falls.
struct Manchester {
  struct Ports {
    InStream<8> s_axis;
    OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const uint<8> byte = ports.s_axis.read();
    uint<16> line = 0;
    for (int bit = 7; bit >= 0; --bit) line = line << 2 | (bits_at<1>(byte, bit) != 0 ? 0b01 : 0b10);
    ports.m_axis.write(line);
  }
};

// Up to three bytes as four characters of base64; `count` is their number.
struct Base64 {
  struct Ports {
    InStream<24> s_axis;
    InStream<2> count;
    OutStream<32> m_axis;
  };

  void step(Ports& ports) {
    const uint<24> bytes = ports.s_axis.read();
    const uint<2> count = ports.count.read();
    uint<32> text = 0;
    for (int place = 0; place < 4; ++place) {
      const std::uint8_t character = place > count ? '=' : kAlphabet[bits_at<6>(bytes, 18 - 6 * place)];
      text = with_bits<8>(text, 8 * place, character);
    }
    ports.m_axis.write(text);
  }

 private:
  static constexpr std::uint8_t kAlphabet[65] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
};

// One step of Viterbi's decoder for the code (7, 5) of three bits: add, compare, select. After each
// eight pairs of bits it gives the distance of the best way into each of the four states, and starts anew.
struct Viterbi {
  struct Ports {
    InStream<2> s_axis;
    OutStream<20> m_axis;
  };

  void step(Ports& ports) {
    const uint<2> pair = ports.s_axis.read();
    uint<5> metrics[4];
    for (int state = 0; state < 4; ++state) {
      const int bit = state & 1, from = state >> 1;
      const uint<6> low = metrics_[from] + distance(pair, from << 1 | bit);
      const uint<6> high = metrics_[from + 2] + distance(pair, (from + 2) << 1 | bit);
      metrics[state] = std::min(low, high);
    }
    uint<20> beat = 0;
    for (int state = 0; state < 4; ++state) {
      beat = with_bits<5>(beat, 5 * state, metrics[state]);
      metrics_[state] = last() ? uint<5>(state == 0 ? 0 : 8) : metrics[state];
    }
    if (last()) ports.m_axis.write(beat);
    ++count_;
  }

 private:
  // How many bits of `pair` differ from those of the three latest data bits.
  static int distance(uint<2> pair, int bits) {
    const uint<1> seven = bits ^ bits >> 1 ^ bits >> 2, five = bits ^ bits >> 2;
    return (bits_at<1>(pair, 0) ^ seven) + (bits_at<1>(pair, 1) ^ five);
  }
  bool last() const { return count_ == 7; }

  uint<5> metrics_[4] = {0, 8, 8, 8};
  uint<3> count_ = 0;
};

}  // namespace practice

#endif
