// concat: of each vector the `kFirstBeats` beats of one stream, then the `kSecondBeats` of another.
#ifndef THRESHER_CONCAT_HPP
#define THRESHER_CONCAT_HPP

#include "thresher/loop.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer>
class Concat {
 public:
  struct Ports {
    InStream<Layer::kWidth> s_axis0;
    InStream<Layer::kWidth> s_axis1;
    OutStream<Layer::kWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    uint<Layer::kWidth> beat;
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

}  // namespace thresher

#endif
