// pool: the largest of the taps of windows, `kPe` channels a cycle.
//
// Windows come tile by tile of `kPe` channels, of each its taps, `kSimd` at a time, of each its
// channels. Each step reads a beat; the last taps of a tile complete a beat of `kPe` outputs.
#ifndef THRESHER_POOL_HPP
#define THRESHER_POOL_HPP

#include "thresher/maximum.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer>
class Pool {
  static constexpr int kTiles = ceil_div(Layer::kChannels, Layer::kPe);
  static constexpr int kLastLanes = Layer::kChannels - (kTiles - 1) * Layer::kPe;
  static constexpr int kTapTiles = ceil_div(Layer::kTaps, Layer::kSimd);
  static constexpr int kLastTaps = Layer::kTaps - (kTapTiles - 1) * Layer::kSimd;
  static constexpr int kInputWidth = Layer::kSimd * Layer::kPe * Layer::kBits;
  static constexpr int kOutputWidth = Layer::kPe * Layer::kBits;
  using Largest = Maximum<Layer>;
  using Element = typename Largest::Element;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=best_ complete
    const uint<kInputWidth> beat = ports.s_axis.read();
    // Counters of one turn stay at zero, which the compiler need not find out.
    const bool first_taps = kTapTiles == 1 || tap_tile_ == 0;
    const bool last_taps = kTapTiles == 1 || tap_tile_ == kTapTiles - 1;
    const bool last_tile = tile_ == kTiles - 1;

    uint<kOutputWidth> outputs = 0;
#pragma clang loop unroll(full)
    for (int pe = 0; pe < Layer::kPe; ++pe) {
#pragma HLS UNROLL
      Element best = bits_at<Layer::kBits, kInputWidth>(beat, pe * Layer::kBits);
#pragma clang loop unroll(full)
      for (int tap = 1; tap < Layer::kSimd; ++tap) {
#pragma HLS UNROLL
        const Element element =
            bits_at<Layer::kBits, kInputWidth>(beat, (tap * Layer::kPe + pe) * Layer::kBits);
        // Behind the last tap come zero bits, which are the least of all but signed elements.
        const bool counts = !Layer::kSigned || tap < kLastTaps || !last_taps;
        best = counts ? Largest::of(best, element) : best;
      }
      if (!first_taps) best = Largest::of(best_[pe], best);
      best_[pe] = best;
      Element output = Largest::output(best, pe, tile_);
      if (pe >= kLastLanes && last_tile) output = 0;
      outputs = with_bits<Layer::kBits, kOutputWidth>(outputs, pe * Layer::kBits, output);
    }
    if (last_taps) {
      ports.m_axis.write(outputs);
      count(tile_, last_tile);
    }
    count(tap_tile_, last_taps);
  }

 private:
  uint<bits_for(kTiles - 1)> tile_ = 0;
  uint<bits_for(kTapTiles - 1)> tap_tile_ = 0;
  Element best_[Layer::kPe];
};

}  // namespace thresher

#endif
