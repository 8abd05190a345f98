// Small arithmetic that several kernels share.
#ifndef THRESHER_ARITHMETIC_HPP
#define THRESHER_ARITHMETIC_HPP

#include "thresher/bits.hpp"

namespace thresher {

constexpr int ceil_div(int numerator, int denominator) {
  return (numerator + denominator - 1) / denominator;
}

// The value of a field of `Bits` bits, read as two's complement where `Signed`, as plain binary
// otherwise.
template <bool Signed, int Bits>
sint<Bits + 1> value_of(uint<Bits> field) {
#pragma HLS INLINE
  const uint<Bits + 1> sign = static_cast<uint<Bits + 1>>(Signed ? 1 : 0) << (Bits - 1);
  const uint<Bits + 1> flipped = static_cast<uint<Bits + 1>>(field) ^ sign;
  return static_cast<sint<Bits + 1>>(static_cast<sint<Bits + 1>>(flipped) - static_cast<sint<Bits + 1>>(sign));
}

// The sum of `Count` terms as a balanced tree, each level one bit wider than the one below.
template <int TermBits, int Count>
struct TreeSum {
  static constexpr int kLow = (Count + 1) / 2;
  using Low = TreeSum<TermBits, kLow>;
  using High = TreeSum<TermBits, Count - kLow>;
  static constexpr int kBits = Low::kBits + 1;

  static sint<kBits> of(const sint<TermBits>* terms) {
#pragma HLS INLINE
    return static_cast<sint<kBits>>(static_cast<sint<kBits>>(Low::of(terms)) +
                                    static_cast<sint<kBits>>(High::of(terms + kLow)));
  }
};

template <int TermBits>
struct TreeSum<TermBits, 1> {
  static constexpr int kBits = TermBits;
  static sint<kBits> of(const sint<TermBits>* terms) {
#pragma HLS INLINE
    return terms[0];
  }
};

}  // namespace thresher

#endif
