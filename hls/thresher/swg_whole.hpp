// swg with whole windows: `kKernelRows * kKernelColumns * kChannels` elements a cycle.
//
// Pixels come in row by row, one a step. A pixel of an earlier row leaves a delay line of that many pixels,
// and pixels of earlier columns stand in registers; so the taps of a window are all there with its last
// one, even where that is padding behind the end of a row: what then stands at taps outside of the map
// belongs to other rows, and padding goes out instead. As no window is padding for more than it reaches, no
// two are complete in the same step. Windows that end below the map come in steps that take no pixel.
#ifndef THRESHER_SWG_WHOLE_HPP
#define THRESHER_SWG_WHOLE_HPP

#include "thresher/loop.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"
#include "thresher/swg.hpp"

namespace thresher {

template <class Layer>
class Swg<Layer, true> {
  static constexpr int kPixelWidth = Layer::kChannels * Layer::kElementBits;
  static constexpr int kColumnWidth = Layer::kKernelRows * kPixelWidth;
  static constexpr int kWindowWidth = Layer::kKernelColumns * kColumnWidth;

  // Pixels in a delay line; earlier columns in registers, at least one so that there is an array.
  static constexpr int kDelay = Layer::kDilationRows * Layer::kColumns;
  static constexpr int kReach = (Layer::kKernelColumns - 1) * Layer::kDilationColumns;
  static constexpr int kHeld = kReach > 0 ? kReach : 1;

  // Steps between windows that lie side by side, of two rows, and of two frames, less 1 each.
  static constexpr int kPixels = Layer::kRows * Layer::kColumns;
  static constexpr int kRowReach = (Layer::kOutputColumns - 1) * Layer::kStrideColumns;
  static constexpr int kFrameReach = (Layer::kOutputRows - 1) * Layer::kStrideRows * Layer::kColumns + kRowReach;
  static constexpr int kNextColumn = Layer::kStrideColumns - 1;
  static constexpr int kNextRow = Layer::kStrideRows * Layer::kColumns - kRowReach - 1;
  static constexpr int kNextFrame = Layer::kSteps - kFrameReach - 1;

  // The row and the column of a window's first tap; those ahead of the map count as large ones.
  using Row = uint<bits_for(Layer::kAbove + Layer::kRows + Layer::kBelow)>;
  using Column = uint<bits_for(Layer::kLeft + Layer::kColumns + Layer::kRight)>;

 public:
  struct Ports {
    InStream<kPixelWidth> s_axis;
    OutStream<kWindowWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=columns_ complete
    uint<kPixelWidth> pixel = 0;
    if (Layer::kSteps == kPixels || step_.turn() < kPixels) pixel = ports.s_axis.read();
    step_.step();

    const uint<kColumnWidth> column = delayed(pixel);
    if (wait_ == 0) ports.m_axis.write(window(column));
    shift(column);
    turn();
  }

 private:
  // The pixel and those above it, the highest first, as far as tap rows lie apart.
  uint<kColumnWidth> delayed(uint<kPixelWidth> pixel) {
#pragma HLS INLINE
    uint<kColumnWidth> column = 0;
#pragma clang loop unroll(full)
    for (int ky = Layer::kKernelRows - 1; ky >= 0; --ky) {
#pragma HLS UNROLL
      column = with_bits<kPixelWidth, kColumnWidth>(column, ky * kPixelWidth, pixel);
      if (ky > 0) {
        const std::uint32_t address = address_.turn();
        const uint<kPixelWidth> above = lines_[ky].read(address);
        lines_[ky].write(address, pixel);
        pixel = above;
      }
    }
    address_.step();
    return column;
  }

  // The window that ends with `column`.
  uint<kWindowWidth> window(uint<kColumnWidth> column) const {
#pragma HLS INLINE
    uint<kWindowWidth> taps = 0;
#pragma clang loop unroll(full)
    for (int tap = 0; tap < Layer::kKernelRows * Layer::kKernelColumns; ++tap) {
#pragma HLS UNROLL
      const int ky = tap / Layer::kKernelColumns;
      const int kx = tap % Layer::kKernelColumns;
      const int back = (Layer::kKernelColumns - 1 - kx) * Layer::kDilationColumns;
      const uint<kColumnWidth> held = back > 0 ? columns_[back - 1] : column;
      const uint<kPixelWidth> pixel = bits_at<kPixelWidth, kColumnWidth>(held, ky * kPixelWidth);
      taps = with_bits<kPixelWidth, kWindowWidth>(taps, tap * kPixelWidth, outside(ky, kx) ? padding() : pixel);
    }
    return taps;
  }

  bool outside(int ky, int kx) const {
#pragma HLS INLINE
    const Row row = first_row_ + ky * Layer::kDilationRows;
    const Column column = first_column_ + kx * Layer::kDilationColumns;
    return ((Layer::kAbove > 0 || Layer::kBelow > 0) && row >= Layer::kRows) ||
           ((Layer::kLeft > 0 || Layer::kRight > 0) && column >= Layer::kColumns);
  }

  static uint<kPixelWidth> padding() {
#pragma HLS INLINE
    uint<kPixelWidth> pixel = 0;
#pragma clang loop unroll(full)
    for (int channel = 0; channel < Layer::kChannels; ++channel) {
#pragma HLS UNROLL
      const uint<Layer::kElementBits> code = Layer::kPadding;
      pixel = with_bits<Layer::kElementBits, kPixelWidth>(pixel, channel * Layer::kElementBits, code);
    }
    return pixel;
  }

  void shift(uint<kColumnWidth> column) {
#pragma HLS INLINE
#pragma clang loop unroll(full)
    for (int back = kHeld - 1; back > 0; --back) {
#pragma HLS UNROLL
      columns_[back] = columns_[back - 1];
    }
    columns_[0] = column;
  }

  // Wait, or go on to the next window.
  void turn() {
#pragma HLS INLINE
    if (wait_ != 0) {
      --wait_;
      return;
    }
    const bool row_ends = column_.last();
    const bool frame_ends = row_ends && row_.last();
    wait_ = frame_ends ? kNextFrame : row_ends ? kNextRow : kNextColumn;
    first_column_ = row_ends ? Column(-Layer::kLeft) : Column(first_column_ + Layer::kStrideColumns);
    if (row_ends) {
      first_row_ = frame_ends ? Row(-Layer::kAbove) : Row(first_row_ + Layer::kStrideRows);
      row_.step();
    }
    column_.step();
  }

  using Wait = uint<bits_for(Layer::kSteps)>;

  Loop<Layer::kSteps> step_;
  Loop<kDelay> address_;
  Loop<Layer::kOutputColumns> column_;
  Loop<Layer::kOutputRows> row_;
  Wait wait_ = Layer::kFirstWindow;
  Row first_row_ = Row(-Layer::kAbove);
  Column first_column_ = Column(-Layer::kLeft);
  uint<kColumnWidth> columns_[kHeld] THRESHER_ANY_VALUE;
  Ram<kPixelWidth, kDelay> lines_[Layer::kKernelRows];
};

}  // namespace thresher

#endif
