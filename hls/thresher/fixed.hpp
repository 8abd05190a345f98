// Fixed-point numbers that mean what AMD's ap_fixed and ap_ufixed mean (UG1399, "Arbitrary Precision Fixed-Point
// Data Types"): `Width` bits, of which `IntegerBits` stand ahead of the point. The value is
// bits * 2**(IntegerBits - Width); IntegerBits may be negative, or above Width.
//
//   a + b, a - b     no bit is lost; a difference is signed
//   a * b            the bits of both
//   a / b            a's fraction bits, rounded towards zero; by zero it is a mistake, as with integers
//   a & b, |, ^      the bits of both with their points in one place
//   -a, ~a           a bit more; the same bits
//   a << n, a >> n   a's own type, whose bits move: n may be of any size, and a negative n shifts the other way
//   a < b, a == b    of the values, whatever the types
//   a = b, a += b    rounded, and limited, as a's type says: at first, down and wrapping
//
// Integers take part as numbers without a fraction. A double may be a constant that is given to a fixed-point type:
// the compiler rounds it, and refuses one that is only known when the unit runs, or that stands beside an operator. It is one class over uint and sint, so over ap_uint and ap_int under
// Vitis HLS.
#ifndef THRESHER_FIXED_HPP
#define THRESHER_FIXED_HPP

#include "thresher/rounding.hpp"

namespace thresher {

template <int Width, int IntegerBits, bool Signed, Rounding RoundingMode, Overflow OverflowMode>
class Fixed;

template <int Width, int IntegerBits, Rounding RoundingMode = Rounding::kDown,
          Overflow OverflowMode = Overflow::kWrap>
using fixed = Fixed<Width, IntegerBits, true, RoundingMode, OverflowMode>;
template <int Width, int IntegerBits, Rounding RoundingMode = Rounding::kDown,
          Overflow OverflowMode = Overflow::kWrap>
using ufixed = Fixed<Width, IntegerBits, false, RoundingMode, OverflowMode>;

// The type of results, which loses nothing.
template <int Width, int IntegerBits, bool Signed>
using ExactFixed = Fixed<Width, IntegerBits, Signed, Rounding::kDown, Overflow::kWrap>;

// The number without a fraction that takes part in place of an integer; of anything else there is none.
template <class Value>
struct AsFixed {};

template <int Width>
struct AsFixed<uint<Width>> {
  using Of = ExactFixed<Width, Width, false>;
};

template <int Width>
struct AsFixed<sint<Width>> {
  using Of = ExactFixed<Width, Width, true>;
};

template <>
struct AsFixed<bool> {
  using Of = ExactFixed<1, 1, false>;
};

#define THRESHER_AS_FIXED(Native)                                                \
  template <>                                                                    \
  struct AsFixed<Native> {                                                       \
    using Of = ExactFixed<8 * sizeof(Native), 8 * sizeof(Native), (static_cast<Native>(-1) < static_cast<Native>(0))>; \
  };
THRESHER_AS_FIXED(char)
THRESHER_AS_FIXED(signed char)
THRESHER_AS_FIXED(unsigned char)
THRESHER_AS_FIXED(short)
THRESHER_AS_FIXED(unsigned short)
THRESHER_AS_FIXED(int)
THRESHER_AS_FIXED(unsigned)
THRESHER_AS_FIXED(long)
THRESHER_AS_FIXED(unsigned long)
THRESHER_AS_FIXED(long long)
THRESHER_AS_FIXED(unsigned long long)
#undef THRESHER_AS_FIXED

// The types that a constant with a fraction may have.
template <class Value>
struct AsDouble {};

template <>
struct AsDouble<double> {
  using Of = double;
};

template <>
struct AsDouble<float> {
  using Of = double;
};

// The types of results.
template <class A, class B>
struct FixedResults {
  static constexpr bool kSigned = A::kSigned || B::kSigned;
  static constexpr int kInteger =
      larger(A::iwidth + (B::kSigned && !A::kSigned), B::iwidth + (A::kSigned && !B::kSigned));
  static constexpr int kFraction = larger(A::kFraction, B::kFraction);
  // The fraction bits that a dividend is given for those of the divisor.
  static constexpr int kRaised = larger(B::kFraction, 0);
  using Common = ExactFixed<kInteger + kFraction, kInteger, kSigned>;
  using Sum = ExactFixed<kInteger + kFraction + 1, kInteger + 1, kSigned>;
  using Difference = ExactFixed<kInteger + kFraction + 1, kInteger + 1, true>;
  using Product = ExactFixed<A::width + B::width, A::iwidth + B::iwidth, kSigned>;
  using Quotient = ExactFixed<A::width + kRaised + B::kSigned, A::iwidth + B::kFraction + B::kSigned, kSigned>;
  using Dividend = typename Whole<A::width + kRaised + (B::kSigned && !A::kSigned), kSigned>::Type;
  using Divisor = typename Whole<B::width + (A::kSigned && !B::kSigned), kSigned>::Type;
};

// A double as mantissa * 2**exponent.
struct Binary {
  long long mantissa;
  int exponent;
};

// Not constant, so that the compiler refuses the constant and shows this name.
inline Binary a_constant_must_be_a_finite_number() {
  return {0, 0};
}

constexpr Binary binary_of(double value) {
  const double largest = 1.7976931348623157e308;
  if (!(value <= largest && value >= -largest)) return a_constant_must_be_a_finite_number();
  const double most = 9007199254740992.0;  // 2**53
  int exponent = 0;
  for (; value >= most || value <= -most; value /= 2) ++exponent;
  for (; value != static_cast<double>(static_cast<long long>(value)); value *= 2) --exponent;
  return {static_cast<long long>(value), exponent};
}

// The mantissa over 2**dropped, rounded; beyond its 53 bits and the sign it only matters that more are dropped.
constexpr long long rounded_mantissa(Rounding mode, long long mantissa, int dropped) {
  if (dropped > 60) dropped = 60;
  const long long below = mantissa >> dropped;
  const bool half = ((mantissa >> (dropped - 1)) & 1) != 0;
  const bool less = (mantissa & ((1ll << (dropped - 1)) - 1)) != 0;
  return below + (rounds_up(mode, mantissa < 0, (below & 1) != 0, half, less) ? 1 : 0);
}

template <int Width, int IntegerBits, bool Signed, Rounding RoundingMode, Overflow OverflowMode>
class Fixed {
 public:
  static constexpr int width = Width;
  static constexpr int iwidth = IntegerBits;
  static constexpr int kFraction = Width - IntegerBits;
  static constexpr bool kSigned = Signed;
  using Raw = typename Whole<Width, Signed>::Type;

  Fixed() = default;

  template <int W, int I, bool S, Rounding R, Overflow O>
  THRESHER_FIXED Fixed(const Fixed<W, I, S, R, O>& other) : thresher_raw_(converted(other)) {}

  template <class Value, class Number = typename AsFixed<Value>::Of>
  THRESHER_FIXED Fixed(const Value& value) : thresher_raw_(converted(Number::from_raw(value))) {}

  template <class Value, class = typename AsDouble<Value>::Of, int = 0>
  THRESHER_CONSTANT Fixed(Value constant) : thresher_raw_(of_constant(binary_of(constant))) {}

  // The number whose bits are these.
  static THRESHER_FIXED Fixed from_bits(const uint<Width>& bits) { return from_raw(bits); }
  THRESHER_FIXED uint<Width> bits() const { return thresher_raw_; }

  // The number `raw * 2**(IntegerBits - Width)`.
  static THRESHER_FIXED Fixed from_raw(const Raw& raw) {
    Fixed result;
    result.thresher_raw_ = raw;
    return result;
  }
  THRESHER_FIXED Raw raw() const { return thresher_raw_; }

  // The whole number next to it towards zero, as C++ makes integers of its own numbers with a fraction.
  THRESHER_FIXED typename Whole<larger(IntegerBits, 1), Signed>::Type whole() const {
    return Rounded<Rounding::kToZero, kFraction, Width, Signed>::of(thresher_raw_);
  }
  template <int W>
  THRESHER_FIXED explicit operator uint<W>() const {
    return whole();
  }
  template <int W>
  THRESHER_FIXED explicit operator sint<W>() const {
    return whole();
  }
  THRESHER_FIXED int to_int() const { return whole().to_int(); }
  THRESHER_FIXED unsigned to_uint() const { return whole().to_uint(); }
  THRESHER_FIXED bool to_bool() const { return thresher_raw_ != 0; }

#define THRESHER_ASSIGNMENT(operation)                              \
  template <class Value>                                            \
  THRESHER_FIXED Fixed& operator operation##=(const Value& other) { \
    return *this = *this operation other;                           \
  }
  THRESHER_ASSIGNMENT(+)
  THRESHER_ASSIGNMENT(-)
  THRESHER_ASSIGNMENT(*)
  THRESHER_ASSIGNMENT(/)
  THRESHER_ASSIGNMENT(&)
  THRESHER_ASSIGNMENT(|)
  THRESHER_ASSIGNMENT(^)
  THRESHER_ASSIGNMENT(<<)
  THRESHER_ASSIGNMENT(>>)
#undef THRESHER_ASSIGNMENT

  THRESHER_FIXED Fixed& operator++() { return *this += true; }
  THRESHER_FIXED Fixed& operator--() { return *this -= true; }
  THRESHER_FIXED Fixed operator++(int) {
    const Fixed before = *this;
    ++*this;
    return before;
  }
  THRESHER_FIXED Fixed operator--(int) {
    const Fixed before = *this;
    --*this;
    return before;
  }

  THRESHER_FIXED Fixed operator+() const { return *this; }
  THRESHER_FIXED ExactFixed<Width + 1, IntegerBits + 1, true> operator-() const {
    return ExactFixed<Width + 1, IntegerBits + 1, true>::from_raw(-thresher_raw_);
  }
  THRESHER_FIXED ExactFixed<Width, IntegerBits, Signed> operator~() const {
    return ExactFixed<Width, IntegerBits, Signed>::from_raw(~thresher_raw_);
  }
  THRESHER_FIXED bool operator!() const { return thresher_raw_ == 0; }
  template <class Amount>
  THRESHER_FIXED Fixed operator<<(const Amount& amount) const {
    return from_raw(thresher_raw_ << amount);
  }
  template <class Amount>
  THRESHER_FIXED Fixed operator>>(const Amount& amount) const {
    return from_raw(thresher_raw_ >> amount);
  }

  Raw thresher_raw_;

 private:
  template <int W, int I, bool S, Rounding R, Overflow O>
  static THRESHER_FIXED Raw converted(const Fixed<W, I, S, R, O>& other) {
    using Rounding_ = Rounded<RoundingMode, (W - I) - kFraction, W, S>;
    return Limited<OverflowMode, Width, Signed, Rounding_::kWidth, S>::of(Rounding_::of(other.raw()));
  }

  static THRESHER_FIXED Raw of_constant(const Binary& constant) {
    // Further up, all of the low bits are zero, and nothing else changes.
    constexpr int kMostUp = Width + 1;
    const int up = constant.exponent + kFraction;
    const long long whole = up < 0 ? rounded_mantissa(RoundingMode, constant.mantissa, -up) : constant.mantissa;
    const sint<64 + kMostUp> value = sint<64 + kMostUp>(whole) << (up < 0 ? 0 : up < kMostUp ? up : kMostUp);
    return Limited<OverflowMode, Width, Signed, 64 + kMostUp, true>::of(value);
  }
};

// AMD's types have no sums and products with a double, and compare with one as processors do.
template <class Value>
auto no_double() {
  static_assert(sizeof(Value) == 0,
                "a constant with a fraction has no width: name its type, as in decltype(x)(0.5) beside x");
  return false;
}

#define THRESHER_OF_FIXED(Result, operation, make)                                              \
  template <int W, int I, bool S, Rounding R, Overflow O, int W2, int I2, bool S2, Rounding R2, \
            Overflow O2>                                                                        \
  THRESHER_FIXED Result operator operation(const Fixed<W, I, S, R, O>& a,                       \
                                           const Fixed<W2, I2, S2, R2, O2>& b) {                \
    using Results = FixedResults<Fixed<W, I, S, R, O>, Fixed<W2, I2, S2, R2, O2>>;              \
    make                                                                                        \
  }                                                                                             \
  template <int W, int I, bool S, Rounding R, Overflow O, class Value,                          \
            class Number = typename AsFixed<Value>::Of>                                         \
  THRESHER_FIXED auto operator operation(const Fixed<W, I, S, R, O>& a, const Value& b) {       \
    return a operation Number(b);                                                               \
  }                                                                                             \
  template <int W, int I, bool S, Rounding R, Overflow O, class Value,                          \
            class Number = typename AsFixed<Value>::Of>                                         \
  THRESHER_FIXED auto operator operation(const Value& a, const Fixed<W, I, S, R, O>& b) {       \
    return Number(a) operation b;                                                               \
  }                                                                                             \
  template <int W, int I, bool S, Rounding R, Overflow O, class Value,                          \
            class = typename AsDouble<Value>::Of, int = 0>                                      \
  auto operator operation(const Fixed<W, I, S, R, O>&, Value) {                                 \
    return no_double<Value>();                                                                  \
  }                                                                                             \
  template <int W, int I, bool S, Rounding R, Overflow O, class Value,                          \
            class = typename AsDouble<Value>::Of, int = 0>                                      \
  auto operator operation(Value, const Fixed<W, I, S, R, O>&) {                                 \
    return no_double<Value>();                                                                  \
  }

// Both operands as numbers of one type, whose bits are then those of integers.
#define THRESHER_ALIKE(Inside, operation) \
  Results::Inside::from_raw(typename Results::Inside(a).raw() operation typename Results::Inside(b).raw())

#define THRESHER_RESULT(operation, Inside) \
  THRESHER_OF_FIXED(auto, operation, return THRESHER_ALIKE(Inside, operation);)
#define THRESHER_COMPARISON(operation)       \
  THRESHER_OF_FIXED(bool, operation,         \
                    return typename Results::Common(a).raw() operation typename Results::Common(b).raw();)

THRESHER_RESULT(+, Sum)
THRESHER_RESULT(-, Difference)
THRESHER_OF_FIXED(auto, *, return Results::Product::from_raw(a.raw() * b.raw());)
THRESHER_OF_FIXED(auto, /,
                  using Dividend = typename Results::Dividend; using Divisor = typename Results::Divisor;
                  return Results::Quotient::from_raw((Dividend(a.raw()) << Results::kRaised) / Divisor(b.raw()));)
THRESHER_RESULT(&, Common)
THRESHER_RESULT(|, Common)
THRESHER_RESULT(^, Common)
THRESHER_COMPARISON(==)
THRESHER_COMPARISON(!=)
THRESHER_COMPARISON(<)
THRESHER_COMPARISON(<=)
THRESHER_COMPARISON(>)
THRESHER_COMPARISON(>=)
#ifndef THRESHER_AMD
// A number with a point is not concatenated: bits() are.
template <class Value, int W, int I, bool S, Rounding R, Overflow O>
  requires Operand<Value>
void operator,(const Value&, const Fixed<W, I, S, R, O>&) = delete;
template <class Value, int W, int I, bool S, Rounding R, Overflow O>
  requires Operand<Value>
void operator,(const Fixed<W, I, S, R, O>&, const Value&) = delete;
#endif

#undef THRESHER_OF_FIXED
#undef THRESHER_ALIKE
#undef THRESHER_RESULT
#undef THRESHER_COMPARISON

}  // namespace thresher

#undef THRESHER_FIXED
#undef THRESHER_CONSTANT

#endif
