// Two 8-bit elements a beat, doubled.
#ifndef TWICE_HPP
#define TWICE_HPP

#include "thresher/stream.hpp"

struct Twice {
  struct Ports {
    thresher::InStream<16> s_axis;
    thresher::OutStream<18> m_axis;
  };

  void step(Ports& ports) {
    const thresher::uint<16> beat = ports.s_axis.read();
    thresher::uint<18> twice = 0;
    for (int lane = 0; lane < 2; ++lane) {
      const thresher::uint<9> element = thresher::bits_at<8, 16>(beat, 8 * lane);
      twice = thresher::with_bits<9, 18>(twice, 9 * lane, static_cast<thresher::uint<9>>(element << 1));
    }
    ports.m_axis.write(twice);
  }
};

#endif
