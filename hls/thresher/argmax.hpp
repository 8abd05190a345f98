// argmax: the index of the largest element of a frame; of equal ones the first.
//
// Each step reads one beat of `kPe` elements and keeps the best so far; the step of the last beat
// writes the index. Padding lanes count as the lowest value, which never beats an element before it.
#ifndef THRESHER_ARGMAX_HPP
#define THRESHER_ARGMAX_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/stream.hpp"

namespace thresher {

// The better of `Count` candidates in order, as a balanced tree; ties go to the earlier.
template <class Value, class Index, int Count>
struct BestOf {
  static constexpr int kLow = (Count + 1) / 2;

  static void of(const Value* values, const Index* indices, Value& value, Index& index) {
#pragma HLS INLINE
    Value low;
    Value high;
    Index low_index;
    Index high_index;
    BestOf<Value, Index, kLow>::of(values, indices, low, low_index);
    BestOf<Value, Index, Count - kLow>::of(values + kLow, indices + kLow, high, high_index);
    const bool later = high > low;
    value = later ? high : low;
    index = later ? high_index : low_index;
  }
};

template <class Value, class Index>
struct BestOf<Value, Index, 1> {
  static void of(const Value* values, const Index* indices, Value& value, Index& index) {
#pragma HLS INLINE
    value = values[0];
    index = indices[0];
  }
};

template <class Layer>
class Argmax {
  static constexpr int kTiles = ceil_div(Layer::kChannels, Layer::kPe);
  static constexpr int kLastLanes = Layer::kChannels - (kTiles - 1) * Layer::kPe;
  static constexpr int kInputWidth = Layer::kPe * Layer::kInputBits;
  using Value = sint<Layer::kInputBits + 1>;
  using Index = uint<Layer::kOutputBits>;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<Layer::kOutputBits> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const bool last_tile = tile_ == kTiles - 1;
    Value values[Layer::kPe];
    Index indices[Layer::kPe];
#pragma HLS ARRAY_PARTITION variable=values complete
#pragma HLS ARRAY_PARTITION variable=indices complete
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Layer::kPe; ++lane) {
#pragma HLS UNROLL
      const uint<Layer::kInputBits> field =
          bits_at<Layer::kInputBits, kInputWidth>(beat, lane * Layer::kInputBits);
      values[lane] = value_of<Layer::kInputSigned, Layer::kInputBits>(field);
      if (lane >= kLastLanes && last_tile) values[lane] = Layer::kLowest;
      indices[lane] = first_index_ + lane;
    }
    Value value;
    Index index;
    BestOf<Value, Index, Layer::kPe>::of(values, indices, value, index);
    const bool better = value > best_;
    const Value best = better ? value : best_;
    const Index best_index = better ? index : best_index_;
    if (last_tile) ports.m_axis.write(best_index);
    best_ = last_tile ? Value(Layer::kLowest) : best;
    best_index_ = last_tile ? Index(0) : best_index;
    count(tile_, last_tile);
    first_index_ = last_tile ? Index(0) : Index(first_index_ + Layer::kPe);
  }

 private:
  uint<bits_for(kTiles - 1)> tile_ = 0;
  Index first_index_ = 0;
  Value best_ = Layer::kLowest;
  Index best_index_ = 0;
};

}  // namespace thresher

#endif
