// What random units call of ordinary C++: three-way comparisons, overflow, saturation, bits, bytes, pointers.
#ifndef TESTS_HLSC_RANDOM_LIBRARY_HPP
#define TESTS_HLSC_RANDOM_LIBRARY_HPP

#include <bit>
#include <cstdint>

namespace random_units {

// What is written where a result overflows is its inverse, so that both results of the builtins show.
template <class T, class A, class B> T sum(A a, B b) {
  T result;
  return __builtin_add_overflow(a, b, &result) ? static_cast<T>(~result) : result;
}
template <class T, class A, class B> T difference(A a, B b) {
  T result;
  return __builtin_sub_overflow(a, b, &result) ? static_cast<T>(~result) : result;
}
template <class T, class A, class B> T product(A a, B b) {
  T result;
  return __builtin_mul_overflow(a, b, &result) ? static_cast<T>(~result) : result;
}

// The sum, or 77 where it overflows: the structure of the builtin goes through a branch.
template <class T> T sum_or(T a, T b, bool tried) {
  T result = static_cast<T>(a ^ b);
  if (tried && __builtin_add_overflow(a, b, &result)) return 77;
  return result;
}

// `memcmp` orders bytes; of its result only the sign is known.
template <int Size> struct Bytes {
  std::uint8_t of[Size];
};
template <int Size> int order(const Bytes<Size>& a, const Bytes<Size>& b) {
  const int found = __builtin_memcmp(a.of, b.of, Size);
  return (found > 0) - (found < 0);
}
template <int Size> bool equal(const Bytes<Size>& a, const Bytes<Size>& b) {
  return __builtin_memcmp(a.of, b.of, Size) == 0;
}

// Searches as the standard library writes them: a pointer, and its distance to the first element.
template <class T> const T* found(const T* first, const T* last, T wanted) {
  for (; first != last; ++first) {
    if (*first == wanted) break;
  }
  return first;
}
template <class T> const T* largest(const T* first, const T* last) {
  const T* best = first;
  for (const T* place = first + 1; place < last; ++place) {
    if (*best < *place) best = place;
  }
  return best;
}
template <int Size> int place_of(const Bytes<Size>& bytes, std::uint8_t wanted) {
  const void* place = __builtin_memchr(bytes.of, wanted, Size);
  return place ? static_cast<int>(static_cast<const std::uint8_t*>(place) - bytes.of) : -1;
}

}  // namespace random_units

#endif
