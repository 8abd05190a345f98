// Integers of exactly N bits that mean what AMD's ap_uint<N> and ap_int<N> mean (UG1399, "Arbitrary
// Precision Integer Types"), made of clang's _BitInt: the C simulation and hlsc compile with these.
//
//   a + b, a - b     a bit more than the wider operand; a difference is signed
//   a * b            the bits of both
//   a / b, a % b     as wide as they must be; division rounds towards zero
//   a & b, |, ^      the wider operand
//   ~a, a << n       a's own type; n may be of any size, and a negative n shifts the other way
//   a < b, a == b    of the values, whatever the types
//   a = b, a += b    the low bits of what is on the right
//
// Beside a signed operand an unsigned one counts with a bit more. C++'s own integers take part as
// integers of their size. So only an assignment can lose bits, and nothing is undefined but a division
// by zero.
#ifndef THRESHER_INTEGER_HPP
#define THRESHER_INTEGER_HPP

#include <cstdint>

// An operator is no place of its own in the C++: what it does belongs to the line that it stands in.
#define THRESHER_OPERATOR __attribute__((always_inline, nodebug)) constexpr
#define THRESHER_PLAIN __attribute__((nodebug))

namespace thresher {

template <int Width, bool Signed>
class Integer;

template <int Width> using uint = Integer<Width, false>;
template <int Width> using sint = Integer<Width, true>;

// bool, C++'s integers, _BitInt, and enumerations that are integers without a cast.
template <class Type>
concept NativeInteger = (__is_integral(Type) || __is_enum(Type)) && __is_convertible(Type, long long);

template <class Type>
concept NamedInteger = NativeInteger<Type> && sizeof(Type) > 0;

// The integer that takes part in place of an operand: its width, and whether it is signed.
template <class Type>
constexpr int kNativeWidth = 8 * int{sizeof(Type)};

template <>
constexpr int kNativeWidth<bool> = 1;

template <int Width>
constexpr int kNativeWidth<unsigned _BitInt(Width)> = Width;

template <int Width>
constexpr int kNativeWidth<_BitInt(Width)> = Width;

template <class Type>
constexpr bool kNativeSigned = Type(-1) < Type(0);

// -1 need not be among the values of an enumeration.
template <class Type>
  requires(__is_enum(Type))
constexpr bool kNativeSigned<Type> = kNativeSigned<__underlying_type(Type)>;

// The _BitInt that holds an integer. C++ has no signed one of a single bit: -1 and 0 are held in two.
template <int Width, bool Signed>
struct Held {
  using Type = unsigned _BitInt(Width);
};

template <int Width>
struct Held<Width, true> {
  using Type = _BitInt((Width > 1 ? Width : 2));
};

// C++'s own integers of 64 bits.
template <bool Signed>
struct Native64 {
  using Type = unsigned long long;
};

template <>
struct Native64<true> {
  using Type = long long;
};

// Of a signed integer of one bit only the lower of the two that hold it counts.
#define THRESHER_HOLD_ONE_BIT                                                                       \
  if constexpr (Signed && Width == 1) thresher_value_ = -static_cast<Builtin>(thresher_value_ & 1);

// clang declares every member anew with every type, and makes each function that is called and puts it in
// place of the call. So operators are no members, and call nothing.
template <int Width, bool Signed>
class Integer {
  // The ends of what fits, where that can be said with 64 bits. -1 may stand for all ones.
  THRESHER_PLAIN static constexpr long long kMost = (1ll << (Width < 63 ? Width - Signed : 0)) - 1;
  THRESHER_PLAIN static constexpr long long kLeast = Signed ? -kMost - 1 : -1;

 public:
  using Builtin = typename Held<Width, Signed>::Type;
  using Native = typename Native64<Signed>::Type;
  THRESHER_PLAIN static constexpr int width = Width;
  THRESHER_PLAIN static constexpr bool kSigned = Signed;

  THRESHER_PLAIN Integer() = default;
  // Without constructors that move there are fewer to choose from.
  THRESHER_PLAIN Integer(const Integer&) = default;
  THRESHER_PLAIN Integer& operator=(const Integer&) = default;

  template <int OtherWidth, bool OtherSigned>
  THRESHER_OPERATOR Integer(const Integer<OtherWidth, OtherSigned>& other)
      : thresher_value_(static_cast<Builtin>(other.thresher_value_)) {
    THRESHER_HOLD_ONE_BIT
  }

  template <NativeInteger Value>
  THRESHER_OPERATOR Integer(Value value)
      __attribute__((diagnose_if(Width < 63 && (static_cast<long long>(value) > kMost ||
                                                static_cast<long long>(value) < kLeast),
                                 "the constant does not fit, and its low bits are taken", "warning")))
      : thresher_value_(static_cast<Builtin>(value)) {
    THRESHER_HOLD_ONE_BIT
  }

  // Who asks for the type by name means the low bits.
  template <NamedInteger Value>
  THRESHER_OPERATOR explicit Integer(Value value) : thresher_value_(static_cast<Builtin>(value)) {
    THRESHER_HOLD_ONE_BIT
  }

  // The value as C++'s own integers have it, whose operators may overflow and lose bits.
  THRESHER_OPERATOR Builtin builtin() const { return thresher_value_; }

  // Its low 64 bits.
  THRESHER_OPERATOR operator Native() const { return static_cast<Native>(thresher_value_); }

  THRESHER_OPERATOR explicit operator bool() const
    requires(Width > 64)
  {
    static_assert(Width <= 64, "Vitis HLS would take the low 64 bits of so wide a condition: compare it with 0");
    return false;
  }

  THRESHER_OPERATOR bool to_bool() const { return thresher_value_ != 0; }
  THRESHER_OPERATOR int to_int() const { return static_cast<int>(thresher_value_); }
  THRESHER_OPERATOR unsigned to_uint() const { return static_cast<unsigned>(thresher_value_); }
  THRESHER_OPERATOR std::int64_t to_int64() const { return static_cast<std::int64_t>(thresher_value_); }
  THRESHER_OPERATOR std::uint64_t to_uint64() const { return static_cast<std::uint64_t>(thresher_value_); }

  Builtin thresher_value_;
};
#undef THRESHER_HOLD_ONE_BIT

// The types of results.
namespace results {

constexpr int common_width(int a, bool signed_a, int b, bool signed_b) {
  const int wide_a = a + (signed_b && !signed_a);
  const int wide_b = b + (signed_a && !signed_b);
  return wide_a > wide_b ? wide_a : wide_b;
}

constexpr int remainder_width(int a, bool signed_a, int b, bool signed_b) {
  const int divisor = b + (signed_a && !signed_b);
  return a < divisor ? a : divisor;
}

template <int A, bool SignedA, int B, bool SignedB>
using Common = Integer<common_width(A, SignedA, B, SignedB), SignedA || SignedB>;

template <int A, bool SignedA, int B, bool SignedB>
using Sum = Integer<common_width(A, SignedA, B, SignedB) + 1, SignedA || SignedB>;

template <int A, bool SignedA, int B, bool SignedB>
using Difference = Integer<common_width(A, SignedA, B, SignedB) + 1, true>;

template <int A, bool SignedA, int B, bool SignedB>
using Product = Integer<A + B, SignedA || SignedB>;

template <int A, bool SignedA, int B, bool SignedB>
using Quotient = Integer<A + SignedB, SignedA || SignedB>;

template <int A, bool SignedA, int B, bool SignedB>
using Remainder = Integer<remainder_width(A, SignedA, B, SignedB), SignedA>;

// What is held of a value that is as wide as that; inside of it nothing overflows.
template <int A, bool SignedA, int B, bool SignedB>
using InCommon = typename Held<common_width(A, SignedA, B, SignedB), SignedA || SignedB>::Type;

// Of quotients, only the lowest number by -1 would be too wide for both operands.
template <int A, bool SignedA, int B, bool SignedB>
using InSum = typename Held<common_width(A, SignedA, B, SignedB) + 1, SignedA || SignedB>::Type;

template <int A, bool SignedA, int B, bool SignedB>
using InProduct = typename Held<A + B, SignedA || SignedB>::Type;

template <int A, bool SignedA, int B, bool SignedB>
using Truth = bool;

}  // namespace results

// What an operator does: it gives a number of the type of the result, or a bool.
#define THRESHER_NUMBER(Result, value)                                           \
  Result<A, SignedA, B, SignedB> result;                                         \
  result.thresher_value_ = static_cast<decltype(result.thresher_value_)>(value); \
  return result;

#define THRESHER_TRUTH(Result, value) return value;

// An operator of two integers, and of one and one of C++'s own, computed in the type `Inside`.
#define THRESHER_BINARY(operation, Result, Inside, give, check, native_check)                         \
  template <int A, bool SignedA, int B, bool SignedB>                                                 \
  THRESHER_OPERATOR Result<A, SignedA, B, SignedB> operator operation(                                \
      const Integer<A, SignedA>& a, const Integer<B, SignedB>& b) check {                             \
    using Wide = Inside<A, SignedA, B, SignedB>;                                                      \
    give(Result, static_cast<Wide>(a.thresher_value_) operation static_cast<Wide>(b.thresher_value_)) \
  }                                                                                                   \
  template <int A, bool SignedA, NativeInteger Value>                                                 \
  THRESHER_OPERATOR Result<A, SignedA, kNativeWidth<Value>, kNativeSigned<Value>> operator operation( \
      const Integer<A, SignedA>& a, Value b) native_check {                                           \
    constexpr int B = kNativeWidth<Value>;                                                            \
    constexpr bool SignedB = kNativeSigned<Value>;                                                    \
    using Wide = Inside<A, SignedA, B, SignedB>;                                                      \
    give(Result, static_cast<Wide>(a.thresher_value_) operation static_cast<Wide>(b))                 \
  }                                                                                                   \
  template <int B, bool SignedB, NativeInteger Value>                                                 \
  THRESHER_OPERATOR Result<kNativeWidth<Value>, kNativeSigned<Value>, B, SignedB> operator operation( \
      Value a, const Integer<B, SignedB>& b) check {                                                  \
    constexpr int A = kNativeWidth<Value>;                                                            \
    constexpr bool SignedA = kNativeSigned<Value>;                                                    \
    using Wide = Inside<A, SignedA, B, SignedB>;                                                      \
    give(Result, static_cast<Wide>(a) operation static_cast<Wide>(b.thresher_value_))                 \
  }

#define THRESHER_NOT_ZERO(value) \
  __attribute__((diagnose_if((value) == 0, "division by zero is undefined", "error")))
#define THRESHER_RESULT(operation, Result, Inside)                                  \
  THRESHER_BINARY(operation, results::Result, results::Inside, THRESHER_NUMBER, , )

#define THRESHER_QUOTIENT(operation, Result)                                   \
  THRESHER_BINARY(operation, results::Result, results::InSum, THRESHER_NUMBER, \
                  THRESHER_NOT_ZERO(b.thresher_value_), THRESHER_NOT_ZERO(b))

#define THRESHER_COMPARISON(operation)                                              \
  THRESHER_BINARY(operation, results::Truth, results::InCommon, THRESHER_TRUTH, , )

THRESHER_RESULT(+, Sum, InSum)
THRESHER_RESULT(-, Difference, InSum)
THRESHER_RESULT(*, Product, InProduct)
THRESHER_QUOTIENT(/, Quotient)
THRESHER_QUOTIENT(%, Remainder)
THRESHER_RESULT(&, Common, InCommon)
THRESHER_RESULT(|, Common, InCommon)
THRESHER_RESULT(^, Common, InCommon)
THRESHER_COMPARISON(==)
THRESHER_COMPARISON(!=)
THRESHER_COMPARISON(<)
THRESHER_COMPARISON(<=)
THRESHER_COMPARISON(>)
THRESHER_COMPARISON(>=)
#undef THRESHER_RESULT
#undef THRESHER_QUOTIENT
#undef THRESHER_NOT_ZERO
#undef THRESHER_COMPARISON
#undef THRESHER_BINARY
#undef THRESHER_NUMBER
#undef THRESHER_TRUTH

// A value that is held, shifted by a number that is not negative.
template <int Width, class Value, class Amount>
THRESHER_OPERATOR Value shifted_left(Value value, Amount amount) {
  return amount < Width ? static_cast<Value>(value << amount) : Value(0);
}

template <int Width, class Value, class Amount>
THRESHER_OPERATOR Value shifted_right(Value value, Amount amount) {
  return amount < Width ? static_cast<Value>(value >> amount) : Value(value < 0 ? -1 : 0);
}

#define THRESHER_SHIFTED(forwards, backwards, amount)                                               \
  using Distance = unsigned _BitInt(AmountWidth);                                                   \
  const Distance distance = static_cast<Distance>(amount);                                          \
  Integer<Width, Signed> result;                                                                    \
  if (AmountSigned && amount < 0) {                                                                 \
    result.thresher_value_ = backwards<Width>(a.thresher_value_, static_cast<Distance>(-distance)); \
  } else {                                                                                          \
    result.thresher_value_ = forwards<Width>(a.thresher_value_, distance);                          \
  }                                                                                                 \
  return result;

#define THRESHER_SHIFT(operation, forwards, backwards)                                                     \
  template <int Width, bool Signed, int AmountWidth, bool AmountSigned>                                    \
  THRESHER_OPERATOR Integer<Width, Signed> operator operation(                                             \
      const Integer<Width, Signed>& a, const Integer<AmountWidth, AmountSigned>& b) {                      \
    THRESHER_SHIFTED(forwards, backwards, b.thresher_value_)                                               \
  }                                                                                                        \
  template <int Width, bool Signed, NativeInteger Amount>                                                  \
  THRESHER_OPERATOR Integer<Width, Signed> operator operation(const Integer<Width, Signed>& a, Amount b) { \
    constexpr int AmountWidth = kNativeWidth<Amount>;                                                      \
    constexpr bool AmountSigned = kNativeSigned<Amount>;                                                   \
    THRESHER_SHIFTED(forwards, backwards, b)                                                               \
  }

THRESHER_SHIFT(<<, shifted_left, shifted_right)
THRESHER_SHIFT(>>, shifted_right, shifted_left)
#undef THRESHER_SHIFT
#undef THRESHER_SHIFTED

template <int Width, bool Signed>
THRESHER_OPERATOR Integer<Width, Signed> operator+(const Integer<Width, Signed>& a) {
  return a;
}

template <int Width, bool Signed>
THRESHER_OPERATOR results::Difference<1, false, Width, Signed> operator-(const Integer<Width, Signed>& a) {
  return false - a;
}

template <int Width, bool Signed>
THRESHER_OPERATOR Integer<Width, Signed> operator~(const Integer<Width, Signed>& a) {
  Integer<Width, Signed> result;
  result.thresher_value_ = static_cast<decltype(result.thresher_value_)>(~a.thresher_value_);
  return result;
}

template <int Width, bool Signed>
THRESHER_OPERATOR bool operator!(const Integer<Width, Signed>& a) {
  return a.thresher_value_ == 0;
}

#define THRESHER_ASSIGNMENT(operation)                             \
  template <int Width, bool Signed, class Value>                   \
  THRESHER_OPERATOR Integer<Width, Signed>& operator operation##=( \
      Integer<Width, Signed>& a, const Value& b) {                 \
    return a = a operation b;                                      \
  }

THRESHER_ASSIGNMENT(+)
THRESHER_ASSIGNMENT(-)
THRESHER_ASSIGNMENT(*)
THRESHER_ASSIGNMENT(/)
THRESHER_ASSIGNMENT(%)
THRESHER_ASSIGNMENT(&)
THRESHER_ASSIGNMENT(|)
THRESHER_ASSIGNMENT(^)
THRESHER_ASSIGNMENT(<<)
THRESHER_ASSIGNMENT(>>)
#undef THRESHER_ASSIGNMENT

// A step up or down, by 1.
#define THRESHER_STEP(operation, step)                                                     \
  template <int Width, bool Signed>                                                        \
  THRESHER_OPERATOR Integer<Width, Signed>& operator step(Integer<Width, Signed>& a) {     \
    return a = a operation true;                                                           \
  }                                                                                        \
  template <int Width, bool Signed>                                                        \
  THRESHER_OPERATOR Integer<Width, Signed> operator step(Integer<Width, Signed>& a, int) { \
    const Integer<Width, Signed> before = a;                                               \
    a = a operation true;                                                                  \
    return before;                                                                         \
  }

THRESHER_STEP(+, ++)
THRESHER_STEP(-, --)
#undef THRESHER_STEP

}  // namespace thresher

#undef THRESHER_OPERATOR
#undef THRESHER_PLAIN

#endif
