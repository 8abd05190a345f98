// median_filter: every sample becomes the median of the `kSize` samples around it.
//
// A frame is a signal of `kSamples` samples, `kPe` of them in a beat, with zeros beyond both of its ends.
// The medians of a beat need the `kReach` samples behind it, so they leave `kDelay` steps after it came:
// the first `kBeats` steps of a frame read, the last `kBeats` write.
#ifndef EXAMPLE_FILTERS_MEDIAN_FILTER_HPP
#define EXAMPLE_FILTERS_MEDIAN_FILTER_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/stream.hpp"

namespace example_filters {

using thresher::bits_at;
using thresher::bits_for;
using thresher::ceil_div;
using thresher::sint;
using thresher::uint;
using thresher::with_bits;

// The middle one of `Size` values in order. `Size` passes that exchange neighbours, odd and even ones in
// turn, sort any order; what does not reach the middle is never built.
template <class Value, int Size>
Value median_of(const Value (&values)[Size]) {
#pragma HLS INLINE
  Value sorted[Size];
#pragma HLS ARRAY_PARTITION variable=sorted complete
#pragma clang loop unroll(full)
  for (int place = 0; place < Size; ++place) {
#pragma HLS UNROLL
    sorted[place] = values[place];
  }
#pragma clang loop unroll(full)
  for (int pass = 0; pass < Size; ++pass) {
#pragma HLS UNROLL
#pragma clang loop unroll(full)
    for (int place = pass % 2; place < Size - 1; place += 2) {
#pragma HLS UNROLL
      const Value low = sorted[place];
      const Value high = sorted[place + 1];
      sorted[place] = high < low ? high : low;
      sorted[place + 1] = high < low ? low : high;
    }
  }
  return sorted[Size / 2];
}

template <class Layer>
class MedianFilter {
  static constexpr int kReach = Layer::kSize / 2;
  static constexpr int kBeats = ceil_div(Layer::kSamples, Layer::kPe);
  static constexpr int kDelay = ceil_div(kReach, Layer::kPe);
  static constexpr int kSteps = kBeats + kDelay;
  static constexpr int kLastLanes = Layer::kSamples - (kBeats - 1) * Layer::kPe;
  static constexpr int kBeatWidth = Layer::kPe * Layer::kBits;
  static constexpr int kRecentWidth = (kReach + kDelay * Layer::kPe) * Layer::kBits;
  static constexpr int kWindowWidth = kRecentWidth + kBeatWidth;
  using Value = sint<Layer::kBits + 1>;

 public:
  struct Ports {
    thresher::InStream<kBeatWidth> s_axis;
    thresher::OutStream<kBeatWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    uint<kBeatWidth> beat = 0;
    if (step_ < kBeats) beat = ports.s_axis.read();
    if (step_ == kBeats - 1) beat = first_lanes<kLastLanes>(beat);
    // The oldest sample is lowest: the first median's window begins there.
    const uint<kWindowWidth> window =
        with_bits<kBeatWidth, kWindowWidth>(static_cast<uint<kWindowWidth>>(recent_), kRecentWidth, beat);
    const bool last = step_ == kSteps - 1;
    uint<kBeatWidth> medians = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kPe; ++lane) {
#pragma HLS UNROLL
      Value around[Layer::kSize];
#pragma HLS ARRAY_PARTITION variable=around complete
#pragma clang loop unroll(full)
      for (int place = 0; place < Layer::kSize; ++place) {
#pragma HLS UNROLL
        around[place] = thresher::value_of<Layer::kSigned, Layer::kBits>(
            bits_at<Layer::kBits, kWindowWidth>(window, (lane + place) * Layer::kBits));
      }
      medians = with_bits<Layer::kBits, kBeatWidth>(medians, lane * Layer::kBits,
                                                    static_cast<uint<Layer::kBits>>(median_of(around)));
    }
    if (last) medians = first_lanes<kLastLanes>(medians);
    if (step_ >= kDelay) ports.m_axis.write(medians);
    recent_ = bits_at<kRecentWidth, kWindowWidth>(window, kBeatWidth);
    if (last) recent_ = 0;
    step_ = static_cast<uint<bits_for(kSteps - 1)>>(last ? 0 : static_cast<int>(step_) + 1);
  }

 private:
  // A beat with zeros past its first `Lanes` samples.
  template <int Lanes>
  static uint<kBeatWidth> first_lanes(uint<kBeatWidth> beat) {
#pragma HLS INLINE
    return static_cast<uint<kBeatWidth>>(bits_at<Lanes * Layer::kBits, kBeatWidth>(beat, 0));
  }

  uint<bits_for(kSteps - 1)> step_ = 0;
  uint<kRecentWidth> recent_ = 0;
};

}  // namespace example_filters

#endif
