// plus: sums of two streams' elements; a beat of the first is for `kRepeats` beats of the second.
#ifndef TESTS_PLUS_HPP
#define TESTS_PLUS_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/stream.hpp"

namespace tests {

template <class Layer>
class Plus {
  static constexpr int kWidth0 = Layer::kLanes * Layer::kBits0;
  static constexpr int kWidth1 = Layer::kLanes * Layer::kBits1;
  static constexpr int kWidth = Layer::kLanes * Layer::kOutputBits;

 public:
  struct Ports {
    thresher::InStream<kWidth0> s_axis0;
    thresher::InStream<kWidth1> s_axis1;
    thresher::OutStream<kWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    if (turn_ == 0) kept_ = ports.s_axis0.read();
    const thresher::uint<kWidth1> beat = ports.s_axis1.read();
    thresher::uint<kWidth> sums = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kLanes; ++lane) {
#pragma HLS UNROLL
      const thresher::uint<Layer::kBits0> one =
          thresher::bits_at<Layer::kBits0, kWidth0>(kept_, lane * Layer::kBits0);
      const thresher::uint<Layer::kBits1> other =
          thresher::bits_at<Layer::kBits1, kWidth1>(beat, lane * Layer::kBits1);
      const int sum = static_cast<int>(thresher::value_of<Layer::kSigned0, Layer::kBits0>(one)) +
                      static_cast<int>(thresher::value_of<Layer::kSigned1, Layer::kBits1>(other));
      sums = thresher::with_bits<Layer::kOutputBits, kWidth>(
          sums, lane * Layer::kOutputBits, static_cast<thresher::uint<Layer::kOutputBits>>(sum));
    }
    ports.m_axis.write(sums);
    turn_ = static_cast<thresher::uint<8>>(turn_ == Layer::kRepeats - 1 ? 0 : static_cast<int>(turn_) + 1);
  }

 private:
  thresher::uint<kWidth0> kept_ = 0;
  thresher::uint<8> turn_ = 0;
};

}  // namespace tests

#endif
