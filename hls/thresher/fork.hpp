// fork: each beat of one stream goes out on `kCopies` streams, all in the same step.
#ifndef THRESHER_FORK_HPP
#define THRESHER_FORK_HPP

#include "thresher/stream.hpp"

namespace thresher {

// The streams of a fork; `write` sends a beat to all copies.
template <int Width, int Copies>
struct ForkPorts;

template <int Width>
struct ForkPorts<Width, 2> {
  InStream<Width> s_axis;
  OutStream<Width> m_axis0;
  OutStream<Width> m_axis1;

  void write(uint<Width> beat) {
#pragma HLS INLINE
    m_axis0.write(beat);
    m_axis1.write(beat);
  }
};

template <int Width>
struct ForkPorts<Width, 3> {
  InStream<Width> s_axis;
  OutStream<Width> m_axis0;
  OutStream<Width> m_axis1;
  OutStream<Width> m_axis2;

  void write(uint<Width> beat) {
#pragma HLS INLINE
    m_axis0.write(beat);
    m_axis1.write(beat);
    m_axis2.write(beat);
  }
};

template <int Width>
struct ForkPorts<Width, 4> {
  InStream<Width> s_axis;
  OutStream<Width> m_axis0;
  OutStream<Width> m_axis1;
  OutStream<Width> m_axis2;
  OutStream<Width> m_axis3;

  void write(uint<Width> beat) {
#pragma HLS INLINE
    m_axis0.write(beat);
    m_axis1.write(beat);
    m_axis2.write(beat);
    m_axis3.write(beat);
  }
};

template <class Layer>
class Fork {
 public:
  using Ports = ForkPorts<Layer::kWidth, Layer::kCopies>;

  void step(Ports& ports) {
#pragma HLS INLINE
    ports.write(ports.s_axis.read());
  }
};

}  // namespace thresher

#endif
