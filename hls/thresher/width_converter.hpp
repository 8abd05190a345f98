// width_converter: the same elements in beats of another number of lanes, or of other vectors.
//
// Elements arrive `kInputLanes` at a time and leave `kOutputLanes` at a time; lanes behind the end of a
// vector are dropped at the input and sent as zero bits at the output. `kMode` picks the circuit:
// upsizing and downsizing by a whole ratio are shift registers, everything else a gearbox.
#ifndef THRESHER_WIDTH_CONVERTER_HPP
#define THRESHER_WIDTH_CONVERTER_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/stream.hpp"

namespace thresher {

enum class WidthMode { kUpsize, kDownsize, kGearbox };

template <class Layer, WidthMode Mode = Layer::kMode>
class WidthConverter;

// Output lanes are a multiple of the input lanes, and as many input beats make every output beat: they are
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

// Input lanes are a multiple of the output lanes: a beat is shifted out from the bottom. With `kDrains` a
// vector is `kOutputBeats`, and what is held behind the last is padding.
template <class Layer>
class WidthConverter<Layer, WidthMode::kDownsize> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kRatio = Layer::kInputLanes / Layer::kOutputLanes;
  static constexpr int kHeldWidth = kInputWidth - kOutputWidth;
  static constexpr int kBeats = Layer::kOutputBeats;

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
    const bool end_of_vector = Layer::kDrains && kBeats % kRatio != 0 && beat_ == kBeats - 1;
    const bool end_of_input = slot_ == kRatio - 1 || end_of_vector;
    slot_ = static_cast<uint<bits_for(kRatio - 1)>>(end_of_input ? 0 : static_cast<int>(slot_) + 1);
    beat_ = static_cast<uint<bits_for(kBeats - 1)>>(end_of_vector ? 0 : static_cast<int>(beat_) + 1);
  }

 private:
  uint<bits_for(kRatio - 1)> slot_ = 0;
  uint<bits_for(kBeats - 1)> beat_ = 0;
  uint<kHeldWidth> held_;
};

// Any other pair. `held_` keeps `filled_` elements, and zeros above them; a step reads if they do not
// make up the next output beat, and writes if they then do. `filled_` only takes multiples of
// `kPlaceStep` when a beat is to be read, so it lands in one of few places.
//
// Of `kInputBeats` and `kOutputBeats`, the last have only so many elements. With `kDrains` input and output
// vectors end together, and what is held behind the last element is padding.
template <class Layer>
class WidthConverter<Layer, WidthMode::kGearbox> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kLastWidth = Layer::kLastOutputLanes * Layer::kElementBits;
  static constexpr int kHeldLanes = Layer::kInputLanes + Layer::kOutputLanes;
  static constexpr int kHeldWidth = kHeldLanes * Layer::kElementBits;
  using Count = uint<bits_for(kHeldLanes)>;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const bool last_input = input_ == Layer::kInputBeats - 1;
    const bool last_output = output_ == Layer::kOutputBeats - 1;
    const Count brought = static_cast<Count>(last_input ? Layer::kLastInputLanes : Layer::kInputLanes);
    const Count needed = static_cast<Count>(last_output ? Layer::kLastOutputLanes : Layer::kOutputLanes);
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
      filled = static_cast<Count>(filled_ + brought);
      input_ = static_cast<uint<bits_for(Layer::kInputBeats - 1)>>(last_input ? 0 : static_cast<int>(input_) + 1);
    }
    if (filled >= needed) {
      if (Layer::kDrains || !last_output) {
        ports.m_axis.write(bits_at<kOutputWidth, kHeldWidth>(held, 0));
        held = static_cast<uint<kHeldWidth>>(held >> kOutputWidth);
      } else {
        ports.m_axis.write(static_cast<uint<kOutputWidth>>(bits_at<kLastWidth, kHeldWidth>(held, 0)));
        held = static_cast<uint<kHeldWidth>>(held >> kLastWidth);
      }
      filled = Layer::kDrains && last_output ? static_cast<Count>(0) : static_cast<Count>(filled - needed);
      output_ =
          static_cast<uint<bits_for(Layer::kOutputBeats - 1)>>(last_output ? 0 : static_cast<int>(output_) + 1);
    }
    held_ = held;
    filled_ = filled;
  }

 private:
  Count filled_ = 0;
  uint<bits_for(Layer::kInputBeats - 1)> input_ = 0;
  uint<bits_for(Layer::kOutputBeats - 1)> output_ = 0;
  uint<kHeldWidth> held_ = 0;
};

}  // namespace thresher

#endif
