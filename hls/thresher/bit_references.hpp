// What x[i], x.range(hi, lo) and (a, b) are: bits of integers that are read and written in place. A part of
// integer.hpp.
#ifndef THRESHER_BIT_REFERENCES_HPP
#define THRESHER_BIT_REFERENCES_HPP

#include "thresher/bit_access.hpp"

namespace thresher {

// The integer that takes part in place of an operand.
template <int Width, bool Signed>
THRESHER_OPERATOR const Integer<Width, Signed>& number_of(const Integer<Width, Signed>& value) {
  return value;
}
template <NativeInteger Value>
THRESHER_OPERATOR auto number_of(Value value) {
  return typename AsInteger<Value>::Of(value);
}
template <class Reference>
THRESHER_OPERATOR auto number_of(const Reference& reference) -> decltype(reference.get()) {
  return reference.get();
}

// What a bit, a range and a concatenation have in common.
template <class Self, Rank Own>
class Reference {
 public:
  THRESHER_OPERATOR const Self& self() const { return static_cast<const Self&>(*this); }

  THRESHER_OPERATOR int to_int() const { return self().get().to_int(); }
  THRESHER_OPERATOR unsigned to_uint() const { return self().get().to_uint(); }
  THRESHER_OPERATOR std::int64_t to_int64() const { return self().get().to_int64(); }
  THRESHER_OPERATOR std::uint64_t to_uint64() const { return self().get().to_uint64(); }
};

template <class Word>
class [[gsl::Pointer]] BitReference : public Reference<BitReference<Word>, kBitRank> {
  using Bits = unsigned _BitInt(Word::width);

 public:
  static constexpr int width = 1;

  THRESHER_OPERATOR BitReference(Word& word, BitIndex index) : word_(word), index_(index) {
    check_bit(index, Word::width);
  }
  BitReference(const BitReference&) = default;
  THRESHER_OPERATOR const BitReference& operator=(const BitReference& bit) const {
    set(bit.get());
    return *this;
  }
  // 1 for all but zero.
  template <Operand Value>
  THRESHER_OPERATOR const BitReference& operator=(const Value& value) const {
    set(number_of(value) != 0);
    return *this;
  }

  THRESHER_OPERATOR uint<1> get() const { return uint<1>(static_cast<Bits>(word_.thresher_value_) >> index_); }
  THRESHER_OPERATOR void set(uint<1> bit) const {
    const Bits others = static_cast<Bits>(word_.thresher_value_) & ~(Bits{1} << index_);
    word_ = uint<Word::width>(static_cast<Bits>(others | static_cast<Bits>(bit.thresher_value_) << index_));
  }
  THRESHER_OPERATOR int length() const { return 1; }
  THRESHER_OPERATOR operator bool() const { return get().to_bool(); }
  THRESHER_OPERATOR bool to_bool() const { return *this; }
  THRESHER_OPERATOR bool operator~() const { return !*this; }

 private:
  Word& word_;
  int index_;
};

template <class Word>
class [[gsl::Pointer]] RangeReference : public Reference<RangeReference<Word>, kRangeRank> {
  using Bits = unsigned _BitInt(Word::width);

 public:
  static constexpr int width = Word::width;

  THRESHER_OPERATOR RangeReference(Word& word, BitIndex high, BitIndex low) : word_(word), high_(high), low_(low) {
    check_range(high, low, width);
  }
  RangeReference(const RangeReference&) = default;
  THRESHER_OPERATOR const RangeReference& operator=(const RangeReference& range) const {
    set(range.get());
    return *this;
  }
  template <Operand Value>
  THRESHER_OPERATOR const RangeReference& operator=(const Value& value) const {
    set(number_of(value));
    return *this;
  }

  THRESHER_OPERATOR uint<width> get() const {
    return uint<width>(static_cast<Bits>(static_cast<Bits>(word_.thresher_value_) >> low_ & ones()));
  }
  // The low bits of `bits`.
  THRESHER_OPERATOR void set(const uint<width>& bits) const {
    const Bits others = static_cast<Bits>(word_.thresher_value_) & ~(ones() << low_);
    word_ = uint<width>(static_cast<Bits>(others | (bits.thresher_value_ & ones()) << low_));
  }
  THRESHER_OPERATOR int length() const { return high_ - low_ + 1; }
  THRESHER_OPERATOR operator unsigned long long() const { return get(); }

 private:
  THRESHER_OPERATOR Bits ones() const { return static_cast<Bits>(-1) >> (width - length()); }

  Word& word_;
  int high_;
  int low_;
};

template <class Type>
inline constexpr bool kIsSignedRange = false;
template <class Word>
inline constexpr bool kIsSignedRange<RangeReference<Word>> = Word::kSigned;

// An operand of a concatenation: a variable itself, and the value of anything else.
template <class Type>
struct PartOf {
  using Of = const Type;
};
template <class Type>
struct PartOf<Type&> : PartOf<__remove_cv(Type)> {};
template <int Width, bool Signed>
struct PartOf<Integer<Width, Signed>&> {
  using Of = Integer<Width, Signed>&;
};
template <int Width, bool Signed>
struct PartOf<const Integer<Width, Signed>&> {
  using Of = const Integer<Width, Signed>&;
};
template <NativeInteger Type>
struct PartOf<Type> {
  using Of = const typename AsInteger<__remove_cv(Type)>::Of;
};

template <class Part>
inline constexpr bool kIsWritable = false;
template <int Width, bool Signed>
inline constexpr bool kIsWritable<Integer<Width, Signed>&> = true;
template <int Width, bool Signed>
inline constexpr bool kIsWritable<const BitReference<Integer<Width, Signed>>> = true;
template <int Width, bool Signed>
inline constexpr bool kIsWritable<const RangeReference<Integer<Width, Signed>>> = true;
template <class High, class Low, bool Smeared>
inline constexpr bool kIsWritable<const Concatenation<High, Low, Smeared>> = kIsWritable<High> && kIsWritable<Low>;

template <class Type>
inline constexpr bool kIsSignedNative = false;
template <NativeInteger Type>
inline constexpr bool kIsSignedNative<Type> = AsInteger<Type>::Of::kSigned;

template <int Width, bool Signed, int Bits>
THRESHER_OPERATOR void write_to(Integer<Width, Signed>& part, const uint<Bits>& bits) {
  part = bits;
}
template <class Part, int Bits>
THRESHER_OPERATOR void write_to(const Part& part, const uint<Bits>& bits) {
  part.set(bits);
}

// Smeared: the lower operand is a signed integer of C++'s own behind a concatenation.
template <class High, class Low, bool Smeared>
class Concatenation : public Reference<Concatenation<High, Low, Smeared>, kConcatenationRank> {
  using PlainHigh = __remove_cvref(High);
  using PlainLow = __remove_cvref(Low);

 public:
  static constexpr int width = PlainHigh::width + PlainLow::width;

  template <class HighOperand, class LowOperand>
  THRESHER_OPERATOR Concatenation(HighOperand& high, LowOperand& low) : high_(high), low_(low) {}
  Concatenation(const Concatenation&) = default;
  THRESHER_OPERATOR const Concatenation& operator=(const Concatenation& bits) const { return *this = bits.get(); }
  template <Operand Value>
  THRESHER_OPERATOR const Concatenation& operator=(const Value& value) const {
    static_assert(kIsWritable<const Concatenation>,
                  "a constant or a result would be written to: only variables, their bits and their ranges may stand "
                  "in a concatenation that is assigned to");
    set(number_of(value));
    return *this;
  }

  THRESHER_OPERATOR uint<width> get() const {
    static_assert(!Smeared, "AMD's types set all bits ahead of a negative number here: give it a type of its own, as "
                            "in (a, b, thresher::sint<32>(c))");
    using Bits = unsigned _BitInt(width);
    const Bits high = static_cast<Bits>(uint<PlainHigh::width>(number_of(high_)).thresher_value_);
    const Bits low = static_cast<Bits>(uint<PlainLow::width>(number_of(low_)).thresher_value_);
    return uint<width>(static_cast<Bits>(high << length_of(low_) | low));
  }
  THRESHER_OPERATOR void set(const uint<width>& bits) const {
    write_to(low_, bits);
    write_to(high_, uint<width>(static_cast<unsigned _BitInt(width)>(bits.thresher_value_ >> length_of(low_))));
  }
  THRESHER_OPERATOR int length() const { return length_of(high_) + length_of(low_); }
  THRESHER_OPERATOR operator unsigned long long() const { return get(); }

 private:
  template <int Width, bool Signed>
  static THRESHER_OPERATOR int length_of(const Integer<Width, Signed>&) {
    return Width;
  }
  template <class Part>
  static THRESHER_OPERATOR int length_of(const Part& part) {
    return part.length();
  }

  High high_;
  Low low_;
};

// The operators, which read what bits, ranges and concatenations stand for.
enum class Use { kSum, kShift, kComparison };

// A bit beside another, or beside one of C++'s own integers, is a bool, of which C++ has the operators.
template <class A, class B>
concept Mixed = (kRank<A> >= kBitRank || kRank<B> >= kBitRank) && Operand<A> && Operand<B> &&
                (kRank<A> > kBitRank || kRank<B> > kBitRank || kRank<A> == kIntegerRank || kRank<B> == kIntegerRank);

// The number that takes part in place of `a`.
template <Use Used, class Beside, class A>
THRESHER_OPERATOR auto operand(const A& a) {
  static_assert(kRank<A> != kConcatenationRank || Used == Use::kShift ||
                    (kRank<Beside> == kConcatenationRank) == (Used == Use::kSum),
                "AMD's types take only the low 64 bits of a concatenation here: name its type, as in "
                "thresher::uint<16>((a, b))");
  static_assert(Used == Use::kComparison || !kIsSignedRange<A> || kRank<Beside> != kIntegerRank,
                "AMD's types give the range of a signed number its sign here, and lose a bit: name the type, as in "
                "thresher::uint<8>(x(hi, lo))");
  return number_of(a);
}

#define THRESHER_OF_BITS(operation, used)                               \
  template <class A, class B>                                           \
    requires Mixed<A, B>                                                \
  THRESHER_OPERATOR auto operator operation(const A& a, const B& b) {   \
    return operand<Use::used, B>(a) operation operand<Use::used, A>(b); \
  }
THRESHER_OF_BITS(+, kSum)
THRESHER_OF_BITS(-, kSum)
THRESHER_OF_BITS(*, kSum)
THRESHER_OF_BITS(/, kSum)
THRESHER_OF_BITS(%, kSum)
THRESHER_OF_BITS(&, kSum)
THRESHER_OF_BITS(|, kSum)
THRESHER_OF_BITS(^, kSum)
THRESHER_OF_BITS(<<, kShift)
THRESHER_OF_BITS(>>, kShift)
THRESHER_OF_BITS(==, kComparison)
THRESHER_OF_BITS(!=, kComparison)
THRESHER_OF_BITS(<, kComparison)
THRESHER_OF_BITS(<=, kComparison)
THRESHER_OF_BITS(>, kComparison)
THRESHER_OF_BITS(>=, kComparison)
#undef THRESHER_OF_BITS

// A comma between what has bits concatenates it.
template <class High, class Low, class PlainHigh = __remove_cvref(High), class PlainLow = __remove_cvref(Low)>
  requires(Operand<PlainHigh> && Operand<PlainLow> && !(NativeInteger<PlainHigh> && NativeInteger<PlainLow>))
THRESHER_OPERATOR auto operator,(High&& high, Low&& low) {
  using HighPart = typename PartOf<High>::Of;
  using LowPart = typename PartOf<Low>::Of;
  constexpr bool kSmeared = (kRank<PlainHigh> == kConcatenationRank && kIsSignedNative<PlainLow>) ||
                            (kIsSignedNative<PlainHigh> && kRank<PlainLow> >= kRangeRank);
  return Concatenation<HighPart, LowPart, kSmeared>(high, low);
}

// A number with a fraction has none that are told, and is not to drop what stands beside it.
template <class High, class Low>
  requires((Operand<High> && __is_floating_point(Low)) || (__is_floating_point(High) && Operand<Low>))
void operator,(const High& high, const Low& low) = delete;

}  // namespace thresher

#endif
