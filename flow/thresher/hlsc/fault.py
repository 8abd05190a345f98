"""What only a fault of hlsc itself can bring about."""

from __future__ import annotations

from typing import ClassVar

from thresher.errors import ThresherError
from thresher.hlsc.refusal import message


class HlscFaultError(ThresherError):
    """hlsc has read something else than what the C++ says; nothing that it makes can be trusted.

    `place` is the `file:line` in the C++, or empty; `unit` is the name of the unit, which only
    `compile_unit` knows.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, place: str = "", unit: str = "") -> None:
        super().__init__(message(unit, place, what, "this is a fault of hlsc: report it with the unit's C++"))
        self._parts = (what, place)

    def of(self, unit: str) -> HlscFaultError:
        """The same error with the unit's name in its message."""
        return HlscFaultError(*self._parts, unit)
