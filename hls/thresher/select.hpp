// select: `kSelected` channels of every vector in any order, `kInputLanes` a beat in and `kOutputLanes` a beat out.
//
// `kMode` picks the circuit. Where each beat that leaves is one that came in, in their order, beats go on or are
// dropped; in another order they go through a memory of two vectors. For all else a vector is collected in
// registers. From memory and registers a vector leaves while the next one comes in.
#ifndef THRESHER_SELECT_HPP
#define THRESHER_SELECT_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/loop.hpp"
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace thresher {

enum class SelectMode { kForward, kMemory, kRegisters };

// `beat` as it leaves; lanes behind the last channel of a vector are cleared.
template <class Layer>
uint<Layer::kOutputLanes * Layer::kElementBits> selected_beat(
    uint<Layer::kInputLanes * Layer::kElementBits> beat, bool last) {
#pragma HLS INLINE
  constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  constexpr int kLastLanes = Layer::kSelected - (Layer::kOutputBeats - 1) * Layer::kOutputLanes;
  constexpr int kLastWidth = kLastLanes * Layer::kElementBits;
  if (last) return bits_at<kLastWidth, kInputWidth>(beat, 0);
  return bits_at<kOutputWidth, kInputWidth>(beat, 0);
}

template <class Layer, SelectMode Mode = Layer::kMode>
class Select;

// Each step reads a beat, which goes on or does not.
template <class Layer>
class Select<Layer, SelectMode::kForward> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const uint<2> kept = rom_read<2>(Layer::kept(0), beat_.turn());
    const auto output = selected_beat<Layer>(beat, bits_at<1, 2>(kept, 1) != 0);
    if (bits_at<1, 2>(kept, 0) != 0) ports.m_axis.write(output);
    beat_.step();
  }

 private:
  Loop<Layer::kInputBeats> beat_;
};

// Where the unit is in a frame. A vector takes as many steps as it has beats on the side with more. Behind
// the last one of a frame come `Tail` steps that read nothing, until it has left.
template <class Layer, int Tail>
class SelectSteps {
  static constexpr bool kMoreOut = Layer::kOutputBeats > Layer::kInputBeats;

 public:
  // Whether this step reads, and whether it reads the last beat of a vector.
  bool reads() const { return in_vector() && (!kMoreOut || step_.turn() < Layer::kInputBeats); }
  bool completes() const {
    return in_vector() && (kMoreOut ? step_.turn() == Layer::kInputBeats - 1 : step_.last());
  }

  void step() {
#pragma HLS INLINE
    if (Tail > 0 && in_tail_) {
      in_tail_ = !tail_.last();
      tail_.step();
      return;
    }
    const bool ends = step_.last();
    step_.step();
    if (ends) {
      in_tail_ = Tail > 0 && vector_.last();
      vector_.step();
    }
  }

 private:
  bool in_vector() const { return Tail == 0 || !in_tail_; }

  Loop<(kMoreOut ? Layer::kOutputBeats : Layer::kInputBeats)> step_;
  Loop<Layer::kVectors> vector_;
  Loop<(Tail > 0 ? Tail : 1)> tail_;
  bool in_tail_ = false;
};

// The beats of a vector are stored in one half of a memory, while those of the vector before leave the other.
template <class Layer>
class Select<Layer, SelectMode::kMemory> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kTail = Layer::kOutputBeats > Layer::kInputBeats ? Layer::kInputBeats : Layer::kOutputBeats;
  static constexpr int kPlaceBits = bits_for(Layer::kInputBeats - 1);

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const bool reads = steps_.reads();
    const bool completes = steps_.completes();
    if (leaving_) {
      const std::uint32_t place = rom_read<kPlaceBits>(Layer::beats(0), output_.turn());
      const uint<kInputWidth> beat = stored_.read(in_half(!half_, place));
      ports.m_axis.write(selected_beat<Layer>(beat, output_.last()));
    }
    if (reads) {
      stored_.write(in_half(half_, input_.turn()), ports.s_axis.read());
      input_.step();
    }
    if (leaving_) {
      leaving_ = !output_.last();
      output_.step();
    }
    if (completes) {
      leaving_ = true;
      half_ = !half_;
    }
    steps_.step();
  }

 private:
  static std::uint32_t in_half(bool half, std::uint32_t place) {
#pragma HLS INLINE
    return (half ? 1u << kPlaceBits : 0u) | place;
  }

  SelectSteps<Layer, kTail> steps_;
  Loop<Layer::kInputBeats> input_;
  Loop<Layer::kOutputBeats> output_;
  bool leaving_ = false;
  bool half_ = false;
  Ram<kInputWidth, (2 << kPlaceBits)> stored_;
};

// The beats of a vector are shifted in. With the last one the selected channels are there: the first of
// them leave, the others are stored beat by beat and shifted out.
template <class Layer>
class Select<Layer, SelectMode::kRegisters> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kTail = (Layer::kOutputBeats > Layer::kInputBeats ? Layer::kInputBeats : Layer::kOutputBeats) - 1;

  // Beats that are stored, at least one so that there is an array.
  static constexpr int kIncoming = Layer::kInputBeats - 1;
  static constexpr int kOutgoing = Layer::kOutputBeats - 1;
  using Left = uint<bits_for(kOutgoing)>;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=incoming_ complete
#pragma HLS ARRAY_PARTITION variable=outgoing_ complete
    const bool reads = steps_.reads();
    const bool completes = steps_.completes();
    uint<kInputWidth> beat = 0;
    if (reads) beat = ports.s_axis.read();
    if (completes) {
      ports.m_axis.write(selected(beat, 0));
      left_ = kOutgoing;
    } else if (left_ != 0) {
      ports.m_axis.write(outgoing_[0]);
      --left_;
    }
    shift_out(completes, beat);
    if (reads) shift_in(beat);
    steps_.step();
  }

 private:
  // Beat `place` of those that leave, once all but `last` of a vector were shifted in.
  uint<kOutputWidth> selected(uint<kInputWidth> last, int place) const {
#pragma HLS INLINE
    uint<kOutputWidth> beat = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kOutputLanes; ++lane) {
#pragma HLS UNROLL
      const int index = place * Layer::kOutputLanes + lane;
      if (index < Layer::kSelected) {
        const int channel = static_cast<int>(Layer::channels(0)[index][0]);
        const int from = channel / Layer::kInputLanes;
        const uint<kInputWidth> source = from == kIncoming ? last : incoming_[from];
        const auto element =
            bits_at<Layer::kElementBits, kInputWidth>(source, channel % Layer::kInputLanes * Layer::kElementBits);
        beat = with_bits<Layer::kElementBits, kOutputWidth>(beat, lane * Layer::kElementBits, element);
      }
    }
    return beat;
  }

  void shift_out(bool completes, uint<kInputWidth> last) {
#pragma HLS INLINE
#pragma clang loop unroll(full)
    for (int place = 0; place < kOutgoing; ++place) {
#pragma HLS UNROLL
      if (completes) {
        outgoing_[place] = selected(last, place + 1);
      } else if (place + 1 < kOutgoing) {
        outgoing_[place] = outgoing_[place + 1];
      }
    }
  }

  void shift_in(uint<kInputWidth> beat) {
#pragma HLS INLINE
#pragma clang loop unroll(full)
    for (int place = 0; place < kIncoming; ++place) {
#pragma HLS UNROLL
      if (place + 1 < kIncoming) {
        incoming_[place] = incoming_[place + 1];
      } else {
        incoming_[place] = beat;
      }
    }
  }

  SelectSteps<Layer, kTail> steps_;
  Left left_ = 0;
  uint<kInputWidth> incoming_[kIncoming > 0 ? kIncoming : 1] THRESHER_ANY_VALUE;
  uint<kOutputWidth> outgoing_[kOutgoing > 0 ? kOutgoing : 1] THRESHER_ANY_VALUE;
};

}  // namespace thresher

#endif
