// swg: a sliding window over a feature map, `kSimd` channels a cycle.
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
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer>
class Swg {
  static constexpr int kWidth = Layer::kSimd * Layer::kElementBits;

  // How far words lie apart that are neighbours in a pixel, a row and a column.
  static constexpr int kPixel = ceil_div(Layer::kChannels, Layer::kSimd);
  static constexpr int kRow = Layer::kColumns * kPixel;
  static constexpr int kFrame = Layer::kRows * kRow;
  static constexpr int kTiles = kPixel / Layer::kTileWords;

  // From the first to the last that each loop comes to.
  static constexpr int kWordReach = Layer::kTileWords - 1;
  static constexpr int kTapColumnReach = (Layer::kKernelColumns - 1) * Layer::kDilationColumns;
  static constexpr int kTapRowReach = (Layer::kKernelRows - 1) * Layer::kDilationRows;
  static constexpr int kColumnReach = (Layer::kOutputColumns - 1) * Layer::kStrideColumns;
  static constexpr int kRowReach = (Layer::kOutputRows - 1) * Layer::kStrideRows;

  // How far each loop goes on when it steps: in words, with what the loops inside it go back.
  static constexpr int kBackTap = kWordReach;
  static constexpr int kBackTapRow = kBackTap + kTapColumnReach * kPixel;
  static constexpr int kBackTile = kBackTapRow + kTapRowReach * kRow;
  static constexpr int kBackWindow = kBackTile + (kTiles - 1) * Layer::kTileWords;
  static constexpr int kBackRow = kBackWindow + kColumnReach * kPixel;
  static constexpr int kBackFrame = kBackRow + kRowReach * kRow;
  static constexpr int kTapStep = Layer::kDilationColumns * kPixel - kBackTap;
  static constexpr int kTapRowStep = Layer::kDilationRows * kRow - kBackTapRow;
  static constexpr int kTileStep = Layer::kTileWords - kBackTile;
  static constexpr int kWindowStep = Layer::kStrideColumns * kPixel - kBackWindow;
  static constexpr int kRowStep = Layer::kStrideRows * kRow - kBackRow;
  static constexpr int kFrameStep = kFrame - kBackFrame;

  // The words that become free with a window, with a row of windows, and with all.
  static constexpr int kWindowFrees = Layer::kStrideColumns * kPixel;
  static constexpr int kRowFrees = Layer::kStrideRows * kRow - Layer::kFreeColumns * kWindowFrees;
  static constexpr int kFrameFrees =
      kFrame - (Layer::kFreeRows - 1) * Layer::kStrideRows * kRow - Layer::kFreeColumns * kWindowFrees;

  // The number of the first word.
  static constexpr int kOrigin = -Layer::kAbove * kRow - Layer::kLeft * kPixel;

  static constexpr bool kPadsRows = Layer::kAbove > 0 || Layer::kBelow > 0;
  static constexpr bool kPadsColumns = Layer::kLeft > 0 || Layer::kRight > 0;
  static constexpr int kLastLanes = Layer::kChannels - (kPixel - 1) * Layer::kSimd;

  // Rows and columns of the map; those ahead of it count as large ones.
  using TapY = uint<bits_for(Layer::kAbove + Layer::kRows + Layer::kBelow)>;
  using TapX = uint<bits_for(Layer::kLeft + Layer::kColumns + Layer::kRight)>;
  using Address = uint<bits_for(Layer::kCapacity - 1)>;
  using Sum = sint<bits_for(Layer::kCapacity) + 2>;

  // Two's complement: words taken less the number of the next one to send, and words that there is room
  // for, both less 1, so that there is none where they are negative.
  using Margin = uint<Layer::kMarginBits>;
  using Room = uint<Layer::kRoomBits>;

  // Which loops are at their last: each of these with all loops inside it.
  struct Last {
    bool word, tap, tap_row, tile, column, row;

    // What belongs to the loop that steps.
    template <class Value>
    Value pick(int for_word, int for_tap, int for_tap_row, int for_tile, int for_window, int for_row,
               int for_frame) const {
#pragma HLS INLINE
      return row       ? static_cast<Value>(for_frame)
             : column  ? static_cast<Value>(for_row)
             : tile    ? static_cast<Value>(for_window)
             : tap_row ? static_cast<Value>(for_tile)
             : tap     ? static_cast<Value>(for_tap_row)
             : word    ? static_cast<Value>(for_tap)
                       : static_cast<Value>(for_word);
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
    const bool there = !negative<Layer::kMarginBits>(margin_);
    const bool begun = !negative<Layer::kMarginBits>(static_cast<Margin>(margin_ + static_cast<Margin>(kOrigin)));
    const bool sends = kOrigin < 0 && first_ ? begun : padded || there;
    const bool takes = !negative<Layer::kRoomBits>(room_) && !ports.s_axis.empty();
    const Last last = lasts();

    if (sends) {
      const bool last_word = word_ == kWordReach && tile_ == kTiles - 1;
      ports.m_axis.write(padded ? padding(last_word) : buffer_.read(static_cast<std::uint32_t>(address_)));
    }
    if (takes) {
      buffer_.write(static_cast<std::uint32_t>(write_address_), ports.s_axis.read());
      write_address_ = around(write_address_, 1);
    }
    account(last, sends, takes);
    if (sends) turn(last);
  }

 private:
  Last lasts() const {
#pragma HLS INLINE
    Last last;
    last.word = word_ == kWordReach;
    last.tap = last.word && tap_column_ == Layer::kKernelColumns - 1;
    last.tap_row = last.tap && tap_row_ == Layer::kKernelRows - 1;
    last.tile = last.tap_row && tile_ == kTiles - 1;
    last.column = last.tile && column_ == Layer::kOutputColumns - 1;
    last.row = last.column && row_ == Layer::kOutputRows - 1;
    return last;
  }

  template <int Bits>
  static bool negative(uint<Bits> value) {
#pragma HLS INLINE
    return bits_at<1, Bits>(value, Bits - 1) != 0;
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

  // `step` words on in the buffer; both sums are made side by side.
  static Address around(Address address, Sum step) {
#pragma HLS INLINE
    const Sum on = static_cast<Sum>(static_cast<Sum>(address) + step);
    const Sum beyond = static_cast<Sum>(on - static_cast<Sum>(Layer::kCapacity));
    return static_cast<Address>(beyond < 0 ? on : beyond);
  }
  static constexpr int in_buffer(int step) {
    return (step % Layer::kCapacity + Layer::kCapacity) % Layer::kCapacity;
  }

  // Margin and room. What they become for each case is made side by side, as it is known late which case it is.
  void account(const Last& last, bool sends, bool takes) {
#pragma HLS INLINE
    const int freed_window = row_ < Layer::kFreeRows && column_ < Layer::kFreeColumns ? kWindowFrees : 0;
    const int freed_row = row_ < Layer::kFreeRows - 1 ? kRowFrees : 0;
    const Margin gone = last.template pick<Margin>(1, kTapStep, kTapRowStep, kTileStep, kWindowStep, kRowStep,
                                                   kFrameStep);
    const Room freed = last.template pick<Room>(0, 0, 0, 0, freed_window, freed_row, kFrameFrees);

    const Margin margin_sent = static_cast<Margin>(margin_ - gone);
    const Margin margin = sends ? margin_sent : margin_;
    const Margin margin_sent_1 = static_cast<Margin>(margin_sent + static_cast<Margin>(1));
    margin_ = takes ? (sends ? margin_sent_1 : static_cast<Margin>(margin_ + static_cast<Margin>(1))) : margin;
    const Room more = static_cast<Room>(room_ + freed);
    const Room more_but_1 = static_cast<Room>(more - static_cast<Room>(1));
    const Room one_less = static_cast<Room>(room_ - static_cast<Room>(1));
    room_ = takes ? (sends ? more_but_1 : one_less) : (sends ? more : room_);
  }

  // The loops, and where they are in the buffer and on the map.
  void turn(const Last& last) {
#pragma HLS INLINE
    constexpr int kTapYBack = -kTapRowReach;
    constexpr int kTapXBack = -kTapColumnReach;
    constexpr int kNextRow = Layer::kStrideRows - kTapRowReach;
    constexpr int kNextColumn = Layer::kStrideColumns - kTapColumnReach;
    constexpr int kFirstRow = -kRowReach - kTapRowReach;
    constexpr int kFirstColumn = -kColumnReach - kTapColumnReach;

    address_ = around(address_, last.template pick<Sum>(in_buffer(1), in_buffer(kTapStep), in_buffer(kTapRowStep),
                                                        in_buffer(kTileStep), in_buffer(kWindowStep),
                                                        in_buffer(kRowStep), in_buffer(kFrameStep)));
    tap_y_ = static_cast<TapY>(tap_y_ + last.template pick<TapY>(0, 0, Layer::kDilationRows, kTapYBack, kTapYBack,
                                                                 kNextRow, kFirstRow));
    tap_x_ = static_cast<TapX>(tap_x_ + last.template pick<TapX>(0, Layer::kDilationColumns, kTapXBack, kTapXBack,
                                                                 kNextColumn, kFirstColumn, kFirstColumn));
    first_ = last.row;
    word_ = next(word_, last.word);
    if (last.word) tap_column_ = next(tap_column_, last.tap);
    if (last.tap) tap_row_ = next(tap_row_, last.tap_row);
    if (last.tap_row) tile_ = next(tile_, last.tile);
    if (last.tile) column_ = next(column_, last.column);
    if (last.column) row_ = next(row_, last.row);
  }

  template <class Count>
  static Count next(Count count, bool last) {
#pragma HLS INLINE
    return last ? static_cast<Count>(0) : static_cast<Count>(count + static_cast<Count>(1));
  }

  uint<bits_for(kWordReach)> word_ = 0;
  uint<bits_for(Layer::kKernelColumns - 1)> tap_column_ = 0;
  uint<bits_for(Layer::kKernelRows - 1)> tap_row_ = 0;
  uint<bits_for(kTiles - 1)> tile_ = 0;
  uint<bits_for(Layer::kOutputColumns - 1)> column_ = 0;
  uint<bits_for(Layer::kOutputRows - 1)> row_ = 0;
  bool first_ = true;
  TapY tap_y_ = static_cast<TapY>(-Layer::kAbove);
  TapX tap_x_ = static_cast<TapX>(-Layer::kLeft);
  Margin margin_ = static_cast<Margin>(-kOrigin - 1);
  Room room_ = static_cast<Room>(Layer::kCapacity + kOrigin - 1);
  Address address_ = static_cast<Address>(in_buffer(kOrigin));
  Address write_address_ = 0;
  Ram<kWidth, Layer::kCapacity> buffer_;
};

}  // namespace thresher

#endif
