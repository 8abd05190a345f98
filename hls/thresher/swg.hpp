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

  static constexpr bool kPadsRows = Layer::kAbove > 0 || Layer::kBelow > 0;
  static constexpr bool kPadsColumns = Layer::kLeft > 0 || Layer::kRight > 0;
  static constexpr int kLastLanes = Layer::kChannels - (kPixel - 1) * Layer::kSimd;

  // Rows and columns of the map; those ahead of it count as large ones.
  using TapY = uint<bits_for(Layer::kAbove + Layer::kRows + Layer::kBelow)>;
  using TapX = uint<bits_for(Layer::kLeft + Layer::kColumns + Layer::kRight)>;
  using Address = uint<bits_for(Layer::kCapacity - 1)>;
  using Sum = sint<bits_for(Layer::kCapacity) + 1>;

  // Two's complement: words taken less the number of the next one to send, and words that there is room
  // for, both less 1, so that there is none where they are negative.
  using Margin = uint<Layer::kMarginBits>;
  using Room = uint<Layer::kRoomBits>;

  // Which loops end with this step, each with all loops inside it.
  struct Ends {
    bool tap, tap_row, tile, window, row, frame;

    // What belongs to the loop that steps: `word` where none ends, else to the one around those that end.
    template <class Value>
    Value pick(int word, int next_tap, int next_tap_row, int next_tile, int next_window, int next_row,
               int next_frame) const {
#pragma HLS INLINE
      return static_cast<Value>(only<Value>(!tap, word) | only<Value>(tap && !tap_row, next_tap) |
                                only<Value>(tap_row && !tile, next_tap_row) |
                                only<Value>(tile && !window, next_tile) |
                                only<Value>(window && !row, next_window) |
                                only<Value>(row && !frame, next_row) | only<Value>(frame, next_frame));
    }

   private:
    template <class Value>
    static Value only(bool condition, int value) {
#pragma HLS INLINE
      return condition ? static_cast<Value>(value) : static_cast<Value>(0);
    }
  };

 public:
  struct Ports {
    InStream<kWidth> s_axis;
    OutStream<kWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const bool padded = (kPadsRows && tap_y_ >= static_cast<TapY>(Layer::kRows)) ||
                        (kPadsColumns && tap_x_ >= static_cast<TapX>(Layer::kColumns));
    const bool there = bits_at<1, Layer::kMarginBits>(margin_, Layer::kMarginBits - 1) == 0;
    const bool has_room = bits_at<1, Layer::kRoomBits>(room_, Layer::kRoomBits - 1) == 0;
    const bool sends = there || (padded && !first_);
    const bool takes = has_room && !ports.s_axis.empty();

    if (sends) {
      const bool last_word = word_.last() && tile_.last();
      ports.m_axis.write(padded ? padding(last_word) : buffer_.read(static_cast<std::uint32_t>(address_)));
    }
    if (takes) {
      buffer_.write(static_cast<std::uint32_t>(write_address_.turn()), ports.s_axis.read());
      write_address_.step();
    }
    const Ends ends = known_ends();
    account(ends, sends, takes);
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
      const auto code = static_cast<uint<Layer::kElementBits>>(filler ? 0 : Layer::kPadding);
      word = with_bits<Layer::kElementBits, kWidth>(word, lane * Layer::kElementBits, code);
    }
    return word;
  }

  // Margin and room, of which one word less is left where a word is taken. It is known late whether a
  // word is sent, so the sums for both cases are side by side.
  void account(const Ends& ends, bool sends, bool takes) {
#pragma HLS INLINE
    const bool row_frees = kAllRowsFree || row_.turn() < Layer::kFreeRows - 1;
    const bool window_frees = (kAllRowsFree || row_.turn() < Layer::kFreeRows) &&
                              (kAllColumnsFree || column_.turn() < Layer::kFreeColumns);
    const int row = row_frees ? kRowFrees : 0;
    const int window = window_frees ? kWindowFrees : 0;
    const Room freed = takes ? ends.template pick<Room>(-1, -1, -1, -1, window - 1, row - 1, kFrameFrees - 1)
                             : ends.template pick<Room>(0, 0, 0, 0, window, row, kFrameFrees);
    const Room room_on = static_cast<Room>(room_ + freed);
    const Room room_here = static_cast<Room>(room_ - static_cast<Room>(takes ? 1 : 0));
    room_ = sends ? room_on : room_here;

    const Margin gone = takes ? margin_step(ends, 1) : margin_step(ends, 0);
    const Margin margin_on = static_cast<Margin>(margin_ + gone);
    const Margin margin_here = static_cast<Margin>(margin_ + static_cast<Margin>(takes ? 1 : 0));
    margin_ = sends ? margin_on : margin_here;
  }

  // How far the number of the next word goes back, and `more`. The first step of a frame has number 0.
  Margin margin_step(const Ends& ends, int more) const {
#pragma HLS INLINE
    if (kOrigin < 0 && first_) return static_cast<Margin>(more - kOrigin - kFirstStep);
    return ends.template pick<Margin>(more - 1, more - kTapStep, more - kTapRowStep, more - kTileStep,
                                      more - kWindowStep, more - kRowStep, more - kFrameStep + kOrigin);
  }

  // The loops, and where they are in the buffer and on the map.
  void walk(const Ends& ends) {
#pragma HLS INLINE
    constexpr int kNextRow = Layer::kStrideRows - kTapRowReach;
    constexpr int kNextColumn = Layer::kStrideColumns - kTapColumnReach;
    tap_y_ = static_cast<TapY>(
        tap_y_ + ends.template pick<TapY>(0, 0, Layer::kDilationRows, -kTapRowReach, -kTapRowReach, kNextRow,
                                          -kTapRowReach - kRowReach));
    tap_x_ = static_cast<TapX>(
        tap_x_ + ends.template pick<TapX>(0, Layer::kDilationColumns, -kTapColumnReach, -kTapColumnReach, kNextColumn,
                                          -kTapColumnReach - kColumnReach, -kTapColumnReach - kColumnReach));

    const Sum on = static_cast<Sum>(static_cast<Sum>(address_) + address_step(ends, 0));
    const Sum around = static_cast<Sum>(static_cast<Sum>(address_) + address_step(ends, Layer::kCapacity));
    address_ = static_cast<Address>(around < 0 ? on : around);

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

  // How far the address goes on around the buffer, less `less`.
  static Sum address_step(const Ends& ends, int less) {
#pragma HLS INLINE
    return ends.template pick<Sum>(in_buffer(1) - less, in_buffer(kTapStep) - less, in_buffer(kTapRowStep) - less,
                                   in_buffer(kTileStep) - less, in_buffer(kWindowStep) - less,
                                   in_buffer(kRowStep) - less, in_buffer(kFrameStep) - less);
  }

  static constexpr int in_buffer(int number) {
    return (number % Layer::kCapacity + Layer::kCapacity) % Layer::kCapacity;
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
  TapY tap_y_ = static_cast<TapY>(-Layer::kAbove);
  TapX tap_x_ = static_cast<TapX>(-Layer::kLeft);
  Margin margin_ = static_cast<Margin>(-1);
  Room room_ = static_cast<Room>(Layer::kCapacity + kOrigin - 1);
  Address address_ = static_cast<Address>(in_buffer(kOrigin));
  Loop<Layer::kCapacity> write_address_;
  Ram<kWidth, Layer::kCapacity> buffer_;
};

}  // namespace thresher

#include "thresher/swg_whole.hpp"

#endif
