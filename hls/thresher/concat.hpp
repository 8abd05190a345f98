// concat: of each vector the `kFirstBeats` beats of one stream, then the `kSecondBeats` of another; or, where
// a vector of either is one beat (`kWhole`), the two side by side.
#ifndef THRESHER_CONCAT_HPP
#define THRESHER_CONCAT_HPP

#include "thresher/loop.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer, bool Whole = Layer::kWhole>
class Concat {
  static constexpr int kWidth = Layer::kFirstWidth;

 public:
  struct Ports {
    InStream<kWidth> s_axis0;
    InStream<kWidth> s_axis1;
    OutStream<kWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    uint<kWidth> beat;
    if (second_) {
      beat = ports.s_axis1.read();
    } else {
      beat = ports.s_axis0.read();
    }
    ports.m_axis.write(beat);

    const bool last_beat = second_ ? second_beat_.last() : first_beat_.last();
    if (second_) {
      second_beat_.step();
    } else {
      first_beat_.step();
    }
    second_ = second_ != last_beat;
  }

 private:
  bool second_ = false;
  Loop<Layer::kFirstBeats> first_beat_;
  Loop<Layer::kSecondBeats> second_beat_;
};

template <class Layer>
class Concat<Layer, true> {
  static constexpr int kWidth = Layer::kFirstWidth + Layer::kSecondWidth;

 public:
  struct Ports {
    InStream<Layer::kFirstWidth> s_axis0;
    InStream<Layer::kSecondWidth> s_axis1;
    OutStream<kWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kWidth> first = ports.s_axis0.read();
    const uint<Layer::kSecondWidth> second = ports.s_axis1.read();
    ports.m_axis.write(with_bits<Layer::kSecondWidth, kWidth>(first, Layer::kFirstWidth, second));
  }
};

}  // namespace thresher

#endif
