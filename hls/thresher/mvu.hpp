// mvu: a matrix-vector unit with `kPe` rows and `kSimd` columns a cycle.
//
// The unit walks the matrix row tile by row tile, and within one column tile by column tile:
// step = row_tile * kColumnTiles + column_tile. The vector is read during the first row tile and
// replayed from a memory for the others; at the last column tile of a row tile one beat of `kPe`
// outputs leaves. Padding columns contribute nothing: the lanes of the input carry zero bits, and
// the weights there are +1 where they are signs and 0 otherwise.
//
// The accumulator counts in units that suit the arithmetic. For bipolar x bipolar it counts matching
// signs m, from -ceil(columns / 2) on, so that the sum is 2 * accumulator + (columns odd); for all
// else it is the sum itself, but for `kComplements`: an input times -1 is then its complement, and what
// that lacks, the same for each vector, is in the thresholds. With one threshold per row it starts at minus that threshold, and the
// output is its sign; with several it starts at zero and goes through a staircase.
#ifndef THRESHER_MVU_HPP
#define THRESHER_MVU_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/staircase.hpp"
#include "thresher/stream.hpp"

namespace thresher {

// The dot product of one row tile with one beat; the four kinds differ in what a lane contributes.
template <class Layer, bool BipolarWeights = Layer::kWeightBipolar, bool BipolarInput = Layer::kInputBipolar>
struct DotProduct {
  static constexpr int kTermBits = Layer::kTermBits;
  using Sum = TreeSum<kTermBits, Layer::kSimd>;
  static constexpr int kBits = Sum::kBits;

  static sint<kBits> of(uint<Layer::kSimd * Layer::kWeightBits> weights,
                        uint<Layer::kSimd * Layer::kInputBits> beat) {
#pragma HLS INLINE
    sint<kTermBits> terms[Layer::kSimd];
#pragma HLS ARRAY_PARTITION variable=terms complete
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kSimd; ++lane) {
#pragma HLS UNROLL
      terms[lane] = term(
          bits_at<Layer::kWeightBits, Layer::kSimd * Layer::kWeightBits>(weights, lane * Layer::kWeightBits),
          bits_at<Layer::kInputBits, Layer::kSimd * Layer::kInputBits>(beat, lane * Layer::kInputBits));
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

// Bipolar x bipolar: the lanes whose signs match, by XNOR and popcount.
template <class Layer>
struct DotProduct<Layer, true, true> {
  static constexpr int kBits = bits_for(Layer::kSimd) + 1;

  static sint<kBits> of(uint<Layer::kSimd> weights, uint<Layer::kSimd> beat) {
#pragma HLS INLINE
    return static_cast<sint<kBits>>(popcount<Layer::kSimd>(static_cast<uint<Layer::kSimd>>(~(weights ^ beat))));
  }
};

// What a row tile starts from and how its accumulator becomes an output.
template <class Layer, int Levels = Layer::kLevels>
struct MvuOutput {
  using Accumulator = sint<Layer::kAccumulatorBits>;
  using Stairs = Staircase<Levels, Layer::kThresholdBits, Layer::kHasDescending, Layer::kOutputBits,
                           Layer::kOutputBase>;

  static Accumulator start(int, std::uint32_t) {
#pragma HLS INLINE
    return static_cast<Accumulator>(Layer::kStart);
  }
  static uint<Layer::kOutputBits> of(Accumulator sum, int pe, std::uint32_t word_index) {
#pragma HLS INLINE
    const auto word = rom_read<Stairs::kWordBits>(Layer::thresholds(pe), word_index);
    return Stairs::of(static_cast<sint<Layer::kThresholdBits>>(sum), word);
  }
};

// One threshold: it is in the start, so that reaching it is a sign.
template <class Layer>
struct MvuOutput<Layer, 1> {
  using Accumulator = sint<Layer::kAccumulatorBits>;
  static constexpr int kStartBits = Layer::kThresholdBits;
  static constexpr int kWordBits = kStartBits + (Layer::kHasDescending ? 1 : 0);

  static Accumulator start(int pe, std::uint32_t word_index) {
#pragma HLS INLINE
    const auto word = rom_read<kWordBits>(Layer::thresholds(pe), word_index);
    const auto field = bits_at<kStartBits, kWordBits>(word, 0);
    return static_cast<Accumulator>(static_cast<sint<kStartBits>>(field));
  }
  static uint<Layer::kOutputBits> of(Accumulator sum, int pe, std::uint32_t word_index) {
#pragma HLS INLINE
    bool reached = sum >= 0;
    if (Layer::kHasDescending) {
      const auto word = rom_read<kWordBits>(Layer::thresholds(pe), word_index);
      if (bits_at<1, kWordBits>(word, kWordBits - 1) != 0) reached = !reached;
    }
    return static_cast<uint<Layer::kOutputBits>>(static_cast<uint<Layer::kOutputBits>>(reached ? 1 : 0) +
                                                 static_cast<uint<Layer::kOutputBits>>(Layer::kOutputBase));
  }
};

// No threshold: the sum itself leaves, in two's complement.
template <class Layer>
struct MvuOutput<Layer, 0> {
  using Accumulator = sint<Layer::kAccumulatorBits>;
  static constexpr bool kMatches = Layer::kWeightBipolar && Layer::kInputBipolar;
  static constexpr bool kOdd = Layer::kColumns % 2 != 0;

  static Accumulator start(int, std::uint32_t) {
#pragma HLS INLINE
    return static_cast<Accumulator>(Layer::kStart);
  }
  static uint<Layer::kOutputBits> of(Accumulator sum, int, std::uint32_t) {
#pragma HLS INLINE
    const auto whole = static_cast<uint<Layer::kOutputBits>>(static_cast<sint<Layer::kOutputBits + 1>>(sum));
    if (!kMatches) return whole;
    return static_cast<uint<Layer::kOutputBits>>(static_cast<uint<Layer::kOutputBits>>(whole << 1) |
                                                 static_cast<uint<Layer::kOutputBits>>(kOdd ? 1 : 0));
  }
};

template <class Layer>
class Mvu {
  static constexpr int kColumnTiles = ceil_div(Layer::kColumns, Layer::kSimd);
  static constexpr int kRowTiles = ceil_div(Layer::kRows, Layer::kPe);
  static constexpr int kTiles = kRowTiles * kColumnTiles;
  static constexpr int kLastRows = Layer::kRows - (kRowTiles - 1) * Layer::kPe;
  static constexpr int kInputWidth = Layer::kSimd * Layer::kInputBits;
  static constexpr int kOutputWidth = Layer::kPe * Layer::kOutputBits;
  using Dot = DotProduct<Layer>;
  using Output = MvuOutput<Layer>;
  using Accumulator = sint<Layer::kAccumulatorBits>;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=accumulator_ complete
    const bool first_column = column_tile_ == 0;
    const bool last_column = column_tile_ == kColumnTiles - 1;
    const bool last_row = row_tile_ == kRowTiles - 1;
    const std::uint32_t word_index = Layer::kThresholdTiles == 1 ? 0 : static_cast<std::uint32_t>(row_tile_);

    uint<kInputWidth> beat;
    if (row_tile_ == 0) {
      beat = ports.s_axis.read();
      if (kRowTiles > 1) vector_.write(static_cast<std::uint32_t>(column_tile_), beat);
    } else {
      beat = vector_.read(static_cast<std::uint32_t>(column_tile_));
    }

    uint<kOutputWidth> outputs = 0;
#pragma clang loop unroll(full)
    for (int pe = 0; pe < Layer::kPe; ++pe) {
#pragma HLS UNROLL
      const auto weights = rom_read<Layer::kSimd * Layer::kWeightBits>(Layer::weights(pe),
                                                                       static_cast<std::uint32_t>(tile_));
      const Accumulator before = first_column ? Output::start(pe, word_index) : accumulator_[pe];
      const Accumulator sum =
          static_cast<Accumulator>(before + static_cast<Accumulator>(Dot::of(weights, beat)));
      accumulator_[pe] = sum;
      uint<Layer::kOutputBits> output = Output::of(sum, pe, word_index);
      if (pe >= kLastRows && last_row) output = 0;
      outputs = with_bits<Layer::kOutputBits, kOutputWidth>(outputs, pe * Layer::kOutputBits, output);
    }
    if (last_column) ports.m_axis.write(outputs);

    const bool last_tile = last_column && last_row;
    tile_ = static_cast<uint<bits_for(kTiles - 1)>>(last_tile ? 0 : static_cast<int>(tile_) + 1);
    if (last_column) {
      row_tile_ = static_cast<uint<bits_for(kRowTiles - 1)>>(last_row ? 0 : static_cast<int>(row_tile_) + 1);
    }
    column_tile_ =
        static_cast<uint<bits_for(kColumnTiles - 1)>>(last_column ? 0 : static_cast<int>(column_tile_) + 1);
  }

 private:
  uint<bits_for(kRowTiles - 1)> row_tile_ = 0;
  uint<bits_for(kColumnTiles - 1)> column_tile_ = 0;
  uint<bits_for(kTiles - 1)> tile_ = 0;
  Accumulator accumulator_[Layer::kPe];
  Ram<kInputWidth, kColumnTiles> vector_;
};

}  // namespace thresher

#endif
