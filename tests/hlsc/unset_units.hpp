// Units with members, or words of a Ram, that have no initial value: `shown` where that can be seen from
// outside, `hidden` where it cannot. The first comment of a line names it in test_unset.py.
#ifndef UNSET_UNITS_HPP
#define UNSET_UNITS_HPP

#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

struct Streams {
  thresher::InStream<8> s_axis;
  thresher::InStream<8> t_axis;
  thresher::OutStream<8> m_axis;
};

static constexpr std::uint64_t kWords[4][1] = {{3}, {5}, {8}, {13}};

namespace shown {

using thresher::Ram;
using thresher::uint;

struct Total {
  using Ports = Streams;
  void step(Ports& p) {
    total_ = static_cast<uint<8>>(total_ + p.s_axis.read());
    p.m_axis.write(total_);
  }
  uint<8> total_;  // a sum
};

struct Chooses {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> beat = right_ ? p.t_axis.read() : p.s_axis.read();
    right_ = !right_;
    p.m_axis.write(beat);
  }
  bool right_;  // a choice of streams
};

struct Decides {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> beat = p.s_axis.read();
    if (open_) p.m_axis.write(beat);
    open_ = beat > 128;
  }
  bool open_;  // a decision to write
};

struct Shifts {
  using Ports = Streams;
  void step(Ports& p) {
    p.m_axis.write(taps_[3]);
    for (int place = 3; place > 0; --place) taps_[place] = taps_[place - 1];
    taps_[0] = p.s_axis.read();
  }
  uint<8> taps_[4];  // a shift register
};

struct Levels {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> beat = p.s_axis.read();
    p.m_axis.write(levels_[static_cast<unsigned>(beat & 3)]);
    levels_[static_cast<unsigned>(beat & 3)] = beat;
  }
  std::uint16_t before_[2] = {};
  uint<8> levels_[4];  // an array by index
};

struct Nested {
  using Ports = Streams;
  struct Pair {
    uint<8> first;  // in a struct
    uint<8> second = 0;
  };
  void step(Ports& p) {
    p.m_axis.write(static_cast<uint<8>>(pair_.first ^ pair_.second));
    pair_.second = p.s_axis.read();
  }
  Pair pair_;
};

struct Both {
  using Ports = Streams;
  void step(Ports& p) {
    p.m_axis.write(second_ ? high_ : low_);
    if (second_) high_ = p.s_axis.read();
    if (!second_) low_ = p.s_axis.read();
    second_ = !second_;
  }
  bool second_ = false;
  uint<8> low_;   // one of both
  uint<8> high_;  // the other of both
};

struct Late {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> beat = p.s_axis.read();
    p.m_axis.write(step_ == 99 ? held_ : beat);
    step_ = static_cast<uint<7>>(step_ + 1);
    if (step_ == 100) step_ = 0;
  }
  uint<7> step_ = 0;
  uint<8> held_;  // after a hundred steps
};

struct Addresses {
  using Ports = Streams;
  void step(Ports& p) {
    p.m_axis.write(thresher::rom_read<8>(kWords, static_cast<std::uint32_t>(place_ & 3)));
    place_ = p.s_axis.read();
  }
  uint<8> place_;  // an address
};

struct Ahead {
  using Ports = Streams;
  void step(Ports& p) {
    p.m_axis.write(ring_.read(static_cast<std::uint32_t>(place_)));
    ring_.write(static_cast<std::uint32_t>(place_), p.s_axis.read());
    place_ = static_cast<uint<4>>(place_ + 1);
  }
  Ram<8, 16> ring_;  // a Ram
  uint<4> place_ = 0;
};

struct LastWord {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> word = ring_.read(static_cast<std::uint32_t>(place_));
    if (full_) p.m_axis.write(word);
    ring_.write(static_cast<std::uint32_t>(place_), p.s_axis.read());
    full_ = full_ || place_ == 254;
    place_ = static_cast<uint<8>>(place_ + 1);
  }
  Ram<8, 256> ring_;  // the last word of a Ram
  uint<8> place_ = 0;
  bool full_ = false;
};

struct WritesTo {
  using Ports = Streams;
  void step(Ports& p) {
    p.m_axis.write(words_.read(static_cast<std::uint32_t>(p.t_axis.read() & 3)));
    words_.write(step_ < 4 ? static_cast<std::uint32_t>(step_) : place_ & 3u, p.s_axis.read());
    if (step_ < 4) step_ = static_cast<uint<8>>(step_ + 1);
  }
  Ram<8, 4> words_;  // a Ram that is written by address
  uint<8> step_ = 0;
  std::uint32_t place_;  // the address of a write
};

struct Asks {
  using Ports = Streams;
  void step(Ports& p) {
    if (!p.s_axis.empty()) held_ = p.s_axis.read();
    p.m_axis.write(held_);
    p.t_axis.read();
  }
  uint<8> held_;  // a beat that may be late
};

template <class Type>
struct Wide {
  struct Ports {
    thresher::InStream<8> s_axis;
    thresher::OutStream<1> m_axis;
  };
  void step(Ports& p) {
    p.m_axis.write(static_cast<uint<1>>(word_ != 0));
    if (p.s_axis.read() == 255) word_ = 0;
  }
  Type word_;  // of any width
};

}  // namespace shown

namespace hidden {

using thresher::Ram;
using thresher::uint;

struct Condition {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> beat = p.s_axis.read();
    p.m_axis.write(static_cast<uint<8>>(started_ ? held_ : beat));
    held_ = beat;
    started_ = true;
  }
  uint<8> held_;
  bool started_ = false;
};

struct Counted {
  using Ports = Streams;
  void step(Ports& p) {
    if (stored_ == 4) p.m_axis.write(taps_[3]);
    for (int place = 3; place > 0; --place) taps_[place] = taps_[place - 1];
    taps_[0] = p.s_axis.read();
    if (stored_ < 4) stored_ = static_cast<uint<3>>(stored_ + 1);
  }
  uint<8> taps_[4] THRESHER_ANY_VALUE;
  uint<3> stored_ = 0;
};

struct Masked {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> mask = static_cast<uint<8>>(started_ ? 255 : 0);
    total_ = static_cast<uint<8>>((total_ & mask) + p.s_axis.read());
    started_ = true;
    p.m_axis.write(total_);
  }
  uint<8> total_ THRESHER_ANY_VALUE;
  bool started_ = false;
};

struct Cancels {
  using Ports = Streams;
  void step(Ports& p) {
    p.m_axis.write(static_cast<uint<8>>((one_ & 15) * 16 - ((one_ << 4) & 255) + p.s_axis.read()));
    one_ = static_cast<uint<8>>(one_ + 1);
  }
  uint<8> one_ THRESHER_ANY_VALUE;
};

struct Indexed {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> beat = p.s_axis.read();
    if (known_[static_cast<unsigned>(beat & 3)]) p.m_axis.write(levels_[static_cast<unsigned>(beat & 3)]);
    levels_[static_cast<unsigned>(beat & 3)] = beat;
    known_[static_cast<unsigned>(beat & 3)] = true;
  }
  uint<8> levels_[4];
  bool known_[4] = {};
};

struct Unread {
  using Ports = Streams;
  void step(Ports& p) {
    count_ = static_cast<uint<8>>(count_ + 1);
    last_ = count_;
    p.m_axis.write(p.s_axis.read());
  }
  uint<8> count_;
  uint<8> last_;
};

struct Delay {
  using Ports = Streams;
  void step(Ports& p) {
    const uint<8> word = ring_.read(static_cast<std::uint32_t>(place_));
    if (full_) p.m_axis.write(word);
    ring_.write(static_cast<std::uint32_t>(place_), p.s_axis.read());
    full_ = full_ || place_ == 255;
    place_ = static_cast<uint<8>>(place_ + 1);
  }
  Ram<8, 256> ring_;
  uint<8> place_ = 0;
  bool full_ = false;
};

struct Stored {
  using Ports = Streams;
  void step(Ports& p) {
    if (!p.s_axis.empty()) {
      held_ = p.s_axis.read();
      stored_ = true;
    }
    const uint<8> beat = p.t_axis.read();
    p.m_axis.write(stored_ ? held_ : beat);
  }
  uint<8> held_;
  bool stored_ = false;
};

}  // namespace hidden

#endif
