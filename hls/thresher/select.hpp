// select: `kSelected` channels of every vector in any order, `kInputLanes` a beat in and `kOutputLanes` a beat out.
#ifndef THRESHER_SELECT_HPP
#define THRESHER_SELECT_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/loop.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer, bool Forwards = Layer::kForwards>
class Select;

// Each step reads a beat, which goes on or does not; lanes behind the last channel are cleared.
template <class Layer>
class Select<Layer, true> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr int kLastLanes = Layer::kSelected - (Layer::kOutputBeats - 1) * Layer::kOutputLanes;
  static constexpr int kLastWidth = kLastLanes * Layer::kElementBits;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const uint<2> kept = rom_read<2>(Layer::kept(0), static_cast<std::uint32_t>(beat_.turn()));
    uint<kOutputWidth> output = bits_at<kOutputWidth, kInputWidth>(beat, 0);
    if (bits_at<1, 2>(kept, 1) != 0) {
      output = static_cast<uint<kOutputWidth>>(bits_at<kLastWidth, kOutputWidth>(output, 0));
    }
    if (bits_at<1, 2>(kept, 0) != 0) ports.m_axis.write(output);
    beat_.step();
  }

 private:
  Loop<Layer::kInputBeats> beat_;
};

// The beats of a vector are shifted in. With the last one the selected channels are there: the first of
// them leave, the others are stored beat by beat and shifted out, while the next vector comes in. A vector
// takes as many steps as it has beats on the side with more. Behind the last one of a frame come steps that
// read nothing, until it has left.
template <class Layer>
class Select<Layer, false> {
  static constexpr int kInputWidth = Layer::kInputLanes * Layer::kElementBits;
  static constexpr int kOutputWidth = Layer::kOutputLanes * Layer::kElementBits;
  static constexpr bool kMoreOut = Layer::kOutputBeats > Layer::kInputBeats;
  static constexpr int kSteps = kMoreOut ? Layer::kOutputBeats : Layer::kInputBeats;
  static constexpr int kTail = (kMoreOut ? Layer::kInputBeats : Layer::kOutputBeats) - 1;

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
    const bool in_vector = kTail == 0 || !in_tail_;
    const bool reads = in_vector && (!kMoreOut || step_.turn() < Layer::kInputBeats);
    const bool complete = in_vector && (kMoreOut ? step_.turn() == Layer::kInputBeats - 1 : step_.last());

    uint<kInputWidth> beat = 0;
    if (reads) beat = ports.s_axis.read();
    if (complete) {
      ports.m_axis.write(selected(beat, 0));
      left_ = static_cast<Left>(kOutgoing);
    } else if (left_ != 0) {
      ports.m_axis.write(outgoing_[0]);
      left_ = static_cast<Left>(left_ - static_cast<Left>(1));
    }
    shift_out(complete, beat);
    if (reads) shift_in(beat);
    turn();
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

  void shift_out(bool complete, uint<kInputWidth> last) {
#pragma HLS INLINE
#pragma clang loop unroll(full)
    for (int place = 0; place < kOutgoing; ++place) {
#pragma HLS UNROLL
      if (complete) {
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

  // Steps of a vector, vectors, and the steps behind the last one.
  void turn() {
#pragma HLS INLINE
    if (kTail > 0 && in_tail_) {
      in_tail_ = !tail_.last();
      tail_.step();
      return;
    }
    const bool ends = step_.last();
    step_.step();
    if (ends) {
      in_tail_ = kTail > 0 && vector_.last();
      vector_.step();
    }
  }

  Loop<kSteps> step_;
  Loop<Layer::kVectors> vector_;
  Loop<(kTail > 0 ? kTail : 1)> tail_;
  bool in_tail_ = false;
  Left left_ = 0;
  uint<kInputWidth> incoming_[kIncoming > 0 ? kIncoming : 1];
  uint<kOutputWidth> outgoing_[kOutgoing > 0 ? kOutgoing : 1];
};

}  // namespace thresher

#endif
