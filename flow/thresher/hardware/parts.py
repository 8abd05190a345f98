"""Part numbers, and which of hlsc's delay models serves each."""

from __future__ import annotations

import re

from thresher.errors import UsageError

DEFAULT_PART = "xc7z020clg400-1"

# What a part number begins with. UltraScale and UltraScale+ are faster than the 7 series, whose delays
# stand in for theirs: a unit gets more stages than it needs, never too few.
_FAMILIES = {
    **dict.fromkeys(("xc7a", "xc7k", "xc7s", "xc7v", "xc7z"), "xc7"),
    **dict.fromkeys(("xcau", "xcku", "xcvu", "xczu"), "xc7"),
    "lfe5u": "ecp5",
}


def family_of(part: str, command: str = "build") -> str:
    """The family whose delays hold for `part`: "xc7" or "ecp5".

    Raises:
        UsageError: it is not a part number, or one of parts whose delays are not known; the message
            begins with `command`.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", part):
        raise UsageError(f"{command}: {part!r} is not a part number; give one such as {DEFAULT_PART}")
    for prefix, family in _FAMILIES.items():
        if part.lower().startswith(prefix):
            return family
    known = ", ".join(_FAMILIES)
    raise UsageError(
        f"{command}: the delays of part {part!r} are not known; give one that begins with {known}"
    )
