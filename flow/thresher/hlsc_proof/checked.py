"""A unit's C++ with a call wherever it does what has no meaning, so that a proof leaves such steps out.

clang's sanitisers put the calls there, and what follows a call is compiled as if there were none. Without
them hlsc and the reference would each make something of such a step, and not the same.
"""

from __future__ import annotations

from thresher.hlsc.clang import UnitSource, emit_llvm, optimised
from thresher_sim.checks import with_strict_indices

MISTAKE = "__ubsan_handle_"
"""What the names of the functions that are called begin with."""

_FLAGS = (
    "-fsanitize=array-bounds,integer-divide-by-zero,shift-exponent",
    *("-fsanitize-recover=all", "-fsanitize-minimal-runtime"),
    *("-Xclang", "-disable-llvm-passes"),
)


def checked_text(source: UnitSource) -> str:
    """The LLVM IR of a unit, optimised as hlsc's is, with a call of `MISTAKE` in each such place.

    Raises:
        As `emit_llvm`.
    """
    return optimised(with_strict_indices(emit_llvm(source, *_FLAGS).text))
