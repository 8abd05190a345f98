// Bytes and words in a stream: packets, packing, compression, order.
#ifndef PRACTICE_PACKETS_HPP
#define PRACTICE_PACKETS_HPP

#include "brief.hpp"

#include <array>

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace practice {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::uint;
using thresher::with_bits;

// A value and how often it came, when another one comes; at most 255 times.
struct RunLengths {
  struct Ports {
    InStream<8> s_axis;
    OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const std::uint8_t value = ports.s_axis.read();
    if (length_ != 0 && (value != value_ || length_ == 255)) {
      ports.m_axis.write(length_ << 8 | value_);
      length_ = 0;
    }
    value_ = value;
    ++length_;
  }

 private:
  std::uint8_t value_ = 0;
  std::uint8_t length_ = 0;
};

// Fields of 0 to 16 bits, one behind the other, in words of 32 bits, lowest bit first.
struct Packer {
  struct Ports {
    InStream<16> field;
    InStream<5> length;
    OutStream<32> m_axis;
  };

  void step(Ports& ports) {
    const uint<5> length = ports.length.read();
    const uint<16> field = ports.field.read() & ((uint<17>(1) << length) - 1);
    const uint<48> held = held_ | uint<48>(field) << count_;
    const uint<6> count = count_ + length;
    if (count >= 32) ports.m_axis.write(held);
    held_ = count >= 32 ? held >> 32 : held;
    count_ = count;
  }

 private:
  uint<48> held_ = 0;
  uint<5> count_ = 0;
};

// How many of eight bytes from the left are alike in two words.
struct MatchLength {
  struct Ports {
    InStream<64> here;
    InStream<64> there;
    OutStream<4> m_axis;
  };

  void step(Ports& ports) {
    const uint<64> differs = ports.here.read() ^ ports.there.read();
    ports.m_axis.write(thresher::leading_zeros(differs) >> 3);
  }
};

// The checksum of IP over words of 16 bits; bit 16 says that a word is the last.
struct InternetChecksum {
  struct Ports {
    InStream<17> s_axis;
    OutStream<16> m_axis;
  };

  void step(Ports& ports) {
    const uint<17> beat = ports.s_axis.read();
    const uint<17> sum = sum_ + bits_at<16>(beat, 0);
    sum_ = sum + (sum >> 16);
    if (bits_at<1>(beat, 16) == 1) {
      ports.m_axis.write(~sum_);
      sum_ = 0;
    }
  }

 private:
  uint<16> sum_ = 0;
};

enum class Field : std::uint8_t { kDestination, kSource, kType, kVersion, kRest, kPayload };

struct Header {
  std::uint16_t type = 0;
  uint<4> version = 0;
  std::uint8_t protocol = 0;
  std::uint32_t source = 0;
};

// Reads frames of Ethernet, a byte a beat, bit 8 with the last: the type, and of IPv4 the version,
// the protocol and the source's address. Frames that end within their header give nothing.
struct HeaderParser {
  struct Ports {
    InStream<9> s_axis;
    OutStream<60> m_axis;
  };

  void step(Ports& ports) {
    const uint<9> beat = ports.s_axis.read();
    const std::uint8_t byte = bits_at<8>(beat, 0);
    const bool last = bits_at<1>(beat, 8) != 0;
    switch (field_) {
      case Field::kDestination:
        if (advance(6)) field_ = Field::kSource;
        break;
      case Field::kSource:
        if (advance(6)) field_ = Field::kType;
        break;
      case Field::kType:
        header_.type = header_.type << 8 | byte;
        if (advance(2)) field_ = header_.type == 0x0800 ? Field::kVersion : Field::kPayload;
        break;
      case Field::kVersion:
        header_.version = byte >> 4;
        field_ = Field::kRest;
        break;
      case Field::kRest:
        if (count_ == 8) header_.protocol = byte;
        if (count_ >= 11 && count_ < 15) header_.source = header_.source << 8 | byte;
        if (advance(19)) field_ = Field::kPayload;
        break;
      case Field::kPayload:
        break;
    }
    if (!last) return;
    if (field_ == Field::kPayload) ports.m_axis.write(packed());
    field_ = Field::kDestination;
    count_ = 0;
    header_ = {};
  }

 private:
  bool advance(int size) {
    if (++count_ == size) count_ = 0;
    return count_ == 0;
  }

  uint<60> packed() const {
    uint<60> word = with_bits<16>(uint<60>(0), 44, header_.type);
    word = with_bits<4>(word, 40, header_.version);
    word = with_bits<8>(word, 32, header_.protocol);
    return with_bits<32>(word, 0, header_.source);
  }

  Field field_ = Field::kDestination;
  uint<5> count_ = 0;
  Header header_;
};

// Words that come with a number of three bits, in any order within eight, leave in the order of their numbers.
struct Reorder {
  struct Ports {
    InStream<12> word;
    InStream<3> number;
    OutStream<12> m_axis;
  };

  void step(Ports& ports) {
    if (there_[next_]) {
      ports.m_axis.write(words_[next_]);
      there_[next_++] = false;
      return;
    }
    const uint<3> number = ports.number.read();
    words_[number] = ports.word.read();
    there_[number] = true;
  }

 private:
  uint<12> words_[8] = {};
  bool there_[8] = {};
  uint<3> next_ = 0;
};

// Blocks of eight by eight: rows come, columns leave, while the next block comes.
struct Transpose {
  struct Ports {
    InStream<10> s_axis;
    OutStream<10> m_axis;
  };

  void step(Ports& ports) {
    const uint<3> row = place_ >> 3, column = place_;
    if (full_) ports.m_axis.write(words_.read((bank_ ? 0 : 64) + 8 * column + row));
    words_.write(bank_ << 6 | place_, ports.s_axis.read());
    if (++place_ == 0) {
      bank_ = !bank_;
      full_ = true;
    }
  }

 private:
  thresher::Ram<10, 128> words_;
  uint<6> place_ = 0;
  bool bank_ = false, full_ = false;
};

// Four branches in turn, each three words longer than the one before.
struct Interleaver {
  struct Ports {
    InStream<7> s_axis;
    OutStream<7> m_axis;
  };

  void step(Ports& ports) {
    uint<7> word = ports.s_axis.read();
    switch (branch_++) {
      case 1: word = delay<3>(word, short_); break;
      case 2: word = delay<6>(word, middle_); break;
      case 3: word = delay<9>(word, long_); break;
    }
    ports.m_axis.write(word);
  }

 private:
  template <int Length>
  static uint<7> delay(uint<7> word, uint<7> (&line)[Length]) {
    const uint<7> oldest = line[Length - 1];
    for (int place = Length - 1; place > 0; --place) line[place] = line[place - 1];
    line[0] = word;
    return oldest;
  }

  uint<2> branch_ = 0;
  uint<7> short_[3] = {}, middle_[6] = {}, long_[9] = {};
};

}  // namespace practice

#endif
