// width_converter: the same elements in beats of another number of lanes, or of other vectors.
//
// Elements arrive `kInputLanes` at a time and leave `kOutputLanes` at a time; lanes behind the end of a
// vector are dropped at the input and sent as zero bits at the output. `kMode` picks the circuit: where
// beats lie alike in all vectors, the last elements are held, and an output beat is at one of few places among
// them; everything else is a gearbox.
#ifndef THRESHER_WIDTH_CONVERTER_HPP
#define THRESHER_WIDTH_CONVERTER_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/stream.hpp"

namespace thresher {

enum class WidthMode { kUpsize, kDownsize, kGearbox };

template <class Layer, WidthMode Mode = Layer::kMode>
class WidthConverter;

// One of some words, by a tree of choices between two: four words are one look-up table of six inputs a bit.
template <int Width, int Words>
uint<Width> one_of(uint<Width> (&words)[Words], int index) {
#pragma HLS INLINE
#pragma clang loop unroll(full)
  for (int step = 1; step < Words; step *= 2) {
#pragma HLS UNROLL
#pragma clang loop unroll(full)
    for (int place = 0; place + step < Words; place += 2 * step) {
#pragma HLS UNROLL
      if ((index & step) != 0) words[place] = words[place + step];
    }
  }
  return words[0];
}

// Output beats are at least as wide, and vectors end with beats. The last beats stay where they are shifted in
// from the top. The input beat that completes an output beat, of which there are `kPhases` before both
// begin alike again, leaves some elements above it.
template <class Layer>
class WidthConverter<Layer, WidthMode::kUpsize> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kBeats = Layer::kInputPhases;
  static constexpr int kPhases = Layer::kOutputPhases;
  static constexpr int kAbove = (Layer::kInputLanes - Layer::kPlaceStep) * Layer::kElementBits;
  static constexpr int kGroupWidth = kOutputWidth + kAbove;
  static constexpr int kHeldWidth = kGroupWidth - kInputWidth;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const uint<kGroupWidth> group =
        with_bits<kInputWidth, kGroupWidth>(held_, kHeldWidth, beat);
    uint<kOutputWidth> choices[kPhases];
    bool completes = false;
#pragma clang loop unroll(full)
    for (int phase = 0; phase < kPhases; ++phase) {
#pragma HLS UNROLL
      completes |= slot_ == beats_for(phase) - 1;
      choices[phase] = bits_at<kOutputWidth, kGroupWidth>(group, kAbove - above(phase) * Layer::kElementBits);
    }
    if (completes) {
      ports.m_axis.write(one_of<kOutputWidth, kPhases>(choices, phase_));
      count(phase_, phase_ == kPhases - 1);
    }
    held_ = bits_at<kHeldWidth, kGroupWidth>(group, kInputWidth);
    count(slot_, slot_ == kBeats - 1);
  }

 private:
  using Slot = uint<bits_for(kBeats - 1)>;
  using Phase = uint<bits_for(kPhases - 1)>;

  // The input beats that must be there for an output beat, and their elements above its own.
  static constexpr int beats_for(int phase) {
    return ceil_div((phase + 1) * Layer::kOutputLanes, Layer::kInputLanes);
  }
  static constexpr int above(int phase) {
    return beats_for(phase) * Layer::kInputLanes - (phase + 1) * Layer::kOutputLanes;
  }

  Slot slot_ = 0;
  Phase phase_ = 0;
  uint<kHeldWidth> held_ THRESHER_ANY_VALUE;
};

// Input beats are at least as wide. The last one is kept; an output beat lies in it and the next, at one of
// `kPhases` places. With `kDrains` a vector is `kOutputBeats`, and what is held behind the last is padding.
template <class Layer>
class WidthConverter<Layer, WidthMode::kDownsize> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kPhases = Layer::kOutputPhases;
  static constexpr int kBeats = Layer::kOutputBeats;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    bool reads = false;
#pragma clang loop unroll(full)
    for (int phase = 0; phase < kPhases; ++phase) {
#pragma HLS UNROLL
      reads |= phase_ == phase && beats_for(phase) > beats_for(phase - 1);
    }
    uint<kInputWidth> beat = 0;
    if (reads) beat = ports.s_axis.read();
    const uint<2 * kInputWidth> pair =
        with_bits<kInputWidth, 2 * kInputWidth>(held_, kInputWidth, beat);
    if (reads) held_ = beat;
    uint<kOutputWidth> choices[kPhases];
#pragma clang loop unroll(full)
    for (int phase = 0; phase < kPhases; ++phase) {
#pragma HLS UNROLL
      choices[phase] = bits_at<kOutputWidth, 2 * kInputWidth>(pair, place(phase) * Layer::kElementBits);
    }
    ports.m_axis.write(one_of<kOutputWidth, kPhases>(choices, phase_));
    const bool end_of_vector = Layer::kDrains && kBeats % kPhases != 0 && beat_ == kBeats - 1;
    const bool ends = phase_ == kPhases - 1 || end_of_vector;
    count(phase_, ends);
    count(beat_, end_of_vector);
  }

 private:
  using Phase = uint<bits_for(kPhases - 1)>;
  using Beat = uint<bits_for(kBeats - 1)>;

  // The input beats that must be there for an output beat, and where it begins in the last two, or, if no
  // beat is read for it, in the last.
  static constexpr int beats_for(int phase) {
    return ceil_div((phase + 1) * Layer::kOutputLanes, Layer::kInputLanes);
  }
  static constexpr int place(int phase) {
    return phase * Layer::kOutputLanes -
           (beats_for(phase) - (beats_for(phase) > beats_for(phase - 1) ? 2 : 1)) * Layer::kInputLanes;
  }

  Phase phase_ = 0;
  Beat beat_ = 0;
  uint<kInputWidth> held_ THRESHER_ANY_VALUE;
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
    const Count brought = last_input ? Layer::kLastInputLanes : Layer::kInputLanes;
    const Count needed = last_output ? Layer::kLastOutputLanes : Layer::kOutputLanes;
    uint<kHeldWidth> held = held_;
    Count filled = filled_;
    if (filled_ < needed) {
      const uint<kInputWidth> beat = ports.s_axis.read();
#pragma clang loop unroll(full)
      for (int place = 0; place < Layer::kOutputLanes; place += Layer::kPlaceStep) {
#pragma HLS UNROLL
        if (filled_ == place) {
          held = with_bits<kInputWidth, kHeldWidth>(held_, place * Layer::kElementBits, beat);
        }
      }
      filled = filled_ + brought;
      count(input_, last_input);
    }
    if (filled >= needed) {
      if (Layer::kDrains || !last_output) {
        ports.m_axis.write(bits_at<kOutputWidth, kHeldWidth>(held, 0));
        held >>= kOutputWidth;
      } else {
        ports.m_axis.write(bits_at<kLastWidth, kHeldWidth>(held, 0));
        held >>= kLastWidth;
      }
      filled = Layer::kDrains && last_output ? Count(0) : Count(filled - needed);
      count(output_, last_output);
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
