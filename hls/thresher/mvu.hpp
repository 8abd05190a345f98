// mvu: a matrix-vector unit with `kPe` rows and `kSimd` columns a cycle.
//
// The unit walks the matrix row tile by row tile, and within one column tile by column tile. The vector
// is read during the first row tile and replayed from a memory for the others; at the last column tile
// of a row tile one beat of `kPe` outputs leaves. With `kGroups` matrices, vectors meet them in turn, and
// a window is as many vectors. Row tiles are counted through all matrices: `word`, and steps of them:
// tile = word * kColumnTiles + column_tile.
#ifndef THRESHER_MVU_HPP
#define THRESHER_MVU_HPP

#include "thresher/accumulation.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer>
class Mvu {
  static constexpr int kColumnTiles = ceil_div(Layer::kColumns, Layer::kSimd);
  static constexpr int kRowTiles = ceil_div(Layer::kRows, Layer::kPe);
  static constexpr int kWords = Layer::kGroups * kRowTiles;
  static constexpr int kTiles = kWords * kColumnTiles;
  static constexpr int kLastRows = Layer::kRows - (kRowTiles - 1) * Layer::kPe;
  static constexpr int kInputWidth = Layer::kSimd * Layer::kInputBits;
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
    // Counters of one turn stay at zero, which the compiler need not find out.
    const bool first_column = kColumnTiles == 1 || column_tile_ == 0;
    const bool last_column = kColumnTiles == 1 || column_tile_ == kColumnTiles - 1;
    const bool first_row = kRowTiles == 1 || row_tile_ == 0;
    const bool last_row = kRowTiles == 1 || row_tile_ == kRowTiles - 1;
    const std::uint32_t word = Layer::kGroups == 1 ? row_tile_.to_uint() : word_.to_uint();
    const bool last_word = Layer::kGroups == 1 ? last_row : word == kWords - 1;
    const std::uint32_t start_index = Sums::start_index(edge_, word);

    uint<kInputWidth> beat;
    if (first_row) {
      beat = ports.s_axis.read();
      if (kRowTiles > 1) vector_.write(column_tile_, beat);
    } else {
      beat = vector_.read(column_tile_);
    }

    uint<kOutputWidth> outputs = 0;
#pragma clang loop unroll(full)
    for (int pe = 0; pe < Layer::kPe; ++pe) {
#pragma HLS UNROLL
      const Accumulator before = first_column ? Start<Layer>::of(pe, start_index) : accumulator_[pe];
      const Accumulator sum = Sums::add(before, pe, tile_, beat);
      accumulator_[pe] = sum;
      uint<Layer::kOutputBits> output = Sums::output(sum, pe, start_index, word);
      if (pe >= kLastRows && last_row) output = 0;
      outputs = with_bits<Layer::kOutputBits, kOutputWidth>(outputs, pe * Layer::kOutputBits, output);
    }
    if (last_column) ports.m_axis.write(outputs);

    const bool last_tile = last_column && last_word;
    if (last_tile) edge_.advance();
    count(tile_, last_tile);
    if (last_column) {
      count(row_tile_, last_row);
      count(word_, last_word);
    }
    count(column_tile_, last_column);
  }

 private:
  uint<bits_for(kRowTiles - 1)> row_tile_ = 0;
  uint<bits_for(kWords - 1)> word_ = 0;
  uint<bits_for(kColumnTiles - 1)> column_tile_ = 0;
  uint<bits_for(kTiles - 1)> tile_ = 0;
  EdgeClass<Layer> edge_;
  Accumulator accumulator_[Layer::kPe];
  Ram<kInputWidth, kColumnTiles> vector_;
};

}  // namespace thresher

#endif
