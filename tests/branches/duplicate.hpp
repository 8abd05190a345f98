// duplicate: every beat goes out three times.
#ifndef TESTS_DUPLICATE_HPP
#define TESTS_DUPLICATE_HPP

#include "thresher/stream.hpp"

namespace tests {

template <class Layer>
class Duplicate {
 public:
  struct Ports {
    thresher::InStream<Layer::kWidth> s_axis;
    thresher::OutStream<Layer::kWidth> m_axis0;
    thresher::OutStream<Layer::kWidth> m_axis1;
    thresher::OutStream<Layer::kWidth> m_axis2;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const thresher::uint<Layer::kWidth> beat = ports.s_axis.read();
    ports.m_axis0.write(beat);
    ports.m_axis1.write(beat);
    ports.m_axis2.write(beat);
  }
};

}  // namespace tests

#endif
