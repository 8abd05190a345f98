// threshold: a staircase per channel, `kPe` channels a cycle.
//
// Each step reads one beat of `kPe` elements and writes one beat of `kPe` levels. `Layer` holds the
// shapes, the types and one table of thresholds per lane, a word for each tile of channels, or a
// single word where all tiles share it.
#ifndef THRESHER_THRESHOLD_HPP
#define THRESHER_THRESHOLD_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/rom.hpp"
#include "thresher/staircase.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer>
class Threshold {
  static constexpr int kTiles = ceil_div(Layer::kChannels, Layer::kPe);
  static constexpr int kLastLanes = Layer::kChannels - (kTiles - 1) * Layer::kPe;
  static constexpr int kInputWidth = Layer::kPe * Layer::kInputBits;
  static constexpr int kOutputWidth = Layer::kPe * Layer::kOutputBits;
  using Stairs = Staircase<Layer::kLevels, Layer::kThresholdBits, Layer::kHasDescending,
                           Layer::kOutputBits, Layer::kOutputBase>;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const bool last_tile = tile_ == kTiles - 1;
    const std::uint32_t word_index = Layer::kThresholdTiles == 1 ? 0 : tile_.to_uint();
    uint<kOutputWidth> levels = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kPe; ++lane) {
#pragma HLS UNROLL
      const uint<Layer::kInputBits> field =
          bits_at<Layer::kInputBits, kInputWidth>(beat, lane * Layer::kInputBits);
      const auto value = value_of<Layer::kInputSigned, Layer::kInputBits>(field);
      const auto word = rom_read<Stairs::kWordBits>(Layer::thresholds(lane), word_index);
      uint<Layer::kOutputBits> level = Stairs::of(value, word);
      if (lane >= kLastLanes && last_tile) level = 0;
      levels = with_bits<Layer::kOutputBits, kOutputWidth>(levels, lane * Layer::kOutputBits, level);
    }
    ports.m_axis.write(levels);
    count(tile_, last_tile);
  }

 private:
  uint<bits_for(kTiles - 1)> tile_ = 0;
};

}  // namespace thresher

#endif
