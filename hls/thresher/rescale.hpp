// rescale: a piecewise linear function per channel in fixed point, `kPe` channels a cycle.
//
// Each step reads a beat and writes one. An element's segment is the number of starts that it has reached;
// its output is the segment's multiplier times the element, plus the segment's offset, shifted right by `kShift`
// and so rounded down. A table has a word with all segments for each tile of channels, or one word where all
// tiles share it; multipliers or offsets that are the same everywhere are `kMultiplier` or `kOffset`.
#ifndef THRESHER_RESCALE_HPP
#define THRESHER_RESCALE_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/loop.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace thresher {

// The address in a table of so many words.
inline std::uint32_t rescale_address(int words, std::uint32_t tile) {
#pragma HLS INLINE
  return words == 1 ? 0 : tile;
}

// Which segment an element is in, one flag for each start: whether it has reached that.
template <class Layer, int Segments = Layer::kSegments>
struct Segment {
  static constexpr int kWordBits = (Segments - 1) * Layer::kStartBits;
  bool reached[Segments - 1];

  Segment(sint<Layer::kStartBits> value, int lane, std::uint32_t tile) {
#pragma HLS INLINE
    const auto word = rom_read<kWordBits>(Layer::starts(lane), rescale_address(Layer::kStartsTiles, tile));
#pragma clang loop unroll(full)
    for (int start = 0; start < Segments - 1; ++start) {
#pragma HLS UNROLL
      const auto field = bits_at<Layer::kStartBits, kWordBits>(word, start * Layer::kStartBits);
      reached[start] = value >= sint<Layer::kStartBits>(field);
    }
  }

  // The field of the segment. Starts ascend, so that the last one that is reached decides.
  template <int Bits>
  sint<Bits> pick(uint<Segments * Bits> word) const {
#pragma HLS INLINE
    uint<Bits> field = bits_at<Bits, Segments * Bits>(word, 0);
#pragma clang loop unroll(full)
    for (int start = 0; start < Segments - 1; ++start) {
#pragma HLS UNROLL
      if (reached[start]) field = bits_at<Bits, Segments * Bits>(word, (start + 1) * Bits);
    }
    return field;
  }
};

template <class Layer>
struct Segment<Layer, 1> {
  Segment(sint<Layer::kStartBits>, int, std::uint32_t) {}

  template <int Bits>
  sint<Bits> pick(uint<Bits> word) const {
#pragma HLS INLINE
    return word;
  }
};

// The multiplier of an element: the same for all, or of its channel and segment.
template <class Layer, bool FromTable = Layer::kHasMultipliers>
struct Multiplier {
  static uint<Layer::kSumBits> of(const Segment<Layer>&, int, std::uint32_t) {
#pragma HLS INLINE
    return uint<Layer::kSumBits>(Layer::kMultiplier);
  }
};

template <class Layer>
struct Multiplier<Layer, true> {
  static uint<Layer::kSumBits> of(const Segment<Layer>& segment, int lane, std::uint32_t tile) {
#pragma HLS INLINE
    constexpr int kBits = Layer::kMultiplierBits;
    const auto word = rom_read<Layer::kSegments * kBits>(Layer::multipliers(lane),
                                                         rescale_address(Layer::kMultipliersTiles, tile));
    return segment.template pick<kBits>(word);
  }
};

// Its offset.
template <class Layer, bool FromTable = Layer::kHasOffsets>
struct Offset {
  static uint<Layer::kSumBits> of(const Segment<Layer>&, int, std::uint32_t) {
#pragma HLS INLINE
    return uint<Layer::kSumBits>(Layer::kOffset);
  }
};

template <class Layer>
struct Offset<Layer, true> {
  static uint<Layer::kSumBits> of(const Segment<Layer>& segment, int lane, std::uint32_t tile) {
#pragma HLS INLINE
    constexpr int kBits = Layer::kOffsetBits;
    const auto word = rom_read<Layer::kSegments * kBits>(Layer::offsets(lane),
                                                         rescale_address(Layer::kOffsetsTiles, tile));
    return segment.template pick<kBits>(word);
  }
};

template <class Layer>
class Rescale {
  static constexpr int kTiles = ceil_div(Layer::kChannels, Layer::kPe);
  static constexpr int kLastLanes = Layer::kChannels - (kTiles - 1) * Layer::kPe;
  static constexpr int kInputWidth = Layer::kPe * Layer::kInputBits;
  static constexpr int kOutputWidth = Layer::kPe * Layer::kOutputBits;

  // In two's complement, modulo 2^kSumBits: a product need not fit, as long as its sum does.
  using Sum = uint<Layer::kSumBits>;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const std::uint32_t tile = tile_.turn();
    uint<kOutputWidth> outputs = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kPe; ++lane) {
#pragma HLS UNROLL
      const auto element = bits_at<Layer::kInputBits, kInputWidth>(beat, lane * Layer::kInputBits);
      uint<Layer::kOutputBits> output = rescaled(value(element), lane, tile);
      if (lane >= kLastLanes && tile_.last()) output = 0;
      outputs = with_bits<Layer::kOutputBits, kOutputWidth>(outputs, lane * Layer::kOutputBits, output);
    }
    ports.m_axis.write(outputs);
    tile_.step();
  }

 private:
  using Value = sint<Layer::kStartBits>;

  static Value value(uint<Layer::kInputBits> element) {
#pragma HLS INLINE
    if (Layer::kInputBipolar) return element != 0 ? 1 : -1;
    return value_of<Layer::kInputSigned, Layer::kInputBits>(element);
  }

  static uint<Layer::kOutputBits> rescaled(Value value, int lane, std::uint32_t tile) {
#pragma HLS INLINE
    const Segment<Layer> segment(value, lane, tile);
    const Sum product = Multiplier<Layer>::of(segment, lane, tile) * value;
    const Sum sum = product + Offset<Layer>::of(segment, lane, tile);
    return sint<Layer::kSumBits>(sum) >> Layer::kShift;
  }

  Loop<kTiles> tile_;
};

}  // namespace thresher

#endif
