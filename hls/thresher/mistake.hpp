// What a unit's own C++ is held to where its bench runs it, compiled with THRESHER_CHECKED: memories and
// tables are addressed within their words, and undefined.hpp adds what clang checks. C++ that does
// otherwise is a mistake: it has no meaning, and the run ends there.
#ifndef THRESHER_MISTAKE_HPP
#define THRESHER_MISTAKE_HPP

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace thresher {

// A place in C++. As the default of a parameter, `Place::here()` is the place of the call.
struct Place {
  const char* file;
  unsigned line;

  static constexpr Place here(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    return {file, line};
  }
};

// Called at the first mistake, once it is told, if set: whoever runs a unit step by step ends there.
inline void (*on_mistake)() = nullptr;

// Ends the run with exit status 3, and tells on stderr `mistake: FILE:LINE: WHAT` and `remedy: REMEDY`.
[[noreturn]] __attribute__((format(printf, 3, 4))) inline void mistake(Place place, const char* remedy,
                                                                       const char* what, ...) {
  std::va_list values;
  va_start(values, what);
  std::fprintf(stderr, "\nmistake: %s:%u: ", place.file, place.line);
  std::vfprintf(stderr, what, values);
  std::fprintf(stderr, "\nremedy: %s\n", remedy);
  va_end(values);
  if (on_mistake != nullptr) on_mistake();
  std::exit(3);
}

// An address that is negative in the C++ is shown as such.
inline void check_address(std::uint32_t address, int depth, const char* what, Place place) {
  if (address < static_cast<std::uint32_t>(depth)) return;
  mistake(place, "keep the address within the words, or give more words",
          "address %lld is outside of a %s of %d words", address >> 31 ? address - (1LL << 32) : address, what,
          depth);
}

}  // namespace thresher

#endif
