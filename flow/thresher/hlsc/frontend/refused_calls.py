"""Why a function without a body cannot be called, by what it does where that can be known."""

from __future__ import annotations

from thresher.hlsc.refusal import NotHardwareError

_ALLOCATING = frozenset({"malloc", "calloc", "realloc", "aligned_alloc", "free"})
_PRINTING = frozenset({"printf", "fprintf", "puts", "fputs", "putchar", "fputc", "putc", "fwrite", "fflush"})


def is_allocation(symbol: str) -> bool:
    """Whether a function allocates memory, or frees it."""
    return symbol in _ALLOCATING or symbol.startswith(("_Zn", "_Zd"))


def of_call(symbol: str, plain: str) -> NotHardwareError:
    """The refusal of a call, by the symbol, empty through a pointer, and by the name in the C++."""
    if not symbol:
        return NotHardwareError(
            "a function is called through a pointer that is not known",
            "choose the function by a template argument, or by `if`",
        )
    if is_allocation(symbol):
        return NotHardwareError(
            f"memory is allocated or freed in a step ('{plain}')",
            "use arrays of a constant size, as members or local variables",
        )
    if symbol in _PRINTING or symbol.startswith("_ZNSo") or "basic_ostream" in symbol:
        return NotHardwareError(
            f"'{plain}' prints, which hardware cannot",
            "print in the C simulation only: put it between `#ifndef THRESHER_HLSC` and `#endif`",
        )
    return NotHardwareError(
        f"'{plain}' is called, which has no body here", "call only functions that the unit's headers define"
    )
