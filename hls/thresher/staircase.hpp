// A staircase: the number of thresholds that a value has reached, as an output element.
//
// A table word holds `Levels` thresholds of `Bits` bits each, lowest first, and above them, where
// `HasDescending`, one bit that turns the staircase round: it then counts the thresholds not reached.
#ifndef THRESHER_STAIRCASE_HPP
#define THRESHER_STAIRCASE_HPP

#include "thresher/bits.hpp"

namespace thresher {

template <int Levels, int Bits, bool HasDescending, int OutputBits, int OutputBase>
struct Staircase {
  static constexpr int kWordBits = Levels * Bits + (HasDescending ? 1 : 0);
  static constexpr int kCountBits = bits_for(Levels);

  // `OutputBase` plus the count, in two's complement of `OutputBits` bits.
  static uint<OutputBits> of(sint<Bits> value, uint<kWordBits> word) {
#pragma HLS INLINE
    uint<kCountBits> count = 0;
#pragma clang loop unroll(full)
    for (int level = 0; level < Levels; ++level) {
#pragma HLS UNROLL
      const uint<Bits> field = bits_at<Bits, kWordBits>(word, level * Bits);
      const bool reached = value >= sint<Bits>(field);
      count += uint<1>(reached);
    }
    if (HasDescending && bits_at<1, kWordBits>(word, kWordBits - 1) != 0) {
      count = Levels - count;
    }
    return OutputBase + count;
  }
};

}  // namespace thresher

#endif
