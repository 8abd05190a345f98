// What clang's undefined-behaviour sanitiser calls where C++ has no meaning. It stands in for the
// sanitiser's own library, which the ziglang wheel links only with its own linker. For the one file of a
// program that is compiled with -fno-sanitize-recover; see thresher_sim.checked for the checks.
#ifndef THRESHER_UNDEFINED_HPP
#define THRESHER_UNDEFINED_HPP

#include <cstring>

#include "thresher/mistake.hpp"

namespace thresher {

// The beginnings of the sanitiser's own records.
struct CheckedPlace {
  const char* file;
  unsigned line;
  unsigned column;

  Place place() const { return {file, line}; }
};

struct CheckedType {
  std::uint16_t kind;
  std::uint16_t info;
  char name[1];

  // An integer of the language, or a _BitInt, whose width stands behind its name.
  bool is_integer() const { return kind == 0 || kind == 2; }
  bool is_signed() const { return info & 1; }
  int bits() const {
    std::uint32_t bits = 1U << (info >> 1);
    if (kind == 2) std::memcpy(&bits, name + std::strlen(name) + 1, sizeof bits);
    return static_cast<int>(bits);
  }

  // The name as it stands in the C++, between quotes.
  int length() const {
    const char* also = std::strstr(name, " (aka ");
    return static_cast<int>(also ? also - name : static_cast<long>(std::strlen(name)));
  }
};

struct CheckedIndex {
  CheckedPlace where;
  const CheckedType* array;
  const CheckedType* index;
};

struct CheckedShift {
  CheckedPlace where;
  const CheckedType* left;
  const CheckedType* right;
};

struct CheckedAccess {
  CheckedPlace where;
  const CheckedType* type;
};

// A number that the sanitiser hands over: in place where it has at most 64 bits, else its address.
inline long long checked_number(const CheckedType& type, std::uintptr_t value) {
  if (!type.is_integer() || type.bits() > 64) return *reinterpret_cast<const long long*>(value);
  const int unused = 64 - type.bits();
  const auto bits = static_cast<std::uint64_t>(value) << unused;
  return type.is_signed() ? static_cast<long long>(bits) >> unused : static_cast<long long>(bits >> unused);
}

}  // namespace thresher

extern "C" {

[[noreturn]] void __ubsan_handle_out_of_bounds_abort(const thresher::CheckedIndex* data, std::uintptr_t index) {
  thresher::mistake(data->where.place(), "keep the index within the array, or give the array more elements",
                    "index %lld is outside of %.*s", thresher::checked_number(*data->index, index),
                    data->array->length(), data->array->name);
}

[[noreturn]] void __ubsan_handle_shift_out_of_bounds_abort(const thresher::CheckedShift* data, std::uintptr_t,
                                                           std::uintptr_t distance) {
  thresher::mistake(data->where.place(), "shift by fewer bits than the type has, or convert to a wider one",
                    "%.*s is shifted by %lld bits", data->left->length(), data->left->name,
                    thresher::checked_number(*data->right, distance));
}

[[noreturn]] void __ubsan_handle_divrem_overflow_abort(const thresher::CheckedPlace* data, std::uintptr_t,
                                                       std::uintptr_t) {
  thresher::mistake(data->place(), "test the divisor first", "a division by zero");
}

[[noreturn]] void __ubsan_handle_type_mismatch_v1_abort(const thresher::CheckedAccess* data, std::uintptr_t) {
  thresher::mistake(data->where.place(), "let it point to something first", "a pointer to %.*s is null",
                    data->type->length(), data->type->name);
}

[[noreturn]] void __ubsan_handle_load_invalid_value_abort(const thresher::CheckedAccess* data, std::uintptr_t) {
  thresher::mistake(data->where.place(), "give it a value on every path", "%.*s holds what it cannot: it was never set",
                    data->type->length(), data->type->name);
}

[[noreturn]] void __ubsan_handle_builtin_unreachable(const thresher::CheckedPlace* data) {
  thresher::mistake(data->place(), "mend the condition", "what was said to be unreachable is reached");
}

[[noreturn]] void __ubsan_handle_missing_return(const thresher::CheckedPlace* data) {
  thresher::mistake(data->place(), "return a value on every path",
                    "a function ends without the value that it must return");
}

}  // extern "C"

#endif
