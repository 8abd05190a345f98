"""What of C++'s standard library a step cannot have: by the name that the user wrote, with what to write."""

from __future__ import annotations

import re

from thresher.hlsc.refusal import NotHardwareError

_SORTED = (
    "write a sorting network: nested loops of a constant size that compare two elements and exchange them"
)
_SEARCHED = "keep keys and values in arrays of a constant size, which a loop searches, or in a Ram"
_LISTED = "use std::array or an array of a constant size, with the number of elements as a member, or a Ram"
_HELD = "hold the object itself as a member or a local variable"
_INSTEAD = {
    r"std::(?:ranges::)?(?:stable_|partial_)?sort\b|std::(?:ranges::)?nth_element": _SORTED,
    r"std::(?:unordered_)?(?:multi)?(?:map|set)\b": _SEARCHED,
    r"std::(?:vector|deque|list|forward_list|queue|stack|priority_queue|basic_string)\b": _LISTED,
    r"std::function\b": "give the function its own type: 'auto f = [](int x) { ... };', a template argument",
    r"std::(?:unique_ptr|shared_ptr|make_unique|make_shared)\b": _HELD,
}


def of_standard_library(error: NotHardwareError, called: str) -> NotHardwareError:
    """A refusal of what stands in a function of the standard library, `called` by the user under that name.

    The same error where `called` is empty.
    """
    if not called:
        return error
    remedy = instead_of(called) or error.remedy
    place = f"in '{called}' of the standard library"
    if error.reason.endswith(")"):
        return NotHardwareError(f"{error.reason[:-1]}, {place})", remedy)
    return NotHardwareError(f"{error.reason} ({place})", remedy)


def instead_of(name: str) -> str:
    """What to write in place of a name of the standard library, or nothing if that is not known."""
    return next((remedy for names, remedy in _INSTEAD.items() if re.match(names, name)), "")
