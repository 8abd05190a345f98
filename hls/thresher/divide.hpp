// divide: quotient and remainder of one division by a variable, of any widths and signs.
//
//   divide(a, b).quotient     a / b, rounded towards zero, of the type that `a / b` has
//   divide(a, b).remainder    a - quotient * b, with the sign of `a`, of the type that `a % b` has
//
// Division by zero is defined: the quotient is all ones, and the remainder is `a`, or its low bits where its type
// is narrower. `a / b` and `a % b` themselves are mistakes there, and save the look-up tables that tell the case.
//
// hlsc unrolls a division into a row of logic for each bit of the quotient, and cuts between rows into stages:
// a quotient each cycle. docs/units.md states the stages and look-up tables.
#ifndef THRESHER_DIVIDE_HPP
#define THRESHER_DIVIDE_HPP

#include "thresher/bits.hpp"

namespace thresher {

template <class QuotientType, class RemainderType>
struct Division {
  QuotientType quotient;
  RemainderType remainder;
};

constexpr int narrower(int a, int b) {
  return a < b ? a : b;
}

// Of operands that are both signed or both unsigned.
template <class QuotientType, class RemainderType, class A, class B>
Division<QuotientType, RemainderType> divide_alike(const A& a, const B& b) {
#pragma HLS INLINE
  Division<QuotientType, RemainderType> result;
  if (b == 0) {
    result.quotient = -1;
    result.remainder = a;
  } else {
    result.quotient = a / b;
    result.remainder = a % b;
  }
  return result;
}

template <int A, int B>
Division<uint<A>, uint<narrower(A, B)>> divide(const uint<A>& a, const uint<B>& b) {
#pragma HLS INLINE
  return divide_alike<uint<A>, uint<narrower(A, B)>>(a, b);
}

template <int A, int B>
Division<sint<A + 1>, sint<narrower(A, B)>> divide(const sint<A>& a, const sint<B>& b) {
#pragma HLS INLINE
  return divide_alike<sint<A + 1>, sint<narrower(A, B)>>(a, b);
}

template <int A, int B>
Division<sint<A>, sint<narrower(A, B + 1)>> divide(const sint<A>& a, const uint<B>& b) {
#pragma HLS INLINE
  return divide_alike<sint<A>, sint<narrower(A, B + 1)>>(a, sint<B + 1>(b));
}

template <int A, int B>
Division<sint<A + 1>, uint<narrower(A, B)>> divide(const uint<A>& a, const sint<B>& b) {
#pragma HLS INLINE
  return divide_alike<sint<A + 1>, uint<narrower(A, B)>>(sint<A + 1>(a), b);
}

template <class A, class B>
Division<A, B> divide(const A&, const B&) {
  static_assert(sizeof(A) == 0,
                "divide takes integers of a stated width: name it, as in divide(x, thresher::uint<2>(3))");
  return {};
}

}  // namespace thresher

#endif
