// What clang's undefined-behaviour sanitiser calls where C++ leaves a program without meaning: one line on
// stderr for each place, and the program goes on. It stands in for the sanitiser's own library, which the
// ziglang wheel links only with its own linker. All that is read of a report is its first member, the place.
#include <cstdio>

namespace {

struct Place {
  const char* file;
  unsigned line;
  unsigned column;
};

void report(const char* what, void* data) {
  Place* place = static_cast<Place*>(data);
  if (place->line == 0) return;
  std::fprintf(stderr, "undefined: %s:%u: %s\n", place->file, place->line, what);
  place->line = 0;
}

}  // namespace

#define REPORT(name)                                                          \
  extern "C" void __ubsan_handle_##name(void* data) { report(#name, data); } \
  extern "C" void __ubsan_handle_##name##_abort(void* data) { report(#name, data); }

REPORT(add_overflow)
REPORT(sub_overflow)
REPORT(mul_overflow)
REPORT(negate_overflow)
REPORT(divrem_overflow)
REPORT(shift_out_of_bounds)
REPORT(out_of_bounds)
REPORT(load_invalid_value)
REPORT(type_mismatch_v1)
REPORT(pointer_overflow)
REPORT(builtin_unreachable)
REPORT(missing_return)
REPORT(vla_bound_not_positive)
REPORT(float_cast_overflow)
REPORT(invalid_builtin)
REPORT(alignment_assumption)
REPORT(function_type_mismatch)
REPORT(nonnull_arg)
REPORT(nullability_arg)
REPORT(nonnull_return_v1)
REPORT(nullability_return_v1)
