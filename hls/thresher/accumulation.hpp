// accumulation: sums of products and what is made of them, shared by the units that multiply.
//
// The accumulator counts in units that suit the arithmetic. For bipolar x bipolar it counts matching
// signs m; with `kHalves` it starts from -ceil(columns / 2), so that the sum is 2 * accumulator +
// (columns odd), otherwise it is the sum, 2 * m - columns. For all else it is the sum itself, but for
// `kComplements`: an input times -1 is then its complement, and what that lacks, the same for each
// vector, is in the thresholds.
//
// With one threshold per row it starts at minus that threshold, and the output is its sign; with several
// it goes through a staircase, with none it leaves as it is. With `kCorrected` it starts from what the
// window at hand lacks because of where it lies.
//
// Padding columns contribute nothing: the lanes of the input carry zero bits, and the weights there are
// +1 where they are signs and 0 otherwise, or +1 where all are.
#ifndef THRESHER_ACCUMULATION_HPP
#define THRESHER_ACCUMULATION_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/rom.hpp"
#include "thresher/staircase.hpp"

namespace thresher {

// The dot product of some weights with as many inputs; the four kinds differ in what a lane contributes.
template <class Layer, int Lanes, bool BipolarWeights = Layer::kWeightBipolar,
          bool BipolarInput = Layer::kInputBipolar>
struct DotProduct {
  static constexpr int kTermBits = Layer::kTermBits;
  using Sum = TreeSum<kTermBits, Lanes>;
  static constexpr int kBits = Sum::kBits;

  static sint<kBits> of(uint<Lanes * Layer::kWeightBits> weights, uint<Lanes * Layer::kInputBits> inputs) {
#pragma HLS INLINE
    sint<kTermBits> terms[Lanes];
#pragma HLS ARRAY_PARTITION variable=terms complete
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Lanes; ++lane) {
#pragma HLS UNROLL
      terms[lane] =
          term(bits_at<Layer::kWeightBits, Lanes * Layer::kWeightBits>(weights, lane * Layer::kWeightBits),
               bits_at<Layer::kInputBits, Lanes * Layer::kInputBits>(inputs, lane * Layer::kInputBits));
    }
    return Sum::of(terms);
  }

 private:
  static sint<kTermBits> term(uint<Layer::kWeightBits> weight, uint<Layer::kInputBits> input) {
#pragma HLS INLINE
    const auto w = static_cast<sint<kTermBits>>(value_of<Layer::kWeightSigned, Layer::kWeightBits>(weight));
    const auto x = static_cast<sint<kTermBits>>(value_of<Layer::kInputSigned, Layer::kInputBits>(input));
    if (Layer::kComplements) {
      const auto flipped = weight != 0 ? input : static_cast<uint<Layer::kInputBits>>(~input);
      return static_cast<sint<kTermBits>>(value_of<Layer::kInputSigned, Layer::kInputBits>(flipped));
    }
    if (BipolarWeights) return static_cast<sint<kTermBits>>(weight != 0 ? x : static_cast<sint<kTermBits>>(-x));
    if (BipolarInput) return static_cast<sint<kTermBits>>(input != 0 ? w : static_cast<sint<kTermBits>>(-w));
    return static_cast<sint<kTermBits>>(w * x);
  }
};

// Bipolar x bipolar: the lanes whose signs match, by XNOR and popcount, or twice as many.
template <class Layer, int Lanes>
struct DotProduct<Layer, Lanes, true, true> {
  static constexpr int kBits = bits_for(Lanes) + (Layer::kHalves ? 1 : 2);

  static sint<kBits> of(uint<Lanes> weights, uint<Lanes> inputs) {
#pragma HLS INLINE
    const auto matches =
        static_cast<uint<kBits>>(popcount<Lanes>(static_cast<uint<Lanes>>(~(weights ^ inputs))));
    return static_cast<sint<kBits>>(static_cast<uint<kBits>>(matches << (Layer::kHalves ? 0 : 1)));
  }
};

// The weights of a lane, `Lanes` at a time.
template <class Layer, int Lanes, bool Unit = Layer::kUnitWeights>
struct Weights {
  static constexpr int kBits = Lanes * Layer::kWeightBits;
  static uint<kBits> of(int pe, std::uint32_t address) {
#pragma HLS INLINE
    return rom_read<kBits>(Layer::weights(pe), address);
  }
};

// All weights are one.
template <class Layer, int Lanes>
struct Weights<Layer, Lanes, true> {
  static uint<Lanes> of(int, std::uint32_t) {
#pragma HLS INLINE
    return static_cast<uint<Lanes>>(~static_cast<uint<Lanes>>(0));
  }
};

// What accumulators start from: all from the same, or each from a word of a table, which with one
// threshold says as well whether the row descends.
template <class Layer, bool FromTable = Layer::kHasStarts>
struct Start {
  using Accumulator = sint<Layer::kAccumulatorBits>;
  static Accumulator of(int, std::uint32_t) {
#pragma HLS INLINE
    return static_cast<Accumulator>(Layer::kStart);
  }
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
    return static_cast<Accumulator>(static_cast<sint<kBits>>(bits_at<kBits, kWordBits>(word, 0)));
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
    return Stairs::of(static_cast<sint<Layer::kThresholdBits>>(sum), word);
  }
};

// One threshold: it was in the start, so that reaching it is a sign.
template <class Layer>
struct Output<Layer, 1> {
  static uint<Layer::kOutputBits> of(sint<Layer::kAccumulatorBits> sum, int pe, std::uint32_t start_index,
                                     std::uint32_t) {
#pragma HLS INLINE
    const bool reached = (sum >= 0) != Start<Layer>::descends(pe, start_index);
    return static_cast<uint<Layer::kOutputBits>>(static_cast<uint<Layer::kOutputBits>>(reached ? 1 : 0) +
                                                 static_cast<uint<Layer::kOutputBits>>(Layer::kOutputBase));
  }
};

// No threshold: the sum itself leaves, in two's complement.
template <class Layer>
struct Output<Layer, 0> {
  static constexpr bool kOdd = Layer::kColumns % 2 != 0;
  static uint<Layer::kOutputBits> of(sint<Layer::kAccumulatorBits> sum, int, std::uint32_t, std::uint32_t) {
#pragma HLS INLINE
    // One bit more, as a sum at an edge may have only one bit.
    using Wide = uint<Layer::kOutputBits + 1>;
    const auto whole = static_cast<Wide>(static_cast<sint<Layer::kOutputBits + 2>>(sum));
    if (!Layer::kHalves) return static_cast<uint<Layer::kOutputBits>>(whole);
    const auto twice = static_cast<Wide>(static_cast<Wide>(whole << 1) | static_cast<Wide>(kOdd ? 1 : 0));
    return static_cast<uint<Layer::kOutputBits>>(twice);
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
      const auto row_class = rom_read<bits_for(Layer::kRowClasses - 1)>(Layer::row_classes(0),
                                                                        static_cast<std::uint32_t>(row_));
      classes = static_cast<std::uint32_t>(row_class) << kColumnClassBits;
    }
    if (Layer::kColumnClasses > 1) {
      classes |= static_cast<std::uint32_t>(rom_read<bits_for(Layer::kColumnClasses - 1)>(
          Layer::column_classes(0), static_cast<std::uint32_t>(column_)));
    }
    return classes << bits;
  }

  // Go to the next window.
  void advance() {
#pragma HLS INLINE
    const bool last_column = column_ == Layer::kWindowColumns - 1;
    if (last_column) {
      const bool last_row = row_ == Layer::kWindowRows - 1;
      row_ = static_cast<uint<bits_for(Layer::kWindowRows - 1)>>(last_row ? 0 : static_cast<int>(row_) + 1);
    }
    column_ = static_cast<uint<bits_for(Layer::kWindowColumns - 1)>>(last_column ? 0
                                                                                 : static_cast<int>(column_) + 1);
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

  // `before` and the dot product of a lane's weights at `address` with `inputs`.
  static Accumulator add(Accumulator before, int pe, std::uint32_t address,
                         uint<Lanes * Layer::kInputBits> inputs) {
#pragma HLS INLINE
    const auto weights = Weights<Layer, Lanes>::of(pe, address);
    return static_cast<Accumulator>(before +
                                    static_cast<Accumulator>(DotProduct<Layer, Lanes>::of(weights, inputs)));
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
