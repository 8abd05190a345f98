// The sum of a frame of three beats, minus 1000, in 13 bits.
#ifndef TOTAL_HPP
#define TOTAL_HPP

#include "thresher/stream.hpp"

struct Total {
  struct Ports {
    thresher::InStream<18> s_axis;
    thresher::OutStream<13> m_axis;
  };

  void step(Ports& ports) {
    const thresher::uint<18> beat = ports.s_axis.read();
    const thresher::uint<13> low = thresher::bits_at<9, 18>(beat, 0);
    const thresher::uint<13> high = thresher::bits_at<9, 18>(beat, 9);
    const thresher::uint<13> sum = static_cast<thresher::uint<13>>(sum_ + low + high);
    const bool last = beat_ == 2;
    if (last) ports.m_axis.write(static_cast<thresher::uint<13>>(sum - 1000));
    sum_ = static_cast<thresher::uint<13>>(last ? static_cast<thresher::uint<13>>(0) : sum);
    beat_ = static_cast<thresher::uint<2>>(last ? 0 : static_cast<int>(beat_) + 1);
  }

 private:
  thresher::uint<13> sum_ = 0;
  thresher::uint<2> beat_ = 0;
};

#endif
