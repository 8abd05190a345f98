// Small arithmetic that several kernels share.
#ifndef THRESHER_ARITHMETIC_HPP
#define THRESHER_ARITHMETIC_HPP

#include "thresher/bits.hpp"

namespace thresher {

constexpr int ceil_div(int numerator, int denominator) {
  return (numerator + denominator - 1) / denominator;
}

// Counts up, and behind the last number begins again.
template <int Width>
void count(uint<Width>& number, bool is_last) {
#pragma HLS INLINE
  number = is_last ? 0 : number.to_int() + 1;
}

// The value of a field of `Bits` bits, read as two's complement where `Signed`, as plain binary
// otherwise.
template <bool Signed, int Bits>
sint<Bits + 1> value_of(uint<Bits> field) {
#pragma HLS INLINE
  if (Signed) return sint<Bits>(field);
  return field;
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
    return Low::of(terms) + High::of(terms + kLow);
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
