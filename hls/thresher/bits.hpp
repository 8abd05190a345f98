// Exactly sized integers, one name for two implementations.
//
// uint<N> and sint<N> are those of integer.hpp for the C simulation and for hlsc, and AMD's ap_uint<N> and
// ap_int<N> where THRESHER_AMD is defined or Vitis HLS synthesises. The two mean the same. The functions here
// are for bit ranges, which the two write in different ways.
#ifndef THRESHER_BITS_HPP
#define THRESHER_BITS_HPP

#include <cstdint>

#if defined(__SYNTHESIS__) && !defined(THRESHER_AMD)
#define THRESHER_AMD
#endif

#ifdef THRESHER_AMD
// Beats may be wider than the 1,024 bits that ap_int.h allows at first; this is the most that it can.
#ifndef AP_INT_MAX_W
#define AP_INT_MAX_W 32768
#endif
#include <ap_int.h>
#else
#include "thresher/integer.hpp"
#endif

// The initial value of a member that is read before it is written, where what is read then makes no
// difference. Hardware does not reset such a member, and C++ must not read one that holds nothing:
//
//   uint<8> held_ THRESHER_ANY_VALUE;
#ifdef THRESHER_HLSC
#define THRESHER_ANY_VALUE
#else
#define THRESHER_ANY_VALUE = {}
#endif

namespace thresher {

// The bits of an unsigned integer that counts up to `value`; at least 1.
constexpr int bits_for(std::uint64_t value) {
  return value < 2 ? 1 : 1 + bits_for(value >> 1);
}

#ifdef THRESHER_AMD

template <int Width> using uint = ap_uint<Width>;
template <int Width> using sint = ap_int<Width>;

// The `Width` bits of `word` from bit `low` on.
template <int Width, int WordWidth>
uint<Width> bits_at(const ap_uint<WordWidth>& word, int low) {
#pragma HLS INLINE
  return word.range(low + Width - 1, low);
}

// `word` with its `Width` bits from bit `low` on, all zero before, set to `field`.
template <int Width, int WordWidth>
uint<WordWidth> with_bits(const ap_uint<WordWidth>& word, int low, const ap_uint<Width>& field) {
#pragma HLS INLINE
  ap_uint<WordWidth> result = word;
  result.range(low + Width - 1, low) = field;
  return result;
}

// The number of ones.
template <int Width>
uint<bits_for(Width)> popcount(const ap_uint<Width>& word) {
#pragma HLS INLINE
  ap_uint<bits_for(Width)> ones = 0;
  for (int bit = 0; bit < Width; ++bit) {
#pragma HLS UNROLL
    ones += static_cast<ap_uint<1>>(word[bit]);
  }
  return ones;
}

// The zeros below the lowest one, and above the highest; all bits where there is no one.
template <int Width>
uint<bits_for(Width)> trailing_zeros(const ap_uint<Width>& word) {
#pragma HLS INLINE
  return popcount<Width>(~word & (word - 1));
}

template <int Width>
uint<bits_for(Width)> leading_zeros(const ap_uint<Width>& word) {
#pragma HLS INLINE
  ap_uint<Width> reversed = word.range(0, Width - 1);
  return trailing_zeros<Width>(reversed);
}

#else

// The `Width` bits of `word` from bit `low` on.
template <int Width, int WordWidth>
uint<Width> bits_at(const uint<WordWidth>& word, int low) {
  return uint<Width>(word.builtin() >> low);
}

// `word` with its `Width` bits from bit `low` on, all zero before, set to `field`.
template <int Width, int WordWidth>
uint<WordWidth> with_bits(const uint<WordWidth>& word, int low, const uint<Width>& field) {
  return uint<WordWidth>(word.builtin() | uint<WordWidth>(field).builtin() << low);
}

// The number of ones.
template <int Width>
uint<bits_for(Width)> popcount(const uint<Width>& word) {
  return uint<bits_for(Width)>(__builtin_popcountg(word.builtin()));
}

// The zeros below the lowest one, and above the highest; all bits where there is no one.
template <int Width>
uint<bits_for(Width)> trailing_zeros(const uint<Width>& word) {
  return uint<bits_for(Width)>(__builtin_ctzg(word.builtin(), Width));
}

template <int Width>
uint<bits_for(Width)> leading_zeros(const uint<Width>& word) {
  return uint<bits_for(Width)>(__builtin_clzg(word.builtin(), Width));
}

#endif

}  // namespace thresher

#endif
