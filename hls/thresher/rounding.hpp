// How a number becomes one of fewer bits: the modes of fixed.hpp, and what they do to whole numbers.
#ifndef THRESHER_ROUNDING_HPP
#define THRESHER_ROUNDING_HPP

#include "thresher/bits.hpp"

// An operator is no place of its own in the C++: what it does belongs to the line that it stands in. A constant is
// computed by the compiler; where C++ can say so, a number that only a run knows is refused.
#ifdef THRESHER_AMD
#define THRESHER_FIXED inline
#define THRESHER_CONSTANT inline
#else
#define THRESHER_FIXED __attribute__((always_inline, nodebug)) constexpr
#define THRESHER_CONSTANT consteval
#endif

namespace thresher {

// Which number of fewer fraction bits is taken.
enum class Rounding {
  kDown,             // the next below, as if bits were cut off: AP_TRN
  kToZero,           // the next one towards zero: AP_TRN_ZERO
  kNearestUp,        // the nearest; of two, the upper: AP_RND
  kNearestDown,      // the nearest; of two, the lower: AP_RND_MIN_INF
  kNearestToZero,    // the nearest; of two, the one closer to zero: AP_RND_ZERO
  kNearestFromZero,  // the nearest; of two, the one further from zero: AP_RND_INF
  kNearestEven,      // the nearest; of two, the one whose last bit is 0: AP_RND_CONV
};

// What becomes of a number that is too large or too small.
enum class Overflow {
  kWrap,               // its low bits: AP_WRAP
  kSaturate,           // the largest or the lowest number: AP_SAT
  kSaturateToZero,     // zero: AP_SAT_ZERO
  kSaturateSymmetric,  // the largest number or its negative; the lowest number counts as too small, but a single
                       // bit is 0 or the lowest number: AP_SAT_SYM
};

constexpr int larger(int a, int b) {
  return a > b ? a : b;
}

// The integer of so many bits.
template <int Width, bool Signed>
struct Whole {
  using Type = uint<Width>;
};

template <int Width>
struct Whole<Width, true> {
  using Type = sint<Width>;
};

// Whether the number above is taken, and not the one below: `half` is the first bit that is cut off, `less` whether
// any behind it is 1, `odd` the last one that is kept.
constexpr bool rounds_up(Rounding mode, bool negative, bool odd, bool half, bool less) {
  return mode == Rounding::kToZero      ? negative && (half || less)
         : mode == Rounding::kNearestUp ? half
         : mode == Rounding::kDown      ? false
                                        : half && (less || (mode == Rounding::kNearestToZero && negative) ||
                                              (mode == Rounding::kNearestFromZero && !negative) ||
                                              (mode == Rounding::kNearestEven && odd));
}

// `value / 2**Dropped`, rounded; zeros come in from below where `Dropped` is negative.
template <Rounding Mode, int Dropped, int Width, bool Signed, bool Drops = (Dropped > 0)>
struct Rounded {
  static constexpr int kWide = larger(Width, Dropped + 1);
  static constexpr int kWidth = kWide - Dropped + 1;
  using Type = typename Whole<kWidth, Signed>::Type;

  static THRESHER_FIXED Type of(const typename Whole<Width, Signed>::Type& value) {
#pragma HLS INLINE
    const typename Whole<kWide, Signed>::Type wide = value;
    const Type below = wide >> Dropped;
    const uint<1> odd = below;
    const uint<1> half = wide >> (Dropped - 1);
    const uint<larger(Dropped - 1, 1)> rest = wide;
    const bool less = Dropped > 1 && rest != 0;
    return below + uint<1>(rounds_up(Mode, Signed && wide < 0, odd != 0, half != 0, less));
  }
};

template <Rounding Mode, int Dropped, int Width, bool Signed>
struct Rounded<Mode, Dropped, Width, Signed, false> {
  static constexpr int kWidth = Width - Dropped;
  using Type = typename Whole<kWidth, Signed>::Type;

  static THRESHER_FIXED Type of(const typename Whole<Width, Signed>::Type& value) {
#pragma HLS INLINE
    return Type(value) << -Dropped;
  }
};

// `value` as a number of `Width` bits.
template <Overflow Mode, int Width, bool Signed, int ValueWidth, bool ValueSigned>
struct Limited {
  using Type = typename Whole<Width, Signed>::Type;
  // Signed, and a bit wider than either.
  using Wide = sint<larger(ValueWidth, Width) + 1>;

  static THRESHER_FIXED Type of(const typename Whole<ValueWidth, ValueSigned>::Type& value) {
#pragma HLS INLINE
    const Type low = value;
    if (Mode == Overflow::kWrap) return low;
    const Wide wide = value;
    const bool negative = wide < 0;
    // Ones where the bits above the result's own differ from what extends it.
    const Wide beyond = (Signed ? wide ^ (wide >> (Wide::width - 1)) : wide) >> (Signed ? Width - 1 : Width);
    const Type least = Signed ? Type(Type(1) << (Width - 1)) : Type(0);
    const Type most = ~least;
    const bool lowest = Signed && Mode == Overflow::kSaturateSymmetric && low == least;
    const bool fits = beyond == 0 && !lowest;
    if (fits) return low;
    if (Mode == Overflow::kSaturateToZero) return Type(0);
    if (!negative) return most;
    return Signed && Mode == Overflow::kSaturateSymmetric ? Type(least | 1) : least;
  }
};

}  // namespace thresher

#endif
