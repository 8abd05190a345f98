// Bits of integers, ranges of them and concatenations, read and written in place as AMD's ap_uint<N> and
// ap_int<N> have them (UG1399, "Bit-Level Operations"): the members of Integer that are for bits. A part of
// integer.hpp; bit_references.hpp has what they return.
//
//   x[i], x.bit(i)                a bit: beside C++'s own integers a bool, beside others a uint<1>
//   x(hi, lo), x.range(hi, lo)    the bits from `hi` down to `lo`: an unsigned number of x's width
//   (a, b), a.concat(b)           the bits of `a` above those of `b`: unsigned, as wide as both
//
// All three stand for the bits themselves: they are read where their value is needed, and written by `=`. In a
// concatenation a range counts with its own bits. The compiler refuses an index beyond the width, and a range
// whose lower bit is given first, where it knows them; the bench of a unit names them as mistakes.
#ifndef THRESHER_BIT_ACCESS_HPP
#define THRESHER_BIT_ACCESS_HPP

#ifdef THRESHER_CHECKED
#include "thresher/mistake.hpp"
#endif

namespace thresher {

template <class Word>
class BitReference;
template <class Word>
class RangeReference;
template <class High, class Low, bool Smeared>
class Concatenation;

// Who takes part in an operator: the operand of the highest rank says how.
enum Rank { kIntegerRank, kNativeRank, kBitRank, kRangeRank, kConcatenationRank, kNoRank };

template <class Self, Rank Own>
class Reference;

template <class Type>
inline constexpr Rank kRank = NativeInteger<Type> ? kNativeRank : kNoRank;
template <int Width, bool Signed>
inline constexpr Rank kRank<Integer<Width, Signed>> = kIntegerRank;
template <class Word>
inline constexpr Rank kRank<BitReference<Word>> = kBitRank;
template <class Word>
inline constexpr Rank kRank<RangeReference<Word>> = kRangeRank;
template <class High, class Low, bool Smeared>
inline constexpr Rank kRank<Concatenation<High, Low, Smeared>> = kConcatenationRank;

template <class Type>
concept Operand = kRank<Type> < kNoRank;

// An index, and under a bench the place where it stands.
#ifdef THRESHER_CHECKED
struct BitIndex {
  template <class Value>
  constexpr BitIndex(const Value& index, Place where = Place::here())
      : value(static_cast<int>(index)), place(where) {}
  constexpr operator int() const { return value; }

  int value;
  Place place;
};

constexpr void check_bit(const BitIndex& index, int width) {
  if (index.value >= 0 && index.value < width) return;
  mistake(index.place, "keep the index below the width, or give more bits", "there is no bit %d in an integer of %d bits",
          index.value, width);
}

constexpr void check_range(const BitIndex& high, const BitIndex& low, int width) {
  check_bit(high, width);
  check_bit(low, width);
  if (high.value >= low.value) return;
  mistake(high.place, "give the higher bit first; reverse() reverses bits", "a range goes from bit %d down to bit %d",
          high.value, low.value);
}

constexpr void check_rotation(const BitIndex& amount, int width) {
  if (amount.value >= 0 && amount.value < width) return;
  mistake(amount.place, "rotate by less than the width", "an integer of %d bits is rotated by %d", width,
          amount.value);
}
#define THRESHER_INDEX_CHECKED
#define THRESHER_RANGE_CHECKED
#define THRESHER_ROTATION_CHECKED
#else
using BitIndex = int;
constexpr void check_bit(int, int) {}
constexpr void check_range(int, int, int) {}
constexpr void check_rotation(int, int) {}
#define THRESHER_INDEX_CHECKED \
  __attribute__((diagnose_if(index < 0 || index >= Width, "there is no such bit in the integer", "error")))
#define THRESHER_ROTATION_CHECKED \
  __attribute__((diagnose_if(amount < 0 || amount >= Width, "rotate by less than the width", "error")))
#define THRESHER_RANGE_CHECKED                                                                                 \
  __attribute__((diagnose_if(high >= Width || low < 0, "there is no such bit in the integer", "error"),        \
                 diagnose_if(high < low, "a range is given by its higher bit first; reverse() reverses bits", \
                             "error")))
#endif

// The members of Integer<Width, Signed> that are for its bits.
template <int Width, bool Signed>
class BitAccess {
  static_assert(Width > 0, "a number has 1 bit or more: give its type a width from 1 to 4096");

  using Self = Integer<Width, Signed>;
  using Bits = unsigned _BitInt(Width);

 public:
  THRESHER_OPERATOR BitReference<Self> operator[](BitIndex index) [[clang::lifetimebound]] THRESHER_INDEX_CHECKED {
    return {self(), index};
  }
  THRESHER_OPERATOR bool operator[](BitIndex index) const THRESHER_INDEX_CHECKED { return test(index); }
  THRESHER_OPERATOR BitReference<Self> bit(BitIndex index) [[clang::lifetimebound]] THRESHER_INDEX_CHECKED {
    return {self(), index};
  }
  THRESHER_OPERATOR bool bit(BitIndex index) const THRESHER_INDEX_CHECKED { return test(index); }
  THRESHER_OPERATOR bool test(BitIndex index) const THRESHER_INDEX_CHECKED {
    return BitReference<const Self>(self(), index);
  }
  THRESHER_OPERATOR void set(BitIndex index, bool value = true) THRESHER_INDEX_CHECKED { (*this)[index] = value; }
  THRESHER_OPERATOR void clear(BitIndex index) THRESHER_INDEX_CHECKED { (*this)[index] = false; }
  THRESHER_OPERATOR void invert(BitIndex index) THRESHER_INDEX_CHECKED { (*this)[index] = !(*this)[index]; }

  THRESHER_OPERATOR RangeReference<Self> range(BitIndex high, BitIndex low) [[clang::lifetimebound]]
  THRESHER_RANGE_CHECKED {
    return {self(), high, low};
  }
  THRESHER_OPERATOR RangeReference<const Self> range(BitIndex high, BitIndex low) const [[clang::lifetimebound]]
  THRESHER_RANGE_CHECKED {
    return {self(), high, low};
  }
  THRESHER_OPERATOR RangeReference<Self> operator()(BitIndex high, BitIndex low) [[clang::lifetimebound]]
  THRESHER_RANGE_CHECKED {
    return {self(), high, low};
  }
  THRESHER_OPERATOR RangeReference<const Self> operator()(BitIndex high, BitIndex low) const
      [[clang::lifetimebound]] THRESHER_RANGE_CHECKED {
    return {self(), high, low};
  }
  THRESHER_OPERATOR RangeReference<Self> range() [[clang::lifetimebound]] { return {self(), Width - 1, 0}; }
  THRESHER_OPERATOR RangeReference<const Self> range() const [[clang::lifetimebound]] {
    return {self(), Width - 1, 0};
  }

  template <int Other, bool OtherSigned>
  THRESHER_OPERATOR auto concat(const Integer<Other, OtherSigned>& low) const {
    return self(), low;
  }
  template <int Other, bool OtherSigned>
  THRESHER_OPERATOR auto concat(Integer<Other, OtherSigned>& low) {
    return self(), low;
  }

  THRESHER_OPERATOR int length() const { return Width; }
  THRESHER_OPERATOR bool sign() const { return Signed && self().thresher_value_ < 0; }
  THRESHER_OPERATOR bool is_zero() const { return bits() == 0; }
  THRESHER_OPERATOR bool iszero() const { return bits() == 0; }

  THRESHER_OPERATOR bool and_reduce() const { return bits() == static_cast<Bits>(-1); }
  THRESHER_OPERATOR bool nand_reduce() const { return !and_reduce(); }
  THRESHER_OPERATOR bool or_reduce() const { return bits() != 0; }
  THRESHER_OPERATOR bool nor_reduce() const { return bits() == 0; }
  THRESHER_OPERATOR bool xor_reduce() const {
    constexpr int kHalvings = Width == 1 ? 0 : 32 - __builtin_clz(Width - 1);
    Bits folded = bits();
#pragma clang loop unroll(full)
    for (int place = kHalvings - 1; place >= 0; --place) folded ^= folded >> (1 << place);
    return (folded & 1) != 0;
  }
  THRESHER_OPERATOR bool xnor_reduce() const { return !xor_reduce(); }

  THRESHER_OPERATOR Self& reverse() {
    constexpr int kWords = (Width + 63) / 64;
    using Wide = unsigned _BitInt(64 * kWords);
    const Wide wide = bits();
    Wide reversed = 0;
#pragma clang loop unroll(full)
    for (int word = 0; word < kWords; ++word) {
      const Wide part = __builtin_bitreverse64(static_cast<unsigned long long>(wide >> 64 * word));
      reversed |= part << 64 * (kWords - 1 - word);
    }
    return self() = uint<Width>(static_cast<Bits>(reversed >> (64 * kWords - Width)));
  }
  // By less than the width.
  THRESHER_OPERATOR Self& lrotate(BitIndex amount) THRESHER_ROTATION_CHECKED {
    check_rotation(amount, Width);
    return self() = uint<Width>(static_cast<Bits>((bits() << amount) | (bits() >> rest_of(amount))));
  }
  THRESHER_OPERATOR Self& rrotate(BitIndex amount) THRESHER_ROTATION_CHECKED {
    check_rotation(amount, Width);
    return self() = uint<Width>(static_cast<Bits>((bits() >> amount) | (bits() << rest_of(amount))));
  }

 private:
  THRESHER_OPERATOR Self& self() { return static_cast<Self&>(*this); }
  THRESHER_OPERATOR const Self& self() const { return static_cast<const Self&>(*this); }
  THRESHER_OPERATOR Bits bits() const { return static_cast<Bits>(self().thresher_value_); }
  // What rotates the other way. A shift by the width is none that C++ has; by 0 twice, all bits stay.
  static THRESHER_OPERATOR int rest_of(int amount) { return amount == 0 ? 0 : Width - amount; }
};
#undef THRESHER_INDEX_CHECKED
#undef THRESHER_RANGE_CHECKED
#undef THRESHER_ROTATION_CHECKED

}  // namespace thresher

#endif
