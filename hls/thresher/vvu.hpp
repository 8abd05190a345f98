// vvu: a vector-vector unit: a filter of its own for each channel, `kPe` channels a cycle.
//
// Windows come tile by tile of `kPe` channels, of each its taps (here the columns), `kSimd` at a time, of
// each its channels. Each step reads a beat; the last taps of a tile complete a beat of `kPe` outputs.
#ifndef THRESHER_VVU_HPP
#define THRESHER_VVU_HPP

#include "thresher/accumulation.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer>
class Vvu {
  static constexpr int kTiles = ceil_div(Layer::kChannels, Layer::kPe);
  static constexpr int kLastLanes = Layer::kChannels - (kTiles - 1) * Layer::kPe;
  static constexpr int kTapTiles = ceil_div(Layer::kColumns, Layer::kSimd);
  static constexpr int kSteps = kTiles * kTapTiles;
  static constexpr int kInputWidth = Layer::kSimd * Layer::kPe * Layer::kInputBits;
  static constexpr int kLaneWidth = Layer::kSimd * Layer::kInputBits;
  static constexpr int kOutputWidth = Layer::kPe * Layer::kOutputBits;
  using Sums = Accumulation<Layer, Layer::kSimd>;
  using Accumulator = typename Sums::Accumulator;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=accumulator_ complete
    const uint<kInputWidth> beat = ports.s_axis.read();
    const bool first_taps = kTapTiles == 1 || tap_tile_ == 0;
    const bool last_taps = kTapTiles == 1 || tap_tile_ == kTapTiles - 1;
    const bool last_tile = kTiles == 1 || tile_ == kTiles - 1;
    const std::uint32_t tile = tile_;
    const std::uint32_t start_index = Sums::start_index(edge_, tile);

    uint<kOutputWidth> outputs = 0;
#pragma clang loop unroll(full)
    for (int pe = 0; pe < Layer::kPe; ++pe) {
#pragma HLS UNROLL
      const Accumulator before = first_taps ? Start<Layer>::of(pe, start_index) : accumulator_[pe];
      const Accumulator sum = Sums::add(before, pe, step_, taps_of(beat, pe));
      accumulator_[pe] = sum;
      uint<Layer::kOutputBits> output = Sums::output(sum, pe, start_index, tile);
      if (pe >= kLastLanes && last_tile) output = 0;
      outputs = with_bits<Layer::kOutputBits, kOutputWidth>(outputs, pe * Layer::kOutputBits, output);
    }
    if (last_taps) {
      ports.m_axis.write(outputs);
      count(tile_, last_tile);
      if (last_tile) edge_.advance();
    }
    count(step_, last_taps && last_tile);
    count(tap_tile_, last_taps);
  }

 private:
  // The taps of one channel, side by side.
  static uint<kLaneWidth> taps_of(uint<kInputWidth> beat, int pe) {
#pragma HLS INLINE
    uint<kLaneWidth> taps = 0;
#pragma clang loop unroll(full)
    for (int tap = 0; tap < Layer::kSimd; ++tap) {
#pragma HLS UNROLL
      taps = with_bits<Layer::kInputBits, kLaneWidth>(
          taps, tap * Layer::kInputBits,
          bits_at<Layer::kInputBits, kInputWidth>(beat, (tap * Layer::kPe + pe) * Layer::kInputBits));
    }
    return taps;
  }

  uint<bits_for(kTiles - 1)> tile_ = 0;
  uint<bits_for(kTapTiles - 1)> tap_tile_ = 0;
  uint<bits_for(kSteps - 1)> step_ = 0;
  EdgeClass<Layer> edge_;
  Accumulator accumulator_[Layer::kPe];
};

}  // namespace thresher

#endif
