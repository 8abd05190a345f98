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
//   a[i], a(hi, lo)  bits, read and written; (a, b) concatenates: see bit_access.hpp
//
// Beside a signed operand an unsigned one counts with a bit more. C++'s own integers take part as
// integers of their size. So only an assignment can lose bits, and nothing is undefined but a division
// by zero.
#ifndef THRESHER_INTEGER_HPP
#define THRESHER_INTEGER_HPP

#include <cstdint>

// An operator is no place of its own in the C++: what it does belongs to the line that it stands in.
#define THRESHER_OPERATOR __attribute__((always_inline, nodebug)) constexpr

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

// The integer that takes part in place of an operand.
template <class Type>
struct AsInteger {
  using Of = Integer<8 * int{sizeof(Type)}, (Type(-1) < Type(0))>;
};

// -1 need not be among the values of an enumeration.
template <class Type>
  requires(__is_enum(Type))
struct AsInteger<Type> {
  using Of = typename AsInteger<__underlying_type(Type)>::Of;
};

template <>
struct AsInteger<bool> {
  using Of = uint<1>;
};

template <int Width>
struct AsInteger<unsigned _BitInt(Width)> {
  using Of = uint<Width>;
};

template <int Width>
struct AsInteger<_BitInt(Width)> {
  using Of = sint<Width>;
};

}  // namespace thresher

#include "thresher/bit_access.hpp"

namespace thresher {

constexpr int wider(int a, int b) {
  return a > b ? a : b;
}

// The types of results.
template <int A, bool SignedA, int B, bool SignedB>
struct Results {
  static constexpr bool kSigned = SignedA || SignedB;
  static constexpr int kWidth = wider(A + (SignedB && !SignedA), B + (SignedA && !SignedB));
  static constexpr int kDivisor = B + (SignedA && !SignedB);
  using Common = Integer<kWidth, kSigned>;
  using Sum = Integer<kWidth + 1, kSigned>;
  using Difference = Integer<kWidth + 1, true>;
  using Product = Integer<A + B, kSigned>;
  using Quotient = Integer<A + SignedB, kSigned>;
  using Remainder = Integer<(A < kDivisor ? A : kDivisor), SignedA>;
};

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

template <int Width, bool Signed>
class Integer : public BitAccess<Width, Signed> {
  // The ends of what fits, where that can be said with 64 bits. -1 may stand for all ones.
  static constexpr long long kMost = (1ll << (Width < 63 ? Width - Signed : 0)) - 1;
  static constexpr long long kLeast = Signed ? -kMost - 1 : -1;

 public:
  using Builtin = typename Held<Width, Signed>::Type;
  using Native = typename Native64<Signed>::Type;
  static constexpr int width = Width;
  static constexpr bool kSigned = Signed;

  Integer() = default;

  template <int OtherWidth, bool OtherSigned>
  THRESHER_OPERATOR Integer(const Integer<OtherWidth, OtherSigned>& other)
      : thresher_value_(static_cast<Builtin>(other.thresher_value_)) {
    hold_one_bit();
  }

  template <NativeInteger Value>
  THRESHER_OPERATOR Integer(Value value)
      __attribute__((diagnose_if(Width < 63 && (static_cast<long long>(value) > kMost ||
                                                static_cast<long long>(value) < kLeast),
                                 "the constant does not fit, and its low bits are taken", "warning")))
      : thresher_value_(static_cast<Builtin>(value)) {
    hold_one_bit();
  }

  // Who asks for the type by name means the low bits.
  template <NamedInteger Value>
  THRESHER_OPERATOR explicit Integer(Value value) : thresher_value_(static_cast<Builtin>(value)) {
    hold_one_bit();
  }

  // The value of bits, of a range or of a concatenation.
  template <class Self, Rank Own>
  THRESHER_OPERATOR Integer(const Reference<Self, Own>& bits) : Integer(bits.self().get()) {}

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

#define THRESHER_ASSIGNMENT(operation)                                   \
  template <class Value>                                                 \
  THRESHER_OPERATOR Integer& operator operation##=(const Value& other) { \
    return *this = *this operation other;                                \
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

  THRESHER_OPERATOR Integer& operator++() { return *this = *this + uint<1>(true); }
  THRESHER_OPERATOR Integer& operator--() { return *this = *this - uint<1>(true); }
  THRESHER_OPERATOR Integer operator++(int) {
    const Integer before = *this;
    ++*this;
    return before;
  }
  THRESHER_OPERATOR Integer operator--(int) {
    const Integer before = *this;
    --*this;
    return before;
  }

  THRESHER_OPERATOR Integer operator+() const { return *this; }
  THRESHER_OPERATOR auto operator-() const { return uint<1>(false) - *this; }
  THRESHER_OPERATOR Integer operator~() const { return Integer(static_cast<Builtin>(~thresher_value_)); }
  THRESHER_OPERATOR bool operator!() const { return thresher_value_ == 0; }

  Builtin thresher_value_;

 private:
  THRESHER_OPERATOR void hold_one_bit() {
    if constexpr (Signed && Width == 1) thresher_value_ = -static_cast<Builtin>(thresher_value_ & 1);
  }
};

}  // namespace thresher

#include "thresher/bit_references.hpp"

namespace thresher {

// Inside the type of the result nothing overflows; of quotients, only the lowest number by -1 would.
#define THRESHER_CHECKED_RESULT(operation, Result, Inside, check, native_check)                            \
  template <int A, bool SignedA, int B, bool SignedB>                                                      \
  THRESHER_OPERATOR typename Results<A, SignedA, B, SignedB>::Result operator operation(                   \
      const Integer<A, SignedA>& a, const Integer<B, SignedB>& b) check {                                  \
    using Wide = typename Results<A, SignedA, B, SignedB>::Inside::Builtin;                                \
    typename Results<A, SignedA, B, SignedB>::Result result;                                               \
    result.thresher_value_ = static_cast<decltype(result.thresher_value_)>(                                \
        static_cast<Wide>(a.thresher_value_) operation static_cast<Wide>(b.thresher_value_));              \
    return result;                                                                                         \
  }                                                                                                        \
  THRESHER_WITH_NATIVE(auto, operation, native_check)

#define THRESHER_WITH_NATIVE(Result, operation, check)                                                     \
  template <int Width, bool Signed, NativeInteger Value>                                                   \
  THRESHER_OPERATOR Result operator operation(const Integer<Width, Signed>& a, Value b) check {            \
    return a operation typename AsInteger<Value>::Of(b);                                                   \
  }                                                                                                        \
  template <int Width, bool Signed, NativeInteger Value>                                                   \
  THRESHER_OPERATOR Result operator operation(Value a, const Integer<Width, Signed>& b) {                  \
    return typename AsInteger<Value>::Of(a) operation b;                                                   \
  }

#define THRESHER_NOT_ZERO(value) \
  __attribute__((diagnose_if((value) == 0, "division by zero is undefined", "error")))
#define THRESHER_RESULT(operation, Result, Inside) THRESHER_CHECKED_RESULT(operation, Result, Inside, , )
#define THRESHER_QUOTIENT(operation, Result) \
  THRESHER_CHECKED_RESULT(operation, Result, Sum, THRESHER_NOT_ZERO(b.thresher_value_), THRESHER_NOT_ZERO(b))

#define THRESHER_COMPARISON(operation)                                                                     \
  template <int A, bool SignedA, int B, bool SignedB>                                                      \
  THRESHER_OPERATOR bool operator operation(const Integer<A, SignedA>& a, const Integer<B, SignedB>& b) {  \
    using Wide = typename Results<A, SignedA, B, SignedB>::Common::Builtin;                                \
    return static_cast<Wide>(a.thresher_value_) operation static_cast<Wide>(b.thresher_value_);            \
  }                                                                                                        \
  THRESHER_WITH_NATIVE(bool, operation, )

THRESHER_RESULT(+, Sum, Sum)
THRESHER_RESULT(-, Difference, Difference)
THRESHER_RESULT(*, Product, Product)
THRESHER_QUOTIENT(/, Quotient)
THRESHER_QUOTIENT(%, Remainder)
THRESHER_RESULT(&, Common, Common)
THRESHER_RESULT(|, Common, Common)
THRESHER_RESULT(^, Common, Common)
THRESHER_COMPARISON(==)
THRESHER_COMPARISON(!=)
THRESHER_COMPARISON(<)
THRESHER_COMPARISON(<=)
THRESHER_COMPARISON(>)
THRESHER_COMPARISON(>=)
#undef THRESHER_RESULT
#undef THRESHER_QUOTIENT
#undef THRESHER_CHECKED_RESULT
#undef THRESHER_NOT_ZERO
#undef THRESHER_COMPARISON
#undef THRESHER_WITH_NATIVE

// `a` shifted by a number that is not negative.
template <int Width, bool Signed, int AmountWidth>
THRESHER_OPERATOR Integer<Width, Signed> shifted_left(Integer<Width, Signed> a, const uint<AmountWidth>& amount) {
  a.thresher_value_ = amount < uint<32>(Width) ? a.thresher_value_ << amount.thresher_value_ : 0;
  return Integer<Width, Signed>(a.thresher_value_);
}

template <int Width, bool Signed, int AmountWidth>
THRESHER_OPERATOR Integer<Width, Signed> shifted_right(Integer<Width, Signed> a, const uint<AmountWidth>& amount) {
  const bool negative = a.thresher_value_ < 0;
  a.thresher_value_ = amount < uint<32>(Width) ? a.thresher_value_ >> amount.thresher_value_ : negative ? -1 : 0;
  return a;
}

#define THRESHER_SHIFT(operation, forwards, backwards)                                                       \
  template <int Width, bool Signed, int AmountWidth, bool AmountSigned>                                      \
  THRESHER_OPERATOR Integer<Width, Signed> operator operation(const Integer<Width, Signed>& a,               \
                                                              const Integer<AmountWidth, AmountSigned>& b) { \
    if constexpr (AmountSigned) {                                                                            \
      if (b.thresher_value_ < 0) return backwards(a, uint<AmountWidth>(-b));                                 \
    }                                                                                                        \
    return forwards(a, uint<AmountWidth>(b));                                                                \
  }                                                                                                          \
  template <int Width, bool Signed, NativeInteger Amount>                                                    \
  THRESHER_OPERATOR Integer<Width, Signed> operator operation(const Integer<Width, Signed>& a, Amount b) {   \
    return a operation typename AsInteger<Amount>::Of(b);                                                    \
  }

THRESHER_SHIFT(<<, shifted_left, shifted_right)
THRESHER_SHIFT(>>, shifted_right, shifted_left)
#undef THRESHER_SHIFT

}  // namespace thresher

#undef THRESHER_OPERATOR

#endif
