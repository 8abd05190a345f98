// swg: a sliding window over a feature map, `kSimd` channels a cycle. Whole windows are in swg_whole.hpp.
//
// The words of a map, `kSimd` channels each, go through a circular buffer of `kCapacity` words. They are
// numbered row by row, and so are the taps outside of the map, as if pixels went on to all sides. Six
// nested loops walk over the words of all windows: rows and columns of windows, tiles of channels, rows and
// columns of taps, words of a tile. When a loop steps, the loops inside it begin again; so each number
// that is kept moves by a constant for each loop.
//
// Each step does two things that know nothing of each other, both by the state ahead of the step. It takes
// a word where one is there and the buffer has room; and it sends the next word of a window where that
// has been taken, or is padding; a frame begins with its first word, so that after the last one nothing
// is sent. Room is made when a window ends: no window behind it begins with an
// earlier word than the next one does.
#ifndef THRESHER_SWG_HPP
#define THRESHER_SWG_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/loop.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace thresher {

constexpr int smaller(int a, int b) {
  return a < b ? a : b;
}

template <class Layer, bool Whole = Layer::kWhole>
class Swg;

template <class Layer>
class Swg<Layer, false> {
  static constexpr int kWidth = Layer::kSimd * Layer::kElementBits;

  // How far words lie apart that are neighbours in a pixel, a row and a column.
  static constexpr int kPixel = ceil_div(Layer::kChannels, Layer::kSimd);
  static constexpr int kRow = Layer::kColumns * kPixel;
  static constexpr int kFrame = Layer::kRows * kRow;
  static constexpr int kTiles = kPixel / Layer::kTileWords;

  // From the first to the last row or column that a loop comes to.
  static constexpr int kTapColumnReach = (Layer::kKernelColumns - 1) * Layer::kDilationColumns;
  static constexpr int kTapRowReach = (Layer::kKernelRows - 1) * Layer::kDilationRows;
  static constexpr int kColumnReach = (Layer::kOutputColumns - 1) * Layer::kStrideColumns;
  static constexpr int kRowReach = (Layer::kOutputRows - 1) * Layer::kStrideRows;

  // How far a loop goes on when it steps: in words, less what the loops inside it go back.
  static constexpr int kTapBack = Layer::kTileWords - 1;
  static constexpr int kTapRowBack = kTapBack + kTapColumnReach * kPixel;
  static constexpr int kTileBack = kTapRowBack + kTapRowReach * kRow;
  static constexpr int kWindowBack = kTileBack + (kTiles - 1) * Layer::kTileWords;
  static constexpr int kRowBack = kWindowBack + kColumnReach * kPixel;
  static constexpr int kFrameBack = kRowBack + kRowReach * kRow;
  static constexpr int kTapStep = Layer::kDilationColumns * kPixel - kTapBack;
  static constexpr int kTapRowStep = Layer::kDilationRows * kRow - kTapRowBack;
  static constexpr int kTileStep = Layer::kTileWords - kTileBack;
  static constexpr int kWindowStep = Layer::kStrideColumns * kPixel - kWindowBack;
  static constexpr int kRowStep = Layer::kStrideRows * kRow - kRowBack;
  static constexpr int kFrameStep = kFrame - kFrameBack;

  // The number of the first word of all windows. Where that is padding, its step waits for word 0 instead.
  static constexpr int kOrigin = -Layer::kAbove * kRow - Layer::kLeft * kPixel;

  // Of the loop that steps first: the innermost with more than one turn.
  static constexpr int kFirstStep = Layer::kTileWords > 1       ? 1
                                    : Layer::kKernelColumns > 1 ? kTapStep
                                    : Layer::kKernelRows > 1    ? kTapRowStep
                                    : kTiles > 1                ? kTileStep
                                    : Layer::kOutputColumns > 1 ? kWindowStep
                                    : Layer::kOutputRows > 1    ? kRowStep
                                                                : kFrameStep - kOrigin;

  // The words that become free with a window, with a row of windows, and with all.
  static constexpr int kWindowFrees = Layer::kStrideColumns * kPixel;
  static constexpr int kRowFrees = Layer::kStrideRows * kRow - Layer::kFreeColumns * kWindowFrees;
  static constexpr bool kAllRowsFree = Layer::kFreeRows == Layer::kOutputRows;
  static constexpr bool kAllColumnsFree = Layer::kFreeColumns == Layer::kOutputColumns - 1;
  static constexpr int kFrameFrees =
      kFrame - (Layer::kFreeRows - 1) * Layer::kStrideRows * kRow - Layer::kFreeColumns * kWindowFrees;

  static constexpr int kLastLanes = Layer::kChannels - (kPixel - 1) * Layer::kSimd;

  // Rows and columns of windows at the edges of the map that have taps outside of it.
  static constexpr int kFirstRows = smaller(ceil_div(Layer::kAbove, Layer::kStrideRows), Layer::kOutputRows);
  static constexpr int kLastRows = smaller(ceil_div(Layer::kBelow, Layer::kStrideRows), Layer::kOutputRows);
  static constexpr int kFirstColumns = smaller(ceil_div(Layer::kLeft, Layer::kStrideColumns), Layer::kOutputColumns);
  static constexpr int kLastColumns = smaller(ceil_div(Layer::kRight, Layer::kStrideColumns), Layer::kOutputColumns);

  // The places of the buffer: a whole number of parts, which are a power of two, so that an address goes
  // around by its upper bits.
  static constexpr int kPartBits = Layer::kPlacesPart == 1 ? 0 : bits_for(Layer::kPlacesPart - 1);
  static constexpr int kParts = Layer::kPlaces / Layer::kPlacesPart;
  using Address = uint<bits_for(Layer::kPlaces - 1)>;
  using Sum = uint<bits_for(2 * Layer::kPlaces - 1)>;

  // Two's complement: words taken less the number of the next one to send, less 1, so that it is there where
  // this is not negative; and words held less the capacity, so that there is room where this is.
  using Margin = uint<Layer::kMarginBits>;
  using Held = uint<Layer::kHeldBits>;

  // Which loops end with this step, each with all loops inside it.
  struct Ends {
    bool tap, tap_row, tile, window, row, frame;

    // What belongs to the loop that steps: `word` where none ends, else to the one around those that end.
    template <class Value>
    Value pick(int word, int next_tap, int next_tap_row, int next_tile, int next_window, int next_row,
               int next_frame) const {
#pragma HLS INLINE
      return only<Value>(!tap, word) | only<Value>(tap && !tap_row, next_tap) |
             only<Value>(tap_row && !tile, next_tap_row) | only<Value>(tile && !window, next_tile) |
             only<Value>(window && !row, next_window) | only<Value>(row && !frame, next_row) |
             only<Value>(frame, next_frame);
    }

   private:
    template <class Value>
    static Value only(bool condition, int value) {
#pragma HLS INLINE
      return condition ? Value(value) : Value(0);
    }
  };

 public:
  struct Ports {
    InStream<kWidth> s_axis;
    OutStream<kWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const bool padded = pads_row() || pads_column();
    const bool there = bits_at<1, Layer::kMarginBits>(margin_, Layer::kMarginBits - 1) == 0;
    const bool has_room = bits_at<1, Layer::kHeldBits>(held_, Layer::kHeldBits - 1) == 1;
    const bool sends = there || (padded && !first_);
    const bool takes = has_room && !ports.s_axis.empty();
    const Ends ends = known_ends();
    account(ends, sends, takes);  // ahead of all branches, or compilers double its sums

    if (sends) {
      const bool last_word = word_.last() && tile_.last();
      ports.m_axis.write(padded ? padding(last_word) : buffer_.read(address_));
    }
    if (takes) {
      buffer_.write(write_address_, ports.s_axis.read());
      write_address_ = around(write_address_ + 1);
    }
    if (sends) walk(ends);
  }

 private:
  // `ends_`; a loop of one turn ends with the one inside it.
  Ends known_ends() const {
#pragma HLS INLINE
    Ends ends = ends_;
    if (Layer::kTileWords == 1) ends.tap = true;
    if (Layer::kKernelColumns == 1) ends.tap_row = ends.tap;
    if (Layer::kKernelRows == 1) ends.tile = ends.tap_row;
    if (kTiles == 1) ends.window = ends.tile;
    if (Layer::kOutputColumns == 1) ends.row = ends.window;
    if (Layer::kOutputRows == 1) ends.frame = ends.row;
    return ends;
  }

  // The word of a padded tap: the lanes behind the last channel are zero.
  static uint<kWidth> padding(bool last_word) {
#pragma HLS INLINE
    uint<kWidth> word = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kSimd; ++lane) {
#pragma HLS UNROLL
      const bool filler = lane >= kLastLanes && last_word;
      const uint<Layer::kElementBits> code = filler ? 0 : Layer::kPadding;
      word = with_bits<Layer::kElementBits, kWidth>(word, lane * Layer::kElementBits, code);
    }
    return word;
  }

  // Whether the tap is in a row outside of the map.
  bool pads_row() const {
#pragma HLS INLINE
    bool result = false;
#pragma clang loop unroll(full)
    for (int row = 0; row < kFirstRows; ++row) {
#pragma HLS UNROLL
      const int taps = ceil_div(Layer::kAbove - row * Layer::kStrideRows, Layer::kDilationRows);
      result |= row_.turn() == row && tap_row_.turn() < taps;
    }
#pragma clang loop unroll(full)
    for (int row = Layer::kOutputRows - kLastRows; row < Layer::kOutputRows; ++row) {
#pragma HLS UNROLL
      const int inside = Layer::kAbove + Layer::kRows - row * Layer::kStrideRows;
      result |= row_.turn() == row && tap_row_.turn() >= (inside < 0 ? 0 : ceil_div(inside, Layer::kDilationRows));
    }
    return result;
  }

  // Whether the tap is in a column outside of the map.
  bool pads_column() const {
#pragma HLS INLINE
    bool result = false;
#pragma clang loop unroll(full)
    for (int column = 0; column < kFirstColumns; ++column) {
#pragma HLS UNROLL
      const int taps = ceil_div(Layer::kLeft - column * Layer::kStrideColumns, Layer::kDilationColumns);
      result |= column_.turn() == column && tap_column_.turn() < taps;
    }
#pragma clang loop unroll(full)
    for (int column = Layer::kOutputColumns - kLastColumns; column < Layer::kOutputColumns; ++column) {
#pragma HLS UNROLL
      const int inside = Layer::kLeft + Layer::kColumns - column * Layer::kStrideColumns;
      result |= column_.turn() == column &&
                tap_column_.turn() >= (inside < 0 ? 0 : ceil_div(inside, Layer::kDilationColumns));
    }
    return result;
  }

  // What is counted, of which there is one more where a word is taken.
  void account(const Ends& ends, bool sends, bool takes) {
#pragma HLS INLINE
    const bool row_frees = kAllRowsFree || row_.turn() < Layer::kFreeRows - 1;
    const bool window_frees = (kAllRowsFree || row_.turn() < Layer::kFreeRows) &&
                              (kAllColumnsFree || column_.turn() < Layer::kFreeColumns);
    const int row = row_frees ? kRowFrees : 0;
    const int window = window_frees ? kWindowFrees : 0;
    const Held freed = ends.template pick<Held>(0, 0, 0, 0, -window, -row, -kFrameFrees);
    held_ = sum_with<Layer::kHeldBits>(held_, sends ? freed : Held(0), takes);

    const Margin step = kOrigin < 0 && first_
                            ? Margin(-kOrigin - kFirstStep)
                            : ends.template pick<Margin>(-1, -kTapStep, -kTapRowStep, -kTileStep, -kWindowStep,
                                                         -kRowStep, -kFrameStep + kOrigin);
    margin_ = sum_with<Layer::kMarginBits>(margin_, sends ? step : Margin(0), takes);
  }

  // A sum and one more where there is a carry into it.
  template <int Width>
  static uint<Width> sum_with(uint<Width> a, uint<Width> b, bool carry) {
#pragma HLS INLINE
    using Wide = uint<Width + 1>;
    const Wide left = (Wide(a) << 1) | uint<1>(1);
    const Wide right = (Wide(b) << 1) | uint<1>(carry);
    return (left + right) >> 1;
  }

  // The loops, and where they are in the buffer.
  void walk(const Ends& ends) {
#pragma HLS INLINE
    address_ = around(address_ + ends.template pick<Address>(in_buffer(1), in_buffer(kTapStep), in_buffer(kTapRowStep),
                                                             in_buffer(kTileStep), in_buffer(kWindowStep),
                                                             in_buffer(kRowStep), in_buffer(kFrameStep)));

    first_ = kOrigin < 0 && ends.frame;
    word_.step();
    if (ends.tap) tap_column_.step();
    if (ends.tap_row) tap_row_.step();
    if (ends.tile) tile_.step();
    if (ends.window) column_.step();
    if (ends.row) row_.step();

    ends_.tap = word_.last();
    ends_.tap_row = ends_.tap && tap_column_.last();
    ends_.tile = ends_.tap_row && tap_row_.last();
    ends_.window = ends_.tile && tile_.last();
    ends_.row = ends_.window && column_.last();
    ends_.frame = ends_.row && row_.last();
  }

  // The place of a number of less than twice the places.
  static Address around(Sum number) {
#pragma HLS INLINE
    const int part = number >> kPartBits;
    const int within = number & (Layer::kPlacesPart - 1);
    return within | (part >= kParts ? part - kParts : part) << kPartBits;
  }

  static constexpr int in_buffer(int number) {
    return (number % Layer::kPlaces + Layer::kPlaces) % Layer::kPlaces;
  }

  Loop<Layer::kTileWords> word_;
  Loop<Layer::kKernelColumns> tap_column_;
  Loop<Layer::kKernelRows> tap_row_;
  Loop<kTiles> tile_;
  Loop<Layer::kOutputColumns> column_;
  Loop<Layer::kOutputRows> row_;
  Ends ends_ = {Layer::kTileWords == 1,
                Layer::kTileWords * Layer::kKernelColumns == 1,
                Layer::kTileWords * Layer::kKernelColumns * Layer::kKernelRows == 1,
                kPixel * Layer::kKernelColumns * Layer::kKernelRows == 1,
                kPixel * Layer::kKernelColumns * Layer::kKernelRows * Layer::kOutputColumns == 1,
                kPixel * Layer::kKernelColumns * Layer::kKernelRows * Layer::kOutputColumns * Layer::kOutputRows == 1};
  bool first_ = kOrigin < 0;
  Margin margin_ = -1;
  Held held_ = Held(-Layer::kCapacity - kOrigin);
  Address address_ = in_buffer(kOrigin);
  Address write_address_ = 0;
  Ram<kWidth, Layer::kPlaces> buffer_;
};

}  // namespace thresher

#include "thresher/swg_whole.hpp"

#endif
