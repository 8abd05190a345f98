// add: the sum of two streams, element by element, `kPe` channels a cycle.
//
// Each step reads a beat of each input and writes one: the sums in two's complement, or, with `kLevels`, the
// levels that they reach on the staircases of their channels.
#ifndef THRESHER_ADD_HPP
#define THRESHER_ADD_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/loop.hpp"
#include "thresher/rom.hpp"
#include "thresher/staircase.hpp"
#include "thresher/stream.hpp"

namespace thresher {

// How a sum becomes an output: by a staircase.
template <class Layer, int Levels = Layer::kLevels>
struct SumOutput {
  using Stairs =
      Staircase<Levels, Layer::kSumBits, Layer::kHasDescending, Layer::kOutputBits, Layer::kOutputBase>;
  static uint<Layer::kOutputBits> of(sint<Layer::kSumBits> sum, int lane, std::uint32_t tile) {
#pragma HLS INLINE
    const auto word =
        rom_read<Stairs::kWordBits>(Layer::thresholds(lane), Layer::kThresholdTiles == 1 ? 0 : tile);
    return Stairs::of(sum, word);
  }
};

// No threshold: the sum itself leaves.
template <class Layer>
struct SumOutput<Layer, 0> {
  static uint<Layer::kOutputBits> of(sint<Layer::kSumBits> sum, int, std::uint32_t) {
#pragma HLS INLINE
    return sum;
  }
};

template <class Layer>
class Add {
  static constexpr int kTiles = ceil_div(Layer::kChannels, Layer::kPe);
  static constexpr int kLastLanes = Layer::kChannels - (kTiles - 1) * Layer::kPe;
  static constexpr int kFirstWidth = Layer::kPe * Layer::kFirstBits;
  static constexpr int kSecondWidth = Layer::kPe * Layer::kSecondBits;
  static constexpr int kOutputWidth = Layer::kPe * Layer::kOutputBits;
  using Sum = sint<Layer::kSumBits>;

 public:
  struct Ports {
    InStream<kFirstWidth> s_axis0;
    InStream<kSecondWidth> s_axis1;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kFirstWidth> first = ports.s_axis0.read();
    const uint<kSecondWidth> second = ports.s_axis1.read();
    uint<kOutputWidth> outputs = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kPe; ++lane) {
#pragma HLS UNROLL
      const Sum sum = term<Layer::kFirstBipolar, Layer::kFirstSigned, Layer::kFirstBits>(
                          bits_at<Layer::kFirstBits, kFirstWidth>(first, lane * Layer::kFirstBits)) +
                      term<Layer::kSecondBipolar, Layer::kSecondSigned, Layer::kSecondBits>(
                          bits_at<Layer::kSecondBits, kSecondWidth>(second, lane * Layer::kSecondBits));
      auto output = SumOutput<Layer>::of(sum, lane, tile_.turn());
      if (lane >= kLastLanes && tile_.last()) output = 0;
      outputs = with_bits<Layer::kOutputBits, kOutputWidth>(outputs, lane * Layer::kOutputBits, output);
    }
    ports.m_axis.write(outputs);
    tile_.step();
  }

 private:
  // An element as a number.
  template <bool Bipolar, bool Signed, int Bits>
  static Sum term(uint<Bits> element) {
#pragma HLS INLINE
    if (Bipolar) return element != 0 ? 1 : -1;
    return value_of<Signed, Bits>(element);
  }

  Loop<kTiles> tile_;
};

}  // namespace thresher

#endif
