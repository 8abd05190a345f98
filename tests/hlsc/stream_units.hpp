// Units that read and write more signals than data, and that ask whether an output is full.
#ifndef TESTS_HLSC_STREAM_UNITS_HPP
#define TESTS_HLSC_STREAM_UNITS_HPP

#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace streams {

using thresher::Beat;
using thresher::Dest;
using thresher::Id;
using thresher::InStream;
using thresher::Keep;
using thresher::Last;
using thresher::OutStream;
using thresher::Ram;
using thresher::Strb;
using thresher::uint;
using thresher::User;

// Ends a packet with every fifth beat, and numbers its beats.
struct Packetise {
  struct Ports {
    InStream<32> s_axis;
    OutStream<32, Keep, Last, User<3>> m_axis;
  };
  void step(Ports& ports) {
    Beat<32, Keep, Last, User<3>> beat;
    beat.data = ports.s_axis.read();
    beat.last = number_ == 4;
    beat.user = number_;
    number_ = number_ == 4 ? uint<3>(0) : uint<3>(number_ + 1);
    ports.m_axis.write(beat);
  }
  uint<3> number_ = 0;
};

// Every signal that there is, from one stream to another in another order; `user` counts the data's ones.
struct Signals {
  struct Ports {
    InStream<16, User<70>, Last, Dest<5>, Strb, Id<1>, Keep> s_axis;
    OutStream<16, Keep, Strb, Last, User<70>, Id<1>, Dest<5>> m_axis;
  };
  void step(Ports& ports) {
    const auto in = ports.s_axis.read();
    Beat<16, Keep, Strb, Last, User<70>, Id<1>, Dest<5>> out;
    out.data = ~in.data;
    out.keep = in.keep;
    out.strb = in.strb & in.keep;
    out.last = in.last;
    out.user = in.user + thresher::popcount<16>(in.data);
    out.id = ~in.id;
    out.dest = in.dest + 1;
    ports.m_axis.write(out);
  }
};

// The bytes of each packet that count, close together.
struct Compact {
  struct Ports {
    InStream<32, Keep, Last> s_axis;
    OutStream<32, Keep, Last> m_axis;
  };
  void step(Ports& ports) {
    uint<7> valid = (uint<7>(1) << count_) - 1;
    bool last = ends_;
    if (!ends_) {
      const Beat<32, Keep, Last> beat = ports.s_axis.read();
      last = beat.last == 1;
      for (int byte = 0; byte < 4; ++byte) {
        if (((beat.keep >> byte) & 1) != 0) {
          bytes_ = thresher::with_bits<56, 56>(bytes_, 0, uint<56>(beat.data >> 8 * byte & 255) << 8 * count_);
          count_ = count_ + 1;
        }
      }
      valid = (uint<8>(1) << count_) - 1;
    }
    const bool more = last && count_ > 4;
    if (count_ >= 4 || last) {
      Beat<32, Keep, Last> out;
      out.data = bytes_;
      out.keep = valid;
      out.last = last && !more;
      ports.m_axis.write(out);
      bytes_ = bytes_ >> 32;
      count_ = count_ > 4 ? uint<3>(count_ - 4) : uint<3>(0);
    }
    ends_ = more;
  }
  uint<56> bytes_ = 0;
  uint<3> count_ = 0;
  bool ends_ = false;
};

// Stores a packet before it gives any beat of it; one with `user` in its last beat is dropped. 32 beats have
// room, and no packet is longer than 16.
struct Forward {
  struct Ports {
    InStream<8, Last, User<1>> s_axis;
    OutStream<8, Last> m_axis;
  };
  void step(Ports& ports) {
    const bool gives = first_ != whole_;
    const bool takes = uint<6>(next_ - first_) != 32 && !ports.s_axis.empty();
    if (gives) ports.m_axis.write(Beat<8, Last>::of(words_.read(std::uint32_t(uint<5>(first_)))));
    if (takes) {
      const Beat<8, Last, User<1>> beat = ports.s_axis.read();
      Beat<8, Last> kept;
      kept.data = beat.data;
      kept.last = beat.last;
      words_.write(std::uint32_t(uint<5>(next_)), kept.word());
      next_ = beat.last == 1 && beat.user == 1 ? whole_ : uint<6>(next_ + 1);
      if (beat.last == 1) whole_ = next_;
    }
    if (gives) first_ = first_ + 1;
  }
  Ram<9, 32> words_;
  uint<6> first_ = 0;
  uint<6> whole_ = 0;
  uint<6> next_ = 0;
};

// Squares; one that finds no room is dropped, and `user` of the next one counts them.
struct Drop {
  struct Ports {
    InStream<12> s_axis;
    OutStream<24, User<8>> m_axis;
  };
  void step(Ports& ports) {
    const uint<12> number = ports.s_axis.read();
    if (ports.m_axis.full()) {
      dropped_ = dropped_ + 1;
      return;
    }
    Beat<24, User<8>> beat;
    beat.data = number * number;
    beat.user = dropped_;
    ports.m_axis.write(beat);
    dropped_ = 0;
  }
  uint<8> dropped_ = 0;
};

// A step gives the square of a beat to whichever of two outputs has room, by turns where both have.
struct Spread {
  struct Ports {
    InStream<12> s_axis;
    OutStream<24> left;
    OutStream<24> right;
  };
  void step(Ports& ports) {
    const bool left = !ports.left.full();
    const bool right = !ports.right.full();
    if (!left && !right) return;
    const uint<12> number = ports.s_axis.read();
    const bool goes_left = left && !(right && left_was_last_);
    if (goes_left) {
      ports.left.write(number * number);
    } else {
      ports.right.write(number * number);
    }
    left_was_last_ = goes_left;
  }
  bool left_was_last_ = false;
};

}  // namespace streams

#endif
