"""What hlsc cannot turn into hardware."""

from __future__ import annotations

from thresher.errors import UnsupportedModelError


class NotHardwareError(Exception):
    """Something that cannot become hardware, before it is known where in the C++ it stands."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class UnsupportedUnitError(UnsupportedModelError):
    """The C++ of a unit is valid, and cannot become a pipeline with initiation interval 1.

    `line` is the place in the C++ as `file:line`, or empty where none is known; `unit` is the name
    of the unit, which only `compile_unit` knows.
    """

    def __init__(self, line: str, reason: str, remedy: str, unit: str = "") -> None:
        super().__init__(message(unit, line, reason, remedy))
        self._parts = (line, reason, remedy)

    def of(self, unit: str) -> UnsupportedUnitError:
        """The same error with the unit's name in its message."""
        return UnsupportedUnitError(*self._parts, unit)


def message(unit: str, line: str, what: str, remedy: str) -> str:
    """One line that says where, what, why, and what to do."""
    places = [f"unit '{unit}'" if unit else "", line]
    return ": ".join(["hlsc", *filter(None, places), f"{what}; {remedy}"])
