// What the standard macro `assert` calls where its condition does not hold: a mistake of the unit's C++, of
// which the program tells the line, the step and its beats. It stands in for the C library's own function.
// For the one file of a program.
#ifndef THRESHER_ASSERTION_HPP
#define THRESHER_ASSERTION_HPP

#include "thresher/mistake.hpp"

// By its name in the object file, as the C libraries declare it differently.
extern "C" [[noreturn]] void thresher_assert_fail(const char* condition, const char* file, unsigned line,
                                                  const char*) __asm__("__assert_fail");

extern "C" [[noreturn]] __attribute__((used)) void thresher_assert_fail(const char* condition, const char* file,
                                                                        unsigned line, const char*) {
  thresher::mistake({file, line}, "mend the C++, or the assertion, if such beats may come",
                    "assert(%s) does not hold", condition);
}

#endif
