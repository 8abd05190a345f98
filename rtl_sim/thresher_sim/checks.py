"""What clang checks of a unit's C++ while its bench runs it; `thresher/undefined.hpp` says what it finds.

Signed sums that wrap are no mistake: hlsc and the C simulation have the same `-fwrapv`.
"""

from __future__ import annotations

import re

_KINDS = (
    "array-bounds",
    "bool",
    "enum",
    "integer-divide-by-zero",
    "null",
    "return",
    "shift-exponent",
    "unreachable",
)
CHECKS = (
    "-DTHRESHER_CHECKED",
    # zig defines it where it optimises, and `assert` would check nothing.
    "-UNDEBUG",
    f"-fsanitize={','.join(_KINDS)}",
    "-fno-sanitize-trap=all",
    "-fno-sanitize-recover=all",
    # Else an array that is the last member of its class is taken to have any length.
    "-fstrict-flex-arrays=3",
    # Else a loop that does not end is left out.
    "-fno-finite-loops",
)
"""Flags of clang."""

_INDEX = re.compile(r"\bicmp ule (?=[^\n]*\n +br i1 [^\n]*, label %handler\.out_of_bounds)")


def with_strict_indices(llvm: str) -> str:
    """LLVM's text of a checked program, in which an index that is the length of its array is a mistake.

    clang lets it pass where an element is not loaded or stored but referred to, as the end of an array
    may be. So `table[8] = x` would pass where elements are of a class: that is a call for `table[8]`.
    """
    return _INDEX.sub("icmp ult ", llvm)
