// accumulation: sums of products and what is made of them, shared by the units that multiply.
//
// The accumulator counts in units that suit the arithmetic of `products.hpp`: with `kHalves` the sum is
// 2 * accumulator + `kOdd`, otherwise it is the sum. What products leave out, the same for each vector, is
// in what it starts from or, where several thresholds follow, in those.
//
// With one threshold per row it starts at minus that threshold, and the output is its sign; with several
// it goes through a staircase, with none it leaves as it is. With `kCorrected` it starts from what the
// window at hand lacks because of where it lies.
#ifndef THRESHER_ACCUMULATION_HPP
#define THRESHER_ACCUMULATION_HPP

#include "thresher/products.hpp"
#include "thresher/rom.hpp"
#include "thresher/staircase.hpp"

namespace thresher {

// The weights of a lane, `Lanes` at a time.
template <class Layer, int Lanes, bool Unit = Layer::kUnitWeights>
struct Weights {
  static constexpr int kBits = Lanes * Layer::kWeightBits;
  static uint<kBits> of(int pe, std::uint32_t address) {
#pragma HLS INLINE
    return rom_read<kBits, Layer::kWeightStyle>(Layer::weights(pe), address);
  }
};

// All weights are one.
template <class Layer, int Lanes>
struct Weights<Layer, Lanes, true> {
  static uint<Lanes> of(int, std::uint32_t) {
#pragma HLS INLINE
    return ~uint<Lanes>(0);
  }
};

// What accumulators start from: all from the same, or each from a word of a table, which with one
// threshold says as well whether the row descends.
template <class Layer, bool FromTable = Layer::kHasStarts>
struct Start {
  using Accumulator = sint<Layer::kAccumulatorBits>;
  static Accumulator of(int, std::uint32_t) {
#pragma HLS INLINE
    return Layer::kStart;
  }
  static bool descends(int, std::uint32_t) { return false; }
};

template <class Layer>
struct Start<Layer, true> {
  using Accumulator = sint<Layer::kAccumulatorBits>;
  static constexpr int kBits = Layer::kStartBits;
  static constexpr bool kHasDirection = Layer::kLevels == 1 && Layer::kHasDescending;
  static constexpr int kWordBits = kBits + (kHasDirection ? 1 : 0);

  static Accumulator of(int pe, std::uint32_t address) {
#pragma HLS INLINE
    const auto word = rom_read<kWordBits>(Layer::starts(pe), address);
    return sint<kBits>(bits_at<kBits, kWordBits>(word, 0));
  }
  static bool descends(int pe, std::uint32_t address) {
#pragma HLS INLINE
    if (!kHasDirection) return false;
    const auto word = rom_read<kWordBits>(Layer::starts(pe), address);
    return bits_at<1, kWordBits>(word, kWordBits - 1) != 0;
  }
};

// How an accumulator becomes an output: by a staircase.
template <class Layer, int Levels = Layer::kLevels>
struct Output {
  using Stairs = Staircase<Levels, Layer::kThresholdBits, Layer::kHasDescending, Layer::kOutputBits,
                           Layer::kOutputBase>;
  static uint<Layer::kOutputBits> of(sint<Layer::kAccumulatorBits> sum, int pe, std::uint32_t,
                                     std::uint32_t word_index) {
#pragma HLS INLINE
    const auto word = rom_read<Stairs::kWordBits>(Layer::thresholds(pe), word_index);
    return Stairs::of(sum, word);
  }
};

// One threshold: it was in the start, so that reaching it is a sign.
template <class Layer>
struct Output<Layer, 1> {
  static uint<Layer::kOutputBits> of(sint<Layer::kAccumulatorBits> sum, int pe, std::uint32_t start_index,
                                     std::uint32_t) {
#pragma HLS INLINE
    const bool reached = (sum >= 0) != Start<Layer>::descends(pe, start_index);
    return Layer::kOutputBase + (reached ? 1 : 0);
  }
};

// No threshold: the sum itself leaves, in two's complement.
template <class Layer>
struct Output<Layer, 0> {
  static uint<Layer::kOutputBits> of(sint<Layer::kAccumulatorBits> sum, int, std::uint32_t, std::uint32_t) {
#pragma HLS INLINE
    const uint<Layer::kOutputBits> whole = sum;
    if (!Layer::kHalves) return whole;
    return (whole << 1) | uint<1>(Layer::kOdd);
  }
};

// The edge class of the window at hand: nothing to know.
template <class Layer, bool Corrected = Layer::kCorrected>
class EdgeClass {
 public:
  std::uint32_t above(int) const { return 0; }
  void advance() {}
};

// Windows pass row by row, and the table of starts is addressed by row class, column class and row tile
// side by side.
template <class Layer>
class EdgeClass<Layer, true> {
  static constexpr int kColumnClassBits = Layer::kColumnClasses == 1 ? 0 : bits_for(Layer::kColumnClasses - 1);

 public:
  // The classes, as they lie in an address above `bits` bits.
  std::uint32_t above(int bits) const {
#pragma HLS INLINE
    std::uint32_t classes = 0;
    if (Layer::kRowClasses > 1) {
      const auto row_class = rom_read<bits_for(Layer::kRowClasses - 1)>(Layer::row_classes(0), row_);
      classes = row_class.to_uint() << kColumnClassBits;
    }
    if (Layer::kColumnClasses > 1) {
      const auto column_class = rom_read<bits_for(Layer::kColumnClasses - 1)>(Layer::column_classes(0), column_);
      classes |= column_class.to_uint();
    }
    return classes << bits;
  }

  // Go to the next window.
  void advance() {
#pragma HLS INLINE
    const bool last_column = column_ == Layer::kWindowColumns - 1;
    if (last_column) count(row_, row_ == Layer::kWindowRows - 1);
    count(column_, last_column);
  }

 private:
  uint<bits_for(Layer::kWindowRows - 1)> row_ = 0;
  uint<bits_for(Layer::kWindowColumns - 1)> column_ = 0;
};

// What the units of these sums do in each lane. `Lanes` inputs are summed at a time.
template <class Layer, int Lanes>
struct Accumulation {
  using Accumulator = sint<Layer::kAccumulatorBits>;

  // The address of a start, for the window that `edge` is at and a row tile.
  static std::uint32_t start_index(const EdgeClass<Layer>& edge, std::uint32_t row_tile) {
#pragma HLS INLINE
    if (Layer::kStartTiles == 1) return edge.above(0);
    return edge.above(bits_for(Layer::kStartTiles - 1)) | row_tile;
  }

  // `before` and the dot product of a lane's weights at `address` with `inputs`, modulo 2^kAccumulatorBits:
  // the sum at the end of a row fits, but neither need a dot product nor a sum on the way, and of padding
  // rows none does.
  static Accumulator add(Accumulator before, int pe, std::uint32_t address,
                         uint<Lanes * Layer::kInputBits> inputs) {
#pragma HLS INLINE
    return before + DotProduct<Layer, Lanes>::of(Weights<Layer, Lanes>::of(pe, address), inputs);
  }

  // The output of a lane whose sum is complete.
  static uint<Layer::kOutputBits> output(Accumulator sum, int pe, std::uint32_t start_index,
                                         std::uint32_t row_tile) {
#pragma HLS INLINE
    return Output<Layer>::of(sum, pe, start_index, Layer::kThresholdTiles == 1 ? 0 : row_tile);
  }
};

}  // namespace thresher

#endif
