// square_root: the whole square root of an unsigned number of any width, and what is left.
//
//   root * root + remainder == number, with 0 <= remainder <= 2 * root
//
// The non-restoring digit recurrence: each row takes two more bits of the number, and adds or subtracts by the
// sign of what is left, so it is one sum. `rest` of row n needs n + 2 bits. hlsc cuts between rows into stages: a
// root each cycle. docs/units.md states the stages and look-up tables.
#ifndef THRESHER_SQUARE_ROOT_HPP
#define THRESHER_SQUARE_ROOT_HPP

#include "thresher/bits.hpp"

namespace thresher {

template <int Width>
struct SquareRoot {
  uint<(Width + 1) / 2> root;
  uint<(Width + 1) / 2 + 1> remainder;
};

template <int Width>
SquareRoot<Width> square_root(const uint<Width>& number) {
#pragma HLS INLINE
  constexpr int kRows = (Width + 1) / 2;
  constexpr int kRestBits = kRows + 2;
  using Rest = sint<kRestBits>;
  const uint<2 * kRows> pairs = number;
  Rest rest = 0;
  Rest root = 0;
#pragma clang loop unroll(full)
  for (int row = 1; row <= kRows; ++row) {
#pragma HLS UNROLL
    // Two bits more, minus 4 * root + 1 or plus 4 * root + 3. Both are plus 3 in the lowest two bits, and a row
    // needs no more bits than its number above these.
    const uint<2> pair = bits_at<2, 2 * kRows>(pairs, 2 * (kRows - row));
    const Rest subtracts = ~(rest >> (kRestBits - 1));
    const Rest high = rest + (root ^ subtracts) + uint<1>(pair != 0);
    rest = (((high << (kRestBits - row)) >> (kRestBits - row)) << 2) | uint<2>(pair - 1);
    root = (root << 1) | uint<1>(rest >= 0);
  }
  if (rest < 0) rest += (root << 1) | 1;
  SquareRoot<Width> result;
  result.root = root;
  result.remainder = rest;
  return result;
}

template <int Width>
SquareRoot<Width> square_root(const sint<Width>&) {
  static_assert(Width < 0, "a negative number has no square root: convert to uint what cannot be negative");
  return {};
}

template <class Number>
SquareRoot<32> square_root(const Number&) {
  static_assert(sizeof(Number) == 0,
                "square_root takes an unsigned integer of a stated width: name it, as in thresher::uint<10>(x)");
  return {};
}

}  // namespace thresher

#endif
