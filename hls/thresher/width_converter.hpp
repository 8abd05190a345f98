// width_converter: the same elements in beats of another number of lanes.
//
// A vector of `kChannels` elements arrives `kInputLanes` at a time and leaves `kOutputLanes` at a
// time; padding lanes are dropped at the input and sent as zero bits at the output. `kMode` picks the
// circuit: upsizing and downsizing by a whole ratio are shift registers, everything else a gearbox.
#ifndef THRESHER_WIDTH_CONVERTER_HPP
#define THRESHER_WIDTH_CONVERTER_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/stream.hpp"

namespace thresher {

enum class WidthMode { kUpsize, kDownsize, kGearbox };

template <class Layer, WidthMode Mode = Layer::kMode>
class WidthConverter;

// Output lanes are a multiple of the input lanes, and of every vector all groups are full: beats are
// shifted in from the top, and the last of a group completes an output beat.
template <class Layer>
class WidthConverter<Layer, WidthMode::kUpsize> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kRatio = Layer::kOutputLanes / Layer::kInputLanes;
  static constexpr int kHeldWidth = kOutputWidth - kInputWidth;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const bool last = slot_ == kRatio - 1;
    const uint<kOutputWidth> group =
        with_bits<kInputWidth, kOutputWidth>(static_cast<uint<kOutputWidth>>(held_), kHeldWidth, beat);
    if (last) ports.m_axis.write(group);
    held_ = bits_at<kHeldWidth, kOutputWidth>(group, kInputWidth);
    slot_ = static_cast<uint<bits_for(kRatio - 1)>>(last ? 0 : static_cast<int>(slot_) + 1);
  }

 private:
  uint<bits_for(kRatio - 1)> slot_ = 0;
  uint<kHeldWidth> held_;
};

// Input lanes are a multiple of the output lanes: a beat is shifted out from the bottom.
template <class Layer>
class WidthConverter<Layer, WidthMode::kDownsize> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kRatio = Layer::kInputLanes / Layer::kOutputLanes;
  static constexpr int kHeldWidth = kInputWidth - kOutputWidth;
  static constexpr int kBeats = ceil_div(Layer::kChannels, Layer::kOutputLanes);

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    uint<kInputWidth> rest;
    if (slot_ == 0) {
      rest = ports.s_axis.read();
    } else {
      rest = static_cast<uint<kInputWidth>>(held_);
    }
    ports.m_axis.write(bits_at<kOutputWidth, kInputWidth>(rest, 0));
    held_ = bits_at<kHeldWidth, kInputWidth>(rest, kOutputWidth);
    const bool end_of_vector = beat_ == kBeats - 1;
    const bool end_of_input = slot_ == kRatio - 1 || end_of_vector;
    slot_ = static_cast<uint<bits_for(kRatio - 1)>>(end_of_input ? 0 : static_cast<int>(slot_) + 1);
    beat_ = static_cast<uint<bits_for(kBeats - 1)>>(end_of_vector ? 0 : static_cast<int>(beat_) + 1);
  }

 private:
  uint<bits_for(kRatio - 1)> slot_ = 0;
  uint<bits_for(kBeats - 1)> beat_ = 0;
  uint<kHeldWidth> held_;
};

// Any other pair of widths. `held_` keeps `filled_` elements, and zeros above them; a step reads if
// they do not make up the next output beat, and writes if they then do. `filled_` only takes
// multiples of the common divisor of both widths, so a beat lands in one of few places.
template <class Layer>
class WidthConverter<Layer, WidthMode::kGearbox> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kHeldLanes = Layer::kInputLanes + Layer::kOutputLanes;
  static constexpr int kHeldWidth = kHeldLanes * Layer::kElementBits;
  static constexpr int kCountBits = bits_for(kHeldLanes + Layer::kChannels);
  using Count = uint<kCountBits>;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const bool last = remaining_ <= static_cast<Count>(Layer::kOutputLanes);
    const Count needed = last ? remaining_ : static_cast<Count>(Layer::kOutputLanes);
    uint<kHeldWidth> held = held_;
    Count filled = filled_;
    if (filled_ < needed) {
      const uint<kInputWidth> beat = ports.s_axis.read();
#pragma clang loop unroll(full)
      for (int place = 0; place < Layer::kOutputLanes; place += Layer::kPlaceStep) {
#pragma HLS UNROLL
        if (filled_ == static_cast<Count>(place)) {
          held = with_bits<kInputWidth, kHeldWidth>(held_, place * Layer::kElementBits, beat);
        }
      }
      filled = static_cast<Count>(filled_ + static_cast<Count>(Layer::kInputLanes));
    }
    if (filled >= needed) {
      ports.m_axis.write(bits_at<kOutputWidth, kHeldWidth>(held, 0));
      held = static_cast<uint<kHeldWidth>>(held >> kOutputWidth);
      filled = static_cast<Count>(last ? static_cast<Count>(0) : static_cast<Count>(filled - needed));
      remaining_ = static_cast<Count>(last ? static_cast<Count>(Layer::kChannels)
                                           : static_cast<Count>(remaining_ - needed));
    }
    held_ = held;
    filled_ = filled;
  }

 private:
  Count filled_ = 0;
  Count remaining_ = Layer::kChannels;
  uint<kHeldWidth> held_ = 0;
};

}  // namespace thresher

#endif
